/** Which bytes of the file are whose: what two use, what nobody does. Two columns of numbers, since files have millions of them. */

/** Who uses a place: of data the guest offset, of a compressed cluster that and one, of an L2 table its index by `ofTable`. */
export const Owner = {
  header: -1,
  backingName: -2,
  l1Table: -3,
  ofTable: (l1Index: number) => -4 - l1Index,
  ofStream: (guestOffset: number) => guestOffset + 1,
  isStream: (owner: number) => owner > 0 && owner % 2 === 1,
  /** The index of the L2 table, or below 0 for all else. */
  tableIndex: (owner: number) => -4 - owner,
} as const;

/** Two that use the same bytes: the later of them in the file, as far as it lies on the other. */
export interface Overlap {
  readonly owner: number;
  readonly hostOffset: number;
  readonly length: number;
  readonly other: number;
}

export class UsedPlaces {
  #count = 0;
  #starts = new Float64Array(256);
  #ends = new Float64Array(256);
  #owners = new Float64Array(256);
  #sorted: { readonly starts: Float64Array; readonly ends: Float64Array } | undefined;

  add(start: number, end: number, owner: number): void {
    if (this.#count === this.#starts.length) {
      this.#starts = widened(this.#starts);
      this.#ends = widened(this.#ends);
      this.#owners = widened(this.#owners);
    }
    this.#starts[this.#count] = start;
    this.#ends[this.#count] = end;
    this.#owners[this.#count++] = owner;
    this.#sorted = undefined;
  }

  get count(): number {
    return this.#count;
  }

  /** All of them, by where they begin. */
  *each(): Generator<{ readonly start: number; readonly end: number; readonly owner: number }> {
    for (const at of this.#byStart()) {
      yield { start: this.#starts[at] as number, end: this.#ends[at] as number, owner: this.#owners[at] as number };
    }
  }

  /** One past the last byte that is used. */
  get end(): number {
    return this.#inOrder().ends.at(-1) ?? 0;
  }

  /** Stretches of [0, fileSize) that nobody uses, ascending. Begins and ends, each in order, tell how many use a byte. */
  *gaps(fileSize: number): Generator<{ readonly start: number; readonly end: number }> {
    const { starts, ends } = this.#inOrder();
    const { length } = starts;
    for (let at = 0; at < length && (starts[at] as number) < fileSize; at++) {
      const before = at === 0 ? 0 : (ends[at - 1] as number);
      if ((starts[at] as number) > before) yield { start: before, end: starts[at] as number };
    }
    if (this.end < fileSize) yield { start: this.end, end: fileSize };
  }

  /**
   * None of a sound image; else one for each place that begins inside an earlier one. Two streams may: how long each is can
   * be told too large (a qcow2 counts them in sectors), and nobody overwrites one.
   */
  *overlaps(): Generator<Overlap> {
    const { starts, ends } = this.#inOrder();
    let at = 1;
    while (at < this.#count && (starts[at] as number) >= (ends[at - 1] as number)) at++;
    if (at >= this.#count) return;
    const order = this.#byStart();
    let last = order[0] as number;
    for (const index of order.subarray(1)) {
      const hostOffset = this.#starts[index] as number;
      const [end, lastEnd] = [this.#ends[index] as number, this.#ends[last] as number];
      const [owner, other] = [this.#owners[index] as number, this.#owners[last] as number];
      if (hostOffset < lastEnd && !(Owner.isStream(owner) && Owner.isStream(other))) {
        yield { owner, hostOffset, length: Math.min(end, lastEnd) - hostOffset, other };
      }
      if (end > lastEnd) last = index;
    }
  }

  #byStart(): Uint32Array {
    return Uint32Array.from({ length: this.#count }, (_, index) => index).sort(
      (a, b) => (this.#starts[a] as number) - (this.#starts[b] as number) || a - b,
    );
  }

  #inOrder() {
    this.#sorted ??= {
      starts: this.#starts.slice(0, this.#count).sort(),
      ends: this.#ends.slice(0, this.#count).sort(),
    };
    return this.#sorted;
  }
}

function widened(column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(column.length * 2);
  wider.set(column);
  return wider;
}
