/** A rearrangement as its journal says it: inside one format, each state of the image whole. */

import { SECTOR_SIZE } from "../bytes/align.ts";
import type { JournalRecord } from "./record.ts";
import type { Facts, RearrangeIntent, Restoring } from "./records.ts";

export interface RearrangementWork {
  readonly kind: "rearrangement";
  readonly intent: RearrangeIntent;
  /** The file's first bytes as they were: what leads back where a cut takes the block around its header. */
  readonly savedHeader: Uint8Array;
  /** The first sector as it was last written or about to be, and as it was before that. */
  readonly lastSector: Uint8Array;
  readonly previousSector: Uint8Array;
  readonly prepared: undefined;
  readonly verified: boolean;
  /** There is no old layout to go back to; the old format is made again. */
  readonly undoGivenUp: true;
  readonly rolledBack: boolean;
  readonly restoring: Restoring | undefined;
}

export function rearrangementWorkOf([first, ...rest]: readonly JournalRecord[]): RearrangementWork {
  const { facts, blob } = first as JournalRecord;
  const sector = blob.subarray(0, SECTOR_SIZE);
  let state: RearrangementWork = {
    kind: "rearrangement",
    intent: facts as RearrangeIntent,
    savedHeader: blob,
    lastSector: sector,
    previousSector: sector,
    prepared: undefined,
    verified: false,
    undoGivenUp: true,
    rolledBack: false,
    restoring: undefined,
  };
  for (const record of rest) state = withRearrangementRecord(state, record.facts as Facts, record.blob);
  return state;
}

export function withRearrangementRecord(state: RearrangementWork, facts: Facts, blob: Uint8Array): RearrangementWork {
  switch (facts.record) {
    case "verified":
      return { ...state, verified: true };
    case "new-header":
      return { ...state, lastSector: blob, previousSector: state.lastSector };
    case "found-header":
      return { ...state, savedHeader: blob };
    case "rolled-back":
      return { ...state, rolledBack: true };
    case "restoring":
      return { ...state, restoring: facts };
    default:
      return state;
  }
}
