/** Runs on their way, in columns: where each lies, where it goes, and how long it is, in places. */

import { ascending } from "./ascending.ts";

export class WayList {
  #from = new Uint32Array(64);
  #to = new Uint32Array(64);
  #length = new Uint32Array(64);
  #count = 0;
  #placeCount = 0;
  #toEnd = 0;

  get count(): number {
    return this.#count;
  }

  /** Places of all runs. */
  get placeCount(): number {
    return this.#placeCount;
  }

  /** One past the highest place that one goes to. */
  get toEnd(): number {
    return this.#toEnd;
  }

  add(from: number, to: number, length: number): void {
    if (this.#count === this.#from.length) {
      this.#from = twice(this.#from);
      this.#to = twice(this.#to);
      this.#length = twice(this.#length);
    }
    this.#from[this.#count] = from;
    this.#to[this.#count] = to;
    this.#length[this.#count++] = length;
    this.#placeCount += length;
    this.#toEnd = Math.max(this.#toEnd, to + length);
  }

  at(index: number): { from: number; to: number; length: number } {
    return {
      from: this.#from[index] as number,
      to: this.#to[index] as number,
      length: this.#length[index] as number,
    };
  }

  /** Numbers of the runs, ascending by where they go or where they lie. */
  ascendingBy(side: "to" | "from"): Uint32Array {
    return ascending(side === "to" ? this.#to : this.#from, this.#count);
  }

  clear(): void {
    this.#count = 0;
    this.#placeCount = 0;
    this.#toEnd = 0;
  }
}

function twice(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(column.length * 2);
  longer.set(column);
  return longer;
}
