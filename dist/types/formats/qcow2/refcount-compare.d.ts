/** Compares the refcounts that the image holds with the references that were counted, for every host cluster. */
import { type RefcountBlocks } from "./refcount-table.ts";
import type { WalkSource } from "./table-walk.ts";
/** Reports mismatches to the tally; answers one past the highest cluster that is counted or referenced. */
export declare function compareRefcounts(source: WalkSource, blocks: RefcountBlocks): Promise<number>;
