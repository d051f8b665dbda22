/** Between which host clusters the data of each active L2 table lies: who looks for some of them need not read every table. */

/** Tables that are remembered, of 16 bytes each: 32 TiB of 64 KiB clusters. */
const MAX_TABLES = 65_536;

export class TableReach {
  /** Of each L1 index the lowest cluster, and one past the highest; both 0 where none is known. */
  #bounds = new Float64Array(0);

  /** Says that the table has data in clusters [first, end). */
  add(l1Index: number, first: number, end: number): void {
    if (l1Index >= MAX_TABLES) return;
    if (l1Index * 2 >= this.#bounds.length) this.#grow(l1Index);
    const at = l1Index * 2;
    const knownEnd = this.#bounds[at + 1] as number;
    if (knownEnd === 0 || first < (this.#bounds[at] as number)) this.#bounds[at] = first;
    if (end > knownEnd) this.#bounds[at + 1] = end;
  }

  /** Clusters [first, end) between which all data of the table lies; undefined where that is not known. */
  of(l1Index: number): { readonly first: number; readonly end: number } | undefined {
    if (l1Index >= MAX_TABLES) return undefined;
    return { first: this.#bounds[l1Index * 2] ?? 0, end: this.#bounds[l1Index * 2 + 1] ?? 0 };
  }

  #grow(l1Index: number): void {
    const bounds = new Float64Array(Math.min(MAX_TABLES, 2 * (l1Index + 1)) * 2);
    bounds.set(this.#bounds);
    this.#bounds = bounds;
  }
}
