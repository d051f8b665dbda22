/** What a driver returns where an image can be repaired: values, like a rearrangement; `convert/` alone performs them. */

import type { Finding } from "./finding.ts";
import type { Write } from "./write.ts";

/** `leaks` only gives back what nobody references; `all` makes refcounts, flags and marks right too. */
export type RepairScope = "leaks" | "all";

export interface RepairWishes {
  readonly scope: RepairScope;
  /**
   * Consent to give up what can't be kept: entries that point nowhere become zeros, snapshots that can't be read go.
   * Without it such findings stay and are named in `losses`.
   */
  readonly allowDataLoss: boolean;
}

/**
 * Overwrites of bytes below the old end of file. All of one step become durable before the first of the next. A cut in
 * the middle of a step leaves any mixture of old and new sectors, and each mixture is an image with the same guest.
 */
export interface RepairStep {
  /** For progress and the journal, e.g. `raise refcounts`. */
  readonly purpose: string;
  /** Any length and place; they do not overlap. The journal keeps the old bytes of every sector they touch. */
  readonly writes: readonly Write[];
}

/** A repair that knows every byte it writes. */
export interface Repair {
  /** New structures, all at or past the old end of file, in ascending order, the same at each call; durable before the first step. */
  additiveWrites(): Iterable<Write>;
  readonly steps: readonly RepairStep[];
  /** Length of the file afterwards; not less than before. */
  readonly fileSize: number;
  /** One for each thing that is mended, `line` as `qemu-img check -r` prints it (`Repairing cluster 3 refcount=1 reference=0`). */
  readonly mended: readonly Finding[];
  /** Counted as qemu-img counts them: every refcount, flag or entry that was put right. */
  readonly leaksFixed: number;
  readonly corruptionsFixed: number;
  /** What would have to be given up to mend the rest, one sentence each; empty with consent. */
  readonly losses: readonly string[];
  /** Those of the losses that no consent gives up; none where absent. */
  readonly beyondRepair?: readonly string[];
  /** What was given up by consent, one sentence each. */
  readonly givenUp: readonly string[];
}

/** Zeros over each table entry of one size, neighbours in one write. */
export function zerosOver(hostOffsets: readonly number[], entrySize: number): Write[] {
  const order = hostOffsets.toSorted((a, b) => a - b);
  const writes: Write[] = [];
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (order[to] === (order[to - 1] as number) + entrySize) to++;
    writes.push({ hostOffset: order[from] as number, bytes: new Uint8Array((to - from) * entrySize) });
    from = to;
  }
  return writes;
}
