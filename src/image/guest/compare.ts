/** Finds where two guest views first differ; ranges that are zeros in both are passed over unread. */

import { MiB } from "../../bytes/align.ts";
import { SideBySide } from "../side-by-side.ts";
import { readAhead, Turns } from "./read-ahead.ts";
import { GuestReader } from "./reader.ts";
import { type GuestTable, type GuestView, readsAsZeros } from "./view.ts";

export interface CompareViewsOptions {
  /** In bytes of the larger disk. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Ends the comparison with an ImageError of kind `interrupted`. */
  readonly signal?: AbortSignal | undefined;
}

const CHUNK_SIZE = MiB;
const CHUNKS_AHEAD = 4;

/**
 * The guest offset of the first byte that differs, or null. What one disk has beyond the other's end is compared
 * with zeros.
 */
export async function firstGuestDifference(
  a: GuestView,
  b: GuestView,
  options: CompareViewsOptions = {},
): Promise<number | null> {
  const total = Math.max(a.virtualSize, b.virtualSize);
  const turns = new Turns(options.signal, "compare the images");
  const readers = [new GuestReader(a), new GuestReader(b)] as const;
  const chunks = readAhead(planChunks(a.table, b.table, total), CHUNKS_AHEAD, async ({ guestOffset, length }) => {
    const bytes = [Buffer.allocUnsafe(length), Buffer.allocUnsafe(length)] as const;
    await Promise.all([readers[0].read(guestOffset, bytes[0]), readers[1].read(guestOffset, bytes[1])]);
    return bytes;
  });
  await turns.yield();
  for await (const { job, result } of chunks) {
    const [bytesOfA, bytesOfB] = result;
    if (!bytesOfA.equals(bytesOfB)) {
      return job.guestOffset + bytesOfA.findIndex((byte, index) => byte !== bytesOfB[index]);
    }
    options.onProgress?.(job.guestOffset + job.length, total);
    await turns.yield();
  }
  options.onProgress?.(total, total);
  return null;
}

interface Chunk {
  readonly guestOffset: number;
  readonly length: number;
}

function* planChunks(a: GuestTable, b: GuestTable, total: number): Generator<Chunk> {
  const run = new SideBySide(a, b);
  let next = 0;
  while (run.next()) {
    if (readsAsZeros(a, run.rowA) && readsAsZeros(b, run.rowB)) continue;
    // A chunk may reach into the runs that follow.
    for (next = Math.max(next, run.guestOffset); next < run.guestEnd; next += CHUNK_SIZE) {
      yield { guestOffset: next, length: Math.min(CHUNK_SIZE, total - next) };
    }
  }
}
