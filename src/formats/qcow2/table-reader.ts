/** Reads many tables of one size: neighbours in one read, several reads in flight, results in the order asked for. */

import { MiB } from "../../bytes/align.ts";
import type { Storage } from "../../storage/storage.ts";

const READS_IN_FLIGHT = 8;
const MAX_READ_BYTES = MiB;
/** Reading through a gap of this size costs less than a read of its own. */
const MAX_GAP_BYTES = 32 * 1024;

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
  readonly slot: number;
  readonly done: Promise<void>;
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
  const slots: (Uint8Array | undefined)[] = [];
  const flying: Read[] = [];
  let next = 0;
  let readCount = 0;
  const startOne = () => {
    const first = next;
    const start = hostOffsets[first] as number;
    next++;
    while (next < hostOffsets.length) {
      const hostOffset = hostOffsets[next] as number;
      const gap = hostOffset - ((hostOffsets[next - 1] as number) + tableSize);
      if (gap < 0 || gap > MAX_GAP_BYTES || hostOffset + tableSize - start > MAX_READ_BYTES) break;
      next++;
    }
    const length = (hostOffsets[next - 1] as number) + tableSize - start;
    const slot = readCount++ % READS_IN_FLIGHT;
    let buffer = slots[slot];
    if (buffer === undefined || buffer.length < length) {
      buffer = new Uint8Array(length <= tableSize ? length : Math.max(MAX_READ_BYTES, tableSize));
      slots[slot] = buffer;
    }
    const bytes = buffer.subarray(0, length);
    const done = storage.read(start, bytes).then((count) => {
      bytes.fill(0, count);
    });
    // A failure is reported when its turn comes; until then it must not count as unhandled.
    done.catch(() => {});
    flying.push({ first, count: next - first, bytes, hostOffset: start, slot, done });
  };
  // One slot stays with the caller while the others fill.
  while (next < hostOffsets.length && flying.length < READS_IN_FLIGHT - 1) startOne();
  for (let read = flying.shift(); read !== undefined; read = flying.shift()) {
    await read.done;
    if (next < hostOffsets.length) startOne();
    yield read;
  }
}
