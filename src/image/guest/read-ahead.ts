/** Keeps a few jobs under way and gives their results in order. */

import { ImageError } from "../../bytes/image-error.ts";

/** A computation holds the thread no longer than this, in milliseconds, so that a signal is heard. */
const MAX_TURN = 50;

/** Lets the event loop run now and then inside a long computation. */
export class Turns {
  readonly #signal: AbortSignal | undefined;
  readonly #what: string;
  #started = performance.now();

  /** `what` completes "Cannot ...", e.g. `compute the checksum of disk.qcow2`. */
  constructor(signal: AbortSignal | undefined, what: string) {
    this.#signal = signal;
    this.#what = what;
  }

  /** Throws kind `interrupted` once the signal is aborted. */
  async yield(): Promise<void> {
    if (performance.now() - this.#started > MAX_TURN) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#started = performance.now();
    }
    if (this.#signal?.aborted) throw interrupted(this.#what);
  }
}

function interrupted(what: string): ImageError {
  return new ImageError("interrupted", `Cannot ${what}: stopped, as asked`, { operation: what });
}

/**
 * Starts up to `depth` jobs ahead of the one whose result is awaited. When the caller stops early or a job throws,
 * those under way are awaited first, so that their buffers and descriptors are free again.
 */
export async function* readAhead<Job, Result>(
  jobs: Iterable<Job>,
  depth: number,
  start: (job: Job) => Promise<Result>,
): AsyncGenerator<{ readonly job: Job; readonly result: Result }> {
  const underWay: { job: Job; result: Promise<Result> }[] = [];
  const waiting = jobs[Symbol.iterator]();
  try {
    for (;;) {
      while (underWay.length < depth) {
        const next = waiting.next();
        if (next.done) break;
        const result = start(next.value);
        // Told by the await below; a job that fails while an earlier one is awaited must not end the process.
        result.catch(() => {});
        underWay.push({ job: next.value, result });
      }
      const oldest = underWay[0];
      if (oldest === undefined) return;
      const result = await oldest.result;
      underWay.shift();
      yield { job: oldest.job, result };
    }
  } finally {
    await Promise.allSettled(underWay.map(({ result }) => result));
  }
}
