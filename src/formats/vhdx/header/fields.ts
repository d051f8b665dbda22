/** The structures of a VHDX's header section and metadata region, field by field (MS-VHDX, "Header Section", "Metadata Region"). */

import { KiB, MiB } from "../../../bytes/align.ts";
import { Crc32Polynomial, crc32 } from "../../../bytes/crc32.ts";
import { bytes, flags64, type StructValues, struct, u16, u32, u64 } from "../../../bytes/struct.ts";

export const FILE_MARK = "vhdxfile";

/** Whatever has a place in the file lies at a multiple of it, behind the header section, which is as long. */
export const PLACE_UNIT = MiB;

/**
 * Blocks have 1 MiB and more, and all that has a place lies at multiples of one. A target takes this as its default: tables
 * of clusters as large as a block would be more to write than to gain.
 */
export const CLUSTER_SIZE = 64 * KiB;

export const HEADER_PLACES = [64 * KiB, 128 * KiB] as const;
export const HEADER_SIZE = 4 * KiB;
export const REGION_TABLE_PLACES = [192 * KiB, 256 * KiB] as const;
export const REGION_TABLE_SIZE = 64 * KiB;
/** Of a region table, and of the metadata table. */
export const MAX_ENTRY_COUNT = 2047;
export const METADATA_TABLE_SIZE = 64 * KiB;
/** Of one metadata item, in bytes. */
export const MAX_ITEM_SIZE = MiB;

export const VhdxHeaderFields = struct(
  "VHDX header",
  "le",
  { at: 0, size: HEADER_SIZE },
  {
    signature: bytes(0, 4),
    checksum: u32(4),
    /** Of two good headers the higher one counts. */
    sequenceNumber: flags64(8),
    /** Another one each time that the file is opened for writing. */
    fileWriteGuid: bytes(16, 16),
    /** Another one each time that the guest's disk changes. */
    dataWriteGuid: bytes(32, 16),
    /** Of the log's entries; zeros where there is nothing to replay. */
    logGuid: bytes(48, 16),
    logVersion: u16(64),
    version: u16(66),
    logLength: u32(68),
    logOffset: u64(72),
    reserved: bytes(80, 4016),
  },
);
export type VhdxHeaderValues = StructValues<typeof VhdxHeaderFields.fields>;

export const RegionTableFields = struct(
  "region table",
  "le",
  { at: 0, size: 16 },
  { signature: bytes(0, 4), checksum: u32(4), entryCount: u32(8), reserved: u32(12) },
);

export const RegionEntryFields = struct(
  "region table entry",
  "le",
  { at: 0, size: 32 },
  {
    id: bytes(0, 16),
    fileOffset: u64(16),
    length: u32(24),
    /** Bit 0: who does not know it must not open the file. */
    flags: u32(28),
  },
);

export const MetadataTableFields = struct(
  "metadata table",
  "le",
  { at: 0, size: 32 },
  { signature: bytes(0, 8), reserved: u16(8), entryCount: u16(10), reserved2: bytes(12, 20) },
);

export const MetadataEntryFields = struct(
  "metadata table entry",
  "le",
  { at: 0, size: 32 },
  {
    id: bytes(0, 16),
    /** From the region's start. */
    offset: u32(16),
    length: u32(20),
    /** Bit 0: the user's, bit 1: of the disk, bit 2: required. */
    flags: u32(24),
    reserved: u32(28),
  },
);

export const FileParametersFields = struct(
  "file parameters",
  "le",
  { at: 0, size: 8 },
  {
    blockSize: u32(0),
    /** Bit 0: fixed, blocks stay allocated; bit 1: it has a parent. */
    flags: u32(4),
  },
);

/** Of regions and metadata items, as `guidText` writes them. */
export const Guid = {
  bat: "2dc27766-f623-4200-9d64-115e9bfd4a08",
  metadata: "8b7ca206-4790-4b9a-b8fe-575f050f886e",
  fileParameters: "caa16737-fa36-4d43-b3b6-33f0aa44e76b",
  virtualDiskSize: "2fa54224-cd1b-4876-b211-5dbed83bf4b8",
  page83Data: "beca12ab-b2e6-4523-93ef-c309e000c746",
  logicalSectorSize: "8141bf1d-a96f-4709-ba47-f233a8faab5f",
  physicalSectorSize: "cda348c7-445d-4471-9cc9-e9885251c556",
  parentLocator: "a8d35f2d-b30b-454d-abf7-d3d84834ab0c",
} as const;

/** The first three parts are numbers, little-endian as all numbers of the format; -1 are the dashes between. */
const GUID_ORDER = [3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15];

export function guidText(guid: Uint8Array): string {
  return GUID_ORDER.map((at) => (at < 0 ? "-" : (guid[at] as number).toString(16).padStart(2, "0"))).join("");
}

/** The same the other way. */
export function guidBytes(text: string): Uint8Array {
  const digits = Buffer.from(text.replaceAll("-", ""), "hex");
  const guid = new Uint8Array(16);
  for (const [index, at] of GUID_ORDER.filter((at) => at >= 0).entries()) guid[at] = digits[index] as number;
  return guid;
}

/** The checksum of a structure over all its bytes, its own four, at 4, as zeros. */
export function checksumOf(structure: Uint8Array): number {
  const copy = structure.slice();
  copy.fill(0, 4, 8);
  return crc32(copy, Crc32Polynomial.castagnoli);
}

/** Whether a structure begins with its signature and its checksum is right. */
export function isSound(structure: Uint8Array, signature: string): boolean {
  const view = new DataView(structure.buffer, structure.byteOffset, structure.byteLength);
  return startsWith(structure, signature) && view.getUint32(4, true) === checksumOf(structure);
}

export function startsWith(bytes: Uint8Array, mark: string): boolean {
  return Buffer.from(bytes.subarray(0, mark.length)).toString("latin1") === mark;
}
