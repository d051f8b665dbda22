/** Reads the dirty bitmaps of a small qcow2 the slow and obvious way, apart from all code under test. */

export interface NaiveBitmap {
  readonly name: string;
  /** Flags, type, granularity: what its entry says beside its place. */
  readonly facts: string;
  /** The whole bitmap, entries without a place written out. */
  readonly bits: Buffer;
}

export function bitmapsOf(file: Buffer): NaiveBitmap[] {
  const u64 = (at: number) => Number(file.readBigUInt64BE(at));
  const clusterSize = 2 ** file.readUInt32BE(20);
  let at = file.readUInt32BE(100);
  while (file.readUInt32BE(at) !== 0x23852875) at += 8 + Math.ceil(file.readUInt32BE(at + 4) / 8) * 8;
  const count = file.readUInt32BE(at + 8);
  let entry = u64(at + 24);
  return Array.from({ length: count }, () => {
    const [table, size, nameSize] = [u64(entry), file.readUInt32BE(entry + 8), file.readUInt16BE(entry + 18)];
    const start = entry + 24 + file.readUInt32BE(entry + 20);
    const bits = Array.from({ length: size }, (_, index) => {
      const word = u64(table + index * 8);
      if (word < 512) return Buffer.alloc(clusterSize, word === 1 ? 0xff : 0);
      return file.subarray(word, word + clusterSize);
    });
    const name = file.toString("utf8", start, start + nameSize);
    const facts = file.toString("hex", entry + 12, entry + 20);
    entry = Math.ceil((start + nameSize) / 8) * 8;
    return { name, facts, bits: Buffer.concat(bits) };
  });
}
