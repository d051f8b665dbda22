/** Entries of L1 and of the refcount table: one host offset and some bits (docs/interop/qcow2.txt, "Cluster mapping"). */

/** An L1 entry; `hostOffset` 0 is no L2 table. */
export interface L1Entry {
  readonly hostOffset: number;
  readonly copied: boolean;
  readonly hasReservedBits: boolean;
}

export function parseL1Entry(high: number, low: number): L1Entry {
  return {
    hostOffset: (high & 0x00ff_ffff) * 2 ** 32 + ((low & 0xffff_fe00) >>> 0),
    copied: (high & 0x8000_0000) !== 0,
    hasReservedBits: (high & 0x7f00_0000) !== 0 || (low & 0x1ff) !== 0,
  };
}

/** A refcount table entry; `hostOffset` 0 is no refcount block: all its refcounts are 0. May exceed 2^53. */
export interface RefcountTableEntry {
  readonly hostOffset: number;
  readonly hasReservedBits: boolean;
}

/** Bits 0 to 8 of an entry's low half. */
export const RESERVED_LOW = 0x1ff;

export function parseRefcountTableEntry(high: number, low: number): RefcountTableEntry {
  return {
    hostOffset: (high >>> 0) * 2 ** 32 + ((low & 0xffff_fe00) >>> 0),
    hasReservedBits: (low & RESERVED_LOW) !== 0,
  };
}

/** 64 bits as `%lx` prints them. */
export function hexOfHalves(high: number, low: number): string {
  if (high === 0) return (low >>> 0).toString(16);
  return (high >>> 0).toString(16) + (low >>> 0).toString(16).padStart(8, "0");
}
