/** The structures of a sparse extent, as tables of fields ("Virtual Disk Format 5.0", "Hosted Sparse Extent Header" and "Markers"). */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import { bytes, type Flags64, flags64, type StructValues, struct, u8, u16, u32, u64 } from "../../../bytes/struct.ts";

export const SPARSE_MARK = "KDMV";

/** All places and lengths are in sectors. A footer is the same structure. */
export const SparseHeaderFields = struct(
  "VMDK header",
  "le",
  { at: 0, size: SECTOR_SIZE },
  {
    magic: bytes(0, 4),
    version: u32(4),
    flags: u32(8),
    /** Of the guest's disk. */
    capacity: u64(12),
    grainSize: u64(20),
    descriptorOffset: u64(28),
    descriptorSize: u64(36),
    /** Entries of one grain table. */
    entryCount: u32(44),
    /** Of the redundant grain directory. */
    redundantOffset: flags64(48),
    /** Of the grain directory; all ones: the footer says where. */
    directoryOffset: flags64(56),
    /** Sectors before the first grain. */
    overHead: u64(64),
    /** Not 0 while somebody writes to it. */
    uncleanShutdown: u8(72),
    /** LF, blank, CR, LF: what a transfer as text would have changed. */
    lineEnds: bytes(73, 4),
    compression: u16(77),
    padding: bytes(79, 433),
  },
);
export type SparseHeaderValues = StructValues<typeof SparseHeaderFields.fields>;

export function headerSector(values: SparseHeaderValues): Uint8Array {
  const sector = new Uint8Array(SECTOR_SIZE);
  SparseHeaderFields.encode(values, sector);
  return sector;
}

export const SparseFlag = {
  lineEnds: 0x1,
  redundantDirectory: 0x2,
  /** A grain entry of 1 says that its grain reads as zeros. */
  zeroGrains: 0x4,
  compressed: 0x1_0000,
  markers: 0x2_0000,
} as const;

export const LINE_ENDS = Buffer.from("\n \r\n", "latin1");

/** `compression`: RFC 1950. */
export const DEFLATE = 1;

/** Right before each compressed grain, whose stream follows at once. */
export const GrainMarkerFields = struct(
  "grain marker",
  "le",
  { at: 0, size: 12 },
  {
    /** The guest's sector that the grain begins with. */
    sector: u64(0),
    /** Bytes of the stream. */
    length: u32(8),
  },
);

/** A sector before a table, directory or footer, and the last one of all. */
export const MarkerFields = struct(
  "marker",
  "le",
  { at: 0, size: 16 },
  {
    /** Of what follows. */
    sectorCount: u64(0),
    /** 0: it is none of a grain. */
    length: u32(8),
    type: u32(12),
  },
);
export const MarkerType = { endOfStream: 0, grainTable: 1, grainDirectory: 2, footer: 3 } as const;

/** All ones: a header says by them that its footer knows. */
export const IN_FOOTER: Flags64 = { high: 0xffff_ffff, low: 0xffff_ffff };

/** Undefined where the footer knows. */
export function sectorOf({ high, low }: Flags64): number | undefined {
  return high === IN_FOOTER.high && low === IN_FOOTER.low ? undefined : high * 2 ** 32 + low;
}

/** The inverse of `sectorOf`, for a multiple of a sector. */
export function sectorAt(hostOffset: number | undefined): Flags64 {
  if (hostOffset === undefined) return IN_FOOTER;
  const sector = hostOffset / SECTOR_SIZE;
  return { high: Math.floor(sector / 2 ** 32), low: sector % 2 ** 32 };
}
