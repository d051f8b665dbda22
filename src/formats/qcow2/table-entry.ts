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

export function parseRefcountTableEntry(high: number, low: number): RefcountTableEntry {
  return {
    hostOffset: (high >>> 0) * 2 ** 32 + ((low & 0xffff_fe00) >>> 0),
    hasReservedBits: (low & 0x1ff) !== 0,
  };
}
