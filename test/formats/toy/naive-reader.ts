/** Reads a small toy in memory the slow and obvious way, apart from all code under test. */

export function readToyNaively(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.toString("latin1", 0, 8) !== "TOYIMAGE" || bytes.readUInt32BE(8) !== 1) throw new Error("no toy");
  const blockSize = bytes.readUInt32BE(12);
  const [virtualSize, table] = [16, 24].map((at) => Number(bytes.readBigUInt64BE(at))) as [number, number];
  const guest = new Uint8Array(virtualSize);
  const seen = new Set<number>();
  for (let block = 0; block * blockSize < virtualSize; block++) {
    const hostOffset = Number(bytes.readBigUInt64BE(table + block * 8));
    if (hostOffset === 0) continue;
    if (seen.has(hostOffset)) throw new Error(`${hostOffset} is used twice`);
    if (hostOffset % blockSize !== 0 || hostOffset + blockSize > bytes.length)
      throw new Error(`${hostOffset} is no block`);
    seen.add(hostOffset);
    const length = Math.min(blockSize, virtualSize - block * blockSize);
    guest.set(bytes.subarray(hostOffset, hostOffset + length), block * blockSize);
  }
  return guest;
}
