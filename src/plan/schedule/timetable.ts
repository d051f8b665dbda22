/**
 * When each chain and cycle begins, and with how many spares: so that the last one ends soon. Once begun, each goes on to
 * its end without a pause, so that nothing has to be kept of it but its beginning.
 *
 *   free <- 1 <- 2 <- 3 | 4 <- 5 <- 6 | 7 <- 8 <- 9        a chain cut into three tracks by two spares:
 *           first 3 and 6 go to spares, then 1, 4 and 7 advance at once, then 2, 5 and 8, ...
 *
 * A spare is one copy more, and takes a part of the time only while it is held by nothing shorter; so each gets the
 * fewest that let it end by the epoch at which all can. Chains that end by then get none.
 */

import { ascending } from "./ascending.ts";
import type { Chains } from "./chains.ts";

/** What one chain or cycle takes, where none may last longer than `limit` epochs. */
export interface Shape {
  readonly spareCount: number;
  /** Gaps that advance at once: moves of an epoch. */
  readonly width: number;
  readonly epochCount: number;
}

export interface Timetable {
  /** No chain lasts longer. The tracks of one that has spares are of this length, the last may be shorter. */
  readonly limit: number;
  readonly epochCount: number;
  readonly moveCount: number;
  /** Most spares that are held at one time. */
  readonly spareCount: number;
  /** Chains by their number in the order in which they begin, and the epochs in which they do. */
  readonly order: Uint32Array;
  readonly start: Uint32Array;
  /** Spares, of each chain in that order from `spareStart` on. */
  readonly spareStart: Uint32Array;
  readonly spares: Uint32Array;
}

/** `length` is the number of units. Two spares in a cycle of two, or one in a chain of two, would save next to nothing. */
export function shapeOf(isCycle: boolean, length: number, limit: number): Shape {
  if (isCycle) {
    if (length < limit) return { spareCount: 1, width: 1, epochCount: length + 1 };
    const tracks = Math.ceil(length / (limit - 1));
    return { spareCount: tracks, width: tracks, epochCount: limit };
  }
  if (length <= limit) return { spareCount: 0, width: 1, epochCount: length };
  const spareCount = Math.ceil((length - limit) / (limit - 1));
  return { spareCount, width: spareCount + 1, epochCount: limit };
}

/** `most` spares at a time, and at most so many moves an epoch. */
export function timetableOf(chains: Chains, mostSpares: number, mostMoves: number): Timetable {
  const limit = limitOf(chains, mostSpares, mostMoves);
  return new Beginning(chains, limit, mostSpares, mostMoves).run();
}

export function lengthOf({ starts, chainCount }: Chains, chain: number): number {
  return (starts[chain + 1] as number) - (starts[chain] as number) - (chain < chainCount ? 1 : 0);
}

/**
 * The fewest epochs in which all fit: spares and moves are columns of that many epochs, in which chains stand on top of
 * one another.
 */
function limitOf(chains: Chains, mostSpares: number, mostMoves: number): number {
  const total = chains.starts.length - 1;
  const kinds = new Map<number, { isCycle: boolean; length: number; count: number }>();
  let longest = 0;
  for (let chain = 0; chain < total; chain++) {
    const isCycle = chain >= chains.chainCount;
    const length = lengthOf(chains, chain);
    longest = Math.max(longest, isCycle ? 3 : Math.min(3, length));
    const key = isCycle ? -length : length;
    const kind = kinds.get(key);
    if (kind) kind.count++;
    else kinds.set(key, { isCycle, length, count: 1 });
  }
  const fits = (limit: number): boolean => {
    let spares = 0;
    let moves = 0;
    for (const { isCycle, length, count } of kinds.values()) {
      const { spareCount, width, epochCount } = shapeOf(isCycle, length, limit);
      if (width > mostMoves) return false;
      const share = count / Math.floor(limit / epochCount);
      spares += spareCount * share;
      moves += width * share;
    }
    return spares <= mostSpares && moves <= mostMoves;
  };
  let low = longest;
  let high = Math.max(longest, 1);
  while (!fits(high)) {
    low = high + 1;
    high *= 2;
  }
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}

/** Epoch by epoch the longest first, as far as spares and moves go. */
class Beginning {
  readonly #chains: Chains;
  readonly #limit: number;
  readonly #order: Uint32Array;
  readonly #start: Uint32Array;
  readonly #spareStart: Uint32Array;
  readonly #spares: Uint32Array;
  /** Who ends before an epoch: the last that began, and to each the one before it. */
  readonly #ending: Uint32Array;
  readonly #endingToo: Uint32Array;
  /** Spares that are free; the lowest of those given back at once is on top. */
  readonly #freeSpares: number[] = [];
  #begun = 0;
  #sparesGiven = 0;
  #sparesMade = 0;
  #sparesFree: number;
  #movesFree: number;
  #epochCount = 0;
  #moveCount = 0;

  constructor(chains: Chains, limit: number, mostSpares: number, mostMoves: number) {
    const total = chains.starts.length - 1;
    this.#chains = chains;
    this.#limit = limit;
    this.#sparesFree = mostSpares;
    this.#movesFree = mostMoves;
    let spares = 0;
    let epochs = 0;
    for (let chain = 0; chain < total; chain++) {
      const shape = this.#shape(chain);
      spares += shape.spareCount;
      epochs += shape.epochCount;
    }
    this.#order = new Uint32Array(total);
    this.#start = new Uint32Array(total);
    this.#spareStart = new Uint32Array(total + 1);
    this.#spares = new Uint32Array(spares);
    this.#ending = new Uint32Array(epochs + 1);
    this.#endingToo = new Uint32Array(total);
  }

  run(): Timetable {
    const total = this.#order.length;
    const { longestFirst, withSpares } = this.#queues();
    let spared = 0;
    let plain = withSpares;
    for (let epoch = 0; this.#begun < total; epoch++) {
      this.#end(epoch);
      while (spared < withSpares && this.#begins(longestFirst[spared] as number, epoch)) spared++;
      // One that waits for moves alone is not put off by shorter ones.
      const isNext = spared < withSpares && this.#shape(longestFirst[spared] as number).spareCount <= this.#sparesFree;
      while (!isNext && plain < total && this.#begins(longestFirst[plain] as number, epoch)) plain++;
    }
    return {
      limit: this.#limit,
      epochCount: this.#epochCount,
      moveCount: this.#moveCount,
      spareCount: this.#sparesMade,
      order: this.#order,
      start: this.#start,
      spareStart: this.#spareStart,
      spares: this.#spares,
    };
  }

  #shape(chain: number): Shape {
    return shapeOf(chain >= this.#chains.chainCount, lengthOf(this.#chains, chain), this.#limit);
  }

  /** Those that need spares, then the others; in each the longest first, and neighbours side by side. */
  #queues(): { longestFirst: Uint32Array; withSpares: number } {
    let withSpares = 0;
    const keys = this.#start.map((_, chain) => {
      const { spareCount, epochCount } = this.#shape(chain);
      if (spareCount > 0) withSpares++;
      return this.#limit - epochCount + (spareCount > 0 ? 0 : this.#limit);
    });
    return { longestFirst: ascending(keys), withSpares };
  }

  #begins(chain: number, epoch: number): boolean {
    const { spareCount, width, epochCount } = this.#shape(chain);
    if (spareCount > this.#sparesFree || width > this.#movesFree) return false;
    const at = this.#begun++;
    this.#order[at] = chain;
    this.#start[at] = epoch;
    for (let spare = 0; spare < spareCount; spare++) {
      this.#spares[this.#sparesGiven++] = this.#freeSpares.pop() ?? this.#sparesMade++;
    }
    this.#spareStart[at + 1] = this.#sparesGiven;
    this.#sparesFree -= spareCount;
    this.#movesFree -= width;
    const end = epoch + epochCount;
    this.#endingToo[at] = this.#ending[end] as number;
    this.#ending[end] = at + 1;
    this.#epochCount = Math.max(this.#epochCount, end);
    this.#moveCount += lengthOf(this.#chains, chain) + spareCount;
    return true;
  }

  #end(epoch: number): void {
    for (let which = this.#ending[epoch] as number; which !== 0; which = this.#endingToo[which - 1] as number) {
      const at = which - 1;
      const { spareCount, width } = this.#shape(this.#order[at] as number);
      this.#sparesFree += spareCount;
      this.#movesFree += width;
      for (let given = this.#spareStart[which] as number; given > (this.#spareStart[at] as number); given--) {
        this.#freeSpares.push(this.#spares[given - 1] as number);
      }
    }
  }
}
