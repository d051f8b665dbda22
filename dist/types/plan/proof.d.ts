/**
 * The plan's proof: walked apart from the planner, row against row, before anything is written.
 *
 * It shows that every guest byte of the target is the source's (the same host byte, or a copy of the same guest
 * byte), that no two units share a place, and that nothing new lies below the old end.
 */
import type { RangeSet } from "../bytes/range-set.ts";
import type { Placement } from "../image/driver.ts";
import { type ExtentTable } from "../image/extent.ts";
import type { GuestCopy } from "../image/write.ts";
export interface ProofInput {
    readonly source: ExtentTable;
    readonly target: ExtentTable;
    readonly copies: readonly GuestCopy[];
    readonly placement: Placement;
    /** Every host byte of the source's metadata. */
    readonly metadata: RangeSet;
    readonly hasBacking: boolean;
    readonly oldFileSize: number;
}
/** Throws ImageError `verification-failed` at the first place where the plan would lose a byte. */
export declare function provePlan(input: ProofInput): void;
