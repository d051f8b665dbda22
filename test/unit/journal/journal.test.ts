/** The journal as files: where it lies, what it leaves where it can't be made, and whose it is. */

import { describe, expect, test } from "vitest";
import { ImageError, UsageError } from "../../../src/bytes/image-error.ts";
import { convert } from "../../../src/convert/convert.ts";
import { resume } from "../../../src/convert/recover.ts";
import { Journal } from "../../../src/journal/journal.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { encodeRecord } from "../../../src/journal/record.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import type { Storage, WritableStorage } from "../../../src/storage/storage.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { type CallKind, FailingVolume } from "../../support/failing-volume.ts";

const NAMES = journalNamesOf(IMAGE_PATH);
const ELSEWHERE = "/vm/elsewhere/journal";
const IMAGE = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3] }).bytes;

/** Counts open files. */
class CountingVolume extends MemoryVolume {
  openCount = 0;

  override async openForReading(path: string): Promise<Storage> {
    return this.#counted(await super.openForReading(path));
  }

  override async openForWriting(path: string): Promise<WritableStorage> {
    return this.#counted(await super.openForWriting(path));
  }

  override async createExclusively(path: string): Promise<WritableStorage | undefined> {
    const made = await super.createExclusively(path);
    return made && this.#counted(made);
  }

  #counted<S extends Storage>(storage: S): S {
    this.openCount++;
    const close = storage.close.bind(storage);
    let isOpen = true;
    storage.close = async () => {
      if (isOpen) this.openCount--;
      isOpen = false;
      await close();
    };
    return storage;
  }
}

async function failureOf(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

/** An image whose conversion was stopped with the journal at `journal`. */
async function stopped(journal?: string): Promise<CountingVolume> {
  const volume = new CountingVolume({ [IMAGE_PATH]: IMAGE });
  const abort = new AbortController();
  const options = { signal: abort.signal, onProgress: () => abort.abort(), checksum: "none" as const };
  const error = await failureOf(
    convert(IMAGE_PATH, "qcow2", journal === undefined ? options : { ...options, journal }, testHost(volume)),
  );
  expect(error).toMatchObject({ kind: "interrupted", journal: journal ?? NAMES.journal });
  return volume;
}

describe("--journal", () => {
  test("with the journal's usual name is the usual journal", async () => {
    const volume = await stopped(NAMES.journal);
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH, NAMES.journal]);
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  });

  test.each([IMAGE_PATH, NAMES.undo, NAMES.lock, NAMES.draft, NAMES.aside])("refuses %s", async (journal) => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: IMAGE });
    expect(await failureOf(convert(IMAGE_PATH, "qcow2", { journal }, testHost(volume)))).toBeInstanceOf(UsageError);
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(IMAGE) });
  });

  test("another image's journal at the place is not this one's", async () => {
    const volume = await stopped(ELSEWHERE);
    const other = await stopped(ELSEWHERE);
    const mixed = new MemoryVolume({ ...volume.snapshots(), [ELSEWHERE]: other.snapshot(ELSEWHERE) });
    expect(await failureOf(resume(IMAGE_PATH, {}, testHost(mixed)))).toMatchObject({
      kind: "corrupt",
      journal: NAMES.journal,
    });
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  });

  test("a pointer to a pointer, itself included, is not followed", async () => {
    const pointer = encodeRecord(
      new Uint8Array(16).fill(1),
      0,
      { record: "pointer", path: "disk.img.inplace-journal" },
      new Uint8Array(0),
    );
    const volume = new CountingVolume({ [IMAGE_PATH]: IMAGE, [NAMES.journal]: pointer });
    expect(await failureOf(Journal.find(volume, IMAGE_PATH))).toMatchObject({ kind: "corrupt" });
    expect(volume.openCount).toBe(0);
  });

  test("a journal that is gone from its place is asked for", async () => {
    const volume = await stopped(ELSEWHERE);
    await volume.remove(ELSEWHERE);
    expect(await failureOf(resume(IMAGE_PATH, {}, testHost(volume)))).toMatchObject({
      kind: "corrupt",
      message: expect.stringContaining(ELSEWHERE),
      journal: NAMES.journal,
    });
  });
});

describe("a journal that can't be made leaves nothing behind", () => {
  const calls: readonly (readonly [CallKind, number, string | undefined])[] = [
    ["create", 1, undefined],
    ["create", 2, undefined],
    ["write", 1, undefined],
    ["write", 2, undefined],
    ["sync", 1, undefined],
    ["syncFolder", 1, undefined],
    ["create", 3, ELSEWHERE],
    ["write", 2, ELSEWHERE],
    ["write", 3, ELSEWHERE],
    ["sync", 2, ELSEWHERE],
  ];
  test.each(calls)("%s %i, journal at %s", async (kind, nth, journal) => {
    for (const leaves of ["nothing", "half"] as const) {
      const memory = new CountingVolume({ [IMAGE_PATH]: IMAGE });
      const volume = new FailingVolume(memory, { kind, nth, code: "ENOSPC", leaves });
      const error = await failureOf(convert(IMAGE_PATH, "qcow2", journal ? { journal } : {}, testHost(volume)));
      expect(error).toBeInstanceOf(ImageError);
      expect((error as ImageError).journal).toBeUndefined();
      expect(memory.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(IMAGE) });
      expect(memory.openCount).toBe(0);
    }
  });
});

test("no file stays open: in use, an unfinished conversion, a damaged journal, a version of another day", async () => {
  const inUse = new CountingVolume({ [IMAGE_PATH]: IMAGE });
  inUse.users = { found: ["QEMU has it open"], blind: [] };
  expect(await failureOf(convert(IMAGE_PATH, "qcow2", {}, testHost(inUse)))).toMatchObject({ kind: "in-use" });
  expect(inUse.openCount).toBe(0);
  expect(Object.keys(inUse.snapshots())).toEqual([IMAGE_PATH]);

  const unfinished = await stopped();
  expect(unfinished.openCount).toBe(0);
  expect(await failureOf(convert(IMAGE_PATH, "qcow2", {}, testHost(unfinished)))).toMatchObject({
    kind: "interrupted",
  });
  expect(unfinished.openCount).toBe(0);

  const id = new Uint8Array(16).fill(1);
  const record = (sequence: number, facts: unknown) => encodeRecord(id, sequence, facts, new Uint8Array(0));
  const damaged = Buffer.concat([record(0, {}).fill(0), record(1, {})]);
  const later = record(0, { record: "intent", version: 2 });
  for (const journal of [damaged, later]) {
    const volume = new CountingVolume({ [IMAGE_PATH]: IMAGE, [NAMES.journal]: journal });
    expect(await failureOf(resume(IMAGE_PATH, {}, testHost(volume)))).toMatchObject({ journal: NAMES.journal });
    expect(volume.openCount).toBe(0);
    expect(volume.snapshot(NAMES.journal)).toEqual(new Uint8Array(journal));
  }
});
