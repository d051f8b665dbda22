/** Which files and names are being worked on: of those who share one, one at a time, in the order in which they came. */

interface Waiting {
  readonly keys: readonly string[];
  readonly begin: () => void;
}

export class FilesInUse {
  readonly #held = new Set<string>();
  readonly #waiting: Waiting[] = [];

  /** Waits for all of `keys` at once, so that nobody waits for another who waits for it. */
  async during<T>(keys: readonly string[], perform: () => Promise<T>): Promise<T> {
    await new Promise<void>((begin) => {
      this.#waiting.push({ keys, begin });
      this.#beginAll();
    });
    try {
      return await perform();
    } finally {
      for (const key of keys) this.#held.delete(key);
      this.#beginAll();
    }
  }

  #beginAll(): void {
    const wanted = new Set<string>();
    for (const each of this.#waiting.splice(0)) {
      if (each.keys.some((key) => this.#held.has(key) || wanted.has(key))) {
        for (const key of each.keys) wanted.add(key);
        this.#waiting.push(each);
        continue;
      }
      for (const key of each.keys) this.#held.add(key);
      each.begin();
    }
  }
}
