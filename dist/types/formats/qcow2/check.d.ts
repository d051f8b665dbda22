/** The consistency check: everything that is referenced, against everything that has a refcount. */
import type { CheckResult } from "../../image/finding.ts";
import { type Bitmap } from "./bitmap-directory.ts";
import { type RefcountBlocks } from "./refcount-table.ts";
import { type WalkSource } from "./table-walk.ts";
/** All references of the image, with where its refcounts lie; `failed` where some of it could not be read. */
export interface Inventory {
    readonly blocks: RefcountBlocks;
    readonly failed: boolean;
}
/**
 * Counts what the active tables do not: header, snapshots, shared L2 tables, bitmaps, encryption header, refcount
 * table and blocks. To be called once, after the walk of the active tables.
 */
export declare function takeInventory(source: WalkSource, bitmaps: readonly Bitmap[]): Promise<Inventory>;
/** Compares refcounts; without a whole inventory nothing is compared, since all else would look leaked. */
export declare function checkImage(source: WalkSource, { blocks, failed }: Inventory): Promise<CheckResult>;
/** What is wrong inside the image is a finding; a medium that fails is not. */
export declare function reportUnreadable({ tally }: WalkSource, cause: unknown): void;
