/** Reads many tables of one size: neighbours in one read, several reads in flight, results in the order asked for. */

import { KiB, MiB } from "../bytes/align.ts";
import { QuickReader } from "../storage/quick-reader.ts";
import type { Storage } from "../storage/storage.ts";

const MAX_READS_IN_FLIGHT = 8;
/** Of all buffers together, where tables are small enough to have several. */
const MAX_BYTES_IN_FLIGHT = 2 * MiB;
/** Small enough for a processor's cache, so that a table is scanned where it was copied to. */
const MAX_READ_BYTES = 256 * KiB;
/** Reading through a gap of this size costs less than a read of its own. */
const MAX_GAP_BYTES = 32 * KiB;

/** Some tables in one buffer, valid until the next batch is asked for. */
export interface TableBatch {
  /** Index of the batch's first table in the list that was asked for. */
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Host offset of `bytes[0]`. */
  readonly hostOffset: number;
}

interface Read extends TableBatch {
  readonly done: Promise<number>;
}

/**
 * Yields the tables at `hostOffsets` (any order) in that order. What lies past the end of file reads as zeros, so
 * callers check bounds beforehand.
 */
export async function* readTables(
  storage: Storage,
  hostOffsets: Float64Array,
  tableSize: number,
): AsyncGenerator<TableBatch> {
  const quick = new QuickReader(storage);
  const readBytes = Math.max(MAX_READ_BYTES, tableSize);
  const slotCount = Math.max(2, Math.min(MAX_READS_IN_FLIGHT, Math.floor(MAX_BYTES_IN_FLIGHT / readBytes)));
  const slots: (Uint8Array | undefined)[] = [];
  const flying: Read[] = [];
  let next = 0;
  let readCount = 0;
  const startOne = (read: (hostOffset: number, into: Uint8Array) => Promise<number>): Read => {
    const first = next;
    next = endOfBatch(hostOffsets, first, tableSize);
    const hostOffset = hostOffsets[first] as number;
    const length = (hostOffsets[next - 1] as number) + tableSize - hostOffset;
    const slot = readCount++ % slotCount;
    let buffer = slots[slot];
    if (buffer === undefined || buffer.length < length) {
      buffer = new Uint8Array(length <= tableSize ? length : readBytes);
      slots[slot] = buffer;
    }
    const bytes = buffer.subarray(0, length);
    const done = read(hostOffset, bytes);
    // A failure is reported when its turn comes; until then it must not count as unhandled.
    done.catch(() => {});
    return { first, count: next - first, bytes, hostOffset, done };
  };
  while (next < hostOffsets.length || flying.length > 0) {
    let read = flying.shift();
    if (read === undefined && quick.isDue) {
      readCount = 0;
      read = startOne((hostOffset, into) => quick.read(hostOffset, into));
    } else {
      // The slot that was with the caller is free again.
      const most = read === undefined ? slotCount : slotCount - 1;
      while (next < hostOffsets.length && flying.length < most && !quick.isDue) {
        quick.pass();
        flying.push(startOne((hostOffset, into) => storage.read(hostOffset, into)));
      }
      read ??= flying.shift();
    }
    if (read === undefined) break;
    const count = await read.done;
    read.bytes.fill(0, count);
    yield read;
  }
}

/** One past the last table that is read together with the first. */
function endOfBatch(hostOffsets: Float64Array, first: number, tableSize: number): number {
  const start = hostOffsets[first] as number;
  let next = first + 1;
  for (; next < hostOffsets.length; next++) {
    const hostOffset = hostOffsets[next] as number;
    const gap = hostOffset - ((hostOffsets[next - 1] as number) + tableSize);
    if (gap < 0 || gap > MAX_GAP_BYTES || hostOffset + tableSize - start > Math.max(MAX_READ_BYTES, tableSize)) break;
  }
  return next;
}
