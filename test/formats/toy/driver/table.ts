/** The toy's one table: entries to extents, with every refusal before them, and extents to entries. */

import { MiB } from "../../../../src/bytes/align.ts";
import { hex, ImageError } from "../../../../src/bytes/image-error.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, eachExtent } from "../../../../src/image/extent.ts";
import type { Write } from "../../../../src/image/write.ts";
import { readExactly, type Storage } from "../../../../src/storage/storage.ts";
import { ENTRY_SIZE, type ToyHeader, tableSizeFor } from "./header.ts";

/** What is read or written at once. */
const PIECE_SIZE = MiB;

export async function readToyTable(storage: Storage, header: ToyHeader): Promise<ExtentTable> {
  const { blockSize, virtualSize, tableOffset, entryCount } = header;
  const extents = new ExtentTableBuilder();
  const used = new Float64Array(entryCount);
  let usedCount = 0;
  const perPiece = PIECE_SIZE / ENTRY_SIZE;
  for (let first = 0; first < entryCount; first += perPiece) {
    const count = Math.min(perPiece, entryCount - first);
    const piece = await readExactly(storage, tableOffset + first * ENTRY_SIZE, count * ENTRY_SIZE, "toy table");
    const view = new DataView(piece.buffer, piece.byteOffset);
    for (let index = 0; index < count; index++) {
      const guestOffset = (first + index) * blockSize;
      const length = Math.min(blockSize, virtualSize - guestOffset);
      // Whatever a double rounds away is far outside any file.
      const hostOffset = Number(view.getBigUint64(index * ENTRY_SIZE));
      if (hostOffset === 0) extents.append(length, ExtentState.unallocated);
      else {
        refusePlace(header, guestOffset, hostOffset);
        extents.append(length, ExtentState.data, hostOffset);
        used[usedCount++] = hostOffset;
      }
    }
  }
  refuseTwice(used.subarray(0, usedCount).sort());
  return extents.finish(virtualSize);
}

function refusePlace(header: ToyHeader, guestOffset: number, hostOffset: number): void {
  const { blockSize, virtualSize, tableOffset, fileSize } = header;
  const isOnTable =
    hostOffset + blockSize > tableOffset && hostOffset < tableOffset + tableSizeFor(virtualSize, blockSize);
  if (hostOffset % blockSize === 0 && hostOffset + blockSize <= fileSize && !isOnTable) return;
  const why = isOnTable ? "lies on the table" : "is not aligned or outside the file";
  throw corrupt(`Cannot map guest offset ${hex(guestOffset)}: host offset ${hex(hostOffset)} ${why}`, hostOffset);
}

function refuseTwice(sorted: Float64Array): void {
  const twice = sorted.find((hostOffset, at) => hostOffset === sorted[at + 1]);
  if (twice !== undefined) throw corrupt(`Cannot map the disk: two blocks share host offset ${hex(twice)}`, twice);
}

function corrupt(message: string, hostOffset: number): ImageError {
  return new ImageError("corrupt", message, { format: "toy", structure: "toy table", hostOffset });
}

/** The table of `extents` in pieces, lazily. */
export function* toyTableWrites(extents: ExtentTable, blockSize: number, tableOffset: number): Generator<Write> {
  const virtualSize = [...eachExtent(extents)].reduce((sum, { length }) => sum + length, 0);
  const size = tableSizeFor(virtualSize, blockSize);
  const rows = eachExtent(extents);
  let row = rows.next().value;
  for (let start = 0; start < size; start += PIECE_SIZE) {
    const piece = Buffer.alloc(Math.min(PIECE_SIZE, size - start));
    for (let at = 0; at < piece.length; at += ENTRY_SIZE) {
      const guestOffset = ((start + at) / ENTRY_SIZE) * blockSize;
      while (row && row.guestOffset + row.length <= guestOffset) row = rows.next().value;
      if (!row || row.state !== ExtentState.data) continue;
      piece.writeBigUInt64BE(BigInt(row.hostOffset + guestOffset - row.guestOffset), at);
    }
    yield { hostOffset: tableOffset + start, bytes: piece };
  }
}
