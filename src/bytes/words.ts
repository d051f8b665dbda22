/**
 * Big-endian words as this machine reads them. Bits may be compared in any order, and a compiler that is quick rather
 * than good reads a typed array several times as fast as a DataView.
 */

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** 32-bit words over the bytes, whose number is a multiple of four; a copy where they do not lie as words can. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

/** What stands in `wordsOf` for 32 bits that are stored big-endian. */
export function asWord(bits: number): number {
  if (!isLittleEndian) return bits | 0;
  return (bits << 24) | ((bits & 0xff00) << 8) | ((bits >>> 8) & 0xff00) | (bits >>> 24);
}
