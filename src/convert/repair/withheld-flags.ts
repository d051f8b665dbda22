/** What the check before a repair says of COPIED flags, kept back until it is known whether anything is mended. */

import type { Finding, FindingListener } from "../../image/finding.ts";

/** Lines kept back at most; a hostile image has millions. */
const MAX_WITHHELD = 65_536;

/**
 * qemu-img looks at COPIED flags once it has mended refcounts, and then says "Repairing" where it would say "ERROR". So
 * what a first check says of flags is told only where nothing is mended.
 */
export class WithheldFlags {
  readonly #withheld: Finding[] = [];
  readonly #listener: FindingListener;

  constructor(listener: FindingListener) {
    this.#listener = listener;
  }

  hear(finding: Finding): void {
    const isFlag = finding.kind === "copied-flag-mismatch" && this.#withheld.length < MAX_WITHHELD;
    if (isFlag) this.#withheld.push(finding);
    else this.#listener(finding);
  }

  tell(): void {
    for (const finding of this.#withheld) this.#listener(finding);
  }
}
