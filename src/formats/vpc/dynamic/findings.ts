/** What can be wrong inside a dynamic VHD, in words; qemu-img has no check for the format. */

import { counted } from "../../../bytes/count-text.ts";
import { hex } from "../../../bytes/image-error.ts";
import { type Finding, FindingList, type FindingListener } from "../../../image/finding.ts";
import type { SpoiledFooter } from "../found-footer.ts";

export class BlockFindings {
  readonly list: FindingList;
  #broken: Finding | undefined;

  constructor(listener?: FindingListener) {
    this.list = new FindingList(listener);
  }

  /** The first that keeps the mapping from being followed. */
  get broken(): Finding | undefined {
    return this.#broken;
  }

  /** Readers of the other one see the whole disk: QEMU by the copy, and no disk without it. */
  spoiledFooter({ isCopy, hostOffset, isMissing, why }: SpoiledFooter): void {
    const structure = isCopy ? "footer copy" : "footer";
    const name = isCopy ? "The copy of the footer at the start" : "The footer at the end";
    const truncated = isMissing && !isCopy ? ": the file is truncated, or something was put behind it" : "";
    this.list.add({
      severity: isCopy ? "corruption" : "warning",
      kind: isMissing ? "footer-missing" : "footer-bad",
      structure,
      hostOffset,
      message: `${name} ${why}${truncated}; the ${isCopy ? "footer" : "copy at the start"} is good`,
    });
  }

  /** `count` entries that point where no block can be. */
  outOfBounds(block: number, count: number, guestOffset: number, hostOffset: number, dataEnd: number): void {
    const message = `${nameOf(block, count, guestOffset)} at host offset ${hex(hostOffset)}, where it ends behind ${hex(dataEnd)}: the file is truncated, or the entry wrong`;
    const finding = this.#corrupt("entry-out-of-bounds", block, guestOffset, hostOffset, message, count);
    this.#broken ??= finding;
  }

  /** A block of which a part lies where something else does. */
  overlap(block: number, count: number, guestOffset: number, hostOffset: number, other: string): void {
    const message = `${nameOf(block, count, guestOffset)} at host offset ${hex(hostOffset)}, on ${other}`;
    this.#corrupt("block-overlap", block, guestOffset, hostOffset, message, count);
  }

  /** What a reader of the bitmap takes for zeros and all others show. */
  hiddenSector(block: number, guestOffset: number, bitmapOffset: number): void {
    const message = `The sector bitmap of block ${block} at host offset ${hex(bitmapOffset)} says that nothing was written at guest offset ${hex(guestOffset)}, and it holds data: readers differ in what they show`;
    const structure = `sector bitmap ${block}`;
    const kind = "bitmap-hides-data";
    this.list.add({ severity: "warning", kind, structure, guestOffset, hostOffset: bitmapOffset, message });
  }

  #corrupt(
    kind: string,
    block: number,
    guestOffset: number,
    hostOffset: number,
    message: string,
    count: number,
  ): Finding {
    const structure = `BAT entry ${block}`;
    const finding: Finding = { severity: "corruption", kind, structure, guestOffset, hostOffset, message };
    this.list.add(finding, count);
    return finding;
  }
}

function nameOf(block: number, count: number, guestOffset: number): string {
  const more = count === 1 ? "" : ` and of ${counted(count - 1, "block")} behind it`;
  const points = count === 1 ? "points" : "point";
  return `The BAT ${count === 1 ? "entry" : "entries"} of block ${block}${more} (guest offset ${hex(guestOffset)}) ${points}`;
}
