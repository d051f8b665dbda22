/** What `info` tells of a qcow2 image beyond what all formats have, typed. */

export interface Qcow2SpecificInfo {
  readonly format: "qcow2";
  /** Bytes. */
  readonly clusterSize: number;
  readonly formatSpecific: { readonly type: "qcow2"; readonly data: Qcow2Details };
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
  readonly encrypt?: { readonly format: "aes" | "luks" };
  /** The name of the external data file as stored, empty where none is stored; absent for an image that has its data itself. */
  readonly dataFile?: string;
  readonly dataFileRaw?: boolean;
  /** The mark that a program leaves which found the image corrupt. */
  readonly corrupt?: boolean;
  readonly extendedL2?: boolean;
}

/** A persistent dirty bitmap. */
export interface Qcow2BitmapInfo {
  /** `in-use`: not put away, its bits mean nothing; `auto`: records writes by itself. */
  readonly flags: readonly ("in-use" | "auto")[];
  readonly name: string;
  /** Bytes of guest that one bit stands for. */
  readonly granularity: number;
}
