/** Reads at once, without a thread's help, as long as reads come from memory. */

import type { Storage } from "./storage.ts";

/** What a read from the page cache takes at the most, in milliseconds: for itself, and for each byte. */
const USUAL_MS = 0.05;
const USUAL_MS_PER_BYTE = 0.2e-6;
/**
 * A slow read counts up by this, any other down by one: now and then a read is slow because another process had the
 * processor.
 */
const SLOW_READ = 2;
const MAX_SLOWNESS = 10;
/** Reads that the caller makes its own way before the medium is tried again; doubled as long as it stays slow. */
const FIRST_PAUSE = 64;
const LONGEST_PAUSE = 4096;
/** The event loop waits no longer than this, so that a signal is heard. */
const MAX_TURN_MS = 50;

/**
 * A read through a thread of its own costs more than copying 64 KiB that are in memory; from a medium that has to be
 * waited for, reads that overlap are what counts. Which of both it is shows in the time that a read takes.
 */
export class QuickReader {
  readonly #storage: Pick<Storage, "read" | "readAtOnce">;
  #slowness = 0;
  #pause = FIRST_PAUSE;
  #readsToWait = 0;
  readonly #now: () => number;
  #turnStarted: number;

  /** `now` tells milliseconds. What `storage.read` does is never done by this reader: it is where a read goes that failed here. */
  constructor(storage: Pick<Storage, "read" | "readAtOnce">, now: () => number = () => performance.now()) {
    this.#storage = storage;
    this.#now = now;
    this.#turnStarted = now();
  }

  /** False where the next read had better be `Storage.read`, with others under way. */
  get isDue(): boolean {
    return this.#readsToWait === 0 && this.#storage.readAtOnce !== undefined;
  }

  /** Says that a read was made by `Storage.read`. */
  pass(): void {
    if (this.#readsToWait > 0) this.#readsToWait--;
  }

  /** As `Storage.read`, only where `isDue`. The buffer is filled when this returns; the promise says only that the event loop had its turn. */
  async read(hostOffset: number, into: Uint8Array): Promise<number> {
    const started = this.#now();
    let count = 0;
    try {
      count = this.#storage.readAtOnce?.(hostOffset, into) ?? 0;
    } catch {
      // The usual way knows what may lie over a place that the medium has lost, and what to say.
      return this.#storage.read(hostOffset, into);
    }
    const ended = this.#now();
    this.#judge(ended - started > USUAL_MS + into.length * USUAL_MS_PER_BYTE);
    if (ended - this.#turnStarted > MAX_TURN_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#turnStarted = this.#now();
    }
    return count;
  }

  #judge(isSlow: boolean): void {
    this.#slowness = Math.max(0, this.#slowness + (isSlow ? SLOW_READ : -1));
    if (this.#slowness >= MAX_SLOWNESS) {
      this.#readsToWait = this.#pause;
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
      this.#slowness = 0;
    } else if (this.#slowness === 0) this.#pause = FIRST_PAUSE;
  }
}
