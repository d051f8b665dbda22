/** Reads a small VHDX in memory the slow and obvious way, apart from all code under test; it knows no log. */

import { GUIDS, guid, HEADERS, isSealed, KiB, REGION_TABLES } from "./bytes.ts";

export function readVhdxNaively(image: Uint8Array): Uint8Array {
  const file = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  if (file.toString("latin1", 0, 8) !== "vhdxfile") throw new Error("no VHDX");
  const headers = HEADERS.map((at) => file.subarray(at, at + 4 * KiB)).filter((each) => isSealed(each, "head"));
  headers.sort((a, b) => Number(b.readBigUInt64LE(8) - a.readBigUInt64LE(8)));
  const [header] = headers;
  if (header === undefined) throw new Error("no header is right");
  if (header.subarray(48, 64).some((byte) => byte !== 0)) throw new Error("it has a log");
  const table = REGION_TABLES.map((at) => file.subarray(at, at + 64 * KiB)).find((each) => isSealed(each, "regi"));
  if (table === undefined) throw new Error("no region table is right");
  const regions = new Map<string, number>();
  for (let index = 0; index < table.readUInt32LE(8); index++) {
    const entry = table.subarray(16 + 32 * index);
    regions.set(entry.toString("hex", 0, 16), Number(entry.readBigUInt64LE(16)));
  }
  const at = (id: string) => regions.get(guid(id).toString("hex")) ?? Number.NaN;
  const metadata = file.subarray(at(GUIDS.metadata));
  const items = new Map<string, Buffer>();
  for (let index = 0; index < metadata.readUInt16LE(10); index++) {
    const entry = metadata.subarray(32 + 32 * index);
    if (entry.readUInt32LE(24) % 2 === 1) continue;
    items.set(entry.toString("hex", 0, 16), metadata.subarray(entry.readUInt32LE(16)));
  }
  const item = (id: string) => items.get(guid(id).toString("hex")) as Buffer;
  const blockSize = item(GUIDS.fileParameters).readUInt32LE(0);
  if (item(GUIDS.fileParameters).readUInt32LE(4) > 1) throw new Error("it has a parent");
  const guest = Buffer.alloc(Number(item(GUIDS.virtualDiskSize).readBigUInt64LE(0)));
  const chunkRatio = (2 ** 23 * item(GUIDS.logicalSectorSize).readUInt32LE(0)) / blockSize;
  for (let block = 0; block * blockSize < guest.length; block++) {
    const entry = file.readBigUInt64LE(at(GUIDS.bat) + 8 * (block + Math.floor(block / chunkRatio)));
    if (entry % 8n !== 6n) continue;
    const hostOffset = Number((entry >> 20n) << 20n);
    file.copy(guest, block * blockSize, hostOffset, hostOffset + blockSize);
  }
  return guest;
}
