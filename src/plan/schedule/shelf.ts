/** Runs of places, kept by their length: the shortest that holds so many, or the longest of all, at once. */

const WORD_BITS = 32;

export class Shelf {
  /** Lengths from here on are not told apart: no one asks for so many. */
  readonly #longest: number;
  /** Of each length the run that was put last, and of each run the one before it; one more than its number. */
  readonly #last: Uint32Array;
  readonly #before: number[] = [];
  readonly #start: number[] = [];
  readonly #length: number[] = [];
  /** One bit for each length that is there; above it one for each word that is not empty, and so on. */
  readonly #levels: Uint32Array[] = [];
  /** Runs that were taken, whose numbers may be given again. */
  readonly #unused: number[] = [];

  /** `mostAsked`: the longest that is to be held. */
  constructor(mostAsked: number) {
    this.#longest = mostAsked + 1;
    this.#last = new Uint32Array(this.#longest + 1);
    for (let bits = this.#longest + 1; this.#levels.length === 0 || bits > 1; bits = Math.ceil(bits / WORD_BITS)) {
      this.#levels.push(new Uint32Array(Math.ceil(bits / WORD_BITS)));
    }
  }

  put(start: number, length: number): void {
    if (length === 0) return;
    const run = this.#unused.pop() ?? this.#start.length;
    const shelf = Math.min(length, this.#longest);
    this.#start[run] = start;
    this.#length[run] = length;
    this.#before[run] = this.#last[shelf] as number;
    if (this.#last[shelf] === 0) this.#mark(shelf);
    this.#last[shelf] = run + 1;
  }

  /** Takes the first places of the shortest run that holds so many; undefined where none does. */
  takeHolding(length: number): number | undefined {
    const shelf = this.#next(length);
    if (shelf === undefined) return undefined;
    const { start, length: whole } = this.#take(shelf);
    this.put(start + length, whole - length);
    return start;
  }

  /** Takes the whole of one of the longest. */
  takeLongest(): { start: number; length: number } | undefined {
    let at = 0;
    for (let level = this.#levels.length - 1; level >= 0; level--) {
      const word = (this.#levels[level] as Uint32Array)[at] as number;
      if (word === 0) return undefined;
      at = at * WORD_BITS + WORD_BITS - 1 - Math.clz32(word);
    }
    return this.#take(at);
  }

  #take(shelf: number): { start: number; length: number } {
    const run = (this.#last[shelf] as number) - 1;
    this.#last[shelf] = this.#before[run] as number;
    if (this.#last[shelf] === 0) this.#unmark(shelf);
    this.#unused.push(run);
    return { start: this.#start[run] as number, length: this.#length[run] as number };
  }

  #mark(shelf: number): void {
    let at = shelf;
    for (const words of this.#levels) {
      const word = Math.floor(at / WORD_BITS);
      words[word] = (words[word] as number) | (1 << (at % WORD_BITS));
      at = word;
    }
  }

  #unmark(shelf: number): void {
    let at = shelf;
    for (const words of this.#levels) {
      const word = Math.floor(at / WORD_BITS);
      words[word] = (words[word] as number) & ~(1 << (at % WORD_BITS));
      if (words[word] !== 0) return;
      at = word;
    }
  }

  /** The first length from this one on that is there. */
  #next(length: number): number | undefined {
    let at = Math.min(length, this.#longest);
    for (let level = 0; level < this.#levels.length; level++) {
      const words = this.#levels[level] as Uint32Array;
      const word = Math.floor(at / WORD_BITS);
      const rest = word < words.length ? ((words[word] as number) >>> (at % WORD_BITS)) << (at % WORD_BITS) : 0;
      if (rest === 0) {
        at = word + 1;
        continue;
      }
      at = word * WORD_BITS + trailingZeros(rest);
      for (let below = level - 1; below >= 0; below--) {
        at = at * WORD_BITS + trailingZeros((this.#levels[below] as Uint32Array)[at] as number);
      }
      return at;
    }
    return undefined;
  }
}

function trailingZeros(word: number): number {
  return WORD_BITS - 1 - Math.clz32(word & -word);
}
