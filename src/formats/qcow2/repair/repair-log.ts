/** What a repair says of itself: mended findings and counts as qemu-img counts them, losses, what was given up. */

import { type Finding, MAX_FINDINGS } from "../../../image/finding.ts";

/** A hostile image has millions of things to mend; beyond these they are counted, not told. */
const MAX_TOLD = 100_000;

export class RepairLog {
  readonly findings: Finding[] = [];
  readonly losses: string[] = [];
  /** Those of the losses that no consent gives up. */
  readonly beyondRepair: string[] = [];
  readonly sacrifices: string[] = [];
  leaksFixed = 0;
  corruptionsFixed = 0;
  /** What the guest sees now is given up, not only what snapshots hold. */
  changesGuest = false;
  #lossCount = 0;
  #sacrificeCount = 0;

  /** `times`: how many of them this is, by qemu-img's count. */
  mended(finding: Finding, times = 1): void {
    if (finding.severity === "leak") this.leaksFixed += times;
    else this.corruptionsFixed += times;
    this.told(finding);
  }

  /** Said, but counted elsewhere. */
  told(finding: Finding): void {
    if (this.findings.length < MAX_TOLD) this.findings.push(finding);
  }

  loss(sentence: string): void {
    if (++this.#lossCount <= MAX_FINDINGS) this.losses.push(sentence);
    else this.losses[MAX_FINDINGS] = `${this.#lossCount - MAX_FINDINGS} more losses of this kind`;
  }

  /** What stays whatever is consented to. */
  lossForGood(sentence: string): void {
    const whole = `${sentence}; that can't be mended here`;
    if (this.#lossCount < MAX_FINDINGS) this.beyondRepair.push(whole);
    this.loss(whole);
  }

  /** Before entries are looked at once more. */
  forgetLosses(): void {
    this.losses.length = 0;
    this.beyondRepair.length = 0;
    this.#lossCount = 0;
  }

  givenUp(sentence: string, { isActive }: { readonly isActive: boolean }): void {
    this.changesGuest ||= isActive;
    if (++this.#sacrificeCount <= MAX_FINDINGS) this.sacrifices.push(sentence);
    else this.sacrifices[MAX_FINDINGS] = `${this.#sacrificeCount - MAX_FINDINGS} more of this kind`;
  }
}
