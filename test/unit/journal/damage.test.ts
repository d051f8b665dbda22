/** A damaged journal is never taken for none: nothing is removed, and the message says what may be done. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { check } from "../../../src/convert/check.ts";
import { convert } from "../../../src/convert/convert.ts";
import { unfinished } from "../../../src/convert/reading/unfinished.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { Journal } from "../../../src/journal/journal.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { encodeRecord, scanRecords } from "../../../src/journal/record.ts";
import type { Facts } from "../../../src/journal/records.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildQcow2Image } from "../../formats/qcow2/builder.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { makeSmallDemoQed } from "../../support/demo-qed.ts";

const NAMES = journalNamesOf(IMAGE_PATH);
const ELSEWHERE = "/vm/elsewhere/journal";
const IMAGE = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3] }).bytes;
const NOTHING = new Uint8Array(0);
const UNORDERED = [IMAGE.length, IMAGE.length + 512];

async function failureOf(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

/** The files of a conversion that was stopped, or that kept its undo. */
async function left(journal: string | undefined, keepUndo: boolean): Promise<Record<string, Uint8Array>> {
  const volume = new MemoryVolume({ [IMAGE_PATH]: IMAGE });
  const stop = new AbortController();
  const options = { keepUndo, ...(journal === undefined ? {} : { journal }) };
  const stopped = { signal: stop.signal, onProgress: () => stop.abort(), checksum: "none" as const };
  await failureOf(convert(IMAGE_PATH, "qcow2", keepUndo ? options : { ...options, ...stopped }, testHost(volume)));
  return volume.snapshots();
}

/** Every command that asks for the journal refuses, with words on what may be done, and leaves every file alone. */
async function refusedByAll(files: Record<string, Uint8Array>, beside: string): Promise<ImageError> {
  const volume = new MemoryVolume(files);
  const before = volume.snapshots();
  const commands = [
    () => convert(IMAGE_PATH, "qcow2", {}, testHost(volume)),
    () => check(IMAGE_PATH, { repair: "all" }, testHost(volume)),
    () => resume(IMAGE_PATH, {}, testHost(volume)),
    () => rollback(IMAGE_PATH, {}, testHost(volume)),
    () => unfinished(IMAGE_PATH, volume),
  ];
  let error: unknown;
  for (const command of commands) {
    error = await failureOf(command());
    expect(error).toBeInstanceOf(ImageError);
    expect(error).toMatchObject({ kind: "corrupt", journal: beside });
    expect((error as ImageError).message).toMatch(/put (?:it|that one) back.*remove .* by hand/);
    expect(volume.snapshots()).toEqual(before);
  }
  return error as ImageError;
}

describe("damage that no cut can make", () => {
  const DAMAGES: readonly (readonly [string, (whole: Uint8Array) => Uint8Array])[] = [
    ["emptied", () => NOTHING],
    ["zeroed", (whole) => new Uint8Array(whole.length)],
    ["cut off in its first record", (whole) => whole.slice(0, 100)],
    ["with a changed byte in its first record", (whole) => whole.map((byte, at) => (at === 50 ? byte ^ 1 : byte))],
    ["with its first sector zeroed", (whole) => whole.map((byte, at) => (at < 512 ? 0 : byte))],
    ["replaced by something else", () => new Uint8Array(512).fill(0x41)],
  ];

  test.each(DAMAGES)("a --journal file behind a valid pointer, %s", async (_, damage) => {
    const files = await left(ELSEWHERE, false);
    const error = await refusedByAll({ ...files, [ELSEWHERE]: damage(files[ELSEWHERE] as Uint8Array) }, NAMES.journal);
    expect(error.message).toContain(ELSEWHERE);
    expect(error.message).toContain(NAMES.journal);
  });

  test.each(DAMAGES)("a --journal file behind a kept undo's pointer, %s", async (_, damage) => {
    const files = await left(ELSEWHERE, true);
    await refusedByAll({ ...files, [ELSEWHERE]: damage(files[ELSEWHERE] as Uint8Array) }, NAMES.undo);
  });

  test.each(DAMAGES)("an undo, %s", async (_, damage) => {
    const files = await left(undefined, true);
    const error = await refusedByAll({ ...files, [NAMES.undo]: damage(files[NAMES.undo] as Uint8Array) }, NAMES.undo);
    expect(error.message).toContain(NAMES.undo);
  });

  test.each(DAMAGES)("an undo that is a pointer, %s", async (_, damage) => {
    const files = await left(ELSEWHERE, true);
    await refusedByAll({ ...files, [NAMES.undo]: damage(files[NAMES.undo] as Uint8Array) }, NAMES.undo);
  });

  const telling = DAMAGES.filter(([name]) => /changed byte|something else/.test(name));
  test.each(telling)("a journal or pointer beside the image, %s", async (_, damage) => {
    for (const journal of [undefined, ELSEWHERE]) {
      const files = await left(journal, false);
      const whole = files[NAMES.journal] as Uint8Array;
      const first = whole.subarray(0, firstRecordLength(whole));
      await refusedByAll({ ...files, [NAMES.journal]: damage(Uint8Array.from(first)) }, NAMES.journal);
    }
  });

  test("the first record lost, later ones whole", async () => {
    const files = await left(undefined, true);
    const journal = (files[NAMES.undo] as Uint8Array).slice();
    journal.fill(0, 0, 512);
    const { [NAMES.undo]: _undo, ...others } = files;
    await refusedByAll({ ...others, [NAMES.journal]: journal }, NAMES.journal);
  });

  test("a journal that is gone from its place", async () => {
    const { [ELSEWHERE]: _gone, ...files } = await left(ELSEWHERE, false);
    await refusedByAll(files, NAMES.journal);
  });
});

function firstRecordLength(file: Uint8Array): number {
  for (let length = 512; length <= file.length; length += 512) {
    if (scanRecords(file.subarray(0, length), "j").records.length === 1) return length;
  }
  throw new Error("no whole record");
}

describe("what a cut can leave of a journal that is made", () => {
  test("beside the image says that nothing was written, and is cleared", async () => {
    const files = await left(undefined, false);
    const whole = (files[NAMES.journal] as Uint8Array).subarray(
      0,
      firstRecordLength(files[NAMES.journal] as Uint8Array),
    );
    const cuts = [0, 4, 39, 41, 512, whole.length - 1].map((length) => whole.slice(0, length));
    const holes = [0, 512].map((start) => whole.map((byte, at) => (at >= start && at < start + 512 ? 0 : byte)));
    for (const torn of [...cuts, ...holes, new Uint8Array(whole.length)]) {
      const volume = new MemoryVolume({ [IMAGE_PATH]: IMAGE, [NAMES.journal]: torn, [NAMES.draft]: torn });
      expect(await Journal.find(volume, IMAGE_PATH)).toBe("torn");
      expect(await unfinished(IMAGE_PATH, volume)).toBe("none");
      expect(await failureOf(resume(IMAGE_PATH, {}, testHost(volume)))).toMatchObject({
        message: expect.stringContaining("Nothing to resume"),
      });
      expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
    }
  });

  test("a draft that was left alone is cleared by each command", async () => {
    for (const command of [convert, resume, rollback]) {
      const volume = new MemoryVolume({ [IMAGE_PATH]: IMAGE, [NAMES.draft]: new Uint8Array(512).fill(1) });
      await failureOf(
        command === convert
          ? convert(IMAGE_PATH, "qcow2", {}, testHost(volume))
          : (command as typeof resume)(IMAGE_PATH, {}, testHost(volume)),
      );
      expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
    }
  });

  test("never hides an undo", async () => {
    const files = { ...(await left(undefined, true)), [NAMES.journal]: NOTHING };
    const volume = new MemoryVolume(files);
    expect(await unfinished(IMAGE_PATH, volume)).toBe("undo");
    expect(await failureOf(convert(IMAGE_PATH, "qed", {}, testHost(volume)))).toMatchObject({ kind: "interrupted" });
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(volume.snapshot(IMAGE_PATH)).toEqual(new Uint8Array(IMAGE));
  });

  test("elsewhere, its pointer torn, is in the way of the next, which says that it can go", async () => {
    const files = await left(ELSEWHERE, false);
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: IMAGE, [NAMES.journal]: NOTHING });
    expect(await failureOf(convert(IMAGE_PATH, "qcow2", { journal: ELSEWHERE }, testHost(volume)))).toMatchObject({
      kind: "in-use",
      message: expect.stringMatching(/exists.*cut off.*can be removed/),
    });
    expect(volume.snapshot(IMAGE_PATH)).toEqual(new Uint8Array(IMAGE));
    await volume.remove(ELSEWHERE);
    await convert(IMAGE_PATH, "qcow2", { journal: ELSEWHERE }, testHost(volume));
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  });
});

describe("whole frames that say what we don't write", () => {
  const id = new Uint8Array(16).fill(7);
  const framed = (...records: readonly (readonly [facts: unknown, blob?: Uint8Array])[]) =>
    new Uint8Array(
      Buffer.concat(records.map(([facts, blob = NOTHING], sequence) => encodeRecord(id, sequence, facts, blob))),
    );

  async function intentOf(): Promise<readonly [Facts, Uint8Array]> {
    const { records } = scanRecords((await left(undefined, false))[NAMES.journal] as Uint8Array, "j");
    return [records[0]?.facts as Facts, records[0]?.blob as Uint8Array];
  }

  test.each([
    ["null", null],
    ["a number", 5],
    ["a list", []],
    ["no record", {}],
    ["a record that is no text", { record: 1 }],
    ["a verified without an intent", { record: "verified", undoGivenUp: true }],
    ["a pointer without a path", { record: "pointer" }],
    ["a pointer to a name with a zero byte", { record: "pointer", path: "a\0b" }],
    ["a repair without steps", { record: "repair", version: 1 }],
  ])("%s", async (_, facts) => {
    await refusedByAll({ [IMAGE_PATH]: IMAGE, [NAMES.journal]: framed([facts]) }, NAMES.journal);
  });

  test.each([
    ["oldFileSize", -1],
    ["oldFileSize", "7"],
    ["oldFileSize", 2 ** 60],
    ["oldFileSize", 0.5],
    ["fileSize", null],
    ["savedLength", 1e15],
    ["savedLength", 0],
    ["savedLength", 16],
    ["commitHostOffset", -512],
    ["commitHostOffset", 100],
    ["commitHostOffset", 1 << 30],
    ["commitHostOffset", "0"],
    ["extras", [[-512, 512]]],
    ["extras", [[0]]],
    ["extras", [[0, 1 << 30]]],
    ["extras", null],
    ["options", { cluster_size: 1 }],
    ["options", null],
    ["sourceOptions", undefined],
    ["drop", "snapshots"],
    ["sourceFormat", 3],
    ["checksum", "md5"],
    ["verify", true],
    ["purpose", "other"],
    ["sourceEnd", 512],
    ["sourceEnd", 2 ** 52],
    ["oldFileSize", 2 ** 52],
    ["fileSize", 512],
    ["metadataDigest", null],
  ])("an intent whose %s is %j", async (field, value) => {
    const [facts, blob] = await intentOf();
    await refusedByAll(
      { [IMAGE_PATH]: IMAGE, [NAMES.journal]: framed([{ ...facts, [field]: value }, blob]) },
      NAMES.journal,
    );
  });

  test.each([
    ["an intent in the middle", { record: "intent" }],
    ["prepared with an address that is none", { record: "prepared", added: [[0, -5]], addedDigest: "" }],
    ["prepared without its digest", { record: "prepared", added: [] }],
    ["prepared past any file", { record: "prepared", added: [[512 * 1024, 2 ** 53 - 1]], addedDigest: "" }],
    ["prepared below the old end", { record: "prepared", added: [[0, 512]], addedDigest: "" }],
    ["prepared in no order", { record: "prepared", added: [UNORDERED, UNORDERED], addedDigest: "" }],
    ["verified that doesn't say of the undo", { record: "verified" }],
    ["a header of no bytes", { record: "new-header" }],
    ["null", null],
  ])("%s behind a good intent", async (_, facts) => {
    const journal = framed(await intentOf(), [facts]);
    await refusedByAll({ [IMAGE_PATH]: IMAGE, [NAMES.journal]: journal }, NAMES.journal);
  });

  test.each<[string, unknown]>([
    ["oldFileSize", 512],
    ["fileSize", 512],
    ["added", [[0, 512]]],
    ["added", [[2 ** 20, 2 ** 53 - 1]]],
    ["steps", [{ purpose: "p", patches: [[2 ** 40, 512]] }]],
    ["steps", [{ purpose: "p", patches: [[100, 512]] }]],
    [
      "steps",
      [
        {
          purpose: "p",
          patches: [
            [0, 512],
            [0, 512],
          ],
        },
      ],
    ],
  ])("a repair whose %s is %j", async (field, value) => {
    const { bytes, at } = buildQcow2Image({ clusterBits: 12 });
    bytes.writeBigUInt64BE(0n, at.refcountTable);
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    await check(IMAGE_PATH, { repair: "all", keepUndo: true }, testHost(volume));
    const { records } = scanRecords(volume.snapshot(NAMES.undo), "j");
    const { facts, blob } = records[0] as { readonly facts: object; readonly blob: Uint8Array };
    const steps = field === "steps" ? (value as { readonly patches: readonly unknown[] }[]) : [];
    const held = steps.length > 0 ? blob.subarray(0, 1024 * (steps[0]?.patches.length ?? 0)) : blob;
    await refusedByAll(
      { [IMAGE_PATH]: volume.snapshot(IMAGE_PATH), [NAMES.journal]: framed([{ ...facts, [field]: value }, held]) },
      NAMES.journal,
    );
  });

  test("an intent whose bytes are right in number, but lie where they may not", async () => {
    const [facts, blob] = await intentOf();
    const beyond = [4096, 512] as const;
    const wrong: readonly (readonly [object, Uint8Array])[] = [
      // A sector for the commit, the extras, then the saved header.
      [{ savedLength: 4096, extras: [beyond] }, new Uint8Array(512 + beyond[1] + 1024)],
      [{ savedLength: 16, extras: [] }, new Uint8Array(512 + 16)],
      [{}, blob.subarray(0, 500)],
    ];
    for (const [change, bytes] of wrong) {
      const journal = framed([{ ...facts, ...change }, bytes]);
      await refusedByAll({ [IMAGE_PATH]: IMAGE, [NAMES.journal]: journal }, NAMES.journal);
    }
  });

  test("a repair without all bytes of its steps", async () => {
    const facts = {
      record: "repair",
      version: 1,
      format: "qcow2",
      scope: "all",
      allowDataLoss: false,
      keepUndo: false,
      oldFileSize: 4096,
      fileSize: 4096,
      metadataDigest: null,
      steps: [{ purpose: "refcounts", patches: [[512, 512]] }],
    };
    for (const length of [0, 512, 1023, 1025]) {
      const journal = framed([facts, new Uint8Array(length)]);
      await refusedByAll({ [IMAGE_PATH]: IMAGE, [NAMES.journal]: journal }, NAMES.journal);
    }
    const volume = new MemoryVolume({ [IMAGE_PATH]: IMAGE, [NAMES.journal]: framed([facts, new Uint8Array(1024)]) });
    expect(await Journal.find(volume, IMAGE_PATH)).toBeInstanceOf(Journal);
  });

  test("bytes that are no JSON under a right sum", async () => {
    const text = "{".padEnd(24, " ");
    const record = encodeRecord(id, 0, text, NOTHING);
    // The quotes of the text are taken away, the sum made right again by encoding what is left as a blob.
    const bare = encodeRecord(id, 0, {}, new TextEncoder().encode(text));
    const view = new DataView(bare.buffer);
    view.setUint32(28, 2 + text.length, true);
    view.setUint32(32, 0, true);
    const { crc32 } = await import("../../../src/bytes/crc32.ts");
    view.setUint32(36, 0, true);
    view.setUint32(36, crc32(bare.subarray(0, 42 + text.length)), true);
    expect(scanRecords(record, "j").records).toHaveLength(1);
    expect(scanRecords(bare, "j").records).toHaveLength(1);
    await refusedByAll({ [IMAGE_PATH]: IMAGE, [NAMES.journal]: bare }, NAMES.journal);
  });

  test("a kind that only another version knows is left to that version", async () => {
    for (const kind of ["moved-again", "constructor", "__proto__"]) {
      const volume = new MemoryVolume({
        [IMAGE_PATH]: IMAGE,
        [NAMES.journal]: framed(await intentOf(), [{ record: kind }]),
      });
      expect(await failureOf(resume(IMAGE_PATH, {}, testHost(volume)))).toMatchObject({
        kind: "unsupported",
        message: expect.stringContaining("another version"),
        journal: NAMES.journal,
      });
      expect(volume.snapshot(IMAGE_PATH)).toEqual(new Uint8Array(IMAGE));
    }
  });
});

test("on disk: an emptied undo stays, and once it is removed by hand everything goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "inplace-convert-damage-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "journals"));
  const image = join(folder, "disk.qed");
  const journal = join(folder, "journals", "of-disk");
  await makeSmallDemoQed(image);
  await convert(image, "qcow2", { keepUndo: true, journal });
  truncateSync(journal, 0);
  const before = readFileSync(image);
  for (const command of [resume, rollback]) {
    expect(await failureOf(command(image))).toMatchObject({ kind: "corrupt", journal: `${image}.inplace-undo` });
  }
  expect(await failureOf(convert(image, "qed"))).toMatchObject({ kind: "corrupt", journal: `${image}.inplace-undo` });
  expect(readFileSync(image).equals(before)).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(["disk.qed", "disk.qed.inplace-undo", "journals"]);
  rmSync(journal);
  rmSync(`${image}.inplace-undo`);
  expect((await convert(image, "qed")).changed).toBe(true);
  writeFileSync(`${image}.inplace-undo`, "");
  expect(await failureOf(convert(image, "qcow2"))).toMatchObject({ kind: "corrupt" });
});
