/**
 * What mends a qcow2 image, in steps that each leave the same guest however far they came.
 *
 *   past the end   new refcount blocks and table, a new snapshot table          nobody points there yet
 *   0              header: autoclear bits that we don't know                    where anything else is overwritten (autoclear.ts)
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

import { alignUp } from "../../../bytes/align.ts";
import { hex, ImageError } from "../../../bytes/image-error.ts";
import { hasFlag } from "../../../bytes/struct.ts";
import type { Repair, RepairStep, RepairWishes } from "../../../image/repair.ts";
import type { Write } from "../../../image/write.ts";
import type { Storage } from "../../../storage/storage.ts";
import { IncompatibleBit } from "../header/header.ts";
import { maxRefcount } from "../tables/refcount.ts";
import type { ReferenceCounts } from "../tables/reference-counts.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { featureWrites } from "./autoclear.ts";
import { CopiedRepair } from "./copied-flags.ts";
import { EntryPlan, set64, surveyed, Uncountable } from "./entry-plan.ts";
import { walkEntries } from "./entry-walk.ts";
import { type Rebuilt, rebuildRefcounts } from "./refcount-rebuild.ts";
import {
  compareRefcountsForRepair,
  countUncounted,
  type RefcountEdits,
  type RefcountStructure,
  readStructure,
} from "./refcount-repair.ts";
import { RepairLog } from "./repair-log.ts";
import { refuseTooManySectors } from "./sector-edits.ts";
import { isLoneL1, isLoneL2, tablesIn } from "./shared-tables.ts";
import { openSource } from "./survey.ts";

/** Fields of the header that name the refcount table, and its marks. */
const REFCOUNT_FIELDS = { hostOffset: 48, length: 12 } as const;
const INCOMPATIBLE_FEATURES = 72;
/** Broken pointers past the end of the file, each where the attempt before would have put something. */
const MAX_STARTS = 16;

/**
 * Plans the repair of the image that `storage` holds. `hasOnlyMarks`: a check has found nothing else to be mended.
 *
 * @throws ImageError `unsupported` for what can't be mended in place, `io` where the medium fails
 */
export async function planQcow2Repair(storage: Storage, wishes: RepairWishes, hasOnlyMarks: boolean): Promise<Repair> {
  const plan = new Qcow2Repair(storage, await storage.size(), wishes);
  try {
    if (!hasOnlyMarks || !(await plan.clearMarksAlone())) await plan.make();
  } catch (cause) {
    // Where references can't be counted nothing may be concluded; the check says what is wrong.
    if (!(cause instanceof Uncountable)) throw cause;
    plan.forget();
  }
  await plan.keepPromises();
  return plan.repair();
}

class Qcow2Repair {
  readonly #storage: Storage;
  readonly #fileSize: number;
  readonly #wishes: RepairWishes;
  #log = new RepairLog();
  #plan: EntryPlan;
  #refcounts: RefcountEdits | undefined;
  #rebuilt: Rebuilt | undefined;
  #headerWrites: readonly Write[] = [];
  #markWrites: readonly Write[] = [];
  #promiseWrites: readonly Write[] = [];
  /** The file grows over all that broken entries name past its end: they read as zeros then, as they did before. */
  #isLossHealed = false;

  constructor(storage: Storage, fileSize: number, wishes: RepairWishes) {
    this.#storage = storage;
    this.#fileSize = fileSize;
    this.#wishes = wishes;
    this.#plan = new EntryPlan(storage, fileSize, fileSize, wishes, this.#log);
  }

  /** Back to a plan of nothing, with new things from `start` on. */
  forget(start = this.#fileSize): void {
    this.#log = new RepairLog();
    this.#plan = new EntryPlan(this.#storage, this.#fileSize, start, this.#wishes, this.#log);
    this.#refcounts = undefined;
    this.#rebuilt = undefined;
    this.#headerWrites = [];
    this.#markWrites = [];
  }

  /** All that there is to do for an image whose references and refcounts agree; false where its refcount structure has to be looked at. */
  async clearMarksAlone(): Promise<boolean> {
    const source = await openSource(this.#storage);
    // A check lets a structure pass that the end of file cuts short.
    if (!(await readStructure(source)).isTrusted) return false;
    await this.#clearMarks(source);
    return true;
  }

  async make(): Promise<void> {
    if (this.#wishes.scope === "leaks") return this.#mendLeaks();
    const { clusterSize } = (await openSource(this.#storage)).geometry;
    let start = alignUp(this.#fileSize, clusterSize);
    for (let turn = 0; turn < MAX_STARTS; turn++) {
      this.forget(start);
      const inTheWay = await this.#mendAll(this.#plan);
      if (inTheWay === undefined) return;
      // A broken table may reach far past the end, so each leap is longer.
      if (inTheWay > start) start = inTheWay + (2 ** turn - 1) * clusterSize;
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

  /** Where anything is overwritten, what that means for features that rely on who writes. */
  async keepPromises(): Promise<void> {
    if (this.#steps().length > 0) this.#promiseWrites = await featureWrites(this.#storage, this.#log.changesGuest);
  }

  repair(): Repair {
    const { findings, leaksFixed, corruptionsFixed, losses, beyondRepair, sacrifices } = this.#log;
    const rebuilt = this.#rebuilt;
    const { moves, entries } = this.#plan;
    const fileSize = this.#fileSize;
    const steps = this.#steps();
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
      beyondRepair,
      givenUp: sacrifices,
    };
  }

  #steps(): RepairStep[] {
    const { moves, entries } = this.#plan;
    const fileSize = this.#fileSize;
    const inPlace = this.#rebuilt === undefined ? this.#refcounts : undefined;
    const step = (purpose: string, writes: readonly Write[] = []): RepairStep[] =>
      writes.length === 0 ? [] : [{ purpose, writes }];
    return [
      ...step("clear what a write breaks", this.#promiseWrites),
      ...step("raise refcounts", inPlace?.raised.writes(0, fileSize)),
      ...step("use the new refcounts", this.#headerWrites),
      ...step("use tables of their own", moves.writes(0, fileSize)),
      ...step("set entries right", entries.writes(0, fileSize)),
      ...step("give back leaked clusters", inPlace?.lowered.writes(0, fileSize)),
      ...step("clear the marks", this.#markWrites),
    ];
  }

  /** Answers where new things must begin instead, if something points there. */
  async #mendAll(plan: EntryPlan): Promise<number | undefined> {
    const inTheWay = await plan.make();
    if (inTheWay !== undefined) return inTheWay;
    if (this.#isLossHealed) this.#log.forgetLosses();
    const isLossy = plan.lostCount > 0 && !this.#isLossHealed;
    let source = plan.surveyed ?? (await surveyed(plan.view(plan.size)));
    const structure = await readStructure(source);
    const uncountedCount = countUncounted(source, structure);
    const mustRebuild = plan.end > plan.start || !structure.isTrusted || uncountedCount > 0;
    // A table on the header would say something else with each new header, and so on without an end.
    if (mustRebuild && source.tally.metadata.get(0) + tablesIn(source, 0) > 1) throw new Uncountable();
    if (mustRebuild) tellRebuilding(this.#log, source, structure, uncountedCount);
    const refcounts = await compareRefcountsForRepair(
      source,
      structure,
      { raise: true, keepUnreferenced: isLossy, edit: !mustRebuild },
      this.#log,
    );
    this.#refcounts = refcounts;
    if (mustRebuild) {
      const { clusterSize } = source.geometry;
      const { start, end, listed } = plan;
      const wishes = { clusterSize, start, end, listed, kept: refcounts.kept };
      const rebuilt = await rebuildRefcounts((size) => plan.view(size), wishes);
      if (typeof rebuilt === "number") return rebuilt;
      if (isLossy && rebuilt.source.tally.findings.corruptions === 0) {
        this.#isLossHealed = true;
        return start;
      }
      this.#rebuilt = rebuilt;
      source = rebuilt.source;
      const pointer = new Uint8Array(REFCOUNT_FIELDS.length);
      set64(pointer, rebuilt.tableHostOffset);
      new DataView(pointer.buffer).setUint32(8, rebuilt.tableClusterCount);
      this.#headerWrites = [{ hostOffset: REFCOUNT_FIELDS.hostOffset, bytes: pointer }, ...plan.headerWrites];
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
    await this.#plan.look(source);
    const refcounts = await compareRefcountsForRepair(
      source,
      structure,
      { raise: false, keepUnreferenced: this.#plan.lostCount > 0, edit: true },
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

  /** Sets the flags right, of these clusters `only` if they are given; answers how many stay wrong. */
  async #mendFlags(source: WalkSource, structure: RefcountStructure, only?: ReferenceCounts): Promise<number> {
    const { header, geometry, tally, storage } = source;
    const { entries, doubtful } = this.#plan;
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
        areOne: (first, count) =>
          only?.areUnused(first, count) || (tally.all.areOne(first, count) && (own?.areUnused(first, count) ?? true)),
        isTable: (hostOffset) =>
          doubtful.get(Math.floor(hostOffset / geometry.clusterSize)) === 0 &&
          (isLoneL1(source, hostOffset) || isLoneL2(source, hostOffset)),
      },
      entries,
      this.#log,
    );
    await walkEntries({ ...source, storage: entries.over(storage, await storage.size()) }, repair, false);
    const { leftCount, sharedCount } = repair;
    if (sharedCount > 0) {
      this.#log.lossForGood(
        `${sharedCount} wrong COPIED ${sharedCount === 1 ? "flag stays" : "flags stay"}: the table is used as something else too, which would change`,
      );
    }
    return leftCount;
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

  #tellKept({ keptCount }: RefcountEdits): void {
    if (keptCount === 0) return;
    this.#log.loss(
      `${keptCount} leaked ${keptCount === 1 ? "cluster stays" : "clusters stay"}: what broken entries have lost may lie there`,
    );
  }
}

/** As qemu-img tells it: the old structure's clusters are leaks once the new one is in use. */
function tellRebuilding(
  log: RepairLog,
  { tally, geometry }: WalkSource,
  { own, defectCount }: RefcountStructure,
  uncountedCount: number,
): void {
  const what = {
    structure: "refcount table",
    message: "Refcount table and blocks made anew past the end of the file",
  };
  const line = "Rebuilding refcount structure";
  log.mended({ severity: "corruption", kind: "refcounts-rebuilt", ...what, line }, defectCount + uncountedCount);
  for (const { cluster, count } of own.each()) {
    const references = tally.all.get(cluster);
    const refcount = references + count;
    const hostOffset = cluster * geometry.clusterSize;
    log.told({
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
