/** Reads a small dynamic VHD in memory the slow and obvious way, apart from all code under test; by its current size. */

export function readDynamicNaively(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const footer = [bytes.subarray(0, 512), bytes.subarray(bytes.length - 512)].find(
    (each) => each.toString("latin1", 0, 8) === "conectix" && isSummed(each, 64),
  );
  if (footer?.readUInt32BE(60) !== 3) throw new Error("no dynamic VHD");
  const header = bytes.subarray(Number(footer.readBigUInt64BE(16))).subarray(0, 1024);
  if (header.toString("latin1", 0, 8) !== "cxsparse" || !isSummed(header, 36)) throw new Error("its header is wrong");
  const size = Number(footer.readBigUInt64BE(48));
  const table = Number(header.readBigUInt64BE(16));
  const blockSize = header.readUInt32BE(32);
  const bitmapSize = Math.ceil(blockSize / 4096 / 512) * 512;
  if (header.readUInt32BE(28) * blockSize < size) throw new Error("its table is too short");
  const guest = new Uint8Array(size);
  for (let start = 0; start < size; start += blockSize) {
    const sector = bytes.readUInt32BE(table + (start / blockSize) * 4);
    if (sector === 0xffff_ffff) continue;
    const from = sector * 512 + bitmapSize;
    const block = bytes.subarray(from, from + Math.min(blockSize, size - start));
    if (block.length < Math.min(blockSize, size - start)) throw new Error("a block ends outside the file");
    guest.set(block, start);
  }
  return guest;
}

function isSummed(structure: Buffer, at: number): boolean {
  let sum = 0;
  for (const [index, byte] of structure.entries()) if (index < at || index > at + 3) sum += byte;
  return structure.readUInt32BE(at) + sum === 0xffff_ffff;
}
