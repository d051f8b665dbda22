/**
 * The one walk over L1 and L2 tables that feeds both the mapping and the counted references.
 *
 *   active L1 ─► L2 tables, in guest order ─► extents + references      walkActiveTables; countActiveTables: no extents
 *   L1 of snapshots, tables listed twice   ─► references alone          walkSharedTables
 *
 * Each L2 table is read once, however often it is listed: its references count that many times.
 */
import { type ExtentTable } from "../../../image/extent.ts";
import type { Finding } from "../../../image/finding.ts";
import type { Storage } from "../../../storage/storage.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import type { Qcow2Header } from "../header/header.ts";
import { type L2List } from "./l1-table.ts";
import type { ReferenceTally } from "./reference-tally.ts";
export interface ActiveWalk {
    /** Valid only where `problem` is undefined. */
    readonly extents: ExtentTable;
    /** The first thing that keeps the tables from being followed. */
    readonly problem: Problem | undefined;
}
export interface Problem extends Pick<Finding, "message" | "structure" | "hostOffset" | "guestOffset">, Partial<Pick<Finding, "kind">> {
    readonly remedy?: string;
}
/** What a walk needs to know of its image. */
export interface WalkSource {
    readonly storage: Storage;
    readonly header: Qcow2Header;
    readonly geometry: Qcow2Geometry;
    readonly tally: ReferenceTally;
}
export declare function walkActiveTables(source: WalkSource): Promise<ActiveWalk>;
/** The same without a mapping, which takes more memory than all counts where clusters lie in no order. */
export declare function countActiveTables(source: WalkSource): Promise<void>;
/** Counts what the L2 tables reference that the active L1 lists more than once or that snapshots list. */
export declare function walkSharedTables(source: WalkSource, unaligned: readonly L2List[]): Promise<void>;
