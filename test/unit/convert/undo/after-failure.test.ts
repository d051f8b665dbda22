/** What becomes of an image when a conversion fails: put back, or left alone with its journal. */

import { expect, test } from "vitest";
import { convert } from "../../../../src/convert/convert.ts";
import { resume, rollback } from "../../../../src/convert/recover.ts";
import { isQed } from "../../../../src/formats/qed/header/header.ts";
import { journalNamesOf } from "../../../../src/journal/names.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import type { OtherUsers, Storage } from "../../../../src/storage/storage.ts";
import { buildQedImage } from "../../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { FailingVolume } from "../../../support/failing-volume.ts";
import { failureOf } from "../../../support/failure-of.ts";

const IMAGE = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3] }).bytes;
const NAMES = journalNamesOf(IMAGE_PATH);

/** Writes on a quiet run: lock, journal, tables, `prepared`, commit, then the rest. */
const COMMIT_WRITE = 5;

test("a full disk at the commit: put back byte for byte, and the message says so", async () => {
  const memory = new MemoryVolume({ [IMAGE_PATH]: IMAGE });
  const volume = new FailingVolume(memory, { kind: "write", nth: COMMIT_WRITE, code: "ENOSPC" });
  const error = await failureOf(convert(IMAGE_PATH, "qcow2", {}, testHost(volume)));
  expect(error).toMatchObject({ kind: "no-space", rolledBack: true, journal: undefined, hostOffset: 0 });
  expect(error.message).toMatch(/the image was put back as it was$/);
  expect(memory.snapshots()).toEqual({ [IMAGE_PATH]: IMAGE });
});

test("someone opened the image meanwhile: nothing more is written, the journal stands", async () => {
  const memory = new MemoryVolume({ [IMAGE_PATH]: IMAGE });
  const volume = new (class extends FailingVolume {
    override otherUsers(storage: Storage): Promise<OtherUsers> {
      memory.users = { found: this.struck.length > 0 ? ["QEMU has it open"] : [], blind: [] };
      return super.otherUsers(storage);
    }
  })(memory, { kind: "write", nth: COMMIT_WRITE, code: "ENOSPC" });
  const error = await failureOf(convert(IMAGE_PATH, "qcow2", {}, testHost(volume)));
  expect(error).toMatchObject({ kind: "no-space", rolledBack: false, journal: NAMES.journal });
  expect(memory.snapshot(IMAGE_PATH).length).toBeGreaterThan(IMAGE.length);
  memory.users = { found: [], blind: [] };
  await rollback(IMAGE_PATH, {}, testHost(memory));
  expect(memory.snapshots()).toEqual({ [IMAGE_PATH]: IMAGE });
});

test("another command has our lock meanwhile: nothing more is written, the journal stands", async () => {
  const memory = new MemoryVolume({ [IMAGE_PATH]: IMAGE });
  const anothers = new TextEncoder().encode(
    JSON.stringify({ pid: 1, hostName: "there", bootId: "b", startTime: "0", nonce: "another's" }),
  );
  const volume = new (class extends FailingVolume {
    override async otherUsers(storage: Storage): Promise<OtherUsers> {
      if (this.struck.length > 0) {
        await memory.remove(NAMES.lock);
        await (await memory.createExclusively(NAMES.lock))?.write(0, anothers);
      }
      return super.otherUsers(storage);
    }
  })(memory, { kind: "write", nth: COMMIT_WRITE, code: "ENOSPC" });
  const error = await failureOf(convert(IMAGE_PATH, "qcow2", {}, testHost(volume)));
  expect(error).toMatchObject({ kind: "no-space", rolledBack: false, journal: NAMES.journal });
  expect(memory.snapshot(IMAGE_PATH).length).toBeGreaterThan(IMAGE.length);
  expect(memory.snapshot(NAMES.lock)).toEqual(anothers);
});

test("a folder's failed sync is a failed sync: the finished image is not put back", async () => {
  const counting = new FailingVolume(new MemoryVolume({ [IMAGE_PATH]: IMAGE }));
  await convert(IMAGE_PATH, "qcow2", { keepUndo: true }, testHost(counting));
  const memory = new MemoryVolume({ [IMAGE_PATH]: IMAGE });
  const volume = new FailingVolume(memory, { kind: "syncFolder", nth: counting.count("syncFolder"), code: "EIO" });
  const error = await failureOf(convert(IMAGE_PATH, "qcow2", { keepUndo: true }, testHost(volume)));
  expect(error.journal).toBe(NAMES.journal);
  expect(isQed(memory.snapshot(IMAGE_PATH))).toBe(false);
  await resume(IMAGE_PATH, {}, testHost(memory));
  expect(Object.keys(memory.snapshots())).toEqual([IMAGE_PATH]);
});
