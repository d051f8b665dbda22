/**
 * The dynamic VHD target: the last three of the letter's five verbs.
 *
 *   | footer | header | table to come | bitmap | block | bitmap | block | ...  |  ...  | table | footer |
 *     ^ the commit: one sector                                                           ^ behind all that the disk could grow to
 *
 * Where a block is missing QEMU puts it behind the last one, or behind the table, and takes what lies there for zeros: so the
 * table begins where no block will ever be, and comes to its place, and the file to its end, once that is settled (settling.ts).
 */

import { alignUp, ceilDiv, isAligned, KiB, MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { UsageError } from "../../../bytes/image-error.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import type { ExtentTable } from "../../../image/extent.ts";
import { frontCommit } from "../../../image/front-commit.ts";
import { LINEAR_CLUSTER_SIZE } from "../../../image/in-one-piece.ts";
import { eachPlacedUnit, proveUnits } from "../../../image/placed-units.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { Commit, Draft, FileSpace, MappedDraft } from "../../../image/target.ts";
import type { TargetOptionValues } from "../../../image/target-options.ts";
import { type Chunk, freshChunk, type Write } from "../../../image/write.ts";
import { DiskType, FOOTER_SIZE } from "../footer.ts";
import { freshFooter } from "../fresh-footer.ts";
import { judgeSource } from "../rules.ts";
import { bitmapSizeOf, HEADER_OFFSET, HEADER_SIZE, headerOf, isBlockSize, TABLE_OFFSET } from "./header.ts";
import { ENTRY_SIZE, UNUSED_ENTRY } from "./table.ts";

/** The specification's own, and all that qemu-img makes. */
const USUAL_BLOCK = 2 * MiB;
const COMMIT_BLOCK = 4 * KiB;
const PIECE = MiB / ENTRY_SIZE;

interface DynamicDraft extends MappedDraft {
  readonly tableOffset: number;
  /** The same at both ends of the file. */
  readonly footer: Uint8Array;
}

/** Where the first block's bitmap may lie: behind the table, and outside of the block that a medium may lose with the commit. */
export function dataStartOf(virtualSize: number, options: TargetOptionValues): number {
  return Math.max(TABLE_OFFSET + tableSizeOf(virtualSize, chooseBlock(options)), COMMIT_BLOCK);
}

function tableSizeOf(virtualSize: number, blockSize: number): number {
  return alignUp(ceilDiv(virtualSize, blockSize) * ENTRY_SIZE, SECTOR_SIZE);
}

function chooseBlock({ block_size: blockSize = USUAL_BLOCK }: TargetOptionValues): number {
  if (typeof blockSize === "number" && isBlockSize(blockSize)) return blockSize;
  throw new UsageError(`Cannot use block_size=${blockSize}: expected a power of two from 4k to 256M`);
}

export function openDynamicTarget(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
): Draft {
  const { virtualSize } = source;
  const blockSize = chooseBlock(options);
  const { refusals, dropped } = judgeSource(source, virtualSize, drop, "dynamic");
  const isWhole = virtualSize > 0 && isAligned(virtualSize, SECTOR_SIZE);
  const size = isWhole ? [] : [`Cannot make a VHD of a disk of ${virtualSize} bytes: it has whole sectors, and some`];
  return {
    format: "vpc",
    virtualSize,
    clusterSize: Math.min(blockSize, LINEAR_CLUSTER_SIZE),
    placement: {
      unitSize: blockSize,
      hostAlignment: SECTOR_SIZE,
      leadIn: bitmapSizeOf(blockSize),
      reserved: RangeSet.of({ start: 0, end: dataStartOf(virtualSize, options) }),
      hasZeroState: false,
      compressed: undefined,
    },
    options: { subformat: "dynamic", force_size: true, block_size: blockSize },
    refusals: [...refusals, ...size],
    dropped,
  };
}

export function mapDynamic(draft: Draft, extents: ExtentTable, space: FileSpace): DynamicDraft {
  const { virtualSize, placement } = draft;
  const { unitSize: blockSize, leadIn: bitmapSize = 0 } = placement;
  const { additiveStart, identity } = space;
  proveUnits(draft, extents, additiveStart);
  const blockCount = ceilDiv(virtualSize, blockSize);
  const start = placement.reserved.end;
  let end = start;
  const hostOffsets: number[] = [];
  eachPlacedUnit(extents, blockSize, [0, blockCount], (_block, hostOffset) => {
    hostOffsets.push(hostOffset);
    end = Math.max(end, hostOffset + blockSize);
  });
  const grownEnd = Math.max(end, start) + (blockCount - hostOffsets.length) * (bitmapSize + blockSize);
  const tableOffset = Math.max(additiveStart, grownEnd);
  const tableSize = tableSizeOf(virtualSize, blockSize);
  const footer = freshFooter(virtualSize, identity, DiskType.dynamic);
  const bitmap = new Uint8Array(bitmapSize).fill(0xff);
  return {
    ...draft,
    extents,
    tableOffset,
    footer,
    fileSize: tableOffset + tableSize + FOOTER_SIZE,
    metadataBytes: tableSize + FOOTER_SIZE + hostOffsets.length * bitmapSize,
    settling: { bytesMoved: 0, bytesWritten: tableSize + SECTOR_SIZE + FOOTER_SIZE, fileSize: end + FOOTER_SIZE },
    leadIns: () => hostOffsets.map((hostOffset) => ({ hostOffset: hostOffset - bitmapSize, bytes: bitmap })),
    *additiveWrites(chunk: Chunk = freshChunk): Generator<Write> {
      for (let first = 0; first * ENTRY_SIZE < tableSize; first += PIECE) {
        const bytes = chunk(Math.min(PIECE * ENTRY_SIZE, tableSize - first * ENTRY_SIZE));
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        for (let at = 0; at < bytes.length; at += ENTRY_SIZE) view.setUint32(at, UNUSED_ENTRY);
        eachPlacedUnit(extents, blockSize, [first, Math.min(first + PIECE, blockCount)], (block, hostOffset) =>
          view.setUint32((block - first) * ENTRY_SIZE, (hostOffset - bitmapSize) / SECTOR_SIZE),
        );
        yield { hostOffset: tableOffset + first * ENTRY_SIZE, bytes };
      }
      yield { hostOffset: tableOffset + tableSize, bytes: footer };
    },
  };
}

export function commitDynamic(draft: MappedDraft, oldHeader: Uint8Array): Commit {
  const { footer, tableOffset, virtualSize, placement } = draft as DynamicDraft;
  const { unitSize: blockSize } = placement;
  const front = new Uint8Array(HEADER_OFFSET + HEADER_SIZE);
  front.set(footer);
  front.set(headerOf({ tableOffset, maxTableEntries: ceilDiv(virtualSize, blockSize), blockSize }), HEADER_OFFSET);
  return frontCommit(front, oldHeader);
}
