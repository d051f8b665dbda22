/** What the journal of a repair says, typed: every byte below the old end that it overwrites, as it was and as it will be. */

import { ImageError } from "../bytes/image-error.ts";
import type { JournalRecord } from "./record.ts";
import type { Facts, Prepared } from "./state.ts";

/** One run of whole sectors (fewer bytes only where the file ends) before and after its step. */
export interface Patch {
  readonly hostOffset: number;
  /** The bytes that all steps before this one leave there. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** Patches that become durable together; they do not overlap and ascend. */
export interface PatchStep {
  readonly purpose: string;
  readonly patches: readonly Patch[];
}

/** The first record; synced, with its folder, before the image's first write. Offsets and sizes in bytes. */
export interface RepairIntent {
  readonly record: "repair";
  readonly version: 1;
  readonly format: string;
  readonly scope: "leaks" | "all";
  readonly allowDataLoss: boolean;
  readonly keepUndo: boolean;
  readonly oldFileSize: number;
  /** The file's length once everything additive is there; not less than before. */
  readonly fileSize: number;
  /** SHA-256 over every metadata byte as it was, in file order; null where the metadata could not be followed. */
  readonly metadataDigest: string | null;
  /** What is written past the old end; absent in old journals. */
  readonly added?: readonly (readonly [start: number, end: number])[];
  /**
   * Where the repair gives up snapshots, bitmaps or autoclear bits, which then no longer follow what a guest writes: what each state
   * may show, as blkhash-sha256; empty where that can't be computed. Absent where nothing of the kind is given up.
   */
  readonly guestDigests?: readonly string[];
  readonly steps: readonly {
    readonly purpose: string;
    readonly patches: readonly (readonly [hostOffset: number, length: number])[];
  }[];
}

export interface RepairState {
  readonly intent: RepairIntent;
  readonly steps: readonly PatchStep[];
  /** All that is additive is durable; steps may have begun. */
  readonly prepared: Prepared | undefined;
  readonly verified: boolean;
  readonly undoGivenUp: boolean;
  readonly rolledBack: boolean;
}

export function patchRangesOf(steps: readonly PatchStep[]): RepairIntent["steps"] {
  return steps.map(({ purpose, patches }) => ({
    purpose,
    patches: patches.map(({ hostOffset, before }) => [hostOffset, before.length] as const),
  }));
}

/** The blob of a repair's first record, in pieces: all that was, then all that will be. */
export function patchBytesOf(steps: readonly PatchStep[]): Uint8Array[] {
  const patches = steps.flatMap((step) => step.patches);
  return [...patches.map(({ before }) => before), ...patches.map(({ after }) => after)];
}

/** Reads a journal's records into its state. Throws `unsupported` for another version's. */
export function repairStateOf([first, ...rest]: readonly JournalRecord[], path: string): RepairState {
  const intent = first?.facts as RepairIntent | undefined;
  if (first === undefined || intent?.record !== "repair" || intent.version !== 1) {
    throw new ImageError(
      "unsupported",
      `Cannot read the journal ${path}: it was made by another version; use that version`,
      { path, structure: "journal record 0", journal: path },
    );
  }
  let state = newRepairState(intent, decodeSteps(intent, first.blob));
  for (const { facts } of rest) state = withRepairRecord(state, facts as Facts);
  return state;
}

export function newRepairState(intent: RepairIntent, steps: readonly PatchStep[]): RepairState {
  return { intent, steps, prepared: undefined, verified: false, undoGivenUp: false, rolledBack: false };
}

export function withRepairRecord(state: RepairState, facts: Facts): RepairState {
  switch (facts.record) {
    case "prepared":
      return { ...state, prepared: facts };
    case "verified":
      return { ...state, verified: true, undoGivenUp: state.undoGivenUp || facts.undoGivenUp };
    case "rolled-back":
      return { ...state, rolledBack: true };
    default:
      return state;
  }
}

function decodeSteps(intent: RepairIntent, blob: Uint8Array): PatchStep[] {
  const half = blob.length / 2;
  let taken = 0;
  return intent.steps.map(({ purpose, patches }) => ({
    purpose,
    patches: patches.map(([hostOffset, length]) => {
      const before = blob.subarray(taken, taken + length);
      const after = blob.subarray(half + taken, half + taken + length);
      taken += length;
      return { hostOffset, before, after };
    }),
  }));
}
