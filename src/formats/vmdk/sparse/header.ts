/**
 * The header of a sparse extent, and every rule that it must keep ("Virtual Disk Format 5.0", "Hosted Sparse Extent Header").
 *
 *   | header | descriptor | directory, tables ... grains |                        monolithicSparse
 *   | header | descriptor | marker grain | ... | table | directory | footer |    streamOptimized, read from front to end
 */

import { ceilDiv, isAligned, isPowerOfTwo, MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { counted } from "../../../bytes/count-text.ts";
import { hex, type ImageError } from "../../../bytes/image-error.ts";
import { readExactly, type Storage } from "../../../storage/storage.ts";
import { MAX_DESCRIPTOR_LENGTH, type Refuse, refusing } from "../descriptor.ts";
import {
  DEFLATE,
  headerSector,
  LINE_ENDS,
  MarkerFields,
  MarkerType,
  SparseFlag,
  SparseHeaderFields,
  type SparseHeaderValues,
  sectorOf,
} from "./fields.ts";

export const ENTRY_SIZE = 4;
const MAX_ENTRY_COUNT = 512;
const MAX_GRAIN_SIZE = 16 * MiB;
/** Of the directory, which is held in memory: 64 TiB of disk in grains of 64 KiB, more than any VMware has. */
export const MAX_TABLE_COUNT = 2 ** 21;
/** Footer marker, footer, end-of-stream marker: the last that a stream has. */
export const FOOTER_LENGTH = 3 * SECTOR_SIZE;

/** A header that keeps all rules, with what follows from it. Offsets and sizes in bytes. */
export interface SparseHeader {
  readonly values: SparseHeaderValues;
  readonly fileSize: number;
  readonly virtualSize: number;
  readonly grainSize: number;
  /** Of a grain table. */
  readonly entryCount: number;
  readonly tableBytes: number;
  readonly tableCount: number;
  readonly directoryOffset: number;
  /** Of the redundant directory, which those who write keep as the first one; undefined where there is none. */
  readonly redundantOffset: number | undefined;
  readonly isCompressed: boolean;
  readonly hasZeroGrains: boolean;
  readonly descriptorOffset: number;
  readonly descriptorLength: number;
  /** Whether the directory is found by the footer alone, which lies at the file's end. */
  readonly hasFooter: boolean;
  /** The header that says it itself, as that of a stream without a footer does; undefined where it is one. */
  readonly anchor: Uint8Array | undefined;
  /** Where in the disk its first byte lies: 0 but for a further part of a disk in several files. */
  readonly guestStart: number;
}

/** Throws ImageError for the first rule that is broken. `guestStart`: of an extent whose descriptor stands in another file; absent: it stands in it. */
export async function readSparseHeader(storage: Storage, guestStart?: number): Promise<SparseHeader> {
  const refuse = refusing(storage.path, "header");
  const fileSize = await storage.size();
  const values = SparseHeaderFields.parse(await readExactly(storage, 0, SECTOR_SIZE, "VMDK header"));
  refuseFlags(values, refuse);
  refuseSizes(values, fileSize, refuse);
  const hasFooter = sectorOf(values.directoryOffset) === undefined;
  const found = hasFooter ? await readFooter(storage, values, fileSize) : values;
  const { grainSize, capacity, entryCount } = values;
  const header = {
    values,
    fileSize,
    virtualSize: capacity * SECTOR_SIZE,
    grainSize: grainSize * SECTOR_SIZE,
    entryCount,
    tableBytes: entryCount * ENTRY_SIZE,
    tableCount: ceilDiv(capacity, grainSize * entryCount),
    directoryOffset: (sectorOf(found.directoryOffset) ?? 0) * SECTOR_SIZE,
    redundantOffset: redundantOf(found),
    isCompressed: hasFlag(values, "compressed"),
    hasZeroGrains: hasFlag(values, "zeroGrains"),
    descriptorOffset: values.descriptorOffset * SECTOR_SIZE,
    descriptorLength: values.descriptorOffset === 0 ? 0 : values.descriptorSize * SECTOR_SIZE,
    hasFooter,
    anchor: hasFooter ? anchorFor(values, found) : undefined,
    guestStart: guestStart ?? 0,
  };
  if (guestStart === undefined && header.descriptorLength === 0) throw partOf(storage.path, 28);
  refusePlaces(header, refuse);
  return header;
}

/** Of an extent that somebody named in place of the text beside it. */
export function partOf(path: string, at: number): ImageError {
  const because = "it is one of the files of a VMDK, and no descriptor is in it";
  return refusing(path, "header")("unsupported", because, at, "open its descriptor");
}

function hasFlag({ flags }: SparseHeaderValues, name: keyof typeof SparseFlag): boolean {
  return (flags & SparseFlag[name]) !== 0;
}

function anchorFor(values: SparseHeaderValues, footer: SparseHeaderValues): Uint8Array {
  const { directoryOffset, redundantOffset } = footer;
  return headerSector({ ...values, directoryOffset, redundantOffset });
}

function redundantOf(values: SparseHeaderValues): number | undefined {
  const sector = sectorOf(values.redundantOffset);
  return hasFlag(values, "redundantDirectory") && sector ? sector * SECTOR_SIZE : undefined;
}

function refuseFlags(values: SparseHeaderValues, refuse: Refuse): void {
  const { version, flags, lineEnds, compression } = values;
  if (version < 1 || version > 3)
    throw refuse("unsupported", `version ${version} of its header is none of 1, 2 and 3`, 4);
  const unknown = Object.values(SparseFlag).reduce((left, flag) => left & ~flag, flags);
  if (unknown !== 0) throw refuse("unsupported", `nobody knows what flags ${hex(unknown >>> 0)} of its header mean`, 8);
  if (hasFlag(values, "lineEnds") && !LINE_ENDS.equals(lineEnds))
    throw refuse("corrupt", "its line ends were changed, as by a transfer as text", 73, "transfer it again, as bytes");
  const isCompressed = hasFlag(values, "compressed");
  if (isCompressed !== hasFlag(values, "markers"))
    throw refuse("unsupported", "its header says compressed or markers, and not both", 8);
  if (compression !== (isCompressed ? DEFLATE : 0))
    throw refuse("unsupported", `its grains are packed by method ${compression}, its flags are ${hex(flags)}`, 77);
}

function refuseSizes(values: SparseHeaderValues, fileSize: number, refuse: Refuse): void {
  const { capacity, grainSize, entryCount, overHead } = values;
  if (!isPowerOfTwo(grainSize) || grainSize * SECTOR_SIZE > MAX_GRAIN_SIZE)
    throw refuse("corrupt", `its grains have ${grainSize} sectors, no power of 2 up to 16 MiB`, 20);
  if (!isPowerOfTwo(entryCount) || entryCount > MAX_ENTRY_COUNT)
    throw refuse(
      "corrupt",
      `its grain tables have ${counted(entryCount, "entry", "entries")}, no power of 2 up to ${MAX_ENTRY_COUNT}`,
      44,
    );
  if (capacity === 0) throw refuse("corrupt", "its disk has no sectors", 12);
  if (!Number.isSafeInteger(capacity * SECTOR_SIZE) || ceilDiv(capacity, grainSize * entryCount) > MAX_TABLE_COUNT)
    throw refuse("unsupported", `its disk has ${capacity} sectors, for which its directory would be too large`, 12);
  if (overHead * SECTOR_SIZE > fileSize)
    throw refuse("out-of-bounds", `it has ${fileSize} bytes, and ${overHead} sectors come before its grains`, 64);
}

function refusePlaces(header: SparseHeader, refuse: Refuse): void {
  const { directoryOffset, descriptorOffset, descriptorLength, fileSize, tableCount } = header;
  if (descriptorLength > MAX_DESCRIPTOR_LENGTH)
    throw refuse("unsupported", `its descriptor is longer than ${MAX_DESCRIPTOR_LENGTH} bytes`, 36);
  if (descriptorOffset + descriptorLength > fileSize)
    throw refuse("out-of-bounds", `its descriptor at ${hex(descriptorOffset)} ends outside the file`, 28);
  if (directoryOffset === 0) throw refuse("corrupt", "its grain directory lies on its header", 56);
  if (directoryOffset + tableCount * ENTRY_SIZE > fileSize)
    throw refuse("out-of-bounds", `its grain directory at ${hex(directoryOffset)} ends outside the file`, 56);
}

/** Whether these are the markers of a footer and of the stream's end, whatever lies between. */
export function isEndOfStream(bytes: Uint8Array): boolean {
  const marker = MarkerFields.parse(bytes);
  const end = bytes.subarray(2 * SECTOR_SIZE, 2 * SECTOR_SIZE + MarkerFields.size);
  return marker.length === 0 && marker.type === MarkerType.footer && end.every((byte) => byte === 0);
}

/** What the two have in common says of which image the footer is. */
const SAME = [
  "version",
  "flags",
  "capacity",
  "grainSize",
  "descriptorOffset",
  "descriptorSize",
  "entryCount",
  "compression",
] as const;

/** Of a header that leaves it to the footer. */
async function readFooter(storage: Storage, values: SparseHeaderValues, fileSize: number): Promise<SparseHeaderValues> {
  const refuse = refusing(storage.path, "footer");
  const start = fileSize - FOOTER_LENGTH;
  const missing = (at: number) =>
    refuse("out-of-bounds", "its footer, by which its tables are found, is not at its end", at, "download it again");
  if (!hasFlag(values, "markers")) throw refuse("corrupt", "its header says nothing of where its tables lie", 56);
  if (start < SECTOR_SIZE || !isAligned(fileSize, SECTOR_SIZE)) throw missing(0);
  const bytes = await readExactly(storage, start, FOOTER_LENGTH, "VMDK footer");
  if (!isEndOfStream(bytes)) throw missing(start);
  const at = start + SECTOR_SIZE;
  const footer = SparseHeaderFields.parse(bytes.subarray(SECTOR_SIZE));
  const isSame =
    SAME.every((field) => footer[field] === values[field]) && Buffer.compare(footer.magic, values.magic) === 0;
  if (!isSame) throw refuse("corrupt", "its footer is another image's than its header", at);
  if (sectorOf(footer.directoryOffset) === undefined)
    throw refuse("corrupt", "its footer says nothing of where its tables lie", at + 56);
  return footer;
}
