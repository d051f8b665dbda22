/** One bit a place of a file (a cluster, a unit), to see what is used, used twice, or by nobody. */

const WORD_BITS = 32;

/** As many bits as any bitmap has: 512 MiB. A sparse file can claim any length, so callers look before they make one. */
export const MAX_BITS = 2 ** 32;

export class Bitmap {
  readonly #words: Uint32Array;
  #marked = 0;

  /** Memory is `bitCount` / 8 bytes, taken from the host only where bits are set. */
  constructor(bitCount: number) {
    this.#words = new Uint32Array(Math.ceil(bitCount / WORD_BITS));
  }

  /** How many places are marked. */
  get markedCount(): number {
    return this.#marked;
  }

  has(place: number): boolean {
    return (((this.#words[Math.floor(place / WORD_BITS)] as number) >>> (place % WORD_BITS)) & 1) === 1;
  }

  /** Marks `count` places from `first`; returns how many of them were marked already. */
  mark(first: number, count: number): number {
    let already = 0;
    for (let place = first; place < first + count; ) {
      const bit = place % WORD_BITS;
      const length = Math.min(WORD_BITS - bit, first + count - place);
      const mask = (length === WORD_BITS ? 0xffffffff : ((1 << length) - 1) << bit) >>> 0;
      const at = (place - bit) / WORD_BITS;
      const before = this.#words[at] as number;
      const both = (before & mask) >>> 0;
      if (both !== 0) already += populationCount(both);
      this.#words[at] = (before | mask) >>> 0;
      place += length;
    }
    this.#marked += count - already;
    return already;
  }

  /** Takes the marks of `count` places from `first` away; returns how many of them were marked. */
  clear(first: number, count: number): number {
    let cleared = 0;
    for (let place = first; place < first + count; place++) {
      if (!this.has(place)) continue;
      const at = Math.floor(place / WORD_BITS);
      this.#words[at] = ((this.#words[at] as number) & ~(1 << (place % WORD_BITS))) >>> 0;
      cleared++;
    }
    this.#marked -= cleared;
    return cleared;
  }

  /** The first marked place in [from, end), or `end`. */
  nextMarked(from: number, end: number): number {
    return this.#next(from, end, 0);
  }

  /** The first place in [from, end) that is not marked, or `end`. */
  nextFree(from: number, end: number): number {
    return this.#next(from, end, 0xffffffff);
  }

  /** One past the last marked place; 0 when there is none. */
  get markedEnd(): number {
    return this.markedEndBelow(this.#words.length * WORD_BITS);
  }

  /** The same of the places below `end`. */
  markedEndBelow(end: number): number {
    let keep = WORD_BITS - 1 - ((end + WORD_BITS - 1) % WORD_BITS);
    for (let at = Math.ceil(end / WORD_BITS) - 1; at >= 0; at--) {
      const word = ((this.#words[at] as number) << keep) >>> keep;
      if (word !== 0) return at * WORD_BITS + (WORD_BITS - Math.clz32(word));
      keep = 0;
    }
    return 0;
  }

  #next(from: number, end: number, inversion: number): number {
    let place = from;
    while (place < end) {
      const bit = place % WORD_BITS;
      const at = (place - bit) / WORD_BITS;
      const rest = (((this.#words[at] as number) ^ inversion) >>> bit) >>> 0;
      if (rest !== 0) return Math.min(end, place + trailingZeros(rest));
      place += WORD_BITS - bit;
    }
    return end;
  }
}

function trailingZeros(word: number): number {
  return WORD_BITS - 1 - Math.clz32(word & -word);
}

function populationCount(word: number): number {
  let pairs = word - ((word >>> 1) & 0x55555555);
  pairs = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((pairs + (pairs >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
