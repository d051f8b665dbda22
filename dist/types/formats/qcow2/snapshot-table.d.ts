/** The snapshot table: names and L1 tables of internal snapshots (docs/interop/qcow2.txt, "Snapshots"). */
import { type L2List } from "./l1-table.ts";
import type { WalkSource } from "./table-walk.ts";
export declare const SnapshotEntry: import("../../bytes/struct.ts").Struct<{
    l1TableOffset: import("../../bytes/struct.ts").Field<import("../../bytes/struct.ts").Flags64>;
    l1Size: import("../../bytes/struct.ts").Field<number>;
    idLength: import("../../bytes/struct.ts").Field<number>;
    nameLength: import("../../bytes/struct.ts").Field<number>;
    dateSeconds: import("../../bytes/struct.ts").Field<number>;
    dateNanoseconds: import("../../bytes/struct.ts").Field<number>;
    vmClockNanoseconds: import("../../bytes/struct.ts").Field<import("../../bytes/struct.ts").Flags64>;
    vmStateSize: import("../../bytes/struct.ts").Field<number>;
    extraDataSize: import("../../bytes/struct.ts").Field<number>;
}>;
export interface Snapshot {
    readonly id: string;
    readonly name: string;
    /** May exceed 2^53 in a hostile image, and lie anywhere. */
    readonly l1HostOffset: number;
    readonly l1EntryCount: number;
    readonly extraDataSize: number;
}
export interface SnapshotTable {
    readonly snapshots: readonly Snapshot[];
    /** Bytes that the entries occupy. */
    readonly length: number;
}
/** @throws ImageError `unsupported` for tables beyond the limits, which nothing that writes qcow2 makes. */
export declare function readSnapshotTable({ storage, header, geometry }: WalkSource): Promise<SnapshotTable>;
/** Counts the snapshot table and the L1 tables it names; gives the L2 tables that these list. */
export declare function countSnapshots(source: WalkSource): Promise<L2List[]>;
