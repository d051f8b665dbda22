/**
 * The entries of a VHDX's log that are to be replayed (MS-VHDX, "Log Sequence").
 *
 *   ring   | 7 | 8 | 9 |  torn  | 3 | 4 |  ...      each number one more than the one before, each entry whole
 *                    ^ head: the last one; its tail says which of the run is the first that is still needed
 *
 * Of all runs the one whose head has the highest number is active. Entries share no sector and numbers only grow, so no
 * run leads into itself.
 */

import { type LogEntry, type LogRing, readLogEntry } from "./entry.ts";
import { LOG_SECTOR } from "./fields.ts";

/** From the first that is needed to the head; undefined where no run is one by its head's tail. */
export function activeSequence(ring: LogRing, logGuid: Uint8Array): readonly LogEntry[] | undefined {
  const entries = new Map<number, LogEntry>();
  for (let at = 0; at < ring.length; at += LOG_SECTOR) {
    const entry = readLogEntry(ring, at, logGuid);
    if (entry !== undefined) entries.set(at, entry);
  }
  const following = (entry: LogEntry) => {
    const next = entries.get((entry.at + entry.length) % ring.length);
    return next?.sequenceNumber === entry.sequenceNumber + 1n ? next : undefined;
  };
  const followers = new Set([...entries.values()].map(following));
  let active: readonly LogEntry[] | undefined;
  for (const first of entries.values()) {
    if (followers.has(first)) continue;
    const run: LogEntry[] = [];
    for (let entry: LogEntry | undefined = first; entry !== undefined; entry = following(entry)) run.push(entry);
    const head = run.at(-1) as LogEntry;
    const tail = run.findIndex(({ at }) => at === head.tail);
    const isNewer = head.sequenceNumber > (active?.at(-1)?.sequenceNumber ?? 0n);
    if (tail >= 0 && isNewer) active = run.slice(tail);
  }
  return active;
}
