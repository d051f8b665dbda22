/** One pass over all blocks that are stored, on several threads: their digests, and the zeros in them. */

import { availableParallelism } from "node:os";
import { MiB } from "../../bytes/align.ts";
import { giveScratchBack, takeScratch } from "../../bytes/scratch.ts";
import { storedGuestBytes } from "../extent.ts";
import { BLOCK_SIZE, type BlockWork, planBlockWork } from "./block-work.ts";
import { type BlockTask, HashPool, type Seen, sharedFiles, workerFile } from "./hash-pool.ts";
import { readAhead, type Turns } from "./read-ahead.ts";
import { GuestReader } from "./reader.ts";
import { seeBlocks } from "./see-blocks.ts";
import type { GuestView } from "./view.ts";

export interface PassOptions {
  /** In bytes: of the disk for `sha256`, of what has to be read for all else. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Ends the pass within a fraction of a second, with an ImageError of kind `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** Threads to work on; by default one for each core, at most 4. Below 2 all is done on this thread. */
  readonly workerCount?: number | undefined;
}

/** More threads than this wait for memory rather than compute. */
const MAX_WORKERS = 4;
/** Starting threads takes as long as hashing this much. */
const MIN_BYTES_FOR_WORKERS = 64 * MiB;
/** A batch is long enough that handing it over costs nothing, and short enough to stay in a core's cache. */
const BATCH_BLOCKS = 16;
const BATCHES_AHEAD = 4;

/** Hands over all of the disk in order: what each piece of work says, and what was seen of its stored blocks. */
export async function passOverBlocks(
  view: GuestView,
  task: BlockTask,
  turns: Turns,
  options: PassOptions,
  take: (work: BlockWork, seen: Seen) => Promise<void> | void,
): Promise<void> {
  const total = storedGuestBytes(view.table);
  const watcher = openWatcher(view, task, total, options);
  let done = 0;
  try {
    await turns.yield();
    const work = readAhead(planBlockWork(view.table, view.virtualSize, BATCH_BLOCKS), watcher.depth, watcher.start);
    for await (const { job, result } of work) {
      await take(job, result);
      // A block that is stored in part counts whole, so that the sum may run a little ahead.
      done = Math.min(total, done + job.length);
      options.onProgress?.(done, total);
      await turns.yield();
    }
  } finally {
    await watcher.close();
  }
}

interface Watcher {
  /** Pieces of work to keep under way. */
  readonly depth: number;
  start(work: BlockWork): Promise<Seen>;
  close(): Promise<void>;
}

const NOTHING = new Uint8Array(0);

function openWatcher(view: GuestView, task: BlockTask, total: number, options: PassOptions): Watcher {
  const workerCount = options.workerCount ?? Math.min(availableParallelism(), MAX_WORKERS);
  const files = sharedFiles(view.layers);
  const isWorthIt = options.workerCount !== undefined || total >= MIN_BYTES_FOR_WORKERS;
  if (files === undefined || workerCount < 2 || !isWorthIt) return watcherHere(view, task);
  const file = workerFile();
  if (file === undefined) return watcherHere(view, task);

  const pool = new HashPool(workerCount, { ...task, files, maxBatchLength: BATCH_BLOCKS * BLOCK_SIZE }, file);
  return {
    depth: workerCount * BATCHES_AHEAD,
    start: async (work) => (work.length === 0 ? { digests: NOTHING } : pool.hash(work)),
    close: () => pool.close(),
  };
}

/** For small disks, for storages that no other thread can read, and where the file that threads begin with is missing. */
function watcherHere(view: GuestView, task: BlockTask): Watcher {
  const reader = new GuestReader(view);
  return {
    depth: BATCHES_AHEAD,
    async start(work) {
      const buffer = takeScratch(work.length);
      try {
        const bytes = buffer.subarray(0, work.length);
        let filled = 0;
        for (const { guestOffset, storedLength } of work.runs) {
          await reader.read(guestOffset, bytes.subarray(filled, filled + storedLength));
          filled += storedLength;
        }
        return seeBlocks(bytes, task);
      } finally {
        giveScratchBack(buffer);
      }
    },
    close: async () => {},
  };
}
