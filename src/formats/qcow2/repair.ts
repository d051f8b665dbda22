/**
 * What mends a qcow2 image, in steps that each leave the same guest however far they came.
 *
 *   past the end   new refcount blocks and table, a new snapshot table          nobody points there yet
 *   1              refcounts that rise                                          nothing in use is handed out any more
 *   2              header: the new refcount table, the new snapshot table       one sector
 *   3              L1 entries of tables that got a place of their own           their old place is nobody's table
 *   4              entries and COPIED flags                                     right for the refcounts to come
 *   5              refcounts that fall                                          leaks are free
 *   6              header: dirty and corrupt bits                               only where nothing else is wrong
 *
 * Readers look at neither refcounts nor COPIED, so the order is for whoever writes to a half-mended image:
 *
 *   - Counts rise before a flag falls. A writer that finds COPIED clear copies the cluster and counts the old one down;
 *     at refcount 1 that would free a cluster which somebody else still references.
 *   - A flag is set only where exactly one reference is left. The count may still be too high then: writing in place is
 *     right, and a cluster that is let go leaks at worst.
 *   - Counts fall last, when no entry and no flag relies on the old ones.
 *   - With a new structure 1 and 5 fall together in 2: old and new one are each whole, and one sector decides.
 *
 * In place where the refcount structure can be trusted: nothing else lies on it, and each cluster in use has a block.
 */

import { alignUp, SECTOR_SIZE } from "../../bytes/align.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { hasFlag } from "../../bytes/struct.ts";
import type { Repair, RepairStep, RepairWishes } from "../../image/repair.ts";
import type { Write } from "../../image/write.ts";
import { readZeroFilled, type Storage } from "../../storage/storage.ts";
import { CopiedRepair } from "./copied-repair.ts";
import { EntryRepair, type Ground } from "./entry-repair.ts";
import { walkEntries } from "./entry-walk.ts";
import { IncompatibleBit } from "./header.ts";
import { firstFree, type Rebuilt, rebuildRefcounts } from "./refcount-rebuild.ts";
import {
  compareRefcountsForRepair,
  countUncounted,
  type RefcountEdits,
  type RefcountStructure,
  readStructure,
} from "./refcount-repair.ts";
import { maxRefcount } from "./refcount-table.ts";
import type { ReferenceCounts } from "./reference-counts.ts";
import { RepairLog } from "./repair-log.ts";
import { openSource, surveyReferences } from "./repair-survey.ts";
import { refuseTooManySectors, SectorEdits } from "./sector-edits.ts";
import { isL1Alone, isLoneL1, isLoneL2, moveSharedTables, tablesIn } from "./shared-tables.ts";
import { mendSnapshots } from "./snapshot-repair.ts";
import type { WalkSource } from "./table-walk.ts";

/** Fields of the header that name what is made anew, and its marks. */
const REFCOUNT_FIELDS = { hostOffset: 48, length: 12 } as const;
const SNAPSHOTS_OFFSET = 64;
const INCOMPATIBLE_FEATURES = 72;
/** Mending one entry can make another reachable: a table in a new place, a header that no entry calls a table. */
const MAX_TURNS = 6;
/** Broken pointers past the end of the file, each where the attempt before would have put something. */
const MAX_STARTS = 16;

/**
 * Plans the repair of the image that `storage` holds.
 *
 * @throws ImageError `unsupported` for what can't be mended in place, `io` where the medium fails
 */
export async function planQcow2Repair(storage: Storage, wishes: RepairWishes): Promise<Repair> {
  const plan = new Qcow2Repair(storage, await storage.size(), wishes);
  try {
    await plan.make();
  } catch (cause) {
    // Where references can't be counted nothing may be concluded; the check says what is wrong.
    if (!(cause instanceof Uncountable)) throw cause;
    plan.forget();
  }
  return plan.repair();
}

/** The references can't be known. */
class Uncountable extends Error {}

class Qcow2Repair {
  readonly #storage: Storage;
  readonly #fileSize: number;
  readonly #wishes: RepairWishes;
  #log = new RepairLog();
  /** L1 entries that name tables in new places, and those tables past the old end. */
  #moves = new SectorEdits();
  /** Over these: what else is wrong with entries. Tables that moved left ground that nobody reads by then. */
  #entries = new SectorEdits();
  #header = new SectorEdits();
  #headerWrites: Write[] = [];
  #refcounts: RefcountEdits | undefined;
  #rebuilt: Rebuilt | undefined;
  #markWrites: Write[] = [];
  readonly #listed = new Map<number, number>();
  /** The file grows over all that broken entries name past its end: they read as zeros then, as they did before. */
  #isLossHealed = false;
  /** Where new tables end. */
  #newEnd = 0;

  constructor(storage: Storage, fileSize: number, wishes: RepairWishes) {
    this.#storage = storage;
    this.#fileSize = fileSize;
    this.#wishes = wishes;
  }

  /** Back to a plan of nothing. */
  forget(): void {
    this.#log = new RepairLog();
    this.#moves = new SectorEdits();
    this.#entries = new SectorEdits();
    this.#header = new SectorEdits();
    this.#headerWrites = [];
    this.#refcounts = undefined;
    this.#rebuilt = undefined;
    this.#markWrites = [];
    this.#listed.clear();
  }

  async make(): Promise<void> {
    if (this.#wishes.scope === "leaks") return this.#mendLeaks();
    const { clusterSize } = (await openSource(this.#storage)).geometry;
    let start = alignUp(this.#fileSize, clusterSize);
    for (let turn = 0; turn < MAX_STARTS; turn++) {
      const inTheWay = await this.#mendAll(start);
      if (inTheWay === undefined) return;
      // A broken table may reach far past the end, so each leap is longer.
      if (inTheWay > start) start = inTheWay + (2 ** turn - 1) * clusterSize;
      this.forget();
    }
    throw new ImageError(
      "unsupported",
      "Cannot repair the image: broken entries point wherever something new could lie",
      {
        format: "qcow2",
        structure: "L2 table",
      },
    );
  }

  repair(): Repair {
    const { findings, leaksFixed, corruptionsFixed, losses, sacrifices } = this.#log;
    const rebuilt = this.#rebuilt;
    const moves = this.#moves;
    const entries = this.#entries;
    const fileSize = this.#fileSize;
    const inPlace = rebuilt === undefined ? this.#refcounts : undefined;
    const step = (purpose: string, writes: readonly Write[] = []): RepairStep[] =>
      writes.length === 0 ? [] : [{ purpose, writes }];
    const steps = [
      ...step("raise refcounts", inPlace?.raised.writes(0, fileSize)),
      ...step("use the new refcounts", this.#headerWrites),
      ...step("use tables of their own", moves.writes(0, fileSize)),
      ...step("set entries right", entries.writes(0, fileSize)),
      ...step("give back leaked clusters", inPlace?.lowered.writes(0, fileSize)),
      ...step("clear the marks", this.#markWrites),
    ];
    refuseTooManySectors(steps);
    return {
      *additiveWrites() {
        if (rebuilt === undefined) return;
        yield* moves.with(entries).writes(fileSize, rebuilt.fileSize);
        yield* rebuilt.writes();
      },
      steps,
      fileSize: rebuilt?.fileSize ?? fileSize,
      mended: findings,
      leaksFixed,
      corruptionsFixed,
      losses,
      givenUp: sacrifices,
    };
  }

  /** Plans with new things from `start` on; answers where they must begin instead if something points there. */
  async #mendAll(start: number): Promise<number | undefined> {
    this.#newEnd = start;
    await this.#mendSnapshots();
    const lost = await this.#mendEntries(start);
    if (lost.inTheWay !== undefined) return lost.inTheWay;
    let { lostCount } = lost;
    if (this.#isLossHealed) {
      this.#log.forgetLosses();
      lostCount = 0;
    }
    let source = await surveyed(this.#view(this.#newEnd > start ? this.#newEnd : this.#fileSize));
    const structure = await readStructure(source);
    const uncountedCount = countUncounted(source, structure);
    const mustRebuild = this.#newEnd > start || !structure.isTrusted || uncountedCount > 0;
    // A table on the header would say something else with each new header, and so on without an end.
    if (mustRebuild && source.tally.metadata.get(0) + tablesIn(source, 0) > 1) throw new Uncountable();
    if (mustRebuild) this.#tellRebuilding(source, structure, uncountedCount);
    const refcounts = await compareRefcountsForRepair(
      source,
      structure,
      { raise: true, keepUnreferenced: lostCount > 0, edit: !mustRebuild },
      this.#log,
    );
    this.#refcounts = refcounts;
    if (mustRebuild) {
      const { clusterSize } = source.geometry;
      const wishes = { clusterSize, start, end: this.#newEnd, listed: this.#listed, kept: refcounts.kept };
      const rebuilt = await rebuildRefcounts((size) => this.#view(size), wishes);
      if (typeof rebuilt === "number") return rebuilt;
      if (lostCount > 0 && rebuilt.source.tally.findings.corruptions === 0) {
        this.#isLossHealed = true;
        return start;
      }
      this.#rebuilt = rebuilt;
      source = rebuilt.source;
      const pointer = new Uint8Array(REFCOUNT_FIELDS.length);
      set64(pointer, rebuilt.tableHostOffset);
      new DataView(pointer.buffer).setUint32(8, rebuilt.tableClusterCount);
      this.#headerWrites.unshift({ hostOffset: REFCOUNT_FIELDS.hostOffset, bytes: pointer });
    }
    this.#tellKept(refcounts);
    const leftCount = await this.#mendFlags(source, structure);
    if (leftCount === 0 && refcounts.overflowCount === 0) await this.#clearMarks(source);
    return undefined;
  }

  /** Only what lowers refcounts, and the flags that go with it where nothing else is wrong, as qemu-img does. */
  async #mendLeaks(): Promise<void> {
    const source = await surveyed(this.#storage);
    const structure = await readStructure(source);
    if (!structure.isTrusted || countUncounted(source, structure) > 0) return;
    const refcounts = await compareRefcountsForRepair(
      source,
      structure,
      { raise: false, keepUnreferenced: await this.#hasLostEntries(source), edit: true },
      this.#log,
    );
    this.#refcounts = refcounts;
    this.#tellKept(refcounts);
    const { corruptions, checkErrors } = source.tally.findings;
    const isElseSound = refcounts.raisedCount + refcounts.overflowCount + corruptions + checkErrors === 0;
    // A refcount that falls to one takes the flag with it; else giving back leaks would make errors.
    const leftCount = await this.#mendFlags(source, structure, isElseSound ? undefined : refcounts.fallenToOne);
    if (isElseSound && leftCount === 0) await this.#clearMarks(source);
  }

  async #mendSnapshots(): Promise<void> {
    const mended = await mendSnapshots(await openSource(this.#storage));
    if (mended === undefined) return;
    for (const line of mended.lines) {
      const what = { kind: "snapshot-incomplete", structure: "snapshot table", message: line };
      this.#log.mended({ severity: "corruption", ...what, line });
    }
    for (const sentence of mended.discarded) this.#log.givenUp(sentence);
    const { clusterSize } = (await openSource(this.#storage)).geometry;
    const hostOffset = this.#newEnd;
    this.#newEnd += alignUp(mended.table.length, clusterSize);
    this.#moves.put(hostOffset, mended.table);
    const bytes = new Uint8Array(8);
    set64(bytes, hostOffset);
    this.#headerWrites.push({ hostOffset: SNAPSHOTS_OFFSET, bytes });
    const sector = await readZeroFilled(this.#storage, 0, SECTOR_SIZE);
    this.#header.sectorAt(0, { hostOffset: 0, bytes: sector }).set(bytes, SNAPSHOTS_OFFSET);
  }

  /** The image with what is mended so far, and as long as that. */
  #view(size: number): Storage {
    return this.#header.over(this.#entries.over(this.#moves.over(this.#storage, size), size), size);
  }

  /** Answers how many entries lost what they named, and where new things must begin instead if something points there. */
  async #mendEntries(start: number): Promise<{ readonly lostCount: number; readonly inTheWay?: number }> {
    let lostCount = 0;
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const size = Math.max(this.#fileSize, this.#moves.isEmpty ? 0 : this.#newEnd);
      const source = await surveyed(this.#view(size));
      const { clusterSize } = source.geometry;
      const free = firstFree(source.tally.all, start / clusterSize, this.#newEnd / clusterSize, this.#listed);
      if (this.#newEnd > start && free * clusterSize > start) return { lostCount, inTheWay: free * clusterSize };
      const countBefore = this.#moves.changeCount + this.#entries.changeCount;
      lostCount = 0;
      this.#log.forgetLosses();
      // A survey that finds nothing wrong with entries and tables needs no second look at them.
      if (!hasSharedTables(source) && source.tally.findings.corruptions + flagsOnly(source) === 0) return { lostCount };
      // What is counted through entries without a table is nobody's reference, so they go first.
      const isPhantom = turn === 0 && flagsOnly(source) > 0;
      // Once: ground that a table left in this step may be written to in the next.
      if (!isPhantom && this.#listed.size === 0 && this.#entries.isEmpty) {
        const end = await moveSharedTables(source, this.#moves, this.#log, this.#newEnd, this.#listed);
        if (end > this.#newEnd) {
          this.#newEnd = alignUp(end, clusterSize);
          continue;
        }
      }
      const bareL1 = (hostOffset: number) => isL1Alone(source, hostOffset);
      const ground: Ground = {
        bareL1,
        l1: (hostOffset) => isLoneL1(source, hostOffset),
        l2: (hostOffset) => isLoneL2(source, hostOffset),
      };
      const { allowDataLoss } = this.#wishes;
      const repair = new EntryRepair(
        source,
        isPhantom ? this.#moves : this.#entries,
        this.#log,
        allowDataLoss,
        isPhantom ? { ...NOWHERE, bareL1 } : ground,
      );
      await walkEntries(source, repair, true);
      lostCount = repair.lostCount;
      if (isPhantom) continue;
      if (this.#moves.changeCount + this.#entries.changeCount === countBefore) return { lostCount };
    }
    return { lostCount };
  }

  async #hasLostEntries(source: WalkSource): Promise<boolean> {
    if (this.#wishes.allowDataLoss || source.tally.findings.corruptions === 0) return false;
    const look = new EntryRepair(source, new SectorEdits(), new RepairLog(), false, NOWHERE);
    await walkEntries(source, look, true);
    return look.lostCount > 0;
  }

  /** Sets the flags right, of these clusters `only` if they are given; answers how many stay wrong. */
  async #mendFlags(source: WalkSource, structure: RefcountStructure, only?: ReferenceCounts): Promise<number> {
    const { header, geometry, tally, storage } = source;
    const own = this.#rebuilt === undefined ? structure.own : undefined;
    const most = maxRefcount(header.refcountBits);
    const repair = new CopiedRepair(
      geometry,
      header.hasDataFile,
      {
        refcountOf: (cluster) => {
          const references = tally.all.get(cluster) + (own?.get(cluster) ?? 0);
          return references > most || only?.get(cluster) === 0 ? undefined : references;
        },
        isTable: (hostOffset) => isLoneL1(source, hostOffset) || isLoneL2(source, hostOffset),
      },
      this.#entries,
      this.#log,
    );
    await walkEntries({ ...source, storage: this.#entries.over(storage, await storage.size()) }, repair, false);
    return repair.leftCount;
  }

  async #clearMarks({ header, tally }: WalkSource): Promise<void> {
    const { corruptions, checkErrors } = tally.findings;
    const { dirty, corrupt } = IncompatibleBit;
    const { incompatible } = header;
    if (corruptions + checkErrors > 0 || !(hasFlag(incompatible, dirty) || hasFlag(incompatible, corrupt))) return;
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, incompatible.high);
    view.setUint32(4, (incompatible.low & ~((1 << dirty) | (1 << corrupt))) >>> 0);
    this.#markWrites = [{ hostOffset: INCOMPATIBLE_FEATURES, bytes }];
  }

  #tellRebuilding(
    { tally, geometry }: WalkSource,
    { own, defectCount }: RefcountStructure,
    uncountedCount: number,
  ): void {
    const what = {
      structure: "refcount table",
      message: "Refcount table and blocks made anew past the end of the file",
    };
    const line = "Rebuilding refcount structure";
    this.#log.mended(
      { severity: "corruption", kind: "refcounts-rebuilt", ...what, line },
      defectCount + uncountedCount,
    );
    for (const { cluster, count } of own.each()) {
      const references = tally.all.get(cluster);
      const refcount = references + count;
      const hostOffset = cluster * geometry.clusterSize;
      this.#log.told({
        severity: "leak",
        kind: "refcounts-rebuilt",
        structure: `cluster ${cluster}`,
        hostOffset,
        refcount,
        references,
        message: `Cluster ${cluster} at host offset ${hex(hostOffset)} held refcounts, and does no more`,
        line: `Repairing cluster ${cluster} refcount=${refcount} reference=${references}`,
      });
    }
  }

  #tellKept({ keptCount }: RefcountEdits): void {
    if (keptCount === 0) return;
    this.#log.loss(
      `${keptCount} leaked ${keptCount === 1 ? "cluster stays" : "clusters stay"}: what broken entries have lost may lie there`,
    );
  }
}

async function surveyed(storage: Storage): Promise<WalkSource> {
  try {
    const source = await surveyReferences(storage);
    if (source.tally.findings.checkErrors === 0) return source;
  } catch (cause) {
    if (!(cause instanceof ImageError) || cause.kind === "io" || cause.kind === "interrupted") throw cause;
  }
  throw new Uncountable();
}

/** References that L1 entries of flags alone make to the header. */
function flagsOnly(source: WalkSource): number {
  return tablesIn(source, 0);
}

/** Ground on which nothing is written. */
const NOWHERE: Ground = { bareL1: () => false, l1: () => false, l2: () => false };

function hasSharedTables({ tally }: WalkSource): boolean {
  for (const counts of [tally.activeL2Tables, tally.inactiveL2Tables]) {
    for (const { cluster } of counts.each()) {
      if (tally.all.get(cluster) > tablesIn({ tally }, cluster)) return true;
    }
  }
  return false;
}

function set64(bytes: Uint8Array, value: number): void {
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(value / 2 ** 32));
  view.setUint32(4, value % 2 ** 32);
}
