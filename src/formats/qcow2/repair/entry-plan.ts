/**
 * The part of a repair that sets entries right: a new snapshot table, tables in places of their own, entries; each over
 * what came before, so that every question is asked of the image as it will be.
 */

import { alignUp, SECTOR_SIZE } from "../../../bytes/align.ts";
import { ImageError } from "../../../bytes/image-error.ts";
import type { RepairWishes } from "../../../image/repair.ts";
import type { Write } from "../../../image/write.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import { ReferenceCounts } from "../tables/reference-counts.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { type EditablePlaces, EntryRepair } from "./entry-repair.ts";
import { walkEntries } from "./entry-walk.ts";
import { firstFree } from "./refcount-rebuild.ts";
import { RepairLog } from "./repair-log.ts";
import { SectorEdits } from "./sector-edits.ts";
import { isL1Alone, isLoneL1, isLoneL2, moveSharedTables, tablesIn } from "./shared-tables.ts";
import { mendSnapshots } from "./snapshot-repair.ts";
import { openSource, surveyReferences } from "./survey.ts";

const SNAPSHOTS_OFFSET = 64;
/** Mending one entry can make another reachable: a table in a new place, a header that no entry calls a table. */
const MAX_TURNS = 6;

/** The references can't be known. */
export class Uncountable extends Error {}

/** @throws Uncountable where something can't be read or followed */
export async function surveyed(storage: Storage): Promise<WalkSource> {
  try {
    const source = await surveyReferences(storage);
    if (source.tally.findings.checkErrors === 0) return source;
  } catch (cause) {
    if (!(cause instanceof ImageError) || cause.kind === "io" || cause.kind === "interrupted") throw cause;
  }
  throw new Uncountable();
}

export class EntryPlan {
  /** L1 entries that name tables in new places, and those tables past the old end. */
  readonly moves = new SectorEdits();
  /** Over these: what else is wrong with entries. Tables that moved left ground that nobody reads by then. */
  readonly entries = new SectorEdits();
  /** How often new tables are listed, by cluster. */
  readonly listed = new Map<number, number>();
  readonly headerWrites: Write[] = [];
  /** Where new tables begin and end. */
  readonly start: number;
  end: number;
  /** Entries whose table or data can't be found any more, and that stay. */
  lostCount = 0;
  /** The image with all that is mended, its references counted; undefined where the last survey came before the last edit. */
  surveyed: WalkSource | undefined;
  /** Clusters of tables that are perhaps none. */
  doubtful = new ReferenceCounts();
  readonly #header = new SectorEdits();
  readonly #storage: Storage;
  readonly #fileSize: number;
  readonly #wishes: RepairWishes;
  readonly #log: RepairLog;

  constructor(storage: Storage, fileSize: number, start: number, wishes: RepairWishes, log: RepairLog) {
    this.#storage = storage;
    this.#fileSize = fileSize;
    this.start = start;
    this.end = start;
    this.#wishes = wishes;
    this.#log = log;
  }

  /** Answers where new things must begin instead, if something points there. */
  async make(): Promise<number | undefined> {
    await this.#mendSnapshots();
    return this.#mendEntries();
  }

  /** Length of the file as it is with what is new. */
  get size(): number {
    return this.end > this.start ? this.end : this.#fileSize;
  }

  /** The image with what is mended so far, and as long as that. */
  view(size: number): Storage {
    return this.#header.over(this.entries.over(this.moves.over(this.#storage, size), size), size);
  }

  /** Looks for lost entries and changes nothing. */
  async look(source: WalkSource): Promise<void> {
    if (this.#wishes.allowDataLoss || source.tally.findings.corruptions === 0) return;
    const look = new EntryRepair(source, new SectorEdits(), new RepairLog(), false, NOWHERE);
    await walkEntries(source, look, true);
    this.doubtful = look.doubtful;
    this.lostCount = look.lostCount;
  }

  async #mendSnapshots(): Promise<void> {
    const mended = await mendSnapshots(await openSource(this.#storage));
    if (mended === undefined) return;
    for (const line of mended.lines) {
      const what = { kind: "snapshot-incomplete", structure: "snapshot table", message: line };
      this.#log.mended({ severity: "corruption", ...what, line });
    }
    const { clusterSize } = (await openSource(this.#storage)).geometry;
    const hostOffset = this.end;
    this.end += alignUp(mended.table.length, clusterSize);
    this.moves.put(hostOffset, mended.table);
    const bytes = new Uint8Array(8);
    set64(bytes, hostOffset);
    this.headerWrites.push({ hostOffset: SNAPSHOTS_OFFSET, bytes });
    const sector = await readZeroFilled(this.#storage, 0, SECTOR_SIZE);
    this.#header.sectorAt(0, { hostOffset: 0, bytes: sector }).set(bytes, SNAPSHOTS_OFFSET);
  }

  async #mendEntries(): Promise<number | undefined> {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const source = await surveyed(this.view(this.size));
      const { clusterSize } = source.geometry;
      const free = firstFree(source.tally.all, this.start / clusterSize, this.end / clusterSize, this.listed);
      if (this.end > this.start && free * clusterSize > this.start) return free * clusterSize;
      const countBefore = this.moves.changeCount + this.entries.changeCount;
      this.lostCount = 0;
      this.#log.forgetLosses();
      this.surveyed = source;
      // A survey that finds nothing wrong with entries and tables needs no second look at them.
      if (!hasSharedTables(source) && source.tally.findings.corruptions + flagsOnly(source) === 0) return undefined;
      // What is counted through entries without a table is nobody's reference, so they go first.
      const isPhantom = turn === 0 && flagsOnly(source) > 0;
      // Once: ground that a table left in this step may be written to in the next.
      if (!isPhantom && this.listed.size === 0 && this.entries.isEmpty) {
        const end = await moveSharedTables(source, this.moves, this.#log, this.end, this.listed);
        if (end > this.end) {
          this.end = alignUp(end, clusterSize);
          continue;
        }
      }
      const bareL1 = (hostOffset: number) => isL1Alone(source, hostOffset);
      const editable: EditablePlaces = {
        bareL1,
        l1: (hostOffset) => isLoneL1(source, hostOffset),
        l2: (hostOffset) => isLoneL2(source, hostOffset),
      };
      const { allowDataLoss } = this.#wishes;
      const repair = new EntryRepair(
        source,
        isPhantom ? this.moves : this.entries,
        this.#log,
        allowDataLoss,
        isPhantom ? { ...NOWHERE, bareL1 } : editable,
      );
      await walkEntries(source, repair, true);
      this.lostCount = repair.lostCount;
      this.doubtful = repair.doubtful;
      if (isPhantom) continue;
      if (this.moves.changeCount + this.entries.changeCount === countBefore) return undefined;
    }
    this.surveyed = undefined;
    return undefined;
  }
}

/** References that L1 entries of flags alone make to the header. */
function flagsOnly(source: WalkSource): number {
  return tablesIn(source, 0);
}

/** Where nothing is written. */
const NOWHERE: EditablePlaces = { bareL1: () => false, l1: () => false, l2: () => false };

function hasSharedTables({ tally }: WalkSource): boolean {
  for (const counts of [tally.activeL2Tables, tally.inactiveL2Tables]) {
    for (const { cluster } of counts.each()) {
      if (tally.all.get(cluster) > tablesIn({ tally }, cluster)) return true;
    }
  }
  return false;
}

/** A host offset as the header holds it, in the first 8 bytes. */
export function set64(bytes: Uint8Array, value: number): void {
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(value / 2 ** 32));
  view.setUint32(4, value % 2 ** 32);
}
