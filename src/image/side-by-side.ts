/** Two mappings walked in step: the guest ranges that lie in one row of each. */

import type { ExtentTable } from "./extent.ts";

/**
 *   a      |-- row 0 --|---- row 1 ----|
 *   b      |---- row 0 ----|-- row 1 --|-- row 2 --|
 *   runs   |-----------|---|-----------|-----------|
 *
 * One run at a time, in fields of its own: mappings have millions of rows. Where one disk is shorter, the walk goes on
 * to the end of the longer one.
 */
export class SideBySide {
  readonly #a: ExtentTable;
  readonly #b: ExtentTable;
  #endOfRowA = 0;
  #endOfRowB = 0;
  /** Row of the first table; its `count` past its end. */
  rowA = -1;
  /** The same of the second. */
  rowB = -1;
  /** The run is guest bytes guestOffset .. guestEnd. */
  guestOffset = 0;
  guestEnd = 0;

  constructor(a: ExtentTable, b: ExtentTable) {
    this.#a = a;
    this.#b = b;
  }

  /** Steps to the next run; false where both tables have ended. */
  next(): boolean {
    if (this.#endOfRowA === this.guestEnd) this.#endOfRowA = endOfRow(this.#a, ++this.rowA);
    if (this.#endOfRowB === this.guestEnd) this.#endOfRowB = endOfRow(this.#b, ++this.rowB);
    if (this.rowA === this.#a.count && this.rowB === this.#b.count) return false;
    this.guestOffset = this.guestEnd;
    this.guestEnd = Math.min(this.#endOfRowA, this.#endOfRowB);
    return true;
  }

  /** Whether one of the disks ends before the run, which only the other one has. */
  get isPastAnEnd(): boolean {
    return this.rowA === this.#a.count || this.rowB === this.#b.count;
  }
}

/** One past the row's last guest byte; endless past the table's last row. */
function endOfRow(table: ExtentTable, row: number): number {
  if (row === table.count) return Number.POSITIVE_INFINITY;
  return (table.guestOffset[row] as number) + (table.length[row] as number);
}
