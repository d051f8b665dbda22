/** L1 tables, the active one and those of snapshots: their entries in typed columns (docs/interop/qcow2.txt). */

import { hex } from "../../../bytes/image-error.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import type { ReferenceTally } from "./reference-tally.ts";
import { hexOfHalves, type L1Entry, parseL1Entry } from "./table-entry.ts";

/** The L2 tables that one L1 table lists, in its order; columns are parallel. */
export interface L2List {
  readonly l1Index: Uint32Array;
  readonly hostOffset: Float64Array;
}

/** How an L1 table is to be read and named. */
export interface L1Place {
  readonly hostOffset: number;
  readonly entryCount: number;
  /** The active L1's COPIED flags are checked, those of snapshots mean nothing. */
  readonly isActive: boolean;
  /** `L1 table`, `L1 table of snapshot 1 (one)`. */
  readonly name: string;
}

/** An L1 entry that is not blank, with its place in the table and its bits as they are stored. */
export interface StoredL1Entry extends L1Entry {
  readonly index: number;
  readonly high: number;
  readonly low: number;
}

/** Reads an L1 table that the caller has bounded; what lies past the end of file is blank. */
export async function readL1Bytes(
  storage: Storage,
  { hostEnd }: Qcow2Geometry,
  { hostOffset, entryCount }: Pick<L1Place, "hostOffset" | "entryCount">,
): Promise<DataView> {
  const presentCount = Math.min(entryCount, Math.max(0, Math.ceil((hostEnd - hostOffset) / 8)));
  const bytes = await readZeroFilled(storage, presentCount === 0 ? 0 : hostOffset, presentCount * 8);
  return new DataView(bytes.buffer);
}

/** The entries that are not blank, in order. */
export function* l1Entries(table: DataView): Generator<StoredL1Entry> {
  for (let index = 0; index * 8 < table.byteLength; index++) {
    const high = table.getUint32(index * 8);
    const low = table.getUint32(index * 8 + 4);
    if ((high | low) !== 0) yield { index, high, low, ...parseL1Entry(high, low) };
  }
}

/**
 * Reads an L1 table that the caller has bounded, counts its own clusters and one reference to each L2 table, and
 * lists the L2 tables that lie in the file.
 */
export async function readL1Table(
  storage: Storage,
  geometry: Qcow2Geometry,
  tally: ReferenceTally,
  place: L1Place,
): Promise<L2List> {
  tally.countMetadata(place.hostOffset, place.entryCount * 8, place.name);
  const table = await readL1Bytes(storage, geometry, place);
  const indexes = new Uint32Array(table.byteLength / 8);
  const hostOffsets = new Float64Array(table.byteLength / 8);
  let count = 0;
  for (const entry of l1Entries(table)) {
    if (!countL1Entry(geometry, tally, place, entry)) continue;
    indexes[count] = entry.index;
    hostOffsets[count] = entry.hostOffset;
    count++;
  }
  return { l1Index: indexes.subarray(0, count), hostOffset: hostOffsets.subarray(0, count) };
}

/** Counts the reference to an entry's L2 table and says what is wrong with it; true where the table can be read. */
export function countL1Entry(
  geometry: Qcow2Geometry,
  tally: ReferenceTally,
  { hostOffset: tableHostOffset, isActive, name }: L1Place,
  { index, high, low, hostOffset, copied, hasReservedBits }: StoredL1Entry,
): boolean {
  const { clusterSize } = geometry;
  const defect = (kind: string, what: string, line: string) =>
    tally.corruption(() => ({
      kind,
      structure: name,
      hostOffset: tableHostOffset + index * 8,
      message: `Entry ${index} of the ${name}: ${what}`,
      line,
    }));
  if (hasReservedBits) {
    const line = `ERROR found L1 entry with reserved bits set: ${hexOfHalves(high, low)}`;
    defect("reserved-bits", "reserved bits are set", line);
  }
  // An entry with flags alone points at the header, and so QEMU counts it.
  const isInside = tally.count(hostOffset, clusterSize, `L2 table ${index}`);
  const isAligned = hostOffset % clusterSize === 0;
  if (!isAligned) {
    const place = hostOffset.toString(16);
    const line = `ERROR l2_offset=${place}: Table is not cluster aligned; L1 entry corrupted`;
    defect("entry-unaligned", `host offset 0x${place} is no multiple of the cluster size`, line);
  }
  if (isInside) tally.listedTables++;
  if (isInside && !isAligned) tally.askewTables++;
  if (tally.detailed === undefined) noteUse(tally, { index, hostOffset, copied, isActive, isInside, clusterSize });
  return isInside;
}

interface TableUse {
  readonly index: number;
  readonly hostOffset: number;
  readonly copied: boolean;
  readonly isActive: boolean;
  readonly isInside: boolean;
  readonly clusterSize: number;
}

function noteUse(tally: ReferenceTally, use: TableUse): void {
  const { index, hostOffset, copied, isActive, isInside, clusterSize } = use;
  const cluster = Math.floor(hostOffset / clusterSize);
  // QEMU looks at the flag of real tables alone, so not at that of entries with flags but no place.
  if (isInside && isActive && hostOffset > 0) (copied ? tally.copied : tally.uncopied).add(cluster);
  // What lies askew is read by itself and at once; counting it by its cluster would confuse it with its neighbours.
  const isAligned = hostOffset % clusterSize === 0;
  if (isInside && isAligned) (isActive ? tally.activeL2Tables : tally.inactiveL2Tables).add(cluster);
  if (isInside || !isActive) return;
  tally.doubtfulFlags++;
  if (!copied) return;
  const structure = `L2 table ${index}`;
  tally.corruption(() => ({
    kind: "copied-flag-mismatch",
    structure,
    hostOffset,
    refcount: 0,
    message: `COPIED flag of ${structure} at ${hex(hostOffset)} is set, but its refcount is 0`,
  }));
}
