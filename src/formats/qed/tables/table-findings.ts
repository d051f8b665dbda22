/** What can be wrong with L1 and L2 entries, in words; kept apart so that entries that are right cost no text. */

import { counted } from "../../../bytes/count-text.ts";
import { hex, type ImageError } from "../../../bytes/image-error.ts";
import { brokenMapping as brokenImage } from "../../../image/broken-mapping.ts";
import { type Finding, FindingList, type FindingListener } from "../../../image/finding.ts";
import type { QedHeader } from "../header/header.ts";

export class TableFindings {
  readonly list: FindingList;
  readonly #header: QedHeader;
  #broken: Finding | undefined;

  constructor(header: QedHeader, listener?: FindingListener) {
    this.list = new FindingList(listener);
    this.#header = header;
  }

  /** The first finding that keeps the mapping from being followed. */
  get broken(): Finding | undefined {
    return this.#broken;
  }

  /** An L2 table where none can be; `tableOffset` is -1 beyond 2^53. */
  tableOutOfBounds(l1Index: number, tableOffset: number): void {
    const structure = `L2 table ${l1Index}`;
    const message = `${structure} lies at ${placeName(tableOffset)}, where no table can be`;
    this.#corrupt({ kind: "table-out-of-bounds", structure, hostOffset: tableOffset, message }, 1);
  }

  /** An L2 table of whose clusters `count` are referenced already. */
  tableOverlap(l1Index: number, tableOffset: number, count: number): void {
    const structure = `L2 table ${l1Index}`;
    const message = `${structure} at ${placeName(tableOffset)} overlaps what is referenced elsewhere`;
    this.#corrupt({ kind: "table-overlap", structure, hostOffset: tableOffset, message }, count);
  }

  /** `count` entries that point between clusters or past the end; `hostOffset` is -1 beyond 2^53. */
  badEntries(l1Index: number, guestCluster: number, hostOffset: number, count: number): void {
    const { clusterSize, clusterCount } = this.#header;
    const guestOffset = guestCluster * clusterSize;
    const isOutside = hostOffset >= 0 && hostOffset % clusterSize === 0;
    const why = isOutside ? `outside the file of ${counted(clusterCount, "cluster")}` : "not a cluster's";
    const message = `The entry for guest offset ${hex(guestOffset)} points at ${placeName(hostOffset)}, ${why}`;
    const kind = isOutside ? "entry-out-of-bounds" : "entry-unaligned";
    this.#corrupt({ kind, structure: `L2 table ${l1Index}`, guestOffset, hostOffset, message }, count);
  }

  /** A run of `count` clusters of which `already` are referenced elsewhere; the mapping can be followed all the same. */
  doubleReferences(l1Index: number, guestCluster: number, hostOffset: number, count: number, already: number): void {
    const guestOffset = guestCluster * this.#header.clusterSize;
    const message =
      `Guest offset ${hex(guestOffset)} lies at ${placeName(hostOffset)}, ` +
      `of whose ${counted(count, "cluster")} ${already} are referenced elsewhere`;
    const structure = `L2 table ${l1Index}`;
    const kind = "double-reference";
    this.list.add(
      {
        severity: "corruption",
        kind,
        structure,
        guestOffset,
        hostOffset,
        references: 2,
        message,
        line: `ERROR ${message}`,
      },
      already,
    );
  }

  #corrupt(
    what: { kind: string; structure: string; guestOffset?: number; hostOffset: number; message: string },
    clusterCount: number,
  ): void {
    const { hostOffset, ...rest } = what;
    const line = `ERROR ${what.message}`;
    const finding: Finding = { severity: "corruption", ...rest, ...(hostOffset < 0 ? {} : { hostOffset }), line };
    this.list.add(finding, clusterCount);
    this.#broken ??= finding;
  }
}

function placeName(hostOffset: number): string {
  return hostOffset < 0 ? "an offset beyond 2^53" : `host offset ${hex(hostOffset)}`;
}

/** The error for a mapping that can't be followed. */
export function brokenMapping(finding: Finding | undefined, path: string): ImageError {
  return brokenImage(finding, { format: "qed", path, remedy: "repair a copy with qemu-img check -r all first" });
}
