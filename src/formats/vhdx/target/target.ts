/**
 * The dynamic VHDX target: the last three of the letter's five verbs.
 *
 *   | mark | headers, region tables | the source: data and old tables |  copies  | log | metadata | BAT |
 *     ^ the commit: one sector       ^ at 1 MiB, as all that follows at multiples of one
 *
 * The log is empty and a hole. Blocks that are not stored have no state but "not present": a part of the BAT that speaks of
 * no other is a hole too.
 */

import { alignUp, MiB } from "../../../bytes/align.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import type { ExtentTable } from "../../../image/extent.ts";
import { freshId } from "../../../image/fresh-id.ts";
import { frontCommit } from "../../../image/front-commit.ts";
import { eachPlacedUnit, proveUnits } from "../../../image/placed-units.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { Commit, Draft, FileSpace, GuestMaterial, MappedDraft, TargetDriver } from "../../../image/target.ts";
import type { TargetOptionValues } from "../../../image/target-options.ts";
import { type Chunk, freshChunk, type Write } from "../../../image/write.ts";
import { CLUSTER_SIZE, PLACE_UNIT } from "../header/fields.ts";
import { BAT_ENTRY_SIZE, BlockState, batLayoutOf, blockFromEntry, entryOfBlock } from "../tables/bat-entry.ts";
import { chooseBlockSize, judgeSource, VHDX_TARGET_OPTIONS } from "./rules.ts";
import { headerSection, LOG_LENGTH, METADATA_LENGTH, metadataOf, type VhdxRegions } from "./structures.ts";

/** Of the BAT, so many entries at a time. */
const PIECE_ENTRIES = MiB / BAT_ENTRY_SIZE;

interface VhdxDraft extends MappedDraft {
  readonly regions: VhdxRegions;
}

export const vhdxTarget: TargetDriver = {
  options: VHDX_TARGET_OPTIONS,
  // What nobody points at is nowhere counted.
  countsReferences: true,
  onlyReads: ({ subformat }) => subformat === "fixed",
  /** All of the header section, so that blocks of 1 MiB are what the first cluster is not. */
  front: () => PLACE_UNIT,
  openConversionTarget,
  map,
  copyHeader,
};

function openConversionTarget(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
): Draft {
  const blockSize = chooseBlockSize(source.virtualSize, options);
  return {
    format: "vhdx",
    virtualSize: source.virtualSize,
    clusterSize: CLUSTER_SIZE,
    placement: {
      unitSize: blockSize,
      hostAlignment: PLACE_UNIT,
      reserved: RangeSet.of({ start: 0, end: PLACE_UNIT }),
      hasZeroState: false,
      compressed: undefined,
    },
    options: { subformat: "dynamic", block_size: blockSize },
    ...judgeSource(source, drop),
  };
}

function map(draft: Draft, extents: ExtentTable, { additiveStart, identity }: FileSpace): VhdxDraft {
  const { virtualSize, placement } = draft;
  const { unitSize: blockSize } = placement;
  proveUnits(draft, extents, additiveStart);
  const { entryCount, chunkRatio } = batLayoutOf(virtualSize, blockSize);
  const metadata = additiveStart + LOG_LENGTH;
  const bat = metadata + METADATA_LENGTH;
  const batLength = alignUp(entryCount * BAT_ENTRY_SIZE, PLACE_UNIT);
  const metadataBytes = metadataOf(virtualSize, blockSize, freshId("vhdx", `disk ${virtualSize}`, identity, 7));
  const pieces = function* () {
    for (let first = 0; first < entryCount; first += PIECE_ENTRIES) {
      const end = Math.min(first + PIECE_ENTRIES, entryCount);
      const blocks = [blockFromEntry(first, chunkRatio), blockFromEntry(end, chunkRatio)] as const;
      if (eachPlacedUnit(extents, blockSize, blocks) > 0) yield { first, end, blocks };
    }
  };
  let batBytes = 0;
  for (const { first, end } of pieces()) batBytes += (end - first) * BAT_ENTRY_SIZE;
  const fileSize = bat + batLength;
  return {
    ...draft,
    extents,
    regions: { log: additiveStart, metadata, bat, batLength },
    fileSize,
    metadataBytes: metadataBytes.length + batBytes,
    settling: { bytesMoved: 0, bytesWritten: 0, fileSize },
    *additiveWrites(chunk: Chunk = freshChunk): Generator<Write> {
      yield { hostOffset: metadata, bytes: metadataBytes };
      for (const { first, end, blocks } of pieces()) {
        const bytes = chunk((end - first) * BAT_ENTRY_SIZE);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        eachPlacedUnit(extents, blockSize, blocks, (block, hostOffset) => {
          const at = (entryOfBlock(block, chunkRatio) - first) * BAT_ENTRY_SIZE;
          const place = hostOffset / PLACE_UNIT;
          view.setUint32(at, (place % 4096) * 2 ** 20 + BlockState.fullyPresent, true);
          view.setUint32(at + 4, Math.floor(place / 4096), true);
        });
        yield { hostOffset: bat + first * BAT_ENTRY_SIZE, bytes };
      }
    },
  };
}

function copyHeader(
  draft: MappedDraft,
  _source: ConversionOptions,
  oldHeader: Uint8Array,
  _usedHeader: RangeSet,
  guest?: GuestMaterial,
): Commit {
  return frontCommit(headerSection((draft as VhdxDraft).regions, guest?.identity), oldHeader);
}
