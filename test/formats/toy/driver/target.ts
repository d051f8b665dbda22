/** The toy as a target: its header at the start of the file, its table past the old end. */

import { isAligned, SECTOR_SIZE } from "../../../../src/bytes/align.ts";
import { hex, ImageError, UsageError } from "../../../../src/bytes/image-error.ts";
import { RangeSet } from "../../../../src/bytes/range-set.ts";
import type { Words } from "../../../../src/bytes/sentence.ts";
import { ExtentState, type ExtentTable, eachExtent } from "../../../../src/image/extent.ts";
import type { ConversionOptions } from "../../../../src/image/source.ts";
import type { Commit, Draft, FileSpace, MappedDraft, TargetDriver } from "../../../../src/image/target.ts";
import type { TargetOptionValues } from "../../../../src/image/target-options.ts";
import { judgeUnkept } from "../../../../src/image/unkept.ts";
import {
  isBlockSize,
  MAX_BLOCK_SIZE,
  MIN_BLOCK_SIZE,
  TOY_MAGIC,
  TOY_VERSION,
  ToyHeaderFields,
  tableSizeFor,
} from "./header.ts";
import { toyTableWrites } from "./table.ts";

interface MappedToyDraft extends MappedDraft {
  readonly tableOffset: number;
}

export const toyTarget: TargetDriver = {
  options: [{ name: "block_size", kind: "size", help: "Bytes of a block, a power of two from 4k to 2M" }],
  // Nothing says what is used, so that nothing can be leaked: what no entry points at is free.
  countsReferences: true,
  openConversionTarget,
  map,
  copyHeader,
};

function openConversionTarget(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
): Draft {
  const blockSize = chooseBlockSize(source, options.block_size);
  return {
    format: "toy",
    virtualSize: source.virtualSize,
    clusterSize: blockSize,
    placement: {
      unitSize: blockSize,
      hostAlignment: blockSize,
      reserved: RangeSet.of({ start: 0, end: blockSize }),
      hasZeroState: false,
      compressed: undefined,
    },
    options: { block_size: blockSize },
    ...judgeSource(source, drop),
  };
}

function chooseBlockSize({ clusterSize }: ConversionOptions, named: TargetOptionValues[string] | undefined): number {
  if (named === undefined) return Math.min(MAX_BLOCK_SIZE, Math.max(MIN_BLOCK_SIZE, clusterSize));
  if (typeof named === "number" && isBlockSize(named)) return named;
  throw new UsageError(`Cannot use block_size=${named}: it is no power of two from 4k to 2M`);
}

function judgeSource(source: ConversionOptions, drop: ReadonlySet<string>): Pick<Draft, "refusals" | "dropped"> {
  const { refusals, dropped } = judgeUnkept(source, { hasNone: "a toy has none", name: "a toy" }, drop);
  const own: Words[] = [];
  if (source.backing !== undefined) own.push("Cannot keep the backing file: a toy has none; rebase the image first");
  if (!isAligned(source.virtualSize, SECTOR_SIZE)) {
    own.push(`Cannot keep the virtual size ${source.virtualSize}: a toy needs a multiple of 512`);
  }
  return { refusals: [...own, ...refusals], dropped };
}

function map(draft: Draft, extents: ExtentTable, { oldFileSize, additiveStart }: FileSpace): MappedToyDraft {
  const { clusterSize, virtualSize } = draft;
  proveExtents(draft, extents, additiveStart);
  if (!isAligned(additiveStart, clusterSize) || additiveStart < Math.max(clusterSize, oldFileSize)) {
    throw refusal(
      `Cannot put the table at host offset ${hex(additiveStart)}: it is below the file's end or not aligned`,
    );
  }
  const metadataBytes = tableSizeFor(virtualSize, clusterSize);
  const fileSize = additiveStart + metadataBytes;
  return {
    ...draft,
    extents,
    tableOffset: additiveStart,
    fileSize,
    metadataBytes,
    settling: { bytesMoved: 0, bytesWritten: 0, fileSize },
    additiveWrites: () => toyTableWrites(extents, clusterSize, additiveStart),
  };
}

/** Proves alignment, bounds and that no block is used twice. */
function proveExtents({ clusterSize, virtualSize, placement }: Draft, extents: ExtentTable, end: number): void {
  const used = placement.reserved.clippedTo(0, end);
  const places: { start: number; end: number }[] = [];
  let guestEnd = 0;
  for (const { guestOffset, hostOffset, length, state } of eachExtent(extents)) {
    const refuse = (why: string) => refusal(`Cannot map guest offset ${hex(guestOffset)}: ${why}`);
    if (guestOffset !== guestEnd || !isAligned(guestOffset, clusterSize)) throw refuse("it is not aligned");
    guestEnd += length;
    if (state === ExtentState.unallocated) continue;
    if (state !== ExtentState.data) throw refuse("a toy knows data and nothing else");
    const hostEnd = hostOffset + Math.ceil(length / clusterSize) * clusterSize;
    if (!isAligned(hostOffset, clusterSize) || hostEnd > end || used.intersects(hostOffset, hostEnd)) {
      throw refuse(`host offset ${hex(hostOffset)} is not aligned, in the header or past the old end`);
    }
    places.push({ start: hostOffset, end: hostEnd });
  }
  if (guestEnd !== virtualSize) throw refusal(`Cannot map the disk: the extents end at ${hex(guestEnd)}`);
  places.sort((a, b) => a.start - b.start);
  const twice = places.find(({ end: placeEnd }, at) => placeEnd > (places[at + 1]?.start ?? placeEnd));
  if (twice !== undefined) throw refusal(`Cannot map host offset ${hex(twice.start)}: it is used twice`);
}

function refusal(message: string): ImageError {
  return new ImageError("out-of-bounds", message, { format: "toy", structure: "mapping" });
}

function copyHeader(draft: MappedDraft): Commit {
  const { clusterSize: blockSize, virtualSize, tableOffset } = draft as MappedToyDraft;
  const sector = new Uint8Array(SECTOR_SIZE);
  ToyHeaderFields.encode(
    { magic: Buffer.from(TOY_MAGIC, "latin1"), version: TOY_VERSION, blockSize, virtualSize, tableOffset },
    sector,
  );
  return { kind: "sector", hostOffset: 0, sector, extras: [] };
}
