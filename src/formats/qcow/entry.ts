/** One L2 entry: the raw 64 bits as two halves, and back. Bit 63 says compressed; else all of it is a host offset. */

const COMPRESSED_HIGH = 0x8000_0000;

/** Whether the high half is a compressed cluster's. */
export function isCompressedEntry(high: number): boolean {
  return (high & COMPRESSED_HIGH) !== 0;
}

/** Bits of a compressed cluster's host offset in the high half: it has 63 - clusterBits in all, the length the rest. */
function offsetHighBits(clusterBits: number): number {
  return 31 - clusterBits;
}

/** Host offset of a plain cluster or a table; up to 2^64 in a hostile image, so compare before use. */
export function plainOffset(high: number, low: number): number {
  return (high >>> 0) * 2 ** 32 + (low >>> 0);
}

/** Byte address of a compressed cluster. */
export function compressedOffset(high: number, low: number, clusterBits: number): number {
  return (high & (2 ** offsetHighBits(clusterBits) - 1)) * 2 ** 32 + (low >>> 0);
}

/** Its bytes, exactly; 0 in a hostile image. */
export function compressedLength(high: number, clusterBits: number): number {
  return (high & ~COMPRESSED_HIGH) >>> offsetHighBits(clusterBits);
}

/** The longest stream that an entry can tell of. */
export function longestStream(clusterSize: number): number {
  return clusterSize - 1;
}

/** One past the last byte at which a compressed cluster may begin. */
export function streamLimit(clusterBits: number): number {
  return 2 ** (32 + offsetHighBits(clusterBits));
}

export function putPlainEntry(view: DataView, at: number, hostOffset: number): void {
  view.setUint32(at, Math.floor(hostOffset / 2 ** 32));
  view.setUint32(at + 4, hostOffset % 2 ** 32);
}

export function putCompressedEntry(
  view: DataView,
  at: number,
  { hostOffset, storedLength }: { readonly hostOffset: number; readonly storedLength: number },
  clusterBits: number,
): void {
  const high = Math.floor(hostOffset / 2 ** 32) + storedLength * 2 ** offsetHighBits(clusterBits) + COMPRESSED_HIGH;
  view.setUint32(at, high);
  view.setUint32(at + 4, hostOffset % 2 ** 32);
}
