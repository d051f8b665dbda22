/**
 * How the grains of a stream lie ("Virtual Disk Format 5.0", "Stream-Optimized Compressed Sparse Extents"):
 *
 *   | header | descriptor | grains ... | marker, table | ... | marker, directory | marker, footer | end of stream |
 *                         ^ sector 128                                                           ^ a sector of zeros
 *
 * Each grain begins at a sector, in the disk's order, so that who reads from front to end needs no table.
 */

import { alignUp, ceilDiv, KiB, MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import type { PackedUnits, PackForm } from "../../../image/pack-form.ts";
import type { Write } from "../../../image/write.ts";
import { ENTRY_COUNT, freshHeader } from "./draft.ts";
import { DEFLATE, GrainMarkerFields, MarkerFields, MarkerType, SparseFlag } from "./fields.ts";
import { ENTRY_SIZE, FOOTER_LENGTH } from "./header.ts";

export const STREAM_GRAIN = 64 * KiB;
/** Of the first grain, in the image, as VMware has it: header, descriptor and room come before. */
export const STREAM_START = 128 * SECTOR_SIZE;
const TABLE_BYTES = ENTRY_COUNT * ENTRY_SIZE;
/** With the sector that announces it. */
const TABLE_PLACE = SECTOR_SIZE + TABLE_BYTES;
/** What a stream that does not get shorter has around its grain, and the end of a batch with it. */
const GRAIN_AROUND = 4 * KiB;
const TABLES_AT_ONCE = Math.floor(MiB / TABLE_PLACE);

/** The first two bytes of a zlib stream: deflate with a window of 32 KiB, usual level (RFC 1950, section 2.2). */
const ZLIB_HEADER = Buffer.from([0x78, 0x9c]);

/** Of the file. */
export interface StreamPlaces {
  readonly directory: number;
  /** One past the end-of-stream marker. */
  readonly end: number;
}

/** `base`: where the image begins in the file, a multiple of a sector; all places in it are told from there. */
export function streamForm(base = 0): PackForm {
  return {
    unitSize: STREAM_GRAIN,
    start: base + STREAM_START,
    alignment: SECTOR_SIZE,
    leadInLength: GrainMarkerFields.size + ZLIB_HEADER.length,
    leadIn: (guestOffset, streamLength) => {
      const bytes = Buffer.alloc(GrainMarkerFields.size + ZLIB_HEADER.length);
      bytes.writeBigUInt64LE(BigInt(guestOffset / SECTOR_SIZE));
      // The checksum behind it is the stream's as well.
      bytes.writeUInt32LE(ZLIB_HEADER.length + streamLength + 4, 8);
      ZLIB_HEADER.copy(bytes, GrainMarkerFields.size);
      return bytes;
    },
    lengthFor: (unitCount, virtualSize) =>
      base +
      STREAM_START +
      unitCount * (STREAM_GRAIN + GRAIN_AROUND) +
      tailLength(tableCountOf(virtualSize), virtualSize),
    tail: (units) => tailWrites(units, base),
  };
}

function tableCountOf(virtualSize: number): number {
  return ceilDiv(virtualSize, STREAM_GRAIN * ENTRY_COUNT);
}

function directoryBytes(virtualSize: number): number {
  return alignUp(tableCountOf(virtualSize) * ENTRY_SIZE, SECTOR_SIZE);
}

function tailLength(storedTables: number, virtualSize: number): number {
  return storedTables * TABLE_PLACE + SECTOR_SIZE + directoryBytes(virtualSize) + FOOTER_LENGTH;
}

/** Where directory and end come to lie, behind grains that end at `grainsEnd` and belong to so many tables. */
export function streamPlaces(grainsEnd: number, storedTables: number, virtualSize: number): StreamPlaces {
  return {
    directory: grainsEnd + storedTables * TABLE_PLACE + SECTOR_SIZE,
    end: grainsEnd + tailLength(storedTables, virtualSize),
  };
}

/** How many tables have a grain: `units` ascend. */
export function storedTablesOf(units: Iterable<number>): number {
  let count = 0;
  let last = -1;
  for (const unit of units) {
    const table = Math.floor(unit / ENTRY_COUNT);
    if (table !== last) count++;
    last = table;
  }
  return count;
}

async function* tailWrites(units: PackedUnits, base: number): AsyncGenerator<readonly Write[]> {
  const { virtualSize, end } = units;
  const directory = new DataView(new ArrayBuffer(directoryBytes(virtualSize)));
  let at = end;
  let row = 0;
  while (row < units.count) {
    const start = at;
    const places: Uint8Array[] = [];
    while (row < units.count && places.length < TABLES_AT_ONCE) {
      const index = Math.floor((units.unit[row] as number) / ENTRY_COUNT);
      const place = new Uint8Array(TABLE_PLACE);
      place.set(marker(MarkerType.grainTable, TABLE_BYTES));
      const table = new DataView(place.buffer, SECTOR_SIZE);
      for (; row < units.count && Math.floor((units.unit[row] as number) / ENTRY_COUNT) === index; row++) {
        const entry = ((units.unit[row] as number) % ENTRY_COUNT) * ENTRY_SIZE;
        table.setUint32(entry, ((units.hostOffset[row] as number) - base) / SECTOR_SIZE, true);
      }
      directory.setUint32(index * ENTRY_SIZE, (at - base + SECTOR_SIZE) / SECTOR_SIZE, true);
      places.push(place);
      at += TABLE_PLACE;
    }
    yield [{ hostOffset: start, bytes: new Uint8Array(Buffer.concat(places)) }];
  }
  const header = streamHeader(virtualSize, at - base + SECTOR_SIZE);
  const last = [
    marker(MarkerType.grainDirectory, directory.byteLength),
    new Uint8Array(directory.buffer),
    marker(MarkerType.footer, SECTOR_SIZE),
    header,
    marker(MarkerType.endOfStream, 0),
  ];
  yield [{ hostOffset: at, bytes: new Uint8Array(Buffer.concat(last)) }];
}

function marker(type: number, length: number): Uint8Array {
  const sector = new Uint8Array(SECTOR_SIZE);
  MarkerFields.encode({ sectorCount: length / SECTOR_SIZE, length: 0, type }, sector);
  return sector;
}

/** `directory`: of the image; undefined where the footer says it. */
export function streamHeader(virtualSize: number, directory: number | undefined): Uint8Array {
  return freshHeader({
    version: 3,
    flags: SparseFlag.compressed | SparseFlag.markers,
    compression: DEFLATE,
    virtualSize,
    grainSize: STREAM_GRAIN,
    redundantDirectory: 0,
    directory,
    overHead: STREAM_START,
  });
}
