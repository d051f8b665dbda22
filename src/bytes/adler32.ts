/** Adler-32, the checksum at the end of a zlib stream (RFC 1950, section 9). */

const BASE = 65_521;
/** So many bytes can be summed up in 32 bits before a remainder has to be taken. */
const RUN = 5552;

export function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(at + RUN, bytes.length);
    for (; at < end; at++) {
      a += bytes[at] as number;
      b += a;
    }
    a %= BASE;
    b %= BASE;
  }
  return b * 65_536 + a;
}
