/** L1 and L2 entries: 64-bit little-endian, read as two 32-bit halves (QED specification, "Tables"). */

/** An L2 entry that reads as zeros; 0 is unallocated, everything else a host offset. */
export const ZERO_ENTRY = 1;

const HALF = 2 ** 32;

/** Halves at or above this make an offset beyond 2^53, which no file reaches. */
const HIGH_LIMIT = 2 ** 21;

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** The host offset of an entry, or -1 for one beyond 2^53. */
export function entryOffset(low: number, high: number): number {
  return high < HIGH_LIMIT ? high * HALF + low : -1;
}

/** A table's bytes as 32-bit words, low half first; the bytes themselves are swapped where the machine needs it. */
export function entryWords(bytes: Uint8Array): Uint32Array {
  toggleEndian(bytes);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** Bytes of a table whose words were set in the machine's order. */
export function entryBytes(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  toggleEndian(bytes);
  return bytes;
}

/** Sets `count` entries from `index` on: `offset`, `offset` + `step`, ... */
export function fillEntries(words: Uint32Array, index: number, count: number, offset: number, step: number): void {
  let low = offset % HALF;
  let high = Math.floor(offset / HALF);
  for (let at = index * 2; at < (index + count) * 2; at += 2) {
    words[at] = low;
    words[at + 1] = high;
    low += step;
    if (low >= HALF) {
      low -= HALF;
      high++;
    }
  }
}

function toggleEndian(bytes: Uint8Array): void {
  if (!HOST_IS_LITTLE_ENDIAN) Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).swap32();
}
