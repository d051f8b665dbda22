/** Every L1 and L2 entry once, with the bytes around it, so that a repair can look at each and set it right. */

import { MiB } from "../../../bytes/align.ts";
import { counted } from "../../../bytes/count-text.ts";
import { ImageError } from "../../../bytes/image-error.ts";
import { readTables } from "../../../image/table-reader.ts";
import { readZeroFilled } from "../../../storage/storage.ts";
import { MAX_L1_BYTES } from "../header/rules.ts";
import { ReferenceCounts } from "../tables/reference-counts.ts";
import { MAX_L1_BYTES_IN_ALL, readSnapshotTable } from "../tables/snapshot-table.ts";
import { parseL1Entry } from "../tables/table-entry.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { MAX_L2_BYTES } from "../tables/table-walk.ts";
import type { Piece } from "./sector-edits.ts";

const L1_PIECE_BYTES = MiB;

/** The table an entry lies in. */
export interface TableVisit extends Piece {
  readonly isActive: boolean;
  /** `L1 table`, `L2 table 3`, `L2 table 3 of snapshot 1 (one)`. */
  readonly name: string;
}

export interface L2Visit extends TableVisit {
  /** Guest offset of the table's first entry. */
  readonly guestOffset: number;
}

/** Halves as stored, and where they are. */
export interface RawL1Entry {
  readonly index: number;
  readonly hostOffset: number;
  readonly high: number;
  readonly low: number;
}

export interface EntryVisitor {
  /** Entries that are not 0. False: the L2 table that it names is not visited. */
  l1Entry(visit: TableVisit, entry: RawL1Entry): boolean;
  /** One aligned L2 table in the file, whole but for the end of file, which reads as zeros. */
  l2Table(visit: L2Visit): void;
}

/**
 * Visits the active L1, then its L2 tables in order, then those of each snapshot that were not visited before. Tables
 * that lie askew or outside the file are not visited, nor is an L1 table that a survey does not count.
 */
export async function walkEntries(source: WalkSource, visitor: EntryVisitor, withSnapshots: boolean): Promise<void> {
  const { header, geometry } = source;
  const visited = new ReferenceCounts();
  const places: { hostOffset: number; entryCount: number; of: string }[] = [
    { hostOffset: header.l1TableHostOffset, entryCount: header.l1EntryCount, of: "" },
  ];
  if (withSnapshots && header.snapshotCount > 0) {
    let bytes = 0;
    const seen = new Set([header.l1TableHostOffset]);
    for (const { id, name, l1HostOffset, l1EntryCount } of (await readSnapshotTable(source)).snapshots) {
      const isUsable = l1HostOffset % geometry.clusterSize === 0 && l1EntryCount * 8 <= MAX_L1_BYTES;
      if (!isUsable || seen.has(l1HostOffset) || l1HostOffset >= geometry.hostEnd) continue;
      seen.add(l1HostOffset);
      bytes += Math.min(l1EntryCount * 8, geometry.hostEnd - l1HostOffset);
      if (bytes > MAX_L1_BYTES_IN_ALL) break;
      places.push({ hostOffset: l1HostOffset, entryCount: l1EntryCount, of: ` of snapshot ${id} (${name})` });
    }
  }
  let tableCount = 0;
  for (const { hostOffset, entryCount, of } of places) {
    // A survey does not count what ends outside, so nobody knows what else lies there.
    if (hostOffset + entryCount * 8 - geometry.hostEnd >= geometry.clusterSize) continue;
    const list = await listTables(source, { hostOffset, entryCount, of }, visitor, visited);
    tableCount += list.hostOffsets.length;
    if (tableCount * geometry.clusterSize > MAX_L2_BYTES) throw tooMany(tableCount);
    await visitTables(source, list, of, visitor);
  }
}

interface TableList {
  readonly l1Indexes: Uint32Array;
  readonly hostOffsets: Float64Array;
}

async function listTables(
  { storage, geometry }: WalkSource,
  { hostOffset, entryCount, of }: { hostOffset: number; entryCount: number; of: string },
  visitor: EntryVisitor,
  visited: ReferenceCounts,
): Promise<TableList> {
  const { clusterSize, hostEnd, hostClusterCount } = geometry;
  const size = Math.min(entryCount * 8, Math.max(0, hostEnd - hostOffset));
  const indexes: number[] = [];
  const hostOffsets: number[] = [];
  for (let from = 0; from < size; from += L1_PIECE_BYTES) {
    // Whole sectors, so that an edit finds all of its own.
    const bytes = await readZeroFilled(storage, hostOffset + from, Math.min(L1_PIECE_BYTES, clusterSpan(size, from)));
    const visit: TableVisit = {
      hostOffset: hostOffset + from,
      bytes,
      isActive: of === "",
      name: `L1 table${of}`,
    };
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < Math.min(L1_PIECE_BYTES, size - from); at += 8) {
      const high = view.getUint32(at);
      const low = view.getUint32(at + 4);
      if ((high | low) === 0) continue;
      const entry = { index: (from + at) / 8, hostOffset: hostOffset + from + at, high, low };
      if (!visitor.l1Entry(visit, entry)) continue;
      const table = parseL1Entry(high, low).hostOffset;
      const cluster = table / clusterSize;
      if (table === 0 || !Number.isInteger(cluster) || cluster >= hostClusterCount || visited.get(cluster) > 0)
        continue;
      visited.add(cluster);
      indexes.push((from + at) / 8);
      hostOffsets.push(table);
    }
  }
  return { l1Indexes: Uint32Array.from(indexes), hostOffsets: Float64Array.from(hostOffsets) };
}

function clusterSpan(size: number, from: number): number {
  return Math.ceil((size - from) / 512) * 512;
}

async function visitTables(
  { storage, geometry }: WalkSource,
  { l1Indexes, hostOffsets }: TableList,
  of: string,
  visitor: EntryVisitor,
): Promise<void> {
  const { clusterSize, bytesPerL2Table } = geometry;
  for await (const batch of readTables(storage, hostOffsets, clusterSize)) {
    for (let at = batch.first; at < batch.first + batch.count; at++) {
      const hostOffset = hostOffsets[at] as number;
      const l1Index = l1Indexes[at] as number;
      const start = hostOffset - batch.hostOffset;
      visitor.l2Table({
        hostOffset,
        bytes: batch.bytes.subarray(start, start + clusterSize),
        isActive: of === "",
        name: `L2 table ${l1Index}${of}`,
        guestOffset: l1Index * bytesPerL2Table,
      });
    }
  }
}

function tooMany(tableCount: number): ImageError {
  return new ImageError(
    "unsupported",
    `Cannot repair ${counted(tableCount, "L2 table")}: at most 16 GiB of them are read`,
    {
      format: "qcow2",
      structure: "L1 table",
    },
  );
}
