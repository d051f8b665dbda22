/**
 * Sets L1 and L2 entries right that no image may have, without changing what the guest reads (docs/interop/qcow2.txt,
 * "Cluster mapping").
 *
 *   reserved bits                          cleared: readers pass them over
 *   L1 entry of flags alone                cleared: it names no table, though a check counts one at the header
 *   COPIED on a compressed cluster         cleared
 *   zeros whose place is askew or outside  the place is dropped: nothing is read there
 *   a table or data askew or outside       what it named is lost; with consent the entry becomes zeros
 */

import { hex } from "../../../bytes/image-error.ts";
import type { Finding } from "../../../image/finding.ts";
import type { Qcow2Geometry } from "../header/geometry.ts";
import type { Qcow2Header } from "../header/header.ts";
import { compressedHostOffset, compressedLength, L2Mask, standardHostOffset } from "../tables/l2-entry.ts";
import { ReferenceCounts } from "../tables/reference-counts.ts";
import { parseL1Entry } from "../tables/table-entry.ts";
import type { EntryVisitor, L2Visit, RawL1Entry, TableVisit } from "./entry-walk.ts";
import type { RepairLog } from "./repair-log.ts";
import type { SectorEdits } from "./sector-edits.ts";
import { TableLook } from "./table-look.ts";

const ALL = 0xffff_ffff;
const L1_FLAGS_HIGH = 0x80ff_ffff;
const L1_PLACE_LOW = 0xffff_fe00;

/** What an entry's words become; `undefined` where they stay. */
interface Mended {
  readonly high: number;
  readonly low: number;
  readonly kind: string;
  readonly line?: string;
}

/** Whether the cluster of a table holds nothing else, so that its entries are nobody's data. */
export interface EditablePlaces {
  /** Whether it is an L1 table's and no other metadata's; what a check counts through a bare entry may seem to lie there. */
  bareL1(hostOffset: number): boolean;
  l1(hostOffset: number): boolean;
  l2(hostOffset: number): boolean;
}

export class EntryRepair implements EntryVisitor {
  /** Entries whose table or data can't be found any more, and that stay. */
  lostCount = 0;
  /** Clusters of tables that are perhaps none; nothing is written there without consent. */
  readonly doubtful = new ReferenceCounts();
  readonly #header: Qcow2Header;
  readonly #geometry: Qcow2Geometry;
  readonly #edits: SectorEdits;
  readonly #log: RepairLog;
  readonly #allowDataLoss: boolean;
  readonly #editable: EditablePlaces;
  readonly #look: TableLook;

  constructor(
    source: { readonly header: Qcow2Header; readonly geometry: Qcow2Geometry },
    edits: SectorEdits,
    log: RepairLog,
    allowDataLoss: boolean,
    editable: EditablePlaces,
  ) {
    this.#header = source.header;
    this.#geometry = source.geometry;
    this.#edits = edits;
    this.#log = log;
    this.#allowDataLoss = allowDataLoss;
    this.#editable = editable;
    const { clusterSize, hostClusterCount, hostEnd } = source.geometry;
    this.#look = new TableLook(source.geometry, {
      ofClusters: (hostOffset, count) => hostOffset / clusterSize + count > hostClusterCount,
      ofCompressed: (hostOffset, length) => hostOffset >= hostEnd || hostOffset + length - hostEnd >= clusterSize,
      ofDefects: true,
    });
  }

  l1Entry(visit: TableVisit, { index, hostOffset: entryHostOffset, high, low }: RawL1Entry): boolean {
    const { clusterSize, hostClusterCount } = this.#geometry;
    const canEdit = this.#editable.l1(entryHostOffset);
    const entry = parseL1Entry(high, low);
    const isLost = entry.hostOffset % clusterSize !== 0 || entry.hostOffset / clusterSize >= hostClusterCount;
    if (isLost) {
      const guestOffset = index * this.#geometry.bytesPerL2Table;
      const what = `Entry ${index} of the ${visit.name}, from guest offset ${hex(guestOffset)} on, names an L2 table at host offset ${hex(entry.hostOffset)}, where none can be`;
      if (!canEdit) this.#giveUpRefused(what);
      else if (this.#giveUp(`${what}: its clusters can't be found`, visit)) {
        this.#edits.set64(entryHostOffset, 0, 0, visit);
        this.#mended(visit, "entry-given-up", entryHostOffset, `Entry ${index} of the ${visit.name}: cleared`);
        return false;
      }
    }
    const isBare = entry.hostOffset === 0 && this.#editable.bareL1(entryHostOffset);
    if (isBare || (canEdit && entry.hasReservedBits)) {
      const [newHigh, newLow] = isBare ? [0, 0] : [(high & L1_FLAGS_HIGH) >>> 0, (low & L1_PLACE_LOW) >>> 0];
      this.#edits.set64(entryHostOffset, newHigh, newLow, visit);
      const what = isBare ? "flags without an L2 table cleared" : "reserved bits cleared";
      this.#mended(visit, "reserved-bits", entryHostOffset, `Entry ${index} of the ${visit.name}: ${what}`);
    }
    return !isLost;
  }

  l2Table(visit: L2Visit): void {
    const { l2EntrySize, hasSubclusters, clusterSize } = this.#geometry;
    const suspects = this.#look.suspectsIn(visit.bytes);
    if (!this.#allowDataLoss && this.#isDoubtful(visit, suspects)) {
      this.doubtful.add(visit.hostOffset / clusterSize);
      // What the real table maps lies among the leaked clusters, if anywhere.
      this.#giveUp(
        `${visit.name} at host offset ${hex(visit.hostOffset)} is perhaps none: too many of its entries lead nowhere, and mending them would overwrite what else it may be`,
        visit,
      );
      return;
    }
    const canEdit = this.#editable.l2(visit.hostOffset);
    const view = new DataView(visit.bytes.buffer, visit.bytes.byteOffset, visit.bytes.byteLength);
    for (const index of suspects) {
      const at = index * l2EntrySize;
      const high = view.getUint32(at);
      const low = view.getUint32(at + 4);
      if ((high | low) === 0) continue;
      const allocated = hasSubclusters ? view.getUint32(at + 12) : 0;
      const place = { visit, at, guestOffset: visit.guestOffset + index * clusterSize, canEdit };
      if ((high & L2Mask.compressedHigh) !== 0) this.#compressed(place, high, low);
      else this.#standard(place, high, low, allocated);
    }
  }

  /** True for what is perhaps no table at all but somebody's data: too many of its entries lead nowhere. */
  #isDoubtful({ bytes }: L2Visit, suspects: readonly number[]): boolean {
    const { l2EntrySize, clusterBits, clusterSize, hostEnd } = this.#geometry;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let lost = 0;
    for (const index of suspects) {
      const high = view.getUint32(index * l2EntrySize);
      const low = view.getUint32(index * l2EntrySize + 4);
      const isCompressed = (high & L2Mask.compressedHigh) !== 0;
      const place = isCompressed ? compressedHostOffset(high, low, clusterBits) : standardHostOffset(high, low);
      if (place >= hostEnd || (!isCompressed && place % clusterSize !== 0)) lost++;
    }
    if (lost <= 3 || this.#header.hasDataFile) return false;
    let used = 0;
    for (let at = 0; at < bytes.length; at += l2EntrySize) {
      if ((view.getUint32(at) | view.getUint32(at + 4)) !== 0) used++;
    }
    return lost * 4 > used;
  }

  #compressed(place: EntryPlace, high: number, low: number): void {
    const { clusterBits, clusterSize, hostEnd } = this.#geometry;
    const hostOffset = compressedHostOffset(high, low, clusterBits);
    if (hostOffset + compressedLength(high, low, clusterBits) - hostEnd >= clusterSize) {
      if (this.#lost(place, hostOffset, "compressed data")) return;
    }
    if ((high & L2Mask.copiedHigh) === 0) return;
    this.#set(place, {
      high: (high & ~L2Mask.copiedHigh) >>> 0,
      low,
      kind: "copied-compressed",
    });
  }

  #standard(place: EntryPlace, high: number, low: number, allocated: number): void {
    const { clusterSize, hostClusterCount, hasSubclusters, hasZeroFlag } = this.#geometry;
    const hostOffset = standardHostOffset(high, low);
    const hasReserved = (high & L2Mask.reservedHigh) !== 0 || (low & L2Mask.reservedLow) !== 0;
    const isAskew = hostOffset % clusterSize !== 0;
    // Places in a data file are not ours to judge, but for their alignment.
    const isOutside = !this.#header.hasDataFile && hostOffset / clusterSize >= hostClusterCount;
    const holdsData = hasSubclusters ? allocated !== 0 : (low & L2Mask.zeroLow) === 0;
    if (hostOffset !== 0 && (isAskew || isOutside)) {
      if (holdsData) {
        if (this.#lost(place, hostOffset, "data")) return;
      } else {
        // Version 2 has no zero clusters, so what QEMU can't read there becomes nothing, unless a backing file would show.
        const isNothing = hasSubclusters || (!hasZeroFlag && this.#header.backing === undefined);
        const line = `Repairing offset=${hostOffset.toString(16)}: Preallocated cluster is not properly aligned; L2 entry corrupted.`;
        this.#set(place, { high: 0, low: isNothing ? 0 : 1, kind: "entry-unaligned", ...(isAskew ? { line } : {}) });
        return;
      }
    }
    if (!hasReserved) return;
    this.#set(place, {
      high: (high & ~L2Mask.reservedHigh) >>> 0,
      low: (low & ~L2Mask.reservedLow) >>> 0,
      kind: "reserved-bits",
    });
  }

  /** True where the entry was given up. */
  #lost(place: EntryPlace, hostOffset: number, what: string): boolean {
    const { visit, guestOffset, canEdit } = place;
    const { hasSubclusters, hasZeroFlag } = this.#geometry;
    const sentence = `${visit.name} names ${what} for guest offset ${hex(guestOffset)} at host offset ${hex(hostOffset)}, where none can be`;
    // Without zero clusters a backing file would show through.
    const canBeZeros = canEdit && (hasZeroFlag || this.#header.backing === undefined);
    if (!canBeZeros || !this.#giveUp(`${sentence}: the cluster can only become zeros`, visit)) {
      if (!canBeZeros) this.#giveUpRefused(sentence);
      return false;
    }
    this.#set(place, { high: 0, low: hasZeroFlag && !hasSubclusters ? 1 : 0, kind: "entry-given-up" });
    if (hasSubclusters) this.#edits.set64(visit.hostOffset + place.at + 8, ALL, 0, visit);
    return true;
  }

  #giveUp(sentence: string, visit: TableVisit): boolean {
    if (this.#allowDataLoss) this.#log.givenUp(sentence, visit);
    else {
      this.lostCount++;
      this.#log.loss(sentence);
    }
    return this.#allowDataLoss;
  }

  #giveUpRefused(sentence: string): void {
    this.lostCount++;
    this.#log.lossForGood(sentence);
  }

  #set({ visit, at, guestOffset, canEdit }: EntryPlace, mended: Mended): void {
    if (!canEdit) return;
    const hostOffset = visit.hostOffset + at;
    this.#edits.set64(hostOffset, mended.high, mended.low, visit);
    const message = `Entry of the ${visit.name} for guest offset ${hex(guestOffset)}: ${MENDED[mended.kind]}`;
    this.#mended(visit, mended.kind, hostOffset, message, guestOffset, mended.line);
  }

  #mended(
    visit: TableVisit,
    kind: string,
    hostOffset: number,
    message: string,
    guestOffset?: number,
    line?: string,
  ): void {
    const finding: Finding = {
      severity: "corruption",
      kind,
      structure: visit.name,
      hostOffset,
      message,
      ...(guestOffset === undefined ? {} : { guestOffset }),
      ...(line === undefined ? {} : { line }),
    };
    this.#log.mended(finding);
  }
}

const MENDED: Readonly<Record<string, string>> = {
  "reserved-bits": "reserved bits cleared",
  "copied-compressed": "COPIED flag of a compressed cluster cleared",
  "entry-unaligned": "place of a cluster of zeros dropped",
  "entry-given-up": "made zeros",
};

interface EntryPlace {
  readonly visit: L2Visit;
  /** Of the entry, in bytes from the table's start. */
  readonly at: number;
  readonly guestOffset: number;
  readonly canEdit: boolean;
}
