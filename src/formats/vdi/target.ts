/**
 * The VDI target, dynamic: the last three of the letter's five verbs.
 *
 *   | header | block map | block | block |  ...  | block |
 *     ^ the commit: one sector, as long as the header is; what is behind the last block is cut off once that is settled
 *
 * A block's number is its place from the data offset on, and who writes to one that is not there puts it right behind as many
 * as the header counts: each place between the first and the last is some entry's.
 */

import { alignUp, GiB, isAligned, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { hex, ImageError, UsageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import type { Words } from "../../bytes/sentence.ts";
import type { ExtentTable } from "../../image/extent.ts";
import { freshId } from "../../image/fresh-id.ts";
import { frontCommit } from "../../image/front-commit.ts";
import { eachPlacedUnit, proveUnits } from "../../image/placed-units.ts";
import type { ConversionOptions } from "../../image/source.ts";
import type { Commit, Draft, FileSpace, GuestMaterial, MappedDraft, TargetDriver } from "../../image/target.ts";
import type { TargetOption, TargetOptionValues } from "../../image/target-options.ts";
import { judgeUnkept } from "../../image/unkept.ts";
import { BLOCK_SIZE, ENTRY_SIZE, VDI_MARK, VdiHeaderFields, VERSION } from "./header.ts";

const OPTIONS: readonly TargetOption[] = [
  {
    name: "static",
    kind: "boolean",
    neverMade: true,
    help: "All blocks have their place: off; on is read, not written",
  },
];

const MAP_OFFSET = VdiHeaderFields.size;
/** As much as a carrier's first cluster gives. */
const MAX_FRONT = 2 * MiB;
/** The data offset has 32 bits. */
const LATEST_DATA = 4 * GiB - BLOCK_SIZE;
/** An entry that says that nothing was ever written. */
const NO_BLOCK = 0xff;
const TEXT = "<<< VDI disk image made by inplace-convert >>>\n";
/** As VirtualBox and qemu-img have it: up to the second geometry, which may be left out. */
const HEADER_SIZE = 384;
const DYNAMIC = 1;

interface VdiDraft extends MappedDraft {
  readonly dataOffset: number;
  readonly allocatedCount: number;
}

export const vdiTarget: TargetDriver = {
  options: OPTIONS,
  // What lies behind the last block is nowhere counted.
  countsReferences: false,
  onlyReads: (options) => options.static === true,
  front: (virtualSize) => Math.min(MAX_FRONT, dataStartOf(virtualSize)),
  openConversionTarget,
  map,
  copyHeader,
};

function blockCountOf(virtualSize: number): number {
  return Math.ceil(virtualSize / BLOCK_SIZE);
}

/** The first MiB behind the map. */
function dataStartOf(virtualSize: number): number {
  return alignUp(MAP_OFFSET + blockCountOf(virtualSize) * ENTRY_SIZE, BLOCK_SIZE);
}

function openConversionTarget(
  source: ConversionOptions,
  options: TargetOptionValues,
  drop: ReadonlySet<string>,
): Draft {
  if (options.static === true) throw new UsageError("Cannot write a VDI with static=on: use off");
  const { virtualSize, backing } = source;
  const unkept = judgeUnkept(source, { hasNone: "a VDI has none", name: "a VDI" }, drop);
  const refusals: Words[] = [...unkept.refusals];
  if (backing !== undefined)
    refusals.push("Cannot keep the backing file: a VDI names its parent by an id; commit or rebase the image first");
  if (virtualSize === 0 || !isAligned(virtualSize, SECTOR_SIZE))
    refusals.push(`Cannot make a VDI of a disk of ${virtualSize} bytes: it has whole sectors, and some`);
  const from = dataStartOf(virtualSize);
  if (from > MAX_FRONT) {
    const most = Math.floor((MAX_FRONT - MAP_OFFSET) / ENTRY_SIZE);
    refusals.push(
      `Cannot make a block map of ${blockCountOf(virtualSize)} entries: it lies at the file's front, and no more than ` +
        `${most} can be kept free there`,
    );
  }
  return {
    format: "vdi",
    virtualSize,
    clusterSize: BLOCK_SIZE,
    placement: {
      unitSize: BLOCK_SIZE,
      hostAlignment: BLOCK_SIZE,
      reserved: RangeSet.of({ start: 0, end: from }),
      dense: { from, latest: LATEST_DATA },
      hasZeroState: false,
      compressed: undefined,
    },
    options: { static: false },
    refusals,
    dropped: unkept.dropped,
  };
}

function map(draft: Draft, extents: ExtentTable, { additiveStart }: FileSpace): VdiDraft {
  const { virtualSize } = draft;
  proveUnits(draft, extents, additiveStart);
  let [first, end] = [Number.POSITIVE_INFINITY, 0];
  const allocatedCount = eachPlacedUnit(extents, BLOCK_SIZE, [0, blockCountOf(virtualSize)], (_block, hostOffset) => {
    first = Math.min(first, hostOffset);
    end = Math.max(end, hostOffset + BLOCK_SIZE);
  });
  const dataOffset = allocatedCount === 0 ? dataStartOf(virtualSize) : first;
  const fileSize = dataOffset + allocatedCount * BLOCK_SIZE;
  if (allocatedCount > 0 && (end !== fileSize || dataOffset > LATEST_DATA)) {
    const message = `Cannot map ${counted(allocatedCount, "block")} from host offset ${hex(dataOffset)} on: they end at ${hex(end)}`;
    throw new ImageError("out-of-bounds", message, { format: "vdi", structure: "mapping", hostOffset: dataOffset });
  }
  return {
    ...draft,
    extents,
    dataOffset,
    allocatedCount,
    fileSize: additiveStart,
    metadataBytes: 0,
    settling: { bytesMoved: 0, bytesWritten: 0, fileSize },
    additiveWrites: () => [],
  };
}

function copyHeader(
  draft: MappedDraft,
  _source: ConversionOptions,
  oldHeader: Uint8Array,
  _usedHeader: RangeSet,
  guest?: GuestMaterial,
): Commit {
  const { virtualSize, extents, dataOffset, allocatedCount } = draft as VdiDraft;
  const blockCount = blockCountOf(virtualSize);
  const front = new Uint8Array(Math.min(dataStartOf(virtualSize), MAX_FRONT));
  const text = new Uint8Array(VdiHeaderFields.fields.text.size);
  text.set(Buffer.from(TEXT));
  const none = new Uint8Array(16);
  VdiHeaderFields.encode(
    {
      text,
      mark: Buffer.from(VDI_MARK.bytes, "latin1"),
      version: VERSION,
      headerSize: HEADER_SIZE,
      imageType: DYNAMIC,
      flags: 0,
      comment: new Uint8Array(VdiHeaderFields.fields.comment.size),
      mapOffset: MAP_OFFSET,
      dataOffset,
      cylinders: 0,
      heads: 0,
      sectorsPerTrack: 0,
      sectorSize: SECTOR_SIZE,
      unused: 0,
      diskSize: virtualSize,
      blockSize: BLOCK_SIZE,
      blockExtra: 0,
      blockCount,
      allocatedCount,
      imageId: freshId("vdi", "image", guest?.identity, 7),
      lastChangeId: freshId("vdi", "change", guest?.identity, 7),
      linkId: none,
      parentId: none,
      geometry: none,
      reserved: new Uint8Array(VdiHeaderFields.fields.reserved.size),
    },
    front,
  );
  front.fill(NO_BLOCK, MAP_OFFSET, MAP_OFFSET + blockCount * ENTRY_SIZE);
  const view = new DataView(front.buffer);
  eachPlacedUnit(extents, BLOCK_SIZE, [0, blockCount], (block, hostOffset) =>
    view.setUint32(MAP_OFFSET + block * ENTRY_SIZE, (hostOffset - dataOffset) / BLOCK_SIZE, true),
  );
  return frontCommit(front, oldHeader);
}
