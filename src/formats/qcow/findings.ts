/** What can be wrong with a qcow image, in words of our own: qemu-img has no check for the format. */

import { counted } from "../../bytes/count-text.ts";
import { hex } from "../../bytes/image-error.ts";
import { type Finding, FindingList, type FindingListener } from "../../image/finding.ts";
import type { QcowHeader } from "./header.ts";
import { type Overlap, Owner, type UsedPlaces } from "./places.ts";

type Place = Pick<Finding, "structure" | "hostOffset" | "guestOffset">;

export class QcowFindings {
  readonly list: FindingList;
  readonly #header: QcowHeader;
  #broken: Finding | undefined;

  constructor(header: QcowHeader, listener?: FindingListener) {
    this.list = new FindingList(listener);
    this.#header = header;
  }

  /** The first finding that keeps the mapping from being followed. */
  get broken(): Finding | undefined {
    return this.#broken;
  }

  tableOutOfBounds(l1Index: number, hostOffset: number): void {
    const structure = `L2 table ${l1Index}`;
    const message = `${structure} lies at host offset ${hex(hostOffset)}, where no table can be`;
    this.#breaks("table-out-of-bounds", { structure, hostOffset }, message, 1);
  }

  tableOverlap(l1Index: number, hostOffset: number): void {
    const structure = `L2 table ${l1Index}`;
    const message = `${structure} at host offset ${hex(hostOffset)} overlaps another L2 table`;
    this.#breaks("table-overlap", { structure, hostOffset }, message, 1);
  }

  /** `count` plain entries that lie between sectors, or past the end. */
  badEntries(l1Index: number, guestOffset: number, hostOffset: number, count: number): void {
    const isOutside = hostOffset % 512 === 0;
    const why = isOutside ? `outside the file of ${this.#header.fileSize} bytes` : "which is no sector's";
    const message = `The entry for guest offset ${hex(guestOffset)} points at host offset ${hex(hostOffset)}, ${why}`;
    const kind = isOutside ? "entry-out-of-bounds" : "entry-unaligned";
    this.#breaks(kind, { structure: `L2 table ${l1Index}`, guestOffset, hostOffset }, message, count);
  }

  badStream(l1Index: number, guestOffset: number, hostOffset: number, length: number): void {
    const why = length === 0 ? "has no bytes" : `ends outside the file of ${this.#header.fileSize} bytes`;
    const message = `The compressed cluster of guest offset ${hex(guestOffset)} at host offset ${hex(hostOffset)} ${why}`;
    const kind = length === 0 ? "empty-compressed-cluster" : "entry-out-of-bounds";
    this.#breaks(kind, { structure: `L2 table ${l1Index}`, guestOffset, hostOffset }, message, 1);
  }

  /** What two use; the mapping can be followed all the same. */
  overlap({ owner, hostOffset, length, other }: Overlap): void {
    const isData = owner >= 0 && other >= 0;
    const message = `${nameOf(owner)} at host offset ${hex(hostOffset)} lies on ${decapitalized(nameOf(other))}`;
    this.list.add(
      {
        severity: "corruption",
        kind: isData ? "double-reference" : "table-overlap",
        structure: owner >= 0 ? "data" : nameOf(owner),
        ...(owner >= 0 && { guestOffset: guestOf(owner) }),
        hostOffset,
        references: 2,
        message,
        line: `ERROR ${message}`,
      },
      Math.ceil(length / this.#header.clusterSize),
    );
  }

  /** Of what nobody uses, the room for whole clusters, which begin at any sector. */
  leaks(places: UsedPlaces): void {
    const { clusterSize, fileSize } = this.#header;
    for (const { start, end } of places.gaps(fileSize)) {
      const hostOffset = Math.ceil(start / 512) * 512;
      const count = Math.floor((end - hostOffset) / clusterSize);
      if (count <= 0) continue;
      const message = `${counted(count, "leaked cluster")} from host offset ${hex(hostOffset)}: nothing refers there`;
      const line = `Leaked ${count === 1 ? "cluster" : `${count} clusters`} from host offset ${hex(hostOffset)}`;
      this.list.add({ severity: "leak", kind: "leaked-clusters", structure: "data", hostOffset, message, line }, count);
    }
  }

  #breaks(kind: string, place: Place, message: string, count: number): void {
    const finding: Finding = { severity: "corruption", kind, ...place, message, line: `ERROR ${message}` };
    this.list.add(finding, count);
    this.#broken ??= finding;
  }
}

function guestOf(owner: number): number {
  return Owner.isStream(owner) ? owner - 1 : owner;
}

function nameOf(owner: number): string {
  if (owner >= 0) return `The data of guest offset ${hex(guestOf(owner))}`;
  if (owner === Owner.header) return "The header";
  if (owner === Owner.backingName) return "The backing file's name";
  if (owner === Owner.l1Table) return "The L1 table";
  return `L2 table ${Owner.tableIndex(owner)}`;
}

function decapitalized(name: string): string {
  return name.replace(/^The/, "the");
}
