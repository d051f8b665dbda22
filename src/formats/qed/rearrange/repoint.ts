/** Re-pointing: L2 entries of the live tables that must follow their data to a new place (settle.ts, step 2). */

import { alignDown, alignUp, SECTOR_SIZE } from "../../../bytes/align.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import type { ExtentTable } from "../../../image/extent.ts";
import type { Write } from "../../../image/write.ts";
import { ENTRY_SIZE } from "../header/header.ts";
import { EntryEncoder, type EntryRun, entryRuns } from "../tables/entry-encoder.ts";
import type { Relocation } from "../tables/relocation.ts";
import { entryBytes } from "../tables/table-entry.ts";

/** Entries are written by whole sectors, which the medium keeps old or new; each entry in them is right either way. */
const SECTOR_ENTRIES = SECTOR_SIZE / ENTRY_SIZE;
/** The most entries that one write holds: 64 KiB. */
const MAX_ENTRIES = 8192;

/** Whole sectors of entries, in guest clusters, that point at what has moved from below `endCluster`. */
export function staleSectors(
  extents: ExtentTable,
  clusterSize: number,
  relocation: Relocation,
  endCluster: number,
): RangeSet {
  const sectors = new RangeSet();
  let end = 0;
  if (relocation.movedCount === 0) return sectors;
  for (const run of entryRuns(extents, clusterSize, relocation)) {
    if (run.fromCluster === run.hostCluster || run.fromCluster >= endCluster) continue;
    const start = Math.max(end, alignDown(run.guestCluster, SECTOR_ENTRIES));
    end = Math.max(end, alignUp(run.guestCluster + run.count, SECTOR_ENTRIES));
    sectors.add(start, end);
  }
  return sectors;
}

/** The same sectors in parts of at most `mostEntries`, a multiple of a sector's. */
export function inParts(sectors: RangeSet, mostEntries: number): RangeSet[] {
  const parts: RangeSet[] = [];
  let room = 0;
  for (const { start, end } of sectors.each()) {
    for (let at = start; at < end; ) {
      if (room === 0) {
        parts.push(new RangeSet());
        room = mostEntries;
      }
      const next = Math.min(end, at + room);
      (parts.at(-1) as RangeSet).add(at, next);
      room -= next - at;
      at = next;
    }
  }
  return parts;
}

/** The new bytes of `sectors`, each in the live table that covers it. */
export function* repointingWrites(
  sectors: RangeSet,
  runs: Iterable<EntryRun>,
  liveTables: ReadonlyMap<number, number>,
  clusterSize: number,
  entryCount: number,
): Generator<Write> {
  const encoder = new EntryEncoder(runs, clusterSize);
  for (const { start, end } of sectors.each()) {
    for (let guestCluster = start; guestCluster < end; ) {
      const index = guestCluster % entryCount;
      const tableOffset = liveTables.get((guestCluster - index) / entryCount) as number;
      const count = Math.min(end - guestCluster, entryCount - index, MAX_ENTRIES);
      const words = new Uint32Array(count * 2);
      encoder.fill(words, 0, guestCluster, count);
      yield { hostOffset: tableOffset + index * ENTRY_SIZE, bytes: entryBytes(words) };
      guestCluster += count;
    }
  }
}
