/** One bit a cluster of the file, to see what is referenced, referenced twice, or by nobody. */

const WORD_BITS = 32;

export class ClusterBitmap {
  readonly clusterCount: number;
  readonly #words: Uint32Array;
  #marked = 0;

  /** Memory is `clusterCount` / 8 bytes, taken from the host only where bits are set. */
  constructor(clusterCount: number) {
    this.clusterCount = clusterCount;
    this.#words = new Uint32Array(Math.ceil(clusterCount / WORD_BITS));
  }

  /** How many clusters are marked. */
  get markedCount(): number {
    return this.#marked;
  }

  has(cluster: number): boolean {
    return (((this.#words[Math.floor(cluster / WORD_BITS)] as number) >>> (cluster % WORD_BITS)) & 1) === 1;
  }

  /** Marks `count` clusters from `first`; returns how many of them were marked already. */
  mark(first: number, count: number): number {
    let already = 0;
    for (let cluster = first; cluster < first + count; ) {
      const bit = cluster % WORD_BITS;
      const length = Math.min(WORD_BITS - bit, first + count - cluster);
      const mask = (length === WORD_BITS ? 0xffffffff : ((1 << length) - 1) << bit) >>> 0;
      const at = (cluster - bit) / WORD_BITS;
      const before = this.#words[at] as number;
      const both = (before & mask) >>> 0;
      if (both !== 0) already += populationCount(both);
      this.#words[at] = (before | mask) >>> 0;
      cluster += length;
    }
    this.#marked += count - already;
    return already;
  }

  /** The first marked cluster in [from, end), or `end`. */
  nextMarked(from: number, end: number): number {
    return this.#next(from, end, 0);
  }

  /** The first cluster in [from, end) that is not marked, or `end`. */
  nextFree(from: number, end: number): number {
    return this.#next(from, end, 0xffffffff);
  }

  /** One past the last marked cluster; 0 when there is none. */
  get markedEnd(): number {
    for (let at = this.#words.length - 1; at >= 0; at--) {
      const word = this.#words[at] as number;
      if (word !== 0) return at * WORD_BITS + (WORD_BITS - Math.clz32(word));
    }
    return 0;
  }

  #next(from: number, end: number, inversion: number): number {
    let cluster = from;
    while (cluster < end) {
      const bit = cluster % WORD_BITS;
      const at = (cluster - bit) / WORD_BITS;
      const rest = (((this.#words[at] as number) ^ inversion) >>> bit) >>> 0;
      if (rest !== 0) return Math.min(end, cluster + trailingZeros(rest));
      cluster += WORD_BITS - bit;
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
