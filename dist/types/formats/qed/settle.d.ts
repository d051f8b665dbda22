/**
 * Settling: a QED file gives up what nothing refers to and ends at N = H + D + T clusters, its tables at N - T.
 *
 *   as found    | header | data, holes          | data ...  | holes, tables anywhere ... |
 *   1 fill      | header | data, copies in holes| data ...  | tables                     |   nothing points at a copy yet
 *   2 re-point  | header | data                 | (leaks)   | tables                     |   old places are free
 *   3 tables    | header | data                 | final L2s L1 | (leaks)  tables         |   nothing points at them yet
 *   4 switch    | header | data                 | final L2s L1 | (leaks)                 |   one sector: the L1 offset
 *   5 truncate  | header | data                 | final L2s L1 |
 *               0        H                     N-T             N
 *
 * Each arrow is a barrier and each state a valid image with the same guest and leaks at most. Live tables in the way
 * of the data or the final tables are copied past the end first. Tables that lie wholly below N, as those of a file
 * that QEMU made, stay: then only data past N moves.
 */
import type { SettlingForecast } from "../../image/driver.ts";
import type { ExtentTable } from "../../image/extent.ts";
import type { Rearrangement } from "../../image/write.ts";
import type { Storage } from "../../storage/storage.ts";
import { ClusterBitmap } from "./cluster-bitmap.ts";
import { type QedHeader } from "./header.ts";
import { type TableLayout } from "./layout.ts";
import type { TableScan } from "./table-scan.ts";
/** Throws ImageError `corrupt` for an image that is not clean but for leaks. */
export declare function planSettling(storage: Storage, header: QedHeader, scan: TableScan): Promise<Rearrangement>;
/**
 * What settling will do with a target just switched to: header and data below, tables at or past N as `layout` says.
 * Stale bytes of the old header, at most one cluster, are not counted.
 */
export declare function forecastSettling(extents: ExtentTable, references: ClusterBitmap, layout: TableLayout): SettlingForecast;
