/**
 * Where everything of a qcow2 target lies.
 *
 *   cluster 0     the source's old body                      additiveStart
 *   | header |    data clusters, staying where they are      | L2 ... L2 | L1 | refcount blocks | refcount table |
 *   '- 512 bytes: the commit                                  '- a table only where something is mapped     end -'
 *
 * Nothing below additiveStart is written but the header. What the source used there and the target does not (its
 * tables, its leaks) counts 0: free, never leaked.
 */
import type { FileSpace, Placement } from "../../image/driver.ts";
import { type ExtentTable } from "../../image/extent.ts";
import type { Write } from "../../image/write.ts";
import { type RefcountLayout } from "./refcount-layout.ts";
import { type Qcow2Settings } from "./target-options.ts";
/** Host offsets and sizes in bytes of the file. */
export interface Qcow2Layout {
    readonly clusterSize: number;
    readonly l1EntryCount: number;
    /** Non-zero for each entry of the L1 table that has an L2 table. */
    readonly hasL2Table: Uint8Array;
    readonly l2TableCount: number;
    readonly l2HostOffset: number;
    /** 0 for a disk of no bytes, which has no L1 table. */
    readonly l1HostOffset: number;
    readonly refcounts: RefcountLayout;
    readonly hasCompressed: boolean;
    readonly start: number;
    readonly end: number;
    writes(): Iterable<Write>;
}
/**
 * Lays out the tables for `extents` from `space.additiveStart` on.
 * @throws ImageError `out-of-bounds` for extents that a qcow2 of these settings cannot point at.
 */
export declare function layOut(extents: ExtentTable, virtualSize: number, settings: Qcow2Settings, placement: Placement, space: FileSpace): Qcow2Layout;
