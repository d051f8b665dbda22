/** What the journal of a repair says, typed: every byte below the old end that it overwrites, as it was and as it will be. */

import { ImageError } from "../bytes/image-error.ts";
import type { JournalRecord } from "./record.ts";
import type { Facts, Prepared, RepairIntent } from "./records.ts";

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

export interface RepairWork {
  readonly kind: "repair";
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
export function repairWorkOf([first, ...rest]: readonly JournalRecord[], path: string): RepairWork {
  const intent = first?.facts as RepairIntent | undefined;
  if (first === undefined || intent?.record !== "repair" || intent.version !== 1) {
    throw new ImageError(
      "unsupported",
      `Cannot read the journal ${path}: it was made by another version; use that version`,
      { path, structure: "journal record 0", journal: path },
    );
  }
  let state = newRepairWork(intent, decodeSteps(intent, first.blob));
  for (const { facts } of rest) state = withRepairRecord(state, facts as Facts);
  return state;
}

export function newRepairWork(intent: RepairIntent, steps: readonly PatchStep[]): RepairWork {
  return { kind: "repair", intent, steps, prepared: undefined, verified: false, undoGivenUp: false, rolledBack: false };
}

export function withRepairRecord(state: RepairWork, facts: Facts): RepairWork {
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
