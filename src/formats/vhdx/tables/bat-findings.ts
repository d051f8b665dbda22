/**
 * What can be wrong with an entry of the BAT, in the words that `qemu-img check` prints (learned by running it on damaged
 * images). Where it is silent there is no line of its own.
 */

import { hex } from "../../../bytes/image-error.ts";
import { type Finding, FindingList, type FindingListener } from "../../../image/finding.ts";
import type { Place } from "../header/refuse.ts";

export class BatFindings {
  readonly list: FindingList;
  readonly #batStart: number;
  #broken: Finding | undefined;

  constructor(batStart: number, listener: FindingListener | undefined) {
    this.list = new FindingList(listener);
    this.#batStart = batStart;
  }

  /** The first entry that can't be followed. */
  get broken(): Finding | undefined {
    return this.#broken;
  }

  overflow(index: number): void {
    this.#corrupt(index, "entry-out-of-bounds", `VHDX BAT entry ${index} offset overflow.`, true);
  }

  startsOutside(index: number, hostOffset: number, fileSize: number): void {
    this.#corrupt(index, "entry-out-of-bounds", outside(index, "start", BigInt(hostOffset), fileSize), true);
  }

  endsOutside(index: number, lastByte: number, fileSize: number): void {
    this.#corrupt(index, "entry-out-of-bounds", outside(index, "end", BigInt(lastByte), fileSize), true);
  }

  overlaps(index: number, start: number, end: number, place: Place): void {
    const line = `VHDX region ${start}-${end} overlaps with region ${place.start}-${place.end}`;
    this.#corrupt(index, "block-overlap", line, false);
  }

  unknownState(index: number, state: number): void {
    const what = `Entry ${index} of the BAT has state ${state}, which no block of a disk without a parent can have`;
    this.#add("corruption", index, "block-state", what, true);
  }

  onHeaders(index: number): void {
    this.#add("warning", index, "block-overlap", `Entry ${index} of the BAT names a block on the headers`);
  }

  shared(index: number, hostOffset: number): void {
    const what = `Entry ${index} of the BAT names a block at ${hex(hostOffset)} that shares bytes with another entry's`;
    this.#add("warning", index, "double-reference", what);
  }

  reservedBits(index: number): void {
    this.#add("warning", index, "reserved-bits", `Entry ${index} of the BAT has reserved bits set`);
  }

  #corrupt(index: number, kind: string, line: string, isBroken: boolean): void {
    this.#add("corruption", index, kind, line.replace(/\.$/, ""), isBroken, line);
  }

  #add(
    severity: "corruption" | "warning",
    index: number,
    kind: string,
    message: string,
    isBroken = false,
    line?: string,
  ): void {
    const hostOffset = this.#batStart + index * 8;
    const finding: Finding = { severity, kind, structure: "BAT", hostOffset, message, ...(line && { line }) };
    this.list.add(finding);
    if (isBroken) this.#broken ??= finding;
  }
}

function outside(index: number, which: "start" | "end", place: bigint, fileSize: number): string {
  return `VHDX BAT entry ${index} ${which} offset ${place} points after end of file (${fileSize}). Image has probably been truncated.`;
}
