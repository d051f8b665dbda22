/** Persistent dirty bitmaps: their directory, tables and clusters (docs/interop/qcow2.txt, "Bitmaps"). */

import { alignUp, isAligned, MiB } from "../../../bytes/align.ts";
import { counted } from "../../../bytes/count-text.ts";
import { hex, ImageError } from "../../../bytes/image-error.ts";
import { placeAt, say } from "../../../bytes/sentence.ts";
import { hasFlag, struct, u8, u16, u32, u64 } from "../../../bytes/struct.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import { AutoclearBit, type Qcow2Header } from "../header/header.ts";
import type { WalkSource } from "./table-walk.ts";

/** 65,535 bitmaps of at most 1,024 bytes each, as QEMU has it. */
const MAX_DIRECTORY_BYTES = 65_535 * 1024;
const MAX_NAME_BYTES = 1023;
const MAX_TABLE_ENTRIES = 0x800_0000;
const MAX_TABLE_BYTES_IN_ALL = 256 * MiB;
const MIN_GRANULARITY_BITS = 9;
const MAX_GRANULARITY_BITS = 31;
/** A bitmap table entry without a place in bits 9 to 55: bit 0 says all ones. */
const ENTRY_RESERVED_HIGH = 0xff00_0000;
const ENTRY_RESERVED_LOW = 0x1fe;
const ENTRY_ALL_ONES = 1;

export const BitmapDirectoryEntry = struct(
  "bitmap directory entry",
  "be",
  { at: 0, size: 24 },
  {
    bitmapTableOffset: u64(0),
    bitmapTableSize: u32(8),
    flags: u32(12),
    type: u8(16),
    granularityBits: u8(17),
    nameSize: u16(18),
    extraDataSize: u32(20),
  },
);

export const BitmapFlag = { inUse: 1, auto: 2, extraDataCompatible: 4 } as const;

export interface Bitmap {
  readonly name: string;
  /** Bytes of guest that one bit stands for. */
  readonly granularity: number;
  readonly isInUse: boolean;
  /** It records writes by itself. */
  readonly isAuto: boolean;
  /** Of its entry in the directory. */
  readonly entryHostOffset: number;
  readonly tableHostOffset: number;
  readonly tableEntryCount: number;
}

/**
 * Reads the directory. Without the autoclear bit another program has written to the image since, and what is left
 * of the bitmaps means nothing: the list is empty.
 *
 * @throws ImageError `corrupt` where the directory does not hold what the header says.
 */
export async function readBitmapDirectory(
  storage: Storage,
  header: Qcow2Header,
  geometry: Qcow2Geometry,
): Promise<readonly Bitmap[]> {
  const extension = header.extensions.bitmaps;
  if (extension === undefined || !hasFlag(header.autoclear, AutoclearBit.bitmaps)) return [];
  const { bitmapCount, directorySize, directoryHostOffset } = extension;
  const corrupt = (what: string) =>
    new ImageError("corrupt", say`Cannot read the bitmap directory at host offset ${placeAt(directoryHostOffset)}`, {
      because: what,
      format: "qcow2",
      path: storage.path,
      structure: "bitmap directory",
      hostOffset: directoryHostOffset,
    });
  if (directorySize > MAX_DIRECTORY_BYTES) throw corrupt(`${directorySize} bytes are more than ${MAX_DIRECTORY_BYTES}`);
  if (!isAligned(directoryHostOffset, geometry.clusterSize)) throw corrupt("it is no multiple of the cluster size");
  if (directoryHostOffset + directorySize > alignUp(geometry.hostEnd, geometry.clusterSize)) {
    throw corrupt(`its ${directorySize} bytes end outside the file`);
  }
  const directory = await readZeroFilled(storage, directoryHostOffset, directorySize);
  const bitmaps: Bitmap[] = [];
  let next = 0;
  while (next < directory.length) {
    if (next + BitmapDirectoryEntry.size > directory.length) throw corrupt(`entry ${bitmaps.length} is cut short`);
    const entry = BitmapDirectoryEntry.parse(directory.subarray(next));
    const nameStart = next + BitmapDirectoryEntry.size + entry.extraDataSize;
    const end = alignUp(nameStart + entry.nameSize, 8);
    if (end > directory.length) throw corrupt(`entry ${bitmaps.length} is cut short`);
    const defect = defectOf(entry, geometry.clusterSize);
    if (defect !== undefined) throw corrupt(`entry ${bitmaps.length}: ${defect}`);
    bitmaps.push({
      name: new TextDecoder().decode(directory.subarray(nameStart, nameStart + entry.nameSize)),
      granularity: 2 ** entry.granularityBits,
      isInUse: (entry.flags & BitmapFlag.inUse) !== 0,
      isAuto: (entry.flags & BitmapFlag.auto) !== 0,
      entryHostOffset: directoryHostOffset + next,
      tableHostOffset: entry.bitmapTableOffset,
      tableEntryCount: entry.bitmapTableSize,
    });
    next = end;
  }
  if (bitmaps.length !== bitmapCount)
    throw corrupt(`it holds ${counted(bitmaps.length, "bitmap")}, the header says ${bitmapCount}`);
  return bitmaps;
}

/** Counts the directory, the tables and the clusters of all bitmaps. */
export async function countBitmaps(source: WalkSource, bitmaps: readonly Bitmap[]): Promise<void> {
  const { header, tally } = source;
  const extension = header.extensions.bitmaps;
  if (extension === undefined || bitmaps.length === 0) return;
  tally.countMetadata(extension.directoryHostOffset, extension.directorySize, "bitmap directory");
  let tableBytes = 0;
  for (const { name, tableHostOffset, tableEntryCount } of bitmaps) {
    const structure = `table of bitmap ${name}`;
    if (!tally.countMetadata(tableHostOffset, tableEntryCount * 8, structure)) continue;
    tableBytes += tableEntryCount * 8;
    if (tableBytes > MAX_TABLE_BYTES_IN_ALL) {
      throw new ImageError("unsupported", "Cannot read the bitmap tables: they are more than 256 MiB", {
        format: "qcow2",
        structure: "bitmap directory",
        hostOffset: extension.directoryHostOffset,
      });
    }
    await countBitmapTable(source, structure, tableHostOffset, tableEntryCount);
  }
}

/** QEMU goes no further where an entry means nothing, and neither do we. */
function entryDefect(high: number, low: number, clusterSize: number): string | undefined {
  if ((high & ENTRY_RESERVED_HIGH) !== 0 || (low & ENTRY_RESERVED_LOW) !== 0) return "reserved bits are set";
  if ((low & (clusterSize - 1) & ~ENTRY_ALL_ONES) !== 0) return "its cluster is no multiple of the cluster size";
  const hasPlace = (high & 0x00ff_ffff) !== 0 || (low & 0xffff_fe00) !== 0;
  return hasPlace && (low & ENTRY_ALL_ONES) !== 0 ? "it has a cluster and says all ones" : undefined;
}

async function countBitmapTable(
  { storage, geometry, tally }: WalkSource,
  structure: string,
  hostOffset: number,
  entryCount: number,
): Promise<void> {
  for (let first = 0; first < entryCount; first += MiB / 8) {
    const count = Math.min(MiB / 8, entryCount - first);
    const table = await readZeroFilled(storage, hostOffset + first * 8, count * 8);
    const view = new DataView(table.buffer);
    for (let index = 0; index < count; index++) {
      const high = view.getUint32(index * 8);
      const low = view.getUint32(index * 8 + 4);
      const defect = entryDefect(high, low, geometry.clusterSize);
      if (defect !== undefined) {
        const entry = `entry ${first + index} of the ${structure}`;
        throw new ImageError("corrupt", `Cannot use ${entry}: ${defect}`, {
          format: "qcow2",
          structure,
          hostOffset: hostOffset + (first + index) * 8,
        });
      }
      const place = (high & 0x00ff_ffff) * 2 ** 32 + ((low & 0xffff_fe00) >>> 0);
      if (place !== 0) tally.countMetadata(place, geometry.clusterSize, `cluster of the ${structure}`);
    }
  }
}

function defectOf(entry: ReturnType<typeof BitmapDirectoryEntry.parse>, clusterSize: number): string | undefined {
  const knownFlags = BitmapFlag.inUse | BitmapFlag.auto;
  if (entry.extraDataSize !== 0) return `${entry.extraDataSize} bytes of extra data, which nobody knows`;
  if (entry.type !== 1) return `type ${entry.type} is not known`;
  if (entry.granularityBits < MIN_GRANULARITY_BITS || entry.granularityBits > MAX_GRANULARITY_BITS) {
    return `granularity_bits ${entry.granularityBits} lies outside 9 to 31`;
  }
  if (entry.nameSize === 0 || entry.nameSize > MAX_NAME_BYTES) return `a name of ${entry.nameSize} bytes`;
  if ((entry.flags & ~knownFlags) !== 0) return "reserved flags are set";
  if (!isAligned(entry.bitmapTableOffset, clusterSize) || entry.bitmapTableOffset === 0) {
    return `bitmap table ${hex(entry.bitmapTableOffset)} is no multiple of the cluster size`;
  }
  if (entry.bitmapTableSize === 0) return "a table of no entries";
  if (entry.bitmapTableSize > MAX_TABLE_ENTRIES) return `a table of ${entry.bitmapTableSize} entries`;
  return undefined;
}
