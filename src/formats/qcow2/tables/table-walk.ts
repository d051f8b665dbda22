/**
 * The one walk over L1 and L2 tables that feeds both the mapping and the counted references.
 *
 *   active L1 ─► L2 tables, in guest order ─► extents + references      walkActiveTables; countActiveTables: no extents
 *   L1 of snapshots, tables listed twice   ─► references alone          walkSharedTables
 *
 * Each L2 table is read once, however often it is listed: its references count that many times.
 */

import { ceilDiv, GiB } from "../../../bytes/align.ts";
import { counted } from "../../../bytes/count-text.ts";
import { hex, ImageError } from "../../../bytes/image-error.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../../image/extent.ts";
import type { Finding } from "../../../image/finding.ts";
import { readTables } from "../../../image/table-reader.ts";
import type { Storage } from "../../../storage/storage.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import type { Qcow2Header } from "../header/header.ts";
import { type L2List, readL1Table } from "./l1-table.ts";
import { scanL2Table } from "./l2-table-scan.ts";
import { L2Tally } from "./l2-tally.ts";
import type { ReferenceTally } from "./reference-tally.ts";

/** More tables than this no image in use has (128 TiB of 64 KiB clusters); sparse files can claim any number. */
export const MAX_L2_BYTES = 16 * GiB;
/** Tables that lie askew are damage; so many are followed to count what they reference. */
const MAX_UNALIGNED_TABLES = 256;

export interface ActiveWalk {
  /** Valid only where `problem` is undefined. */
  readonly extents: ExtentTable;
  /** The first thing that keeps the tables from being followed. */
  readonly problem: Problem | undefined;
}

export interface Problem
  extends Pick<Finding, "message" | "structure" | "hostOffset" | "guestOffset">,
    Partial<Pick<Finding, "kind">> {
  readonly remedy?: string;
}

/** What a walk needs to know of its image. */
export interface WalkSource {
  readonly storage: Storage;
  readonly header: Qcow2Header;
  readonly geometry: Qcow2Geometry;
  readonly tally: ReferenceTally;
}

export async function walkActiveTables(source: WalkSource): Promise<ActiveWalk> {
  const builder = new ExtentTableBuilder();
  const problem = await walkActive(source, builder);
  return { extents: builder.finish(source.geometry.virtualSize), problem };
}

/** The same without a mapping, which takes more memory than all counts where clusters lie in no order. */
export async function countActiveTables(source: WalkSource): Promise<void> {
  await walkActive(source, undefined);
}

async function walkActive(source: WalkSource, builder: ExtentTableBuilder | undefined): Promise<Problem | undefined> {
  const { storage, header, geometry, tally } = source;
  const { bytesPerL2Table, clusterSize, virtualSize } = geometry;
  const listed = await readL1Table(storage, geometry, tally, {
    hostOffset: header.l1TableHostOffset,
    entryCount: header.l1EntryCount,
    isActive: true,
    name: "L1 table",
  });
  const { once, broken } = partedByUse(listed, tally, clusterSize);
  refuseTooMany(once.hostOffset.length, clusterSize);
  const sink = new L2Tally(tally, geometry, builder, header.hasDataFile);
  const passHole = (l1Index: number) => {
    if (builder === undefined) return;
    const end = Math.min(l1Index * bytesPerL2Table, virtualSize);
    if (end > builder.end) builder.append(end - builder.end, ExtentState.unallocated);
  };
  await scanEach(source, once.hostOffset, (table, at) => {
    const l1Index = once.l1Index[at] as number;
    passHole(l1Index);
    const hostOffset = once.hostOffset[at] as number;
    sink.begin({ l1Index, hostOffset, table, activeTimes: 1, inactiveTimes: 0 });
    scanL2Table(table, geometry, sink);
  });
  passHole(header.l1EntryCount);
  return broken ?? tally.findings.findings[0] ?? cutOff(source, once);
}

/**
 * The first table that the end of file cuts. QEMU reads what is missing as zeros and finds no error; but zeros there
 * are guest data that can't be found any more, so nothing may be concluded from such a file.
 */
function cutOff({ header, geometry }: WalkSource, { l1Index, hostOffset }: L2List): Problem | undefined {
  const { hostEnd, clusterSize, bytesPerL2Table, virtualSize } = geometry;
  const problem = (structure: string, place: number): Problem => ({
    structure,
    hostOffset: place,
    message: `${structure} at host offset ${hex(place)} goes on past the end of the file, which was cut off`,
    remedy: "get it whole",
  });
  const l1End = header.l1TableHostOffset + ceilDiv(virtualSize, bytesPerL2Table) * 8;
  if (l1End > hostEnd) return problem("L1 table", header.l1TableHostOffset);
  const at = hostOffset.findIndex((place) => place + clusterSize > hostEnd);
  return at < 0 ? undefined : problem(`L2 table ${l1Index[at]}`, hostOffset[at] as number);
}

/** Counts what the L2 tables reference that the active L1 lists more than once or that snapshots list. */
export async function walkSharedTables(source: WalkSource, unaligned: readonly L2List[]): Promise<void> {
  const { header, geometry, tally } = source;
  const { clusterSize } = geometry;
  const sink = new L2Tally(tally, geometry, undefined, header.hasDataFile);
  const visits: { hostOffset: number; activeTimes: number; inactiveTimes: number }[] = [];
  for (const { cluster, count } of tally.activeL2Tables.each()) {
    if (count > 1) visits.push({ hostOffset: cluster * clusterSize, activeTimes: count, inactiveTimes: 0 });
  }
  for (const { cluster, count } of tally.inactiveL2Tables.each()) {
    visits.push({ hostOffset: cluster * clusterSize, activeTimes: 0, inactiveTimes: count });
  }
  for (const list of unaligned) {
    for (const hostOffset of list.hostOffset) {
      if (hostOffset % clusterSize === 0 || visits.length >= MAX_UNALIGNED_TABLES) continue;
      visits.push({ hostOffset, activeTimes: 0, inactiveTimes: 1 });
    }
  }
  refuseTooMany(visits.length, clusterSize);
  const hostOffsets = Float64Array.from(visits, ({ hostOffset }) => hostOffset);
  await scanEach(source, hostOffsets, (table, at) => {
    const visit = visits[at];
    if (visit === undefined) return;
    sink.begin({ l1Index: undefined, table, ...visit });
    scanL2Table(table, geometry, sink);
  });
}

/** Reads the tables in order and hands each one on. */
async function scanEach(
  { storage, geometry }: WalkSource,
  hostOffsets: Float64Array,
  scan: (table: Uint8Array, at: number) => void,
): Promise<void> {
  const { clusterSize } = geometry;
  for await (const batch of readTables(storage, hostOffsets, clusterSize)) {
    for (let at = batch.first; at < batch.first + batch.count; at++) {
      const start = (hostOffsets[at] as number) - batch.hostOffset;
      scan(batch.bytes.subarray(start, start + clusterSize), at);
    }
  }
}

/**
 * Tables that the active L1 lists once, which are read here, apart from those that it lists more than once, which
 * can't be followed: guest ranges would share their bytes.
 */
function partedByUse(
  { l1Index, hostOffset }: L2List,
  tally: ReferenceTally,
  clusterSize: number,
): { once: L2List; broken: Problem | undefined } {
  let count = 0;
  let unalignedCount = 0;
  let broken: Problem | undefined;
  for (let at = 0; at < hostOffset.length; at++) {
    const place = hostOffset[at] as number;
    if (place === 0) broken ??= brokenEntry(l1Index[at] as number, "it has flags, but no L2 table");
    if (place % clusterSize === 0) {
      if (tally.activeL2Tables.get(place / clusterSize) > 1) {
        broken ??= brokenEntry(l1Index[at] as number, "its L2 table is listed more than once");
        continue;
      }
    } else if (++unalignedCount > MAX_UNALIGNED_TABLES) continue;
    l1Index[count] = l1Index[at] as number;
    hostOffset[count] = place;
    count++;
  }
  return { once: { l1Index: l1Index.subarray(0, count), hostOffset: hostOffset.subarray(0, count) }, broken };
}

function brokenEntry(index: number, what: string): Problem {
  return { structure: "L1 table", message: `Entry ${index} of the L1 table: ${what}` };
}

function refuseTooMany(tableCount: number, clusterSize: number): void {
  if (tableCount * clusterSize <= MAX_L2_BYTES) return;
  throw new ImageError(
    "unsupported",
    `Cannot walk ${counted(tableCount, "L2 table")} of ${clusterSize} bytes: at most ${MAX_L2_BYTES / GiB} GiB of them are read`,
    { format: "qcow2", structure: "L1 table" },
  );
}
