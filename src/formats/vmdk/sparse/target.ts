/**
 * The monolithicSparse target: the last three of the letter's five verbs.
 *
 *   | header | descriptor | free | the source: data and old tables |  copies  | directory, tables | the same again |
 *    ^ the commit: one sector                                                  redundant ones      those that are read
 *
 * Grains lie at any sector, so that clusters stay where they are. All tables have a place, since QEMU makes none later, but
 * those without a grain are holes.
 */

import { alignUp, ceilDiv, isAligned, isPowerOfTwo, KiB, MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { hex, ImageError } from "../../../bytes/image-error.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { ExtentState, type ExtentTable, eachExtent } from "../../../image/extent.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { Commit, Draft, FileSpace, GuestMaterial, MappedDraft } from "../../../image/target.ts";
import type { TargetOptionValues } from "../../../image/target-options.ts";
import { type Chunk, freshChunk, type Write } from "../../../image/write.ts";
import { type Adapter, freshDescriptor, SPARSE_KIND } from "../fresh-descriptor.ts";
import { DESCRIPTOR_SECTORS, ENTRY_COUNT, freshHeader, MAX_SPARSE_SIZE, ownName, sparseDraft } from "./draft.ts";
import { SparseFlag } from "./fields.ts";
import { ENTRY_SIZE } from "./header.ts";

const FRONT = (1 + DESCRIPTOR_SECTORS) * SECTOR_SIZE;
const TABLE_BYTES = ENTRY_COUNT * ENTRY_SIZE;
/** Of VMware and qemu-img; larger ones are taken apart. */
const USUAL_GRAIN = 64 * KiB;
/** The specification asks for more than 4 KiB. */
const LEAST_GRAIN = 8 * KiB;
const TABLES_AT_ONCE = MiB / TABLE_BYTES;

/** Where one directory and its tables lie. */
interface Tables {
  readonly directory: number;
  readonly tables: number;
}

interface SparseDraft extends MappedDraft {
  readonly tableCount: number;
  /** Redundant ones first. */
  readonly both: readonly [Tables, Tables];
}

export const sparseTarget = { front: FRONT, openConversionTarget, map, copyHeader };

function openConversionTarget(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
): Draft {
  const grainSize = grainFor(source.clusterSize);
  return {
    ...sparseDraft(source, { ...options, subformat: SPARSE_KIND.createType }, drop),
    clusterSize: grainSize,
    placement: {
      unitSize: grainSize,
      hostAlignment: SECTOR_SIZE,
      reserved: RangeSet.of({ start: 0, end: FRONT }),
      hasZeroState: false,
      compressed: undefined,
    },
  };
}

/** The source's clusters, where they are neither smaller nor larger than VMware's grains. */
function grainFor(clusterSize: number): number {
  return isPowerOfTwo(clusterSize) ? Math.min(Math.max(clusterSize, LEAST_GRAIN), USUAL_GRAIN) : USUAL_GRAIN;
}

function map(draft: Draft, extents: ExtentTable, { additiveStart }: FileSpace): SparseDraft {
  const { virtualSize, clusterSize: grainSize } = draft;
  proveExtents(draft, extents, additiveStart);
  const tableCount = ceilDiv(virtualSize, grainSize * ENTRY_COUNT);
  const after = (start: number): Tables & { readonly end: number } => {
    const tables = start + alignUp(tableCount * ENTRY_SIZE, SECTOR_SIZE);
    return { directory: start, tables, end: tables + tableCount * TABLE_BYTES };
  };
  const redundant = after(additiveStart);
  const first = after(redundant.end);
  // Whoever adds a grain begins at a multiple of its size.
  const fileSize = alignUp(first.end, grainSize);
  if (fileSize > MAX_SPARSE_SIZE)
    throw refusal(`Cannot map a file of ${fileSize} bytes: a VMDK points at no byte behind 2 TiB`);
  const stored = [...tablesOf(extents, grainSize, tableCount)].reduce(
    (count, { indexes }) => count + indexes.length,
    0,
  );
  const both = [redundant, first] as const;
  return {
    ...draft,
    extents,
    tableCount,
    both,
    fileSize,
    metadataBytes: 2 * (tableCount * ENTRY_SIZE + stored * TABLE_BYTES),
    settling: { bytesMoved: 0, bytesWritten: 0, fileSize },
    additiveWrites: function* (chunk = freshChunk) {
      for (const place of both) yield* tableWrites(extents, grainSize, tableCount, place, chunk);
    },
  };
}

function proveExtents({ clusterSize: grainSize, virtualSize }: Draft, extents: ExtentTable, limit: number): void {
  let end = 0;
  for (const { guestOffset, hostOffset, length, state } of eachExtent(extents)) {
    const refuse = (why: string) =>
      refusal(`Cannot map guest offset ${hex(guestOffset)}${why}`, hostOffset, guestOffset);
    if (guestOffset !== end || guestOffset % grainSize !== 0)
      throw refuse(`: the extent before it ends at ${hex(end)}`);
    end += length;
    if (state === ExtentState.compressed) throw refuse(": a grain of this kind is plain");
    if (state !== ExtentState.data) continue;
    if (!isAligned(hostOffset, SECTOR_SIZE) || hostOffset < FRONT || hostOffset + alignUp(length, grainSize) > limit)
      throw refuse(` to host offset ${hex(hostOffset)}: no grain can lie there`);
  }
  if (end !== virtualSize) throw refusal(`Cannot map the disk: the extents end at ${hex(end)}`);
}

/** Neighbouring tables that have a grain, some hundreds at most, with the entries of each. */
function* tablesOf(extents: ExtentTable, grainSize: number, tableCount: number) {
  const tableSize = grainSize * ENTRY_COUNT;
  let row = 0;
  for (let index = 0; index < tableCount; ) {
    const indexes: number[] = [];
    for (; index < tableCount && indexes.length < TABLES_AT_ONCE; index++) {
      const [start, end] = [index * tableSize, (index + 1) * tableSize];
      while (row < extents.count && endOf(extents, row) <= start) row++;
      let has = false;
      for (let at = row; at < extents.count && (extents.guestOffset[at] as number) < end && !has; at++)
        has = extents.state[at] === ExtentState.data;
      if (has) indexes.push(index);
      else if (indexes.length > 0) break;
    }
    if (indexes.length > 0) yield { indexes, firstRow: firstRowOf(extents, row, (indexes[0] as number) * tableSize) };
  }
}

function endOf({ guestOffset, length }: ExtentTable, row: number): number {
  return (guestOffset[row] as number) + (length[row] as number);
}

/** Back from a row to the one that holds a guest offset. */
function firstRowOf(extents: ExtentTable, row: number, guestOffset: number): number {
  let first = Math.min(row, extents.count - 1);
  while (first > 0 && (extents.guestOffset[first] as number) > guestOffset) first--;
  return first;
}

function* tableWrites(
  extents: ExtentTable,
  grainSize: number,
  tableCount: number,
  place: Tables,
  chunk: Chunk,
): Generator<Write> {
  const directory = new Uint8Array(tableCount * ENTRY_SIZE);
  const view = new DataView(directory.buffer);
  for (let at = 0; at < tableCount; at++)
    view.setUint32(at * ENTRY_SIZE, (place.tables + at * TABLE_BYTES) / SECTOR_SIZE, true);
  yield { hostOffset: place.directory, bytes: directory };
  for (const { indexes, firstRow } of tablesOf(extents, grainSize, tableCount)) {
    const [first] = indexes as [number];
    const bytes = chunk(indexes.length * TABLE_BYTES);
    fillEntries(bytes, extents, firstRow, { firstGrain: first * ENTRY_COUNT, grainSize });
    yield { hostOffset: place.tables + first * TABLE_BYTES, bytes };
  }
}

/** From `firstGrain` on, as many as there is room for. */
function fillEntries(
  bytes: Uint8Array,
  extents: ExtentTable,
  firstRow: number,
  { firstGrain, grainSize }: { readonly firstGrain: number; readonly grainSize: number },
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const endGrain = firstGrain + bytes.length / ENTRY_SIZE;
  const sectors = grainSize / SECTOR_SIZE;
  for (let row = firstRow; row < extents.count; row++) {
    const rowGrain = (extents.guestOffset[row] as number) / grainSize;
    if (rowGrain >= endGrain) return;
    if (extents.state[row] !== ExtentState.data) continue;
    const rowEnd = Math.min(endGrain, rowGrain + ceilDiv(extents.length[row] as number, grainSize));
    const rowSector = (extents.hostOffset[row] as number) / SECTOR_SIZE;
    for (let grain = Math.max(rowGrain, firstGrain); grain < rowEnd; grain++)
      view.setUint32((grain - firstGrain) * ENTRY_SIZE, rowSector + (grain - rowGrain) * sectors, true);
  }
}

function copyHeader(
  draft: MappedDraft,
  _source: ConversionOptions,
  _oldHeader: Uint8Array,
  _usedHeader: RangeSet,
  guest?: GuestMaterial,
): Commit {
  const { virtualSize, clusterSize, options, both } = draft as SparseDraft;
  const text = freshDescriptor(
    ownName(guest?.fileName),
    virtualSize,
    options.adapter_type as Adapter,
    SPARSE_KIND,
    guest?.identity,
  );
  const descriptor = new Uint8Array(DESCRIPTOR_SECTORS * SECTOR_SIZE);
  descriptor.set(text);
  const [redundant, first] = both;
  const sector = freshHeader({
    version: 1,
    flags: SparseFlag.redundantDirectory,
    compression: 0,
    virtualSize,
    grainSize: clusterSize,
    redundantDirectory: redundant.directory,
    directory: first.directory,
    overHead: FRONT,
  });
  return { kind: "sector", hostOffset: 0, sector, extras: [{ hostOffset: SECTOR_SIZE, bytes: descriptor }] };
}

function refusal(message: string, hostOffset?: number, guestOffset?: number): ImageError {
  return new ImageError("out-of-bounds", message, { format: "vmdk", structure: "mapping", hostOffset, guestOffset });
}
