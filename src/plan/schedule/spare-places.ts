/** Free places of one size, of which the last in the file is taken first: what goes there is not in the way for longest. */

export class SparePlaces {
  /** A heap: none is further down than the one at half its index. */
  readonly #heap: number[] = [];

  get count(): number {
    return this.#heap.length;
  }

  /** The last of them; undefined where there is none. */
  get last(): number | undefined {
    return this.#heap[0];
  }

  add(hostOffset: number): void {
    const heap = this.#heap;
    let at = heap.length;
    for (let above = (at - 1) >> 1; at > 0 && (heap[above] as number) < hostOffset; above = (at - 1) >> 1) {
      heap[at] = heap[above] as number;
      at = above;
    }
    heap[at] = hostOffset;
  }

  takeLast(): number | undefined {
    const heap = this.#heap;
    const [last] = heap;
    const moved = heap.pop();
    if (last === undefined || moved === undefined || heap.length === 0) return last;
    let at = 0;
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && (heap[below + 1] as number) > (heap[below] as number)) below++;
      if ((heap[below] as number) <= moved) break;
      heap[at] = heap[below] as number;
      at = below;
    }
    heap[at] = moved;
    return last;
  }
}
