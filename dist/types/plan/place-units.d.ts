/**
 * Which units stay and which move.
 *
 *      source   |h|  A  | L2 |  C  |  B  |z(B)|           old end
 *                    |          |     |                   |
 *      target   |h|  A  |    |  C  |  B  |                |  copies  |  new tables ...
 *
 * A unit stays when its whole guest range is one contiguous, aligned host run outside the reserved ranges; everything
 * else is copied once, past the old end (DESIGN: Placement).
 */
import type { Placement } from "../image/driver.ts";
import { type ExtentTable } from "../image/extent.ts";
import type { GuestCopy } from "../image/write.ts";
export interface PlacementInput {
    readonly mapping: ExtentTable;
    readonly placement: Placement;
    readonly virtualSize: number;
    readonly sourceClusterSize: number;
    readonly hasBacking: boolean;
    /** First host offset for copies: past the old end, aligned to both cluster sizes. */
    readonly copyStart: number;
}
export interface Placed {
    /** Where the target finds each guest range. */
    readonly extents: ExtentTable;
    readonly copies: readonly GuestCopy[];
    /** One past the last copied unit. */
    readonly copyEnd: number;
    /** Host bytes of all copies, in whole units. */
    readonly bytesMoved: number;
    readonly refusals: readonly string[];
}
/** Pure; one pass over the mapping. */
export declare function placeUnits(input: PlacementInput): Placed;
