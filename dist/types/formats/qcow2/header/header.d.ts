/** The qcow2 header, versions 2 and 3: parsing and validation (docs/interop/qcow2.txt, "Header"). */
import { RangeSet } from "../../../bytes/range-set.ts";
import { type Flags64 } from "../../../bytes/struct.ts";
import type { BackingFile } from "../../../image/source.ts";
import { type Storage } from "../../../storage/storage.ts";
import { type HeaderExtensions } from "./extensions.ts";
export * from "./fields.ts";
/** A header that has passed every rule. Sizes and offsets in bytes. */
export interface Qcow2Header {
    readonly version: 2 | 3;
    readonly clusterBits: number;
    readonly clusterSize: number;
    readonly virtualSize: number;
    readonly encryption: "aes" | "luks" | undefined;
    readonly l1EntryCount: number;
    readonly l1TableHostOffset: number;
    readonly refcountTableHostOffset: number;
    readonly refcountTableClusterCount: number;
    /** Width of a refcount: 1, 2, 4, ..., 64. */
    readonly refcountBits: number;
    readonly snapshotCount: number;
    readonly snapshotTableHostOffset: number;
    readonly incompatible: Flags64;
    readonly compatible: Flags64;
    readonly autoclear: Flags64;
    readonly hasSubclusters: boolean;
    readonly hasDataFile: boolean;
    readonly compression: "zlib" | "zstd";
    /** 72 for version 2. */
    readonly headerLength: number;
    readonly extensions: HeaderExtensions;
    readonly backing: BackingFile | undefined;
    /** Bytes of the header cluster that mean something: header, extensions, backing name. */
    readonly usedRanges: RangeSet;
}
/** Bytes of an L2 entry: 16 with subclusters. */
export declare function l2EntrySize(hasSubclusters: boolean): number;
/** Bytes of guest that one L2 table maps. */
export declare function bytesPerL2Table(clusterSize: number, hasSubclusters?: boolean): number;
export declare function isQcow2(head: Uint8Array): boolean;
/**
 * Reads and validates the header cluster.
 * @throws ImageError `not-this-format`, `unsupported` or `corrupt`, each naming the field's host offset.
 */
export declare function readHeader(storage: Storage): Promise<Qcow2Header>;
/** Parses the header from the file's first cluster, `cluster`, shorter only where the file is. */
export declare function parseHeader(cluster: Uint8Array, path?: string): Qcow2Header;
