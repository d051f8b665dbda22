/** Many things to do, a few of them side by side, begun and told in their order. */

export interface SideBySide<T> {
  /** How much is done at once, in the units of `sizeOf`. */
  readonly room: number;
  /** 1 where absent. What needs all the room and more has it alone. */
  readonly sizeOf?: (item: T) => number;
  /** One line for people. */
  readonly log: (line: string) => void;
}

/**
 * Results in the order of `items`. What each of them logs comes in one piece, in that order too: the lines of the first that
 * is not through yet at once, those of others when it is their turn. Where one throws, the others are done all the same
 * before the error is thrown.
 */
export async function sideBySide<T, R>(
  items: readonly T[],
  { room, sizeOf = () => 1, log }: SideBySide<T>,
  perform: (item: T, log: (line: string) => void) => Promise<R>,
): Promise<readonly R[]> {
  const lines = new LinesInOrder(log);
  const results: R[] = [];
  const underWay = new Set<Promise<void>>();
  let free = room;
  let hasEnded = () => {};
  try {
    for (const [index, item] of items.entries()) {
      const size = Math.min(room, sizeOf(item));
      while (free < size)
        await new Promise<void>((resolve) => {
          hasEnded = resolve;
        });
      free -= size;
      const work = perform(item, (line) => lines.take(index, line)).then((result) => {
        results[index] = result;
        underWay.delete(work);
      });
      work
        .catch(() => {})
        .finally(() => {
          lines.end(index);
          free += size;
          hasEnded();
        });
      underWay.add(work);
    }
    for (const outcome of await Promise.allSettled(underWay)) if (outcome.status === "rejected") throw outcome.reason;
    return results;
  } finally {
    lines.close();
  }
}

/** Where the process is to end before all are through, what was kept is told then. */
class LinesInOrder {
  readonly #log: (line: string) => void;
  readonly #kept = new Map<number, string[]>();
  readonly #ended = new Set<number>();
  #turn = 0;
  readonly #tellAll = () => {
    for (const [, lines] of [...this.#kept].sort(([a], [b]) => a - b)) for (const line of lines) this.#log(line);
    this.#kept.clear();
  };

  constructor(log: (line: string) => void) {
    this.#log = log;
    process.once("exit", this.#tellAll);
  }

  take(index: number, line: string): void {
    const lines = this.#kept.get(index);
    if (index === this.#turn) this.#log(line);
    else if (lines === undefined) this.#kept.set(index, [line]);
    else lines.push(line);
  }

  end(index: number): void {
    this.#ended.add(index);
    while (this.#ended.delete(this.#turn)) {
      this.#turn++;
      for (const line of this.#kept.get(this.#turn) ?? []) this.#log(line);
      this.#kept.delete(this.#turn);
    }
  }

  close(): void {
    this.#tellAll();
    process.off("exit", this.#tellAll);
  }
}
