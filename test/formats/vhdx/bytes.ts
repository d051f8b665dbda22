/** Words of a VHDX's bytes for the tests: GUIDs, CRC-32C, and how a structure is sealed anew; by nothing of `src/`. */

export const KiB = 1024;
export const MiB = 1024 * KiB;

export const HEADERS = [64 * KiB, 128 * KiB] as const;
export const REGION_TABLES = [192 * KiB, 256 * KiB] as const;

export const GUIDS = {
  bat: "2DC27766-F623-4200-9D64-115E9BFD4A08",
  metadata: "8B7CA206-4790-4B9A-B8FE-575F050F886E",
  fileParameters: "CAA16737-FA36-4D43-B3B6-33F0AA44E76B",
  virtualDiskSize: "2FA54224-CD1B-4876-B211-5DBED83BF4B8",
  page83Data: "BECA12AB-B2E6-4523-93EF-C309E000C746",
  logicalSectorSize: "8141BF1D-A96F-4709-BA47-F233A8FAAB5F",
  physicalSectorSize: "CDA348C7-445D-4471-9CC9-E9885251C556",
  parentLocator: "A8D35F2D-B30B-454D-ABF7-D3D84834AB0C",
} as const;

export function guid(text: string): Buffer {
  const parts = text.split("-").map((part) => Buffer.from(part, "hex"));
  return Buffer.concat(parts.map((part, at) => (at < 3 ? part.reverse() : part)));
}

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest % 2 === 1 ? ((rest >>> 1) ^ 0x82f63b78) >>> 0 : rest >>> 1;
  return rest;
});

export function crc32c(bytes: Uint8Array): number {
  let rest = 0xffff_ffff;
  for (const byte of bytes) rest = ((rest >>> 8) ^ (TABLE[(rest ^ byte) & 0xff] as number)) >>> 0;
  return (rest ^ 0xffff_ffff) >>> 0;
}

/** Puts the right sum over a structure's bytes at its byte 4. */
export function seal(structure: Buffer): Buffer {
  structure.writeUInt32LE(0, 4);
  structure.writeUInt32LE(crc32c(structure), 4);
  return structure;
}

/** Whether it has its signature and the right sum. */
export function isSealed(structure: Buffer, signature: string): boolean {
  const isSigned = structure.toString("latin1", 0, signature.length) === signature;
  return isSigned && structure.readUInt32LE(4) === seal(Buffer.from(structure)).readUInt32LE(4);
}

/** Seals both headers and both region tables of a file that was changed. */
export function sealAll(file: Buffer): Buffer {
  for (const at of HEADERS) seal(file.subarray(at, at + 4 * KiB));
  for (const at of REGION_TABLES) seal(file.subarray(at, at + 64 * KiB));
  return file;
}
