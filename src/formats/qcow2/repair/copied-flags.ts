/** COPIED flags as the refcounts to come want them: set where the count is one, clear elsewhere (docs/interop/qcow2.txt, "Cluster mapping"). */

import { hex } from "../../../bytes/image-error.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import { L2Mask, standardHostOffset } from "../tables/l2-entry.ts";
import { parseL1Entry } from "../tables/table-entry.ts";
import type { EntryVisitor, L2Visit, RawL1Entry, TableVisit } from "./entry-walk.ts";
import type { RepairLog } from "./repair-log.ts";
import type { SectorEdits } from "./sector-edits.ts";
import { TableLook } from "./table-look.ts";

export interface FinalRefcounts {
  /** What will be said of a cluster; undefined where it is referenced more often than can be said. */
  refcountOf(cluster: number): number | undefined;
  /** True where it is 1 for each of these clusters, or none of them is asked about. */
  areOne(firstCluster: number, clusterCount: number): boolean;
  /** Whether entries in this cluster may be written to. */
  isTable(hostOffset: number): boolean;
}

export class CopiedRepair implements EntryVisitor {
  /** Flags that are wrong and stay. */
  leftCount = 0;
  /** Those of them that stay because a guest's data, or other metadata, lies where the table does. */
  sharedCount = 0;
  readonly #geometry: Qcow2Geometry;
  readonly #hasDataFile: boolean;
  readonly #refcounts: FinalRefcounts;
  readonly #edits: SectorEdits;
  readonly #log: RepairLog;
  readonly #look: TableLook;

  constructor(
    geometry: Qcow2Geometry,
    hasDataFile: boolean,
    refcounts: FinalRefcounts,
    edits: SectorEdits,
    log: RepairLog,
  ) {
    this.#geometry = geometry;
    this.#hasDataFile = hasDataFile;
    this.#refcounts = refcounts;
    this.#edits = edits;
    this.#log = log;
    this.#look = new TableLook(geometry, {
      ofClusters: (hostOffset, count, isCopied) =>
        !isCopied || !refcounts.areOne(Math.floor(hostOffset / geometry.clusterSize), count),
      ofCompressed: () => false,
      ofDefects: false,
    });
  }

  l1Entry(visit: TableVisit, { index, hostOffset: entryHostOffset, high, low }: RawL1Entry): boolean {
    const { hostOffset } = parseL1Entry(high, low);
    if (hostOffset === 0) return false;
    const refcount = this.#refcountToShow(hostOffset, high);
    if (refcount !== undefined) {
      const line = `Repairing OFLAG_COPIED L2 cluster: l1_index=${index} l1_entry=${word(high, low)} refcount=${refcount}`;
      const guestOffset = index * this.#geometry.bytesPerL2Table;
      this.#toggle(visit, entryHostOffset - visit.hostOffset, high, low, { guestOffset, hostOffset, refcount, line });
    }
    return true;
  }

  l2Table(visit: L2Visit): void {
    if (this.#hasDataFile) return;
    const { l2EntrySize, clusterSize } = this.#geometry;
    const view = new DataView(visit.bytes.buffer, visit.bytes.byteOffset, visit.bytes.byteLength);
    for (const index of this.#look.suspectsIn(visit.bytes)) {
      const at = index * l2EntrySize;
      const high = view.getUint32(at);
      const low = view.getUint32(at + 4);
      const hostOffset = standardHostOffset(high, low);
      const refcount = this.#refcountToShow(hostOffset, high);
      if (refcount === undefined) continue;
      const line = `Repairing OFLAG_COPIED data cluster: l2_entry=${word(high, low)} refcount=${refcount}`;
      const guestOffset = visit.guestOffset + index * clusterSize;
      this.#toggle(visit, at, high, low, { guestOffset, hostOffset, refcount, line });
    }
  }

  /** The refcount of what the entry names, if its flag is wrong. */
  #refcountToShow(hostOffset: number, high: number): number | undefined {
    const { clusterSize } = this.#geometry;
    const refcount = this.#refcounts.refcountOf(Math.floor(hostOffset / clusterSize));
    if (refcount === undefined) return undefined;
    const isCopied = (high & L2Mask.copiedHigh) !== 0;
    if (isCopied === (refcount === 1)) return undefined;
    // Never set for what lies askew: nobody may write there.
    if (!isCopied && hostOffset % clusterSize !== 0) {
      this.leftCount++;
      return undefined;
    }
    return refcount;
  }

  #toggle(
    visit: TableVisit,
    at: number,
    high: number,
    low: number,
    about: {
      readonly guestOffset: number;
      readonly hostOffset: number;
      readonly refcount: number;
      readonly line: string;
    },
  ): void {
    const entryHostOffset = visit.hostOffset + at;
    if (!this.#refcounts.isTable(entryHostOffset)) {
      this.leftCount++;
      this.sharedCount++;
      return;
    }
    this.#edits.set64(entryHostOffset, (high ^ L2Mask.copiedHigh) >>> 0, low, visit);
    const { guestOffset, hostOffset, refcount, line } = about;
    const now = refcount === 1 ? "set" : "cleared";
    this.#log.mended({
      severity: "corruption",
      kind: "copied-flag-mismatch",
      structure: visit.name,
      guestOffset,
      hostOffset,
      refcount,
      message: `COPIED flag of the entry for host offset ${hex(hostOffset)} ${now}: the refcount is ${refcount}`,
      line,
    });
  }
}

function word(high: number, low: number): string {
  return (high * 2 ** 32 === 0 ? "" : high.toString(16)) + low.toString(16).padStart(high === 0 ? 1 : 8, "0");
}
