/** One L2 entry: its masks, and the raw 64 bits as a tagged value and back (docs/interop/qcow2.txt, "L2 table entry"). */
import type { Flags64 } from "../../bytes/struct.ts";
/** Masks of the two 32-bit halves, for loops that read whole tables. */
export declare const L2Mask: {
    /** Bit 63: the refcount of the cluster is exactly one. */
    readonly copiedHigh: 2147483648;
    /** Bit 62. */
    readonly compressedHigh: 1073741824;
    /** Bits 56 to 61. */
    readonly reservedHigh: 1056964608;
    /** Bits 32 to 55 of the host offset. */
    readonly offsetHigh: 16777215;
    /** Bits 9 to 31 of the host offset. */
    readonly offsetLow: 4294966784;
    /** Bits 1 to 8. */
    readonly reservedLow: 510;
    /** Bit 0: reads as zeros; not with extended L2 entries. */
    readonly zeroLow: 1;
};
/** Offsets in bytes of the file. A `zero` entry without a preallocated cluster has `hostOffset` NOWHERE. */
export type L2Entry = {
    readonly kind: "unallocated";
} | {
    readonly kind: "data";
    readonly hostOffset: number;
    readonly copied: boolean;
} | {
    readonly kind: "zero";
    readonly hostOffset: number;
    readonly copied: boolean;
} | {
    readonly kind: "compressed";
    readonly hostOffset: number;
    readonly storedLength: number;
};
/** Turns the halves of a standard or extended entry (without its bitmap) into a value; reserved bits are passed over. */
export declare function parseL2Entry({ high, low }: Flags64, clusterBits: number): L2Entry;
/** The inverse of `parseL2Entry`. A compressed length is rounded up to whole sectors, as the format stores it. */
export declare function encodeL2Entry(entry: L2Entry, clusterBits: number): Flags64;
/** Host offset of a standard cluster, 0 for none. */
export declare function standardHostOffset(high: number, low: number): number;
/** Byte address of a compressed cluster's data; up to 2^61 in a hostile image, so compare before use. */
export declare function compressedHostOffset(high: number, low: number, clusterBits: number): number;
/** Bytes from a compressed cluster's first to the end of its last sector: an upper bound of its stored length. */
export declare function compressedLength(high: number, low: number, clusterBits: number): number;
