/** A VHD's footer: its field table, its sum, and which disks it can speak of ("Virtual Hard Disk Image Format Specification", "Hard Disk Footer Format"). */

import { GiB } from "../../bytes/align.ts";
import { bytes, flags64, flagsOf, type StructValues, struct, u8, u16, u32, u64 } from "../../bytes/struct.ts";

export const VHD_COOKIE = "conectix";
export const FOOTER_SIZE = 512;

/** No disk is larger (2040 GiB): QEMU opens none that is. */
export const MAX_VIRTUAL_SIZE = 2040 * GiB;

export const VhdFooterFields = struct(
  "VHD footer",
  "be",
  { at: 0, size: FOOTER_SIZE },
  {
    cookie: bytes(0, 8),
    /** Bit 0: temporary; bit 1 is always set. */
    features: u32(8),
    /** The major version in the upper half. */
    version: u32(12),
    /** Of the dynamic header; all ones in a fixed disk. */
    dataOffset: flags64(16),
    /** Seconds since 2000 in UTC. */
    timestamp: u32(24),
    creator: bytes(28, 4),
    creatorVersion: u32(32),
    creatorHost: bytes(36, 4),
    /** When the disk was made; nobody asks for it. */
    originalSize: flags64(40),
    /** The guest's disk, in bytes. */
    currentSize: u64(48),
    cylinders: u16(56),
    heads: u8(58),
    sectorsPerTrack: u8(59),
    diskType: u32(60),
    checksum: u32(64),
    id: bytes(68, 16),
    savedState: u8(84),
    reserved: bytes(85, 427),
  },
);
export type VhdFooter = StructValues<typeof VhdFooterFields.fields>;

export const DiskType = { fixed: 2, dynamic: 3, differencing: 4 } as const;

/** Of 64 bits each one: where no structure follows. */
export const ALL_ONES = flagsOf(...Array.from({ length: 64 }, (_, bit) => bit));

export function isFooter(sector: Uint8Array): boolean {
  return sector.length >= VHD_COOKIE.length && Buffer.from(sector.subarray(0, 8)).toString("latin1") === VHD_COOKIE;
}

/** The one's complement of the sum of all bytes but the sum's own, which is a field of it. */
export function checksumOf(
  structure: Uint8Array,
  { at, size }: { readonly at: number; readonly size: number },
): number {
  let sum = 0;
  for (let index = 0; index < structure.length; index++) {
    if (index < at || index >= at + size) sum += structure[index] as number;
  }
  return ~sum >>> 0;
}

export function footerChecksum(sector: Uint8Array): number {
  return checksumOf(sector.subarray(0, FOOTER_SIZE), VhdFooterFields.fields.checksum);
}
