/** Verification: the target opened by its own driver shows the source's guest, state by state and byte by byte. */
import type { Image } from "../image/driver.ts";
import { type ExtentTable } from "../image/extent.ts";
import type { CheckResult } from "../image/finding.ts";
export interface VerifyInput {
    readonly source: {
        readonly virtualSize: number;
        readonly mapping: ExtentTable;
        readonly hasBacking: boolean;
    };
    readonly target: Image;
    /** The plan's extents, where there is a plan; the reopened mapping must equal them. */
    readonly planned: ExtentTable | undefined;
    /** True where nothing may be leaked. */
    readonly mustBeSettled: boolean;
    /** False with `--no-check`. */
    readonly check: boolean;
}
/** Reads the target's tables, no data. Throws `verification-failed`; returns its check. */
export declare function verifyMetadata(input: VerifyInput): Promise<CheckResult | null>;
/** Throws `verification-failed` when two digests differ. */
export declare function verifyDigest(target: Image, before: string, after: string): void;
/**
 * The first guest offset at which a target can't show what the source does, or -1. A digest can't tell a dropped
 * backing file from zeros, so the states are compared too: over a backing file unallocated must stay unallocated
 * and nothing else may become so; without one, zeros and unallocated read alike.
 */
export declare function firstLostState(source: ExtentTable, target: ExtentTable, hasBacking: boolean): number;
