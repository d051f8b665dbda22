/** What a journal is about: one state for each kind of work, told apart by its tag. */

import { type ConversionWork, conversionWorkOf, withConversionRecord } from "./conversion-work.ts";
import { type RearrangementWork, rearrangementWorkOf, withRearrangementRecord } from "./rearrangement-work.ts";
import type { JournalRecord } from "./record.ts";
import type { Facts } from "./records.ts";
import { type RepairWork, repairWorkOf, withRepairRecord } from "./repair-work.ts";

/** Each has `intent`, and how far it came: `prepared`, `verified`, `undoGivenUp`, `rolledBack`. */
export type Work = ConversionWork | RearrangementWork | RepairWork;

/** A first record that is no repair's is a conversion's, or throws `unsupported` for another version's. */
export function workOf(records: readonly JournalRecord[], path: string): Work {
  const first = records[0]?.facts as Facts | undefined;
  if (first?.record === "repair") return repairWorkOf(records, path);
  return first?.record === "rearrange" && first.version === 1
    ? rearrangementWorkOf(records)
    : conversionWorkOf(records, path);
}

/** The same work one record further. */
export function withRecord<W extends Work>(work: W, facts: Facts, blob: Uint8Array): W;
export function withRecord(work: Work, facts: Facts, blob: Uint8Array): Work {
  switch (work.kind) {
    case "conversion":
      return withConversionRecord(work, facts, blob);
    case "rearrangement":
      return withRearrangementRecord(work, facts, blob);
    case "repair":
      return withRepairRecord(work, facts);
  }
}
