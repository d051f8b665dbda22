/** The moves of one epoch, gathered in any order and given as the longest runs. */

import type { Moves } from "../../image/rearranger.ts";
import { WayList } from "./way-list.ts";

export class MovedRuns {
  readonly #unitSize: number;
  readonly #ways = new WayList();

  constructor(unitSize: number) {
    this.#unitSize = unitSize;
  }

  /** In places, as all here. */
  add(from: number, to: number, length = 1): void {
    this.#ways.add(from, to, length);
  }

  /** What was added since the last call: ascending by `to`, neighbours on both sides joined. */
  take(): Moves {
    const fromHostOffset = new Float64Array(this.#ways.count);
    const toHostOffset = new Float64Array(this.#ways.count);
    const lengths = new Float64Array(this.#ways.count);
    let count = 0;
    let nextFrom = -1;
    let nextTo = -1;
    for (const at of this.#ways.ascendingBy("to")) {
      const { from, to, length } = this.#ways.at(at);
      if (from !== nextFrom || to !== nextTo) {
        fromHostOffset[count] = from * this.#unitSize;
        toHostOffset[count++] = to * this.#unitSize;
      }
      lengths[count - 1] = (lengths[count - 1] as number) + length * this.#unitSize;
      nextFrom = from + length;
      nextTo = to + length;
    }
    this.#ways.clear();
    return {
      count,
      fromHostOffset: fromHostOffset.subarray(0, count),
      toHostOffset: toHostOffset.subarray(0, count),
      length: lengths.subarray(0, count),
    };
  }
}
