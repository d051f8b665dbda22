/** Finds where two guest views first differ; ranges that are zeros in both are passed over unread. */

import { KiB } from "../../bytes/align.ts";
import { areZeros } from "../../storage/zeros.ts";
import { findRow, NOWHERE } from "../extent.ts";
import { SideBySide } from "../side-by-side.ts";
import { readAhead, Turns } from "./read-ahead.ts";
import { GuestReader } from "./reader.ts";
import { type GuestTable, type GuestView, readsAsZeros } from "./view.ts";

export interface CompareViewsOptions {
  /** Guest offset of the first byte that doesn't count; the end of the larger disk where absent. */
  readonly end?: number | undefined;
  /** In bytes up to the end. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Ends the comparison with an ImageError of kind `interrupted`. */
  readonly signal?: AbortSignal | undefined;
}

/** Short enough that what is read is still in a core's cache when it is compared. */
const CHUNK_SIZE = 256 * KiB;
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
  const total = options.end ?? Math.max(a.virtualSize, b.virtualSize);
  const turns = new Turns(options.signal, "compare the images");
  const sides = [new Side(a), new Side(b)] as const;
  const chunks = readAhead(planChunks(a.table, b.table, total), CHUNKS_AHEAD, async ({ guestOffset, length }) =>
    Promise.all([sides[0].read(guestOffset, length), sides[1].read(guestOffset, length)]),
  );
  await turns.yield();
  for await (const { job, result } of chunks) {
    const at = firstDifference(...result);
    if (at >= 0) return job.guestOffset + at;
    options.onProgress?.(job.guestOffset + job.length, total);
    await turns.yield();
  }
  options.onProgress?.(total, total);
  return null;
}

/**
 * The guest offset of the first range that is allocated otherwise in one of the images: stored, compressed, zeros by the
 * tables, with a place kept for it or without, or not there at all. Where it lies does not count. Null where none is.
 */
export function firstAllocationDifference(a: GuestTable, b: GuestTable): number | null {
  const run = new SideBySide(a, b);
  while (run.next()) {
    const isAlike = a.state[run.rowA] === b.state[run.rowB] && hasPlace(a, run.rowA) === hasPlace(b, run.rowB);
    if (!isAlike) return run.guestOffset;
  }
  return null;
}

function hasPlace({ hostOffset }: GuestTable, row: number): boolean {
  return hostOffset[row] !== NOWHERE;
}

/** One of the two disks. Its buffers are used in turn: fresh memory costs more than what is read into it. */
class Side {
  readonly #view: GuestView;
  readonly #reader: GuestReader;
  /** One more than may be under way, for the one that is being compared. */
  readonly #buffers: Buffer[] = [];
  #next = 0;

  constructor(view: GuestView) {
    this.#view = view;
    this.#reader = new GuestReader(view);
  }

  /** Undefined where the chunk is zeros by what the tables say. */
  async read(guestOffset: number, length: number): Promise<Buffer | undefined> {
    const at = this.#next++ % (CHUNKS_AHEAD + 1);
    const { table, virtualSize } = this.#view;
    const row = findRow(table, guestOffset);
    const end = row < 0 ? virtualSize : (table.guestOffset[row] as number) + (table.length[row] as number);
    const isZeros = readsAsZeros(table, row) && (end >= guestOffset + length || end === virtualSize);
    if (isZeros) return undefined;
    this.#buffers[at] ??= Buffer.allocUnsafeSlow(CHUNK_SIZE);
    const bytes = (this.#buffers[at] as Buffer).subarray(0, length);
    await this.#reader.read(guestOffset, bytes);
    return bytes;
  }
}

/** Where two chunks differ, of which one may be zeros; -1 where they don't. */
function firstDifference(a: Buffer | undefined, b: Buffer | undefined): number {
  if (a !== undefined && b !== undefined) return a.equals(b) ? -1 : a.findIndex((byte, at) => byte !== b[at]);
  const bytes = a ?? b;
  return bytes === undefined || areZeros(bytes) ? -1 : bytes.findIndex((byte) => byte !== 0);
}

interface Chunk {
  readonly guestOffset: number;
  readonly length: number;
}

function* planChunks(a: GuestTable, b: GuestTable, total: number): Generator<Chunk> {
  const run = new SideBySide(a, b);
  let next = 0;
  while (run.next() && run.guestOffset < total) {
    if (readsAsZeros(a, run.rowA) && readsAsZeros(b, run.rowB)) continue;
    // A chunk may reach into the runs that follow.
    for (next = Math.max(next, run.guestOffset); next < Math.min(run.guestEnd, total); next += CHUNK_SIZE) {
      yield { guestOffset: next, length: Math.min(CHUNK_SIZE, total - next) };
    }
  }
}
