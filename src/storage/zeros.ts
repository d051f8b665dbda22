/** Whether bytes are zeros, at the speed of memory: the system compares them with zeros that are there already. */

const ZEROS = Buffer.alloc(64 * 1024);

export function areZeros(bytes: Uint8Array): boolean {
  // Most bytes that are no zeros show it at once, and cost no call.
  if (bytes.length > 0 && bytes[0] !== 0) return false;
  for (let start = 0; start < bytes.length; start += ZEROS.length) {
    const end = Math.min(start + ZEROS.length, bytes.length);
    if (ZEROS.compare(bytes, start, end, 0, end - start) !== 0) return false;
  }
  return true;
}

/** A stretch of bytes: zeros in a long run, or what is to be written. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly isZeros: boolean;
}

/** All of `bytes` in stretches, of which no two of one kind follow one another; shorter runs than 64 KiB are nobody's zeros. */
export function* stretchesOf(bytes: Uint8Array): Generator<Stretch> {
  let from = 0;
  let isZeros = false;
  for (let start = 0; start < bytes.length; start += ZEROS.length) {
    const are = areZeros(bytes.subarray(start, Math.min(start + ZEROS.length, bytes.length)));
    if (are !== isZeros && start > from) yield { start: from, end: start, isZeros };
    if (are !== isZeros) from = start;
    isZeros = are;
  }
  if (bytes.length > from) yield { start: from, end: bytes.length, isZeros };
}
