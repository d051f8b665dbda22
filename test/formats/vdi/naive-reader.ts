/** Reads a small VDI image in memory the slow and obvious way, apart from all code under test. */

const MiB = 1024 * 1024;

export function readVdiNaively(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.readUInt32LE(64) !== 0xbeda107f || bytes.readUInt32LE(68) !== 0x10001) throw new Error("no VDI");
  const [map, data] = [bytes.readUInt32LE(340), bytes.readUInt32LE(344)];
  const virtualSize = Math.ceil(Number(bytes.readBigUInt64LE(368)) / 512) * 512;
  const guest = new Uint8Array(virtualSize);
  for (let index = 0; index * MiB < virtualSize; index++) {
    const block = bytes.readInt32LE(map + index * 4);
    if (block === -1 || block === -2) continue;
    const from = data + block * MiB;
    const length = Math.min(MiB, virtualSize - index * MiB);
    if (block < 0 || from + length > bytes.length) throw new Error(`${block} is no block`);
    guest.set(bytes.subarray(from, from + length), index * MiB);
  }
  return guest;
}
