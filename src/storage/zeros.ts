/** Whether bytes are all zeros, at the speed of memory: the system compares them with zeros that are there already. */

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
