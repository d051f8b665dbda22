/** The journal of one conversion or repair: made before the image's first write, removed after its last. */

import { crypto } from "../storage/built-ins.ts";
import { rewriteRange } from "../storage/rewrite.ts";
import { readZeroFilled, type Storage, type Volume, type WritableStorage } from "../storage/storage.ts";
import { type ConversionWork, conversionWorkOf, encodeIntentParts, type IntentParts } from "./conversion-work.ts";
import { damagedJournal, notPointedAt, whatIsLeft } from "./damage.ts";
import { draftElsewhere, type JournalNames, journalNamesOf } from "./names.ts";
import { createNew, createPointer, otherPlace, pointedAt } from "./place.ts";
import { type RearrangementWork, rearrangementWorkOf } from "./rearrangement-work.ts";
import { encodeRecord, scanRecords } from "./record.ts";
import type { Facts, Intent, Pointer, RearrangeIntent, RepairIntent } from "./records.ts";
import { newRepairWork, type PatchStep, patchBytesOf, type RepairWork } from "./repair-work.ts";
import { refuseOddRecords } from "./shape.ts";
import { type Work, withRecord, workOf } from "./work.ts";

/** What lies beside an image. `torn`: a journal cut off in its first record, which proves that nothing was written. */
export type JournalFound = ConversionJournal | RepairJournal | RearrangementJournal | "none" | "torn";

export type ConversionJournal = Journal<ConversionWork>;
export type RepairJournal = Journal<RepairWork>;
export type RearrangementJournal = Journal<RearrangementWork>;

/** True of a journal whose work is of that kind. */
export function isOf<K extends Work["kind"]>(
  journal: Journal,
  kind: K,
): journal is Journal<Extract<Work, { kind: K }>> {
  return journal.work.kind === kind;
}

/** A journal larger than this was not made by us. */
const MAX_JOURNAL_SIZE = 256 * 1024 * 1024;

/** Where a new journal goes. */
export interface JournalPlace {
  /** Holds the records at another path. */
  readonly elsewhere?: string | undefined;
  /** An older journal whose place is taken in one rename. */
  readonly replacing?: Journal | undefined;
}

export class Journal<out W extends Work = Work> {
  /** The file that holds the records; elsewhere than `names.journal` with `--journal`. */
  readonly path: string;
  readonly isUndo: boolean;
  readonly #volume: Volume;
  readonly #names: JournalNames;
  readonly #journalId: Uint8Array;
  readonly #storage: WritableStorage;
  #work: W;
  #sequence: number;
  #end: number;

  private constructor(
    volume: Volume,
    names: JournalNames,
    file: { path: string; storage: WritableStorage; journalId: Uint8Array; sequence: number; end: number },
    work: W,
    isUndo: boolean,
  ) {
    this.#volume = volume;
    this.#names = names;
    this.path = file.path;
    this.#storage = file.storage;
    this.#journalId = file.journalId;
    this.#sequence = file.sequence;
    this.#end = file.end;
    this.#work = work;
    this.isUndo = isUndo;
  }

  get work(): W {
    return this.#work;
  }

  /**
   * Writes the intent and the saved header and makes both durable, the names included. What fails leaves no new file.
   */
  static create(
    volume: Volume,
    imagePath: string,
    intent: Intent,
    parts: IntentParts,
    place: JournalPlace,
  ): Promise<Journal<ConversionWork>> {
    const blob = encodeIntentParts(parts);
    return Journal.#create(volume, imagePath, { facts: intent, blob: [blob] }, place, (path) =>
      conversionWorkOf([{ facts: intent, blob }], path),
    );
  }

  /** The same for a repair: its intent, and all bytes that it overwrites, as they are and as they will be. */
  static createForRepair(
    volume: Volume,
    imagePath: string,
    intent: RepairIntent,
    steps: readonly PatchStep[],
    place: JournalPlace,
  ): Promise<Journal<RepairWork>> {
    return Journal.#create(volume, imagePath, { facts: intent, blob: patchBytesOf(steps) }, place, () =>
      newRepairWork(intent, steps),
    );
  }

  /** The same for a rearrangement: its intent, and the file's first bytes. */
  static createForRearranging(
    volume: Volume,
    imagePath: string,
    intent: RearrangeIntent,
    savedHeader: Uint8Array,
    place: JournalPlace,
  ): Promise<RearrangementJournal> {
    return Journal.#create(volume, imagePath, { facts: intent, blob: [savedHeader] }, place, () =>
      rearrangementWorkOf([{ facts: intent, blob: savedHeader }]),
    );
  }

  static async #create<W extends Work>(
    volume: Volume,
    imagePath: string,
    first: { readonly facts: Intent | RepairIntent | RearrangeIntent; readonly blob: readonly Uint8Array[] },
    place: JournalPlace,
    workAt: (path: string) => W,
  ): Promise<Journal<W>> {
    const { replacing } = place;
    const names = journalNamesOf(imagePath);
    const elsewhere = replacing ? undefined : await otherPlace(volume, imagePath, place.elsewhere);
    // A pointer knows its journal by this number.
    const journalId = replacing ? replacing.#journalId : crypto().randomBytes(16);
    const path = replacing?.path ?? elsewhere ?? names.journal;
    const written = replacing ? draftOf(names, path) : path;
    if (replacing) await volume.remove(written);
    const storage = await createNew(volume, written);
    const record = encodeRecord(journalId, 0, first.facts, first.blob);
    try {
      await storage.write(0, record);
      await storage.sync();
      if (replacing) await volume.rename(written, path);
      await volume.syncFolderOf(path);
      if (elsewhere !== undefined) await createPointer(volume, names, journalId, path);
      await replacing?.close();
    } catch (error) {
      // Nothing of the image was written, so what there is of the journal says nothing.
      await storage.close().catch(() => {});
      await volume.remove(written).catch(() => {});
      throw error;
    }
    const file = { path, storage, journalId, sequence: 1, end: record.length };
    return new Journal(volume, names, file, workAt(path), replacing?.isUndo ?? false);
  }

  /**
   * Opens the journal beside the image, or the undo where there is no journal.
   *
   * @throws ImageError `corrupt` for a damaged one, which is never taken for none: nothing is removed
   */
  static async find(volume: Volume, imagePath: string): Promise<JournalFound> {
    const names = journalNamesOf(imagePath);
    const journal = await Journal.#read(volume, names, names.journal, false);
    if (typeof journal === "object") return journal;
    const undo = await Journal.#read(volume, names, names.undo, true);
    if (undo !== "none") return undo;
    // What a draft should have replaced is gone: a cut kept the name alone, and it is cleared as a torn journal is.
    return journal === "none" && (await volume.facts(names.draft)) ? "torn" : journal;
  }

  static async #read(
    volume: Volume,
    names: JournalNames,
    path: string,
    isUndo: boolean,
    pointedById?: Uint8Array,
  ): Promise<JournalFound> {
    if (!(await volume.facts(path))) return "none";
    const beside = isUndo ? names.undo : names.journal;
    const storage = await volume.openForWriting(path);
    try {
      const file = await wholeFile(storage, beside);
      const scan = scanRecords(file, path, beside);
      if (!scan.journalId || scan.records.length === 0) {
        // An undo was a whole journal once, and what a pointer names was durable before the pointer was made.
        if (isUndo || pointedById || !scan.isCutOff) throw damagedJournal(path, whatIsLeft(file), beside);
        await storage.close();
        return "torn";
      }
      refuseOddRecords(scan.records, path, beside);
      const { facts } = scan.records[0] as { readonly facts: Facts };
      if (pointedById && Buffer.compare(pointedById, scan.journalId) !== 0) throw notPointedAt(beside, path);
      if (facts.record === "pointer") {
        if (pointedById) throw notPointedAt(beside, path);
        await storage.close();
        return await Journal.#follow(volume, names, facts, isUndo, scan.journalId);
      }
      const opened = { path, storage, journalId: scan.journalId, sequence: scan.records.length, end: scan.end };
      const work = workOf(scan.records, path);
      return new Journal(volume, names, opened, work, isUndo) as
        | ConversionJournal
        | RepairJournal
        | RearrangementJournal;
    } catch (error) {
      await storage.close();
      throw error;
    }
  }

  static async #follow(
    volume: Volume,
    names: JournalNames,
    pointer: Pointer,
    isUndo: boolean,
    journalId: Uint8Array,
  ): Promise<JournalFound> {
    const beside = isUndo ? names.undo : names.journal;
    const path = await pointedAt(volume, beside, pointer);
    const found = await Journal.#read(volume, names, path, isUndo, journalId);
    if (found === "none") throw damagedJournal(path, `${beside} points to it, but it is not there`, beside);
    return found;
  }

  /** Appends one record and makes it durable. */
  async append(facts: Facts, blob: Uint8Array = new Uint8Array(0)): Promise<void> {
    const record = encodeRecord(this.#journalId, this.#sequence, facts, blob);
    await this.#storage.write(this.#end, record);
    await this.#storage.sync();
    this.#sequence++;
    this.#end += record.length;
    this.#work = withRecord(this.#work, facts, blob);
  }

  /**
   * Writes all records once more and makes them and their names durable. What a recovery reads of a journal may lie in
   * the page cache alone, where an earlier command's sync failed: nothing is done on its word before this.
   */
  async writeAnew(): Promise<void> {
    await rewrite(this.#storage, this.#end);
    await this.#volume.syncFolderOf(this.path);
    const beside = this.isUndo ? this.#names.undo : this.#names.journal;
    if (this.path === beside) return;
    const pointer = await this.#volume.openForWriting(beside);
    try {
      await rewrite(pointer, await pointer.size());
    } finally {
      await pointer.close();
    }
    await this.#volume.syncFolderOf(beside);
  }

  /** Removes the journal and makes that durable: what it was about is over. */
  async remove(): Promise<void> {
    await this.close();
    const beside = this.isUndo ? this.#names.undo : this.#names.journal;
    await this.#volume.remove(draftOf(this.#names, this.path));
    await this.#volume.remove(beside);
    await this.#volume.syncFolderOf(beside);
    if (this.path !== beside) {
      await this.#volume.remove(this.path);
      await this.#volume.syncFolderOf(this.path);
    }
    // While a journal tells of it, that it is gone says that it has become the image.
    if (this.#work.kind !== "repair" && this.#work.intent.journey?.hasCopy)
      await removeCopy(this.#volume, this.#names.copy);
  }

  /** Keeps the way back as `<image>.inplace-undo`. */
  async keepAsUndo(): Promise<void> {
    await this.close();
    if (this.isUndo) return;
    // Of a way back that was cut off before its journal had taken this one's place.
    await this.#volume.remove(draftOf(this.#names, this.path));
    await this.#volume.rename(this.#names.journal, this.#names.undo);
    await this.#volume.syncFolderOf(this.#names.undo);
  }

  /** Lets go of the file; the journal stands. */
  close(): Promise<void> {
    return this.#storage.close();
  }
}

/** Removes the copy of an origin that no journal tells of any more; no error where there is none. */
export async function removeCopy(volume: Volume, path: string): Promise<void> {
  if (!(await volume.facts(path))) return;
  await volume.remove(path);
  await volume.syncFolderOf(path);
}

/** Removes what a cut left of a journal that never became valid. */
export async function clearTornJournal(volume: Volume, imagePath: string): Promise<void> {
  const names = journalNamesOf(imagePath);
  await volume.remove(names.draft);
  await volume.remove(names.journal);
  await volume.syncFolderOf(names.journal);
}

/** Where a journal is written that shall replace the one at `path`: in the same folder, for the rename. */
function draftOf(names: JournalNames, path: string): string {
  return path === names.journal || path === names.undo ? names.draft : draftElsewhere(path);
}

async function rewrite(storage: WritableStorage, length: number): Promise<void> {
  await rewriteRange(storage, 0, length);
  await storage.sync();
}

async function wholeFile(storage: Storage, beside: string): Promise<Uint8Array> {
  const size = await storage.size();
  if (size > MAX_JOURNAL_SIZE) {
    throw damagedJournal(storage.path, `its ${size} bytes are more than a journal holds`, beside);
  }
  return readZeroFilled(storage, 0, size);
}
