/** Milliseconds by stage, for the report; nothing is decided by them. */

export class Stopwatch {
  readonly #now: () => number;
  readonly #sums = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  async time<T>(stage: string, work: () => Promise<T>): Promise<T> {
    const start = this.#now();
    try {
      return await work();
    } finally {
      this.#sums.set(stage, (this.#sums.get(stage) ?? 0) + this.#now() - start);
    }
  }

  /** Rounded to a tenth. */
  get milliseconds(): Record<string, number> {
    return Object.fromEntries([...this.#sums].map(([stage, sum]) => [stage, Math.round(sum * 10) / 10]));
  }
}
