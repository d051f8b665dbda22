/** What is wrong in a sparse extent's tables, in words; where qemu-img prints a line for it, in its own. */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import { hex } from "../../../bytes/image-error.ts";
import { type Finding, FindingList, type FindingListener, type FindingSeverity } from "../../../image/finding.ts";

export interface Wrong {
  readonly kind: string;
  readonly structure: string;
  readonly hostOffset: number;
  readonly guestOffset?: number;
  readonly message: string;
  readonly line?: string;
}

export class SparseFindings {
  readonly list: FindingList;
  #broken: Finding | undefined;

  constructor(listener?: FindingListener) {
    this.list = new FindingList(listener);
  }

  /** The first for which there is no mapping. */
  get broken(): Finding | undefined {
    return this.#broken;
  }

  /** What can't be followed. `error` is what qemu-img's check stops at without a count. */
  breaks(what: Wrong, severity: FindingSeverity = "corruption"): void {
    const finding = { severity, ...what };
    this.list.add(finding);
    this.#broken ??= finding;
  }

  /** A grain that begins outside the file: qemu-img's check stops at the first. */
  grainOutside(guestOffset: number, hostOffset: number, grainCount: number): void {
    const more = grainCount > 1 ? `, and ${grainCount - 1} more behind it` : "";
    this.breaks(
      {
        kind: "grain-out-of-bounds",
        structure: "grain table",
        guestOffset,
        hostOffset,
        message: `The grain of guest offset ${hex(guestOffset)} at host offset ${hex(hostOffset)} lies past the end of the file${more}`,
        line: `ERROR: cluster offset for sector ${guestOffset / SECTOR_SIZE} points after EOF`,
      },
      "error",
    );
  }
}
