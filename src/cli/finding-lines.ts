/** The lines of findings, which may come by the ten thousand within a second: those of one turn of the event loop together. */

import type { Finding } from "../index.ts";
import { printableLine, type Terminal } from "./terminal.ts";

/** Lines that are printed at once. */
const MAX_LINES = 256;

export class FindingLines {
  readonly #terminal: Pick<Terminal, "note">;
  readonly #lines: string[] = [];

  constructor(terminal: Pick<Terminal, "note">) {
    this.#terminal = terminal;
  }

  add({ line, message }: Finding): void {
    if (this.#lines.length === 0) setImmediate(() => this.print());
    for (const part of (line ?? message).split("\n")) this.#lines.push(printableLine(part));
    if (this.#lines.length >= MAX_LINES) this.print();
  }

  /** Prints what is left. */
  print(): void {
    if (this.#lines.length > 0) this.#terminal.note(this.#lines.splice(0).join("\n"));
  }
}
