/**
 * L2 tables whose clusters hold something else too get a copy of their own, so that mending their entries changes
 * nobody's data, and nobody's data changes them.
 */

import { MiB } from "../../../bytes/align.ts";
import { readZeroFilled } from "../../../storage/storage.ts";
import { parseL1Entry } from "../tables/table-entry.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { type EntryVisitor, type RawL1Entry, type TableVisit, walkEntries } from "./entry-walk.ts";
import type { RepairLog } from "./repair-log.ts";
import type { SectorEdits } from "./sector-edits.ts";

/** More is no damage any more but an attack. */
const MAX_COPIED_BYTES = 16 * MiB;

class TableMove implements EntryVisitor {
  /** Old to new host offset. */
  readonly moved = new Map<number, number>();
  readonly #source: WalkSource;
  readonly #edits: SectorEdits;
  readonly #log: RepairLog;
  #next: number;

  constructor(source: WalkSource, edits: SectorEdits, log: RepairLog, start: number) {
    this.#source = source;
    this.#edits = edits;
    this.#log = log;
    this.#next = start;
  }

  get end(): number {
    return this.#next;
  }

  l1Entry(visit: TableVisit, { index, hostOffset, high, low }: RawL1Entry): boolean {
    const { hostOffset: table } = parseL1Entry(high, low);
    if (!isShared(this.#source, table) || !isLoneL1(this.#source, hostOffset)) return false;
    const place = this.moved.get(table) ?? this.#allocate(table);
    if (place === undefined) return false;
    // The reserved bits are for others to clear; COPIED follows when the counts are known.
    const newHigh = ((high & 0xff00_0000) | Math.floor(place / 2 ** 32)) >>> 0;
    this.#edits.set64(hostOffset, newHigh, (place % 2 ** 32) + (low & 0x1ff), visit);
    const guestOffset = index * this.#source.geometry.bytesPerL2Table;
    this.#log.told({
      severity: "corruption",
      kind: "table-overlap",
      structure: visit.name,
      guestOffset,
      hostOffset: table,
      message: `L2 table ${index} got a place of its own: its cluster holds something else too`,
    });
    return false;
  }

  l2Table(): void {}

  #allocate(table: number): number | undefined {
    const { clusterSize } = this.#source.geometry;
    if ((this.moved.size + 1) * clusterSize > MAX_COPIED_BYTES) return undefined;
    const place = this.#next;
    this.#next += clusterSize;
    this.moved.set(table, place);
    return place;
  }
}

/**
 * Copies them to `start` and beyond, points the L1 tables there, notes in `listed` how often each copy's cluster is
 * listed, and answers where the copies end.
 */
export async function moveSharedTables(
  source: WalkSource,
  edits: SectorEdits,
  log: RepairLog,
  start: number,
  listed: Map<number, number>,
): Promise<number> {
  const { clusterSize } = source.geometry;
  const move = new TableMove(source, edits, log, start);
  await walkEntries(source, move, true);
  for (const [from, to] of move.moved) {
    edits.put(to, await readZeroFilled(source.storage, from, clusterSize));
    listed.set(to / clusterSize, tablesIn(source, from / clusterSize));
  }
  return move.end;
}

function isShared({ geometry, tally }: WalkSource, table: number): boolean {
  const cluster = table / geometry.clusterSize;
  if (table === 0 || !Number.isInteger(cluster) || cluster >= geometry.hostClusterCount) return false;
  return tally.all.get(cluster) > tablesIn({ tally }, cluster);
}

/** How often L1 tables list the cluster as an L2 table. */
export function tablesIn({ tally }: Pick<WalkSource, "tally">, cluster: number): number {
  return tally.activeL2Tables.get(cluster) + tally.inactiveL2Tables.get(cluster);
}

/** True where the cluster of an L1 table holds nothing else. */
export function isLoneL1({ geometry, tally }: WalkSource, hostOffset: number): boolean {
  const cluster = Math.floor(hostOffset / geometry.clusterSize);
  return cluster > 0 && tally.metadata.get(cluster) === 1 && tally.all.get(cluster) === 1;
}

/** True where a cluster holds L2 tables and nothing else, so that their entries are nobody's data. */
export function isLoneL2({ geometry, tally }: WalkSource, hostOffset: number): boolean {
  const cluster = Math.floor(hostOffset / geometry.clusterSize);
  const tables = tablesIn({ tally }, cluster);
  return cluster > 0 && tables > 0 && tally.all.get(cluster) === tables;
}

/** True where the cluster of an L1 table holds no other metadata and no L2 table; data may seem to lie there. */
export function isL1Alone({ geometry, tally }: WalkSource, hostOffset: number): boolean {
  const cluster = Math.floor(hostOffset / geometry.clusterSize);
  return cluster > 0 && tally.metadata.get(cluster) === 1 && tablesIn({ tally }, cluster) === 0;
}
