/** One L2 entry: its masks, and the raw 64 bits as a tagged value and back (docs/interop/qcow2.txt, "L2 table entry"). */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import type { Flags64 } from "../../../bytes/struct.ts";
import { NOWHERE } from "../../../image/extent.ts";

/** Masks of the two 32-bit halves, for loops that read whole tables. */
export const L2Mask = {
  /** Bit 63: the refcount of the cluster is exactly one. */
  copiedHigh: 0x8000_0000,
  /** Bit 62. */
  compressedHigh: 0x4000_0000,
  /** Bits 56 to 61. */
  reservedHigh: 0x3f00_0000,
  /** Bits 32 to 55 of the host offset. */
  offsetHigh: 0x00ff_ffff,
  /** Bits 9 to 31 of the host offset. */
  offsetLow: 0xffff_fe00,
  /** Bits 1 to 8. */
  reservedLow: 0x0000_01fe,
  /** Bit 0: reads as zeros; not with extended L2 entries. */
  zeroLow: 0x0000_0001,
} as const;

/** Offsets in bytes of the file. A `zero` entry without a preallocated cluster has `hostOffset` NOWHERE. */
export type L2Entry =
  | { readonly kind: "unallocated" }
  | { readonly kind: "data"; readonly hostOffset: number; readonly copied: boolean }
  | { readonly kind: "zero"; readonly hostOffset: number; readonly copied: boolean }
  | { readonly kind: "compressed"; readonly hostOffset: number; readonly storedLength: number };

/** Turns the halves of a standard or extended entry (without its bitmap) into a value; reserved bits are passed over. */
export function parseL2Entry({ high, low }: Flags64, clusterBits: number): L2Entry {
  if ((high & L2Mask.compressedHigh) !== 0) {
    return {
      kind: "compressed",
      hostOffset: compressedHostOffset(high, low, clusterBits),
      storedLength: compressedLength(high, low, clusterBits),
    };
  }
  const hostOffset = standardHostOffset(high, low);
  const copied = (high & L2Mask.copiedHigh) !== 0;
  if ((low & L2Mask.zeroLow) !== 0)
    return { kind: "zero", hostOffset: hostOffset === 0 ? NOWHERE : hostOffset, copied };
  return hostOffset === 0 ? { kind: "unallocated" } : { kind: "data", hostOffset, copied };
}

/** The inverse of `parseL2Entry`. A compressed length is rounded up to whole sectors, as the format stores it. */
export function encodeL2Entry(entry: L2Entry, clusterBits: number): Flags64 {
  switch (entry.kind) {
    case "unallocated":
      return { high: 0, low: 0 };
    case "data":
      return withCopied(entry.hostOffset, entry.copied);
    case "zero": {
      const { high, low } = withCopied(entry.hostOffset === NOWHERE ? 0 : entry.hostOffset, entry.copied);
      return { high, low: (low | L2Mask.zeroLow) >>> 0 };
    }
    case "compressed": {
      const { hostOffset, storedLength } = entry;
      const additionalSectors = Math.ceil(((hostOffset % SECTOR_SIZE) + storedLength) / SECTOR_SIZE) - 1;
      if (additionalSectors >= 2 ** (clusterBits - 8))
        throw new RangeError(`no entry tells of ${storedLength} bytes at host offset ${hostOffset}`);
      const high = Math.floor(hostOffset / 2 ** 32) + additionalSectors * 2 ** compressedHighBits(clusterBits);
      return { high: (high | L2Mask.compressedHigh) >>> 0, low: hostOffset % 2 ** 32 };
    }
  }
}

/** Host offset of a standard cluster, 0 for none. */
export function standardHostOffset(high: number, low: number): number {
  return (high & L2Mask.offsetHigh) * 2 ** 32 + ((low & L2Mask.offsetLow) >>> 0);
}

/** Byte address of a compressed cluster's data; up to 2^61 in a hostile image, so compare before use. */
export function compressedHostOffset(high: number, low: number, clusterBits: number): number {
  return (high & (2 ** compressedHighBits(clusterBits) - 1)) * 2 ** 32 + (low >>> 0);
}

/** Bytes from a compressed cluster's first to the end of its last sector: an upper bound of its stored length. */
export function compressedLength(high: number, low: number, clusterBits: number): number {
  const additionalSectors = (high & 0x3fff_ffff) >>> compressedHighBits(clusterBits);
  return (additionalSectors + 1) * SECTOR_SIZE - (low & (SECTOR_SIZE - 1));
}

/** Bits of a compressed host offset in the high half: it has 70 - clusterBits in all. */
function compressedHighBits(clusterBits: number): number {
  return 38 - clusterBits;
}

function withCopied(hostOffset: number, copied: boolean): Flags64 {
  const high = Math.floor(hostOffset / 2 ** 32);
  return { high: copied ? (high | L2Mask.copiedHigh) >>> 0 : high, low: hostOffset % 2 ** 32 };
}
