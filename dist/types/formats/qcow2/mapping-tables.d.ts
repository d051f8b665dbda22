/** The L2 and L1 tables of a qcow2 target as streams of writes (docs/interop/qcow2.txt, "Cluster mapping"). */
import { type ExtentTable } from "../../image/extent.ts";
import type { Write } from "../../image/write.ts";
import type { Qcow2Layout } from "./layout.ts";
/** The L2 tables in guest order, one after another. */
export declare function l2Writes(layout: Qcow2Layout, extents: ExtentTable): Generator<Write>;
/** The L1 table, padded with zeros to whole clusters. */
export declare function l1Writes(layout: Qcow2Layout): Generator<Write>;
