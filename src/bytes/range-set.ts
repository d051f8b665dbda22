/** A set of byte ranges [start, end), kept sorted and merged; touching ranges become one. */

export interface Range {
  readonly start: number;
  readonly end: number;
}

export class RangeSet {
  #starts: number[] = [];
  #ends: number[] = [];
  #normal = true;

  static of(...ranges: readonly Range[]): RangeSet {
    const set = new RangeSet();
    for (const { start, end } of ranges) set.add(start, end);
    return set;
  }

  /** Adds [start, end); sorted once, at the next question. Empty ranges are passed over. */
  add(start: number, end: number): void {
    if (end <= start) return;
    const last = this.#ends.length - 1;
    if (last >= 0 && this.#normal) {
      if (start === (this.#ends[last] as number)) {
        this.#ends[last] = end;
        return;
      }
      if (start < (this.#ends[last] as number)) this.#normal = false;
    }
    this.#starts.push(start);
    this.#ends.push(end);
  }

  addAll(other: RangeSet): void {
    for (const { start, end } of other.each()) this.add(start, end);
  }

  /** True where any byte of [start, end) is in the set. */
  intersects(start: number, end: number): boolean {
    this.#normalise();
    const at = this.#firstEndingAfter(start);
    return end > start && at < this.#starts.length && (this.#starts[at] as number) < end;
  }

  /** True where all of [start, end) is in the set. */
  contains(start: number, end: number): boolean {
    this.#normalise();
    const at = this.#firstEndingAfter(start);
    return (
      end <= start ||
      (at < this.#starts.length && (this.#starts[at] as number) <= start && (this.#ends[at] as number) >= end)
    );
  }

  /** The ranges in order. */
  *each(): Generator<Range> {
    this.#normalise();
    for (let at = 0; at < this.#starts.length; at++) {
      yield { start: this.#starts[at] as number, end: this.#ends[at] as number };
    }
  }

  /** Bytes in the set. */
  get total(): number {
    let sum = 0;
    for (const { start, end } of this.each()) sum += end - start;
    return sum;
  }

  /** One past the last byte, 0 for the empty set. */
  get end(): number {
    this.#normalise();
    return this.#ends.at(-1) ?? 0;
  }

  /** The parts of the set within [start, end). */
  clippedTo(start: number, end: number): RangeSet {
    this.#normalise();
    const clipped = new RangeSet();
    for (let at = this.#firstEndingAfter(start); at < this.#starts.length && (this.#starts[at] as number) < end; at++) {
      clipped.add(Math.max(this.#starts[at] as number, start), Math.min(this.#ends[at] as number, end));
    }
    return clipped;
  }

  /** The parts of the set within [start, end), in order, found by bisection. */
  *within(start: number, end: number): Generator<Range> {
    this.#normalise();
    for (let at = this.#firstEndingAfter(start); at < this.#starts.length; at++) {
      const from = Math.max(this.#starts[at] as number, start);
      const to = Math.min(this.#ends[at] as number, end);
      if (from >= to) return;
      yield { start: from, end: to };
    }
  }

  /** The parts of [start, end) that are not in the set, in order. */
  *gapsIn(start: number, end: number): Generator<Range> {
    let next = start;
    for (const range of this.within(start, end)) {
      if (range.start > next) yield { start: next, end: range.start };
      next = range.end;
    }
    if (next < end) yield { start: next, end };
  }

  /** First index whose end lies beyond `address`. */
  #firstEndingAfter(address: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] as number) > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #normalise(): void {
    if (this.#normal) return;
    const order = this.#starts
      .map((_, at) => at)
      .sort((a, b) => (this.#starts[a] as number) - (this.#starts[b] as number));
    const starts: number[] = [];
    const ends: number[] = [];
    for (const at of order) {
      const start = this.#starts[at] as number;
      const end = this.#ends[at] as number;
      const last = ends.length - 1;
      if (last >= 0 && start <= (ends[last] as number)) ends[last] = Math.max(ends[last] as number, end);
      else {
        starts.push(start);
        ends.push(end);
      }
    }
    this.#starts = starts;
    this.#ends = ends;
    this.#normal = true;
  }
}
