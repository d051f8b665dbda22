/** What the steps taken so far came to. */

import type { Step } from "../../plan/path.ts";

/** In bytes; of one step, what it has. */
export interface StepFigures {
  readonly bytesMoved: number;
  readonly bytesSettled?: number;
  /** What the file took more for a while. */
  readonly peakExtraBytes?: number;
  /** What stays in the file of that when the next step begins. */
  readonly keptBytes?: number;
  /** What the target has no place for, as the user consented to. */
  readonly dropped?: readonly string[];
}

export class Account {
  readonly taken: Step[] = [];
  bytesMoved = 0;
  bytesSettled = 0;
  /** Of the step that takes most, with what those before it have left: else what one takes is given back before the next. */
  peakExtraBytes = 0;
  #keptBytes = 0;
  dropped: readonly string[] = [];
  /** What the copy of the old bytes may come to take; undefined where none was made. */
  copyBytes: number | undefined;

  add({ bytesMoved, bytesSettled = 0, peakExtraBytes = 0, keptBytes = 0, dropped = [] }: StepFigures): void {
    this.bytesMoved += bytesMoved;
    this.bytesSettled += bytesSettled;
    this.peakExtraBytes = Math.max(this.peakExtraBytes, this.#keptBytes + peakExtraBytes);
    this.#keptBytes += keptBytes;
    this.dropped = [...new Set([...this.dropped, ...dropped])];
  }
}
