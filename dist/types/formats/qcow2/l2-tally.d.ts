/** Hears the runs of L2 tables and turns them into extents of the mapping and into counted references. */
import { type ExtentTableBuilder } from "../../image/extent.ts";
import type { Qcow2Geometry } from "./geometry.ts";
import type { L2Defect, L2Sink } from "./l2-table-scan.ts";
import type { ReferenceTally } from "./reference-tally.ts";
/** The table that is being read, and how often L1 tables list it. */
export interface L2Visit {
    /** L1 index, for messages; undefined for tables of snapshots. */
    readonly l1Index: number | undefined;
    readonly hostOffset: number;
    readonly activeTimes: number;
    readonly inactiveTimes: number;
}
export declare class L2Tally implements L2Sink {
    #private;
    constructor(tally: ReferenceTally, geometry: Qcow2Geometry, builder: ExtentTableBuilder | undefined, hasDataFile: boolean);
    begin(visit: L2Visit): void;
    unallocated(entryCount: number): void;
    zeros(entryCount: number): void;
    clusters(isZero: boolean, hostOffset: number, entryCount: number, isCopied: boolean): void;
    subclusters(hostOffset: number, isCopied: boolean, allocated: number, zero: number): void;
    compressed(hostOffset: number, storedLength: number): void;
    defect(defect: L2Defect, _entryIndex: number, hostOffset: number): void;
}
