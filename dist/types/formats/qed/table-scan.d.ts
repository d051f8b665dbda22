/**
 * One walk over all tables that feeds both the mapping and the check (QED specification, "Tables").
 *
 * Tables are visited in L1 order, and a table is followed only if it lies where one may and none of its clusters was
 * referenced before: so the work is bounded by the file's length, whatever the entries say.
 */
import { type ExtentTable } from "../../image/extent.ts";
import type { Finding, FindingList } from "../../image/finding.ts";
import type { Storage } from "../../storage/storage.ts";
import { ClusterBitmap } from "./cluster-bitmap.ts";
import { type QedHeader } from "./header.ts";
/** An L2 table that can be followed. */
export interface L2Table {
    readonly l1Index: number;
    readonly hostOffset: number;
}
export interface TableScan {
    /** Undefined where a table or an entry can't be followed; `broken` then says which. */
    readonly mapping: ExtentTable | undefined;
    readonly broken: Finding | undefined;
    /** Header, tables and data clusters that entries reference. */
    readonly references: ClusterBitmap;
    readonly l2Tables: readonly L2Table[];
    /** L2 tables that say anything about the disk: the others could be left out. */
    readonly neededL2Indexes: readonly number[];
    /** Data clusters within the disk, by entries. */
    readonly dataCount: number;
    /** Data clusters that entries past the disk's end reference. */
    readonly beyondCount: number;
    readonly fragmentedCount: number;
    /** All entries that hold an offset, valid or not, as qemu-img counts allocated clusters. */
    readonly allocatedCount: number;
    /** Corruptions only; leaks and marks are the check's. */
    readonly findings: FindingList;
}
/** Reads every table once. Throws ImageError only for what can't be read; wrong entries become findings. */
export declare function scanTables(storage: Storage, header: QedHeader): Promise<TableScan>;
