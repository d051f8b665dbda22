/** What a journal is about, a conversion (or what is made like one) or a repair, as its records say it. */

import type { JournalRecord } from "./record.ts";
import type { Facts } from "./records.ts";
import { type RepairState, repairStateOf, withRepairRecord } from "./repair-state.ts";
import { type JournalState, stateOf, withRecord } from "./state.ts";

export type JournalContent =
  | { readonly kind: "conversion"; readonly state: JournalState }
  | { readonly kind: "repair"; readonly state: RepairState };

/** How far it came, whatever it is about. */
export type JournalProgress = Pick<JournalState, "verified" | "undoGivenUp" | "rolledBack">;

/** A first record that is no repair's is a conversion's, or throws `unsupported` for another version's. */
export function contentOf(records: readonly JournalRecord[], path: string): JournalContent {
  const isRepair = (records[0]?.facts as Facts | undefined)?.record === "repair";
  return isRepair
    ? { kind: "repair", state: repairStateOf(records, path) }
    : { kind: "conversion", state: stateOf(records, path) };
}

export function contentWith(content: JournalContent, facts: Facts, blob: Uint8Array): JournalContent {
  return content.kind === "repair"
    ? { kind: "repair", state: withRepairRecord(content.state, facts) }
    : { kind: "conversion", state: withRecord(content.state, facts, blob) };
}
