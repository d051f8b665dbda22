/**
 * A dynamic VHD as a conversion leaves it, settled: its table comes to the front, and the file ends behind its last block.
 *
 *   committed   |footer|header|         | blocks |  what the old format left  | table |footer|
 *   table       |footer|header| table'  | blocks |  -                         | table |footer|
 *   re-point    |footer|header'| table' | blocks |  -                         |   -   |footer|    one sector
 *   cut         |footer|header'| table' | blocks |footer|
 */

import { alignUp, SECTOR_SIZE } from "../../../bytes/align.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { type Epoch, NO_REARRANGEMENT, type Rearrangement } from "../../../image/write.ts";
import { readExactly, type Storage } from "../../../storage/storage.ts";
import { FOOTER_SIZE } from "../footer.ts";
import type { BlockScan } from "./block-scan.ts";
import { type DynamicDisk, HEADER_OFFSET, headerOf, TABLE_OFFSET } from "./header.ts";
import { ENTRY_SIZE } from "./table.ts";

/** Of one whose structures are all right, and lie as a conversion puts them; nothing of any other. */
export async function planDynamicSettling(
  storage: Storage,
  disk: DynamicDisk,
  { findings, bitmapOffsets }: BlockScan,
): Promise<Rearrangement> {
  const { fileSize, headerOffset, batOffset, maxEntryCount, blockSize, bitmapSize, sector, spoiled } = disk;
  const nothing = { ...NO_REARRANGEMENT, fileSize };
  const tableSize = alignUp(maxEntryCount * ENTRY_SIZE, SECTOR_SIZE);
  const first = bitmapOffsets.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const isOdd = findings.list.corruptions + findings.list.warnings > 0 || spoiled !== undefined;
  const tableEnd = TABLE_OFFSET + tableSize;
  if (isOdd || headerOffset !== HEADER_OFFSET || first < tableEnd) return nothing;
  const isAway = batOffset !== TABLE_OFFSET;
  if (isAway && batOffset < tableEnd) return nothing;
  const end = bitmapOffsets.reduce((most, at) => Math.max(most, at + bitmapSize + blockSize), tableEnd);
  const epochs: Epoch[] = [];
  if (isAway) {
    const table = await readExactly(storage, batOffset, tableSize, "block allocation table");
    const header = headerOf({ tableOffset: TABLE_OFFSET, maxTableEntries: maxEntryCount, blockSize });
    epochs.push(
      {
        purpose: "write the table to its place",
        writes: () => [{ hostOffset: TABLE_OFFSET, bytes: table }],
        // A block that comes next lies there.
        zeros: RangeSet.of({ start: end, end: batOffset }),
      },
      {
        purpose: "point at the table",
        repoints: true,
        writes: () => [{ hostOffset: HEADER_OFFSET, bytes: header.subarray(0, SECTOR_SIZE) }],
      },
    );
  }
  if (end + FOOTER_SIZE < fileSize) {
    epochs.push(
      { purpose: "write the footer behind the last block", writes: () => [{ hostOffset: end, bytes: sector }] },
      { purpose: "cut off what lies behind it", fileSize: end + FOOTER_SIZE },
    );
  }
  const bytesWritten = (isAway ? tableSize + SECTOR_SIZE : 0) + (end + FOOTER_SIZE < fileSize ? FOOTER_SIZE : 0);
  return { epochs, fileSize: Math.min(fileSize, end + FOOTER_SIZE), bytesMoved: 0, bytesWritten };
}
