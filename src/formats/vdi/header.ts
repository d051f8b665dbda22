/** The VDI header: its field table and every rule it must keep ("All about VDIs" of the VirtualBox forum, and qemu-img). */

import { alignUp, isAligned, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { hex, ImageError, type ImageErrorKind } from "../../bytes/image-error.ts";
import { imageNamed, placeAt, say } from "../../bytes/sentence.ts";
import { bytes, type StructValues, struct, u32, u64 } from "../../bytes/struct.ts";
import type { Storage } from "../../storage/storage.ts";

export const VDI_MARK = { hostOffset: 64, bytes: "\x7f\x10\xda\xbe" } as const;

export const VdiHeaderFields = struct(
  "VDI header",
  "le",
  { at: 0, size: SECTOR_SIZE },
  {
    text: bytes(0, 64),
    mark: bytes(64, 4),
    /** The major version in the upper half. */
    version: u32(68),
    /** Counted from here on. */
    headerSize: u32(72),
    imageType: u32(76),
    flags: u32(80),
    comment: bytes(84, 256),
    mapOffset: u32(340),
    dataOffset: u32(344),
    cylinders: u32(348),
    heads: u32(352),
    sectorsPerTrack: u32(356),
    sectorSize: u32(360),
    unused: u32(364),
    /** The guest's disk, in bytes. */
    diskSize: u64(368),
    blockSize: u32(376),
    /** Bytes before each block. */
    blockExtra: u32(380),
    /** Entries of the map. */
    blockCount: u32(384),
    /** Blocks that the file holds. */
    allocatedCount: u32(388),
    imageId: bytes(392, 16),
    lastChangeId: bytes(408, 16),
    linkId: bytes(424, 16),
    parentId: bytes(440, 16),
    geometry: bytes(456, 16),
    reserved: bytes(472, 40),
  },
);
type VdiHeaderValues = StructValues<typeof VdiHeaderFields.fields>;

const { fields } = VdiHeaderFields;

/** 1.1 */
export const VERSION = 0x10001;
export const BLOCK_SIZE = MiB;
export const ENTRY_SIZE = 4;
/** QEMU opens none with more: 512 TiB. */
const MAX_BLOCK_COUNT = 0x1fffff80;
/** Of version 1.1 before a second geometry was added behind it. */
const MIN_HEADER_SIZE = 384;

/** A header that keeps all rules, with what follows from it. Offsets and sizes in bytes. */
export interface VdiHeader {
  readonly virtualSize: number;
  readonly blockCount: number;
  readonly allocatedCount: number;
  readonly mapOffset: number;
  readonly mapBytes: number;
  readonly dataOffset: number;
  readonly fileSize: number;
  readonly hasComment: boolean;
  /** All blocks have their place. */
  readonly isStatic: boolean;
}

type Refuse = (kind: ImageErrorKind, because: string, hostOffset: number, remedy?: string) => ImageError;

/** Reads and validates the header; throws ImageError for the first rule that is broken. */
export async function readVdiHeader(storage: Storage): Promise<VdiHeader> {
  const refuse: Refuse = (kind, because, hostOffset, remedy = undefined) =>
    new ImageError(kind, say`Cannot open ${imageNamed(storage.path)}`, {
      because: say`${because} (at host offset ${placeAt(hostOffset)})`,
      remedy,
      format: "vdi",
      path: storage.path,
      structure: VdiHeaderFields.name,
      hostOffset,
    });
  const fileSize = await storage.size();
  const buffer = new Uint8Array(VdiHeaderFields.size);
  const head = buffer.subarray(0, await storage.read(0, buffer));
  if (!Buffer.from(head).toString("latin1").startsWith(VDI_MARK.bytes, VDI_MARK.hostOffset)) {
    throw refuse("not-this-format", "it does not bear the mark of a VDI", VDI_MARK.hostOffset);
  }
  const values = VdiHeaderFields.parse(head);
  refuseKind(values, refuse);
  const { mapOffset, dataOffset, blockCount, allocatedCount } = values;
  refuseUnits(values, refuse);
  const mapBytes = blockCount * ENTRY_SIZE;
  refusePlaces(values, mapBytes, refuse);
  if (mapOffset + mapBytes > fileSize) {
    const because = `its block map of ${mapBytes} bytes at ${hex(mapOffset)} ends outside the file`;
    throw refuse("out-of-bounds", because, fields.mapOffset.at);
  }
  return {
    // VBoxManage makes disks of odd lengths, which QEMU shows in whole sectors.
    virtualSize: alignUp(values.diskSize, SECTOR_SIZE),
    blockCount,
    allocatedCount,
    mapOffset,
    mapBytes,
    dataOffset,
    fileSize,
    hasComment: values.comment[0] !== 0,
    isStatic: values.imageType === 2,
  };
}

const KINDS: Readonly<Record<number, string>> = { 3: "undo", 4: "differencing" };

function refuseKind({ version, imageType, linkId, parentId }: VdiHeaderValues, refuse: Refuse): void {
  if (version !== VERSION) {
    const because = `version ${version >>> 16}.${version & 0xffff} of its header is not 1.1`;
    throw refuse("unsupported", because, fields.version.at);
  }
  const kind = KINDS[imageType];
  const elsewhere = "a part of its disk lies in another file, its parent";
  const remedy = "make one image of both with VBoxManage clonemedium";
  if (kind !== undefined) {
    throw refuse("unsupported", `it is a VDI image (${kind}): ${elsewhere}`, fields.imageType.at, remedy);
  }
  if (imageType !== 1 && imageType !== 2) {
    throw refuse("corrupt", `image type ${imageType} of its header is none of 1 to 4`, fields.imageType.at);
  }
  for (const [id, { at }] of [[linkId, fields.linkId] as const, [parentId, fields.parentId] as const]) {
    if (id.some((byte) => byte !== 0))
      throw refuse("unsupported", `its header names a parent: ${elsewhere}`, at, remedy);
  }
}

function refuseUnits(values: VdiHeaderValues, refuse: Refuse): void {
  const { sectorSize, blockSize, blockExtra, blockCount, diskSize } = values;
  if (sectorSize !== SECTOR_SIZE) {
    throw refuse("unsupported", `its sectors of ${sectorSize} bytes are not of 512`, fields.sectorSize.at);
  }
  if (blockSize !== BLOCK_SIZE) {
    throw refuse("unsupported", `its blocks of ${blockSize} bytes are not of ${BLOCK_SIZE}`, fields.blockSize.at);
  }
  if (blockExtra !== 0) {
    throw refuse("unsupported", `its blocks have ${blockExtra} bytes before them`, fields.blockExtra.at);
  }
  if (blockCount > MAX_BLOCK_COUNT) {
    throw refuse(
      "unsupported",
      `its ${counted(blockCount, "block")} are more than ${MAX_BLOCK_COUNT}`,
      fields.blockCount.at,
    );
  }
  if (diskSize > blockCount * BLOCK_SIZE) {
    const because = `its disk of ${diskSize} bytes is beyond what its ${counted(blockCount, "block")} hold`;
    throw refuse("corrupt", because, fields.diskSize.at);
  }
}

function refusePlaces(values: VdiHeaderValues, mapBytes: number, refuse: Refuse): void {
  const { headerSize, mapOffset, dataOffset } = values;
  const headerEnd = fields.headerSize.at + headerSize;
  if (headerSize < MIN_HEADER_SIZE || headerEnd > mapOffset || mapOffset < SECTOR_SIZE) {
    const because = `its header of ${headerSize} bytes and its block map at ${hex(mapOffset)} do not fit together`;
    throw refuse("corrupt", because, fields.headerSize.at);
  }
  for (const [what, offset, { at }] of [
    ["block map", mapOffset, fields.mapOffset] as const,
    ["first block", dataOffset, fields.dataOffset] as const,
  ]) {
    if (!isAligned(offset, SECTOR_SIZE)) throw refuse("corrupt", `its ${what} at ${hex(offset)} lies at no sector`, at);
  }
  if (dataOffset < mapOffset + mapBytes) {
    const because = `its first block at ${hex(dataOffset)} lies on its block map or before it`;
    throw refuse("corrupt", because, fields.dataOffset.at);
  }
}
