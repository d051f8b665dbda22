/**
 * The Parallels target, of the newer magic: the last three of the letter's five verbs.
 *
 *   | header | BAT | the source: data and old tables | copies |
 *     ^ the commit: one sector, with the BAT's first entries; what is behind the last track is cut off once that is settled
 *
 * An entry counts tracks from the file's start, so that what stays lies at multiples of one.
 */

import { alignUp, GiB, isAligned, isPowerOfTwo, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { UsageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import type { Words } from "../../bytes/sentence.ts";
import type { ExtentTable } from "../../image/extent.ts";
import { frontCommit } from "../../image/front-commit.ts";
import { eachPlacedUnit, proveUnits } from "../../image/placed-units.ts";
import type { ConversionOptions } from "../../image/source.ts";
import type { Commit, Draft, FileSpace, MappedDraft, TargetDriver } from "../../image/target.ts";
import type { TargetOption, TargetOptionValues } from "../../image/target-options.ts";
import { judgeUnkept } from "../../image/unkept.ts";
import { ENTRY_SIZE, InUse, MAGICS, ParallelsHeaderFields } from "./header.ts";

const OPTIONS: readonly TargetOption[] = [
  {
    name: "cluster_size",
    kind: "size",
    help: "Bytes of a track, a power of two up to 1G; by default 1M, or what keeps the BAT below 2M",
  },
];

const USUAL_TRACK = MiB;
const MAX_TRACK = GiB;
/** As much as a carrier's first cluster gives. */
const MAX_FRONT = 2 * MiB;
/** As qemu-img has them. */
const [HEADS, SECTORS_PER_TRACK] = [16, 32];
const BAT_OFFSET = ParallelsHeaderFields.size;

export const parallelsTarget: TargetDriver = {
  options: OPTIONS,
  // QEMU finds what lies behind the last track to be leaked.
  countsReferences: false,
  front: (virtualSize, options) => Math.min(MAX_FRONT, dataStartOf(virtualSize, chooseTrack(virtualSize, options))),
  openConversionTarget,
  map,
  copyHeader,
};

/** Whether `cluster_size` makes such tracks, and their BAT finds its place. */
export function canMake(virtualSize: number, trackSize: number): boolean {
  return isTrack(trackSize) && batEndOf(virtualSize, trackSize) <= MAX_FRONT;
}

function isTrack(size: unknown): size is number {
  return typeof size === "number" && isPowerOfTwo(size) && size >= SECTOR_SIZE && size <= MAX_TRACK;
}

/** Throws UsageError for a value that no source could use. */
function chooseTrack(virtualSize: number, { cluster_size: asked }: TargetOptionValues): number {
  if (isTrack(asked)) return asked;
  if (asked !== undefined)
    throw new UsageError(`Cannot use cluster_size=${asked}: expected a power of two from ${SECTOR_SIZE} to 1G`);
  let trackSize = USUAL_TRACK;
  while (trackSize < MAX_TRACK && !canMake(virtualSize, trackSize)) trackSize *= 2;
  return trackSize;
}

function trackCountOf(virtualSize: number, trackSize: number): number {
  return Math.ceil(virtualSize / trackSize);
}

function batEndOf(virtualSize: number, trackSize: number): number {
  return BAT_OFFSET + trackCountOf(virtualSize, trackSize) * ENTRY_SIZE;
}

function dataStartOf(virtualSize: number, trackSize: number): number {
  return alignUp(batEndOf(virtualSize, trackSize), trackSize);
}

function openConversionTarget(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
): Draft {
  const { virtualSize, backing } = source;
  const trackSize = chooseTrack(virtualSize, options);
  const unkept = judgeUnkept(
    source,
    { hasNone: "a converted Parallels image has none", name: "a Parallels image" },
    drop,
  );
  const refusals: Words[] = [...unkept.refusals];
  if (backing !== undefined)
    refusals.push("Cannot keep the backing file: a Parallels image has none; commit or rebase the image first");
  if (virtualSize === 0 || !isAligned(virtualSize, SECTOR_SIZE))
    refusals.push(`Cannot make a Parallels image of a disk of ${virtualSize} bytes: it has whole sectors, and some`);
  if (!canMake(virtualSize, trackSize)) {
    const entries = trackCountOf(virtualSize, trackSize);
    refusals.push(
      `Cannot make a BAT of ${entries} tracks of ${trackSize} bytes: it lies at the file's front, and no more than ` +
        `${MAX_FRONT} bytes can be kept free there; choose a larger cluster_size`,
    );
  }
  return {
    format: "parallels",
    virtualSize,
    clusterSize: Math.min(trackSize, MAX_FRONT),
    placement: {
      unitSize: trackSize,
      hostAlignment: trackSize,
      reserved: RangeSet.of({ start: 0, end: dataStartOf(virtualSize, trackSize) }),
      hasZeroState: false,
      compressed: undefined,
    },
    options: { cluster_size: trackSize },
    refusals,
    dropped: unkept.dropped,
  };
}

function map(draft: Draft, extents: ExtentTable, { additiveStart }: FileSpace): MappedDraft {
  const { virtualSize, placement } = draft;
  const { unitSize: trackSize } = placement;
  proveUnits(draft, extents, additiveStart);
  let end = dataStartOf(virtualSize, trackSize);
  eachPlacedUnit(extents, trackSize, [0, trackCountOf(virtualSize, trackSize)], (_track, hostOffset) => {
    end = Math.max(end, hostOffset + trackSize);
  });
  return {
    ...draft,
    extents,
    fileSize: additiveStart,
    metadataBytes: 0,
    settling: { bytesMoved: 0, bytesWritten: 0, fileSize: end },
    additiveWrites: () => [],
  };
}

function copyHeader(
  { virtualSize, placement, extents }: MappedDraft,
  _source: ConversionOptions,
  oldHeader: Uint8Array,
): Commit {
  const { unitSize: trackSize } = placement;
  const trackCount = trackCountOf(virtualSize, trackSize);
  const dataStart = dataStartOf(virtualSize, trackSize);
  const front = new Uint8Array(Math.min(dataStart, MAX_FRONT));
  const sectors = virtualSize / SECTOR_SIZE;
  ParallelsHeaderFields.encode(
    {
      magic: Buffer.from(MAGICS.byTrack),
      version: 2,
      heads: HEADS,
      cylinders: Math.min(Math.ceil(sectors / HEADS / SECTORS_PER_TRACK), 0xffff_ffff),
      tracks: trackSize / SECTOR_SIZE,
      batCount: trackCount,
      sectorCount: { high: Math.floor(sectors / 2 ** 32), low: sectors % 2 ** 32 },
      inUse: InUse.never,
      dataOffset: dataStart / SECTOR_SIZE,
      flags: 0,
      extensionOffset: 0,
    },
    front,
  );
  const view = new DataView(front.buffer);
  eachPlacedUnit(extents, trackSize, [0, trackCount], (track, hostOffset) =>
    view.setUint32(BAT_OFFSET + track * ENTRY_SIZE, hostOffset / trackSize, true),
  );
  return frontCommit(front, oldHeader);
}
