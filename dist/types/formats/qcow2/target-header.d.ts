/**
 * The commit: the one sector that makes the file a qcow2 (docs/interop/qcow2.txt, "Header").
 *
 *   0            72 or 112                    512                              cluster size
 *   | header     | backing format, end | name | the source's header bytes ...           |
 *                                       '- or, when it is too long for the sector, in bytes that nobody uses -'
 */
import type { RangeSet } from "../../bytes/range-set.ts";
import type { BackingFile, Commit } from "../../image/driver.ts";
import type { Qcow2Layout } from "./layout.ts";
import type { Qcow2Settings } from "./target-options.ts";
export interface TargetHeader {
    readonly settings: Qcow2Settings;
    readonly virtualSize: number;
    readonly layout: Qcow2Layout;
    readonly compression: "zlib" | "zstd";
    readonly backing: BackingFile | undefined;
}
/** Encodes the header and finds a place for the backing name; throws ImageError `unsupported` where there is none. */
export declare function encodeCommit(target: TargetHeader, oldHeader: Uint8Array, usedHeader: RangeSet): Commit;
/** Bytes before the backing name at the least, and the name: what a first cluster must hold. */
export declare function minHeaderSize(settings: Qcow2Settings, backing: BackingFile): number;
