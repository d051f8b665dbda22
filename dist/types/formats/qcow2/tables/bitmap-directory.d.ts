/** Persistent dirty bitmaps: their directory, tables and clusters (docs/interop/qcow2.txt, "Bitmaps"). */
import { type Storage } from "../../../storage/storage.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import { type Qcow2Header } from "../header/header.ts";
import type { WalkSource } from "./table-walk.ts";
export declare const BitmapDirectoryEntry: import("../../../bytes/struct.ts").Struct<{
    bitmapTableOffset: import("../../../bytes/struct.ts").Field<number>;
    bitmapTableSize: import("../../../bytes/struct.ts").Field<number>;
    flags: import("../../../bytes/struct.ts").Field<number>;
    type: import("../../../bytes/struct.ts").Field<number>;
    granularityBits: import("../../../bytes/struct.ts").Field<number>;
    nameSize: import("../../../bytes/struct.ts").Field<number>;
    extraDataSize: import("../../../bytes/struct.ts").Field<number>;
}>;
export declare const BitmapFlag: {
    readonly inUse: 1;
    readonly auto: 2;
    readonly extraDataCompatible: 4;
};
export interface Bitmap {
    readonly name: string;
    /** Bytes of guest that one bit stands for. */
    readonly granularity: number;
    readonly isInUse: boolean;
    /** It records writes by itself. */
    readonly isAuto: boolean;
    /** Of its entry in the directory. */
    readonly entryHostOffset: number;
    readonly tableHostOffset: number;
    readonly tableEntryCount: number;
}
/**
 * Reads the directory. Without the autoclear bit another program has written to the image since, and what is left
 * of the bitmaps means nothing: the list is empty.
 *
 * @throws ImageError `corrupt` where the directory does not hold what the header says.
 */
export declare function readBitmapDirectory(storage: Storage, header: Qcow2Header, geometry: Qcow2Geometry): Promise<readonly Bitmap[]>;
/** Counts the directory, the tables and the clusters of all bitmaps. */
export declare function countBitmaps(source: WalkSource, bitmaps: readonly Bitmap[]): Promise<void>;
