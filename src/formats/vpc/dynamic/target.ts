/**
 * The dynamic VHD target: the last three of the letter's five verbs.
 *
 *   | footer | header | table to come | bitmap | block | bitmap | block | ...  |  ...  | table | footer |
 *     ^ the commit: one sector                                                           ^ behind all that the disk could grow to
 *
 * Where a block is missing QEMU puts it behind the last one, or behind the table, and takes what lies there for zeros: so the
 * table begins where no block will ever be, and comes to its place, and the file to its end, once that is settled (settling.ts).
 */

import { alignUp, ceilDiv, isAligned, MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import type { ExtentTable } from "../../../image/extent.ts";
import { frontCommit } from "../../../image/front-commit.ts";
import { LINEAR_CLUSTER_SIZE } from "../../../image/in-one-piece.ts";
import { eachPlacedUnit, proveUnits } from "../../../image/placed-units.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { Commit, Draft, FileSpace, MappedDraft } from "../../../image/target.ts";
import { type Chunk, freshChunk, type Write } from "../../../image/write.ts";
import { DiskType, FOOTER_SIZE } from "../footer.ts";
import { freshFooter } from "../fresh-footer.ts";
import { judgeSource } from "../rules.ts";
import { HEADER_OFFSET, HEADER_SIZE, headerOf, TABLE_OFFSET } from "./header.ts";
import { ENTRY_SIZE, UNUSED_ENTRY } from "./table.ts";

/** The specification's own, and all that qemu-img makes. */
const BLOCK_SIZE = 2 * MiB;
/** A bit for each sector of a block. */
const BITMAP_SIZE = BLOCK_SIZE / SECTOR_SIZE / 8;
const PIECE = MiB / ENTRY_SIZE;

interface DynamicDraft extends MappedDraft {
  readonly tableOffset: number;
  /** The same at both ends of the file. */
  readonly footer: Uint8Array;
}

function blockCountOf(virtualSize: number): number {
  return ceilDiv(virtualSize, BLOCK_SIZE);
}

/** Where the first block's bitmap may lie: right behind the table, as qemu-img has it. */
export function dataStartOf(virtualSize: number): number {
  return TABLE_OFFSET + tableSizeOf(virtualSize);
}

function tableSizeOf(virtualSize: number): number {
  return alignUp(blockCountOf(virtualSize) * ENTRY_SIZE, SECTOR_SIZE);
}

export function openDynamicTarget(source: ConversionOptions, drop: ReadonlySet<string>): Draft {
  const { virtualSize } = source;
  const { refusals, dropped } = judgeSource(source, virtualSize, drop, "dynamic");
  const isWhole = virtualSize > 0 && isAligned(virtualSize, SECTOR_SIZE);
  const size = isWhole ? [] : [`Cannot make a VHD of a disk of ${virtualSize} bytes: it has whole sectors, and some`];
  return {
    format: "vpc",
    virtualSize,
    clusterSize: LINEAR_CLUSTER_SIZE,
    placement: {
      unitSize: BLOCK_SIZE,
      hostAlignment: SECTOR_SIZE,
      leadIn: BITMAP_SIZE,
      reserved: RangeSet.of({ start: 0, end: dataStartOf(virtualSize) }),
      hasZeroState: false,
      compressed: undefined,
    },
    options: { subformat: "dynamic", force_size: true },
    refusals: [...refusals, ...size],
    dropped,
  };
}

export function mapDynamic(draft: Draft, extents: ExtentTable, space: FileSpace): DynamicDraft {
  const { virtualSize } = draft;
  const { additiveStart, identity } = space;
  proveUnits(draft, extents, additiveStart);
  const blockCount = blockCountOf(virtualSize);
  const start = dataStartOf(virtualSize);
  let end = start;
  const hostOffsets: number[] = [];
  eachPlacedUnit(extents, BLOCK_SIZE, [0, blockCount], (_block, hostOffset) => {
    hostOffsets.push(hostOffset);
    end = Math.max(end, hostOffset + BLOCK_SIZE);
  });
  const grownEnd = Math.max(end, start) + (blockCount - hostOffsets.length) * (BITMAP_SIZE + BLOCK_SIZE);
  const tableOffset = Math.max(additiveStart, grownEnd);
  const tableSize = tableSizeOf(virtualSize);
  const footer = freshFooter(virtualSize, identity, DiskType.dynamic);
  const bitmap = new Uint8Array(BITMAP_SIZE).fill(0xff);
  return {
    ...draft,
    extents,
    tableOffset,
    footer,
    fileSize: tableOffset + tableSize + FOOTER_SIZE,
    metadataBytes: tableSize + FOOTER_SIZE + hostOffsets.length * BITMAP_SIZE,
    settling: { bytesMoved: 0, bytesWritten: tableSize + SECTOR_SIZE + FOOTER_SIZE, fileSize: end + FOOTER_SIZE },
    leadIns: () => hostOffsets.map((hostOffset) => ({ hostOffset: hostOffset - BITMAP_SIZE, bytes: bitmap })),
    *additiveWrites(chunk: Chunk = freshChunk): Generator<Write> {
      for (let first = 0; first * ENTRY_SIZE < tableSize; first += PIECE) {
        const bytes = chunk(Math.min(PIECE * ENTRY_SIZE, tableSize - first * ENTRY_SIZE));
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        for (let at = 0; at < bytes.length; at += ENTRY_SIZE) view.setUint32(at, UNUSED_ENTRY);
        eachPlacedUnit(extents, BLOCK_SIZE, [first, Math.min(first + PIECE, blockCount)], (block, hostOffset) =>
          view.setUint32((block - first) * ENTRY_SIZE, (hostOffset - BITMAP_SIZE) / SECTOR_SIZE),
        );
        yield { hostOffset: tableOffset + first * ENTRY_SIZE, bytes };
      }
      yield { hostOffset: tableOffset + tableSize, bytes: footer };
    },
  };
}

export function commitDynamic(draft: MappedDraft, oldHeader: Uint8Array): Commit {
  const { footer, tableOffset, virtualSize } = draft as DynamicDraft;
  const front = new Uint8Array(HEADER_OFFSET + HEADER_SIZE);
  front.set(footer);
  front.set(
    headerOf({ tableOffset, maxTableEntries: blockCountOf(virtualSize), blockSize: BLOCK_SIZE }),
    HEADER_OFFSET,
  );
  return frontCommit(front, oldHeader);
}
