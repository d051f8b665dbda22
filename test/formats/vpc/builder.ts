/** Makes fixed VHDs byte by byte from a description, by nothing of `src/`. */

import { BLOCK_SIZE, clusterContent } from "../guest-contents.ts";
import type { BuiltImage } from "../kit.ts";

export type Geometry = readonly [cylinders: number, heads: number, sectorsPerTrack: number];

/** What a disk's footer says where it says no more than that the disk is large. */
export const LARGEST: Geometry = [65_535, 16, 255];

export interface FooterDescription {
  /** Default `win `, whose current size every QEMU takes. */
  readonly creator?: string;
  readonly currentSize: number | bigint;
  readonly geometry?: Geometry;
  /** Default 2, fixed. */
  readonly diskType?: number;
  readonly version?: number;
  readonly features?: number;
  readonly savedState?: number;
  /** Fills what is reserved. */
  readonly reservedByte?: number;
  /** In place of the right sum. */
  readonly checksum?: number;
}

export function buildFooter(description: FooterDescription): Buffer {
  const { creator = "win ", currentSize, geometry = LARGEST, diskType = 2, reservedByte = 0 } = description;
  const footer = Buffer.alloc(512);
  footer.write("conectix", 0, "latin1");
  footer.writeUInt32BE(description.features ?? 2, 8);
  footer.writeUInt32BE(description.version ?? 0x10000, 12);
  footer.fill(0xff, 16, 24);
  footer.writeUInt32BE(0x2a5ba3c1, 24);
  footer.write(creator, 28, 4, "latin1");
  footer.writeUInt32BE(0x60002, 32);
  footer.write("Wi2k", 36, "latin1");
  for (const at of [40, 48]) footer.writeBigUInt64BE(BigInt(currentSize), at);
  footer.writeUInt16BE(geometry[0], 56);
  footer.writeUInt8(geometry[1], 58);
  footer.writeUInt8(geometry[2], 59);
  footer.writeUInt32BE(diskType, 60);
  for (let at = 0; at < 16; at++) footer[68 + at] = 0xa0 + at;
  footer.writeUInt8(description.savedState ?? 0, 84);
  footer.fill(reservedByte, 85);
  return sealed(footer, description.checksum);
}

/** With the right sum in its place, or the one that is wished for. */
export function sealed(footer: Buffer, checksum?: number): Buffer {
  footer.writeUInt32BE(0, 64);
  const sum = footer.reduce((all, byte) => all + byte, 0);
  footer.writeUInt32BE(checksum ?? 0xffff_ffff - sum, 64);
  return footer;
}

export interface VpcDescription extends Partial<FooterDescription> {
  /** Bytes that the file holds before its footer; the current size too, where none is named. */
  readonly virtualSize: number;
  /** Blocks of 4096 bytes that hold data. */
  readonly data: readonly number[];
  /** Bytes between the disk and the footer. */
  readonly between?: Uint8Array;
}

export function buildVpc(description: VpcDescription): BuiltImage {
  const { virtualSize, data, between = new Uint8Array(0) } = description;
  const guest = new Uint8Array(Math.ceil(virtualSize / BLOCK_SIZE) * BLOCK_SIZE);
  for (const block of data) guest.set(clusterContent(block, BLOCK_SIZE), block * BLOCK_SIZE);
  const disk = guest.slice(0, virtualSize);
  const footer = buildFooter({ currentSize: virtualSize, ...description });
  return { bytes: new Uint8Array(Buffer.concat([disk, between, footer])), guest: disk };
}

/** FreeBSD's mkimg writes such a file: 5 MiB with a GPT, whose backup header lies behind what the geometry comes to. */
export function buildMkimgVhd(creator = "*img"): BuiltImage & { readonly chsSize: number; readonly backupAt: number } {
  const virtualSize = 5 * 1024 * 1024;
  const chsSize = 150 * 4 * 17 * 512;
  const backupAt = virtualSize - 512;
  const { bytes } = buildVpc({ virtualSize, data: [8, 9, 40], creator, geometry: [150, 4, 17] });
  const disk = Buffer.from(bytes.buffer);
  disk.writeUInt16LE(0xaa55, 510);
  for (const at of [512, backupAt]) disk.write("EFI PART", at, "latin1");
  return { bytes, guest: bytes.slice(0, virtualSize), chsSize, backupAt };
}
