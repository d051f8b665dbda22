/** What `info` tells of a qcow2 image beyond what all formats have, typed. */
export interface Qcow2SpecificInfo {
    readonly format: "qcow2";
    /** Bytes. */
    readonly clusterSize: number;
    readonly formatSpecific: {
        readonly type: "qcow2";
        readonly data: Qcow2Details;
    };
}
/** In qemu-img's order. Version 2 (`compat` 0.10) has only the first, `refcountBits` and `encrypt`. */
export interface Qcow2Details {
    readonly compat: "0.10" | "1.1";
    readonly compressionType: "zlib" | "zstd";
    readonly lazyRefcounts?: boolean;
    /** Absent where the image has none that are valid. */
    readonly bitmaps?: readonly Qcow2BitmapInfo[];
    /** Width of a refcount: 1, 2, 4, ..., 64. */
    readonly refcountBits: number;
    /** Of LUKS the format alone where its header can't be read. */
    readonly encrypt?: {
        readonly format: "aes" | "luks";
    } | LuksDetails;
    /** The name of the external data file as stored, empty where none is stored; absent for an image that has its data itself. */
    readonly dataFile?: string;
    readonly dataFileRaw?: boolean;
    /** The mark that a program leaves which found the image corrupt. */
    readonly corrupt?: boolean;
    readonly extendedL2?: boolean;
}
/** What a LUKS header says of itself, without a key. */
export interface LuksDetails {
    /** How the start value of each sector is made. */
    readonly ivgenAlg: string;
    /** As newer ones than qemu-img 7.2 tell it. */
    readonly detachedHeader: false;
    /** Of the keys. */
    readonly hashAlg: string;
    /** The cipher and the bits of its key, e.g. `aes-256`. */
    readonly cipherAlg: string;
    readonly uuid: string;
    /** Of the start values; absent where they need none. */
    readonly ivgenHashAlg?: string;
    readonly format: "luks";
    readonly cipherMode: string;
    /** Eight. */
    readonly slots: readonly LuksSlot[];
    /** Where the data would begin, in bytes from the header's start. */
    readonly payloadOffset: number;
    /** Rounds that the master key's digest took. */
    readonly masterKeyIters: number;
}
/** A place for one passphrase. */
export interface LuksSlot {
    /** Whether it is taken; only then the other two numbers are told. */
    readonly active: boolean;
    /** Rounds that a passphrase takes. */
    readonly iters?: number;
    /** Bytes from the header's start. */
    readonly keyOffset: number;
    readonly stripes?: number;
}
/** A persistent dirty bitmap. */
export interface Qcow2BitmapInfo {
    /** `in-use`: not put away, its bits mean nothing; `auto`: records writes by itself. */
    readonly flags: readonly ("in-use" | "auto")[];
    readonly name: string;
    /** Bytes of guest that one bit stands for. */
    readonly granularity: number;
}
