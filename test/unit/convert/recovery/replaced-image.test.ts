/** Another file in the place of an image with a journal or undo beside it: nothing is stuck for good. */

import { describe, expect, test } from "vitest";
import { check } from "../../../../src/convert/check.ts";
import { convert } from "../../../../src/convert/convert.ts";
import { resume, rollback } from "../../../../src/convert/recover.ts";
import { journalNamesOf } from "../../../../src/journal/names.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import { buildQedImage } from "../../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { eachCut } from "../../../support/power-cut.ts";
import { seededRandom } from "../../../support/random.ts";
import { RecordingVolume } from "../../../support/recording-volume.ts";

const NAMES = journalNamesOf(IMAGE_PATH);
const ELSEWHERE = "/vm/elsewhere/journal";
const QED = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3] }).bytes;
const LEAKY = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3], leaks: 2 }).bytes;
type Files = Record<string, Uint8Array>;

/** Kept, or cut right after its undo was given up. */
async function converted(journal: string | undefined, state: "kept" | "given up"): Promise<Files> {
  const volume = new RecordingVolume({ [IMAGE_PATH]: QED });
  const options = journal === undefined ? {} : { journal };
  await convert(IMAGE_PATH, "qcow2", { ...options, keepUndo: state === "kept" }, testHost(volume));
  if (state === "kept") return volume.memory.snapshots();
  let isCommitted = false;
  for (const { count, cut } of eachCut(volume.log)) {
    const last = volume.operations[count - 1];
    isCommitted ||= last?.kind === "write" && last.path === IMAGE_PATH && last.hostOffset === 0;
    if (!isCommitted || last?.kind !== "sync" || last.path === IMAGE_PATH) continue;
    const { [NAMES.lock]: _deadOwners, ...files } = cut.sample("all-new", seededRandom(1));
    return files;
  }
  throw new Error("the undo was never given up");
}

/** Both commands say what it is, touch nothing, and name the files whose removal ends it. */
async function endsByHand(files: Files, beside: string, journal: string): Promise<void> {
  const volume = new MemoryVolume(files);
  const before = volume.snapshots();
  for (const command of [resume, rollback]) {
    const error = await failureOf(command(IMAGE_PATH, {}, testHost(volume)));
    expect(error).toMatchObject({ kind: "changed-underneath", journal: beside });
    expect(error.message).toMatch(/if another file has taken its place, remove .* by hand/);
    for (const file of [beside, journal]) expect(error.message).toContain(file);
    expect(error.message).not.toContain("the image is whole");
    expect(volume.snapshots()).toEqual(before);
  }
  for (const file of [beside, journal]) await volume.remove(file);
  const { message } = await failureOf(resume(IMAGE_PATH, {}, testHost(volume)));
  expect(message).toContain("Nothing to resume");
}

const OTHERS: readonly (readonly [string, Uint8Array])[] = [
  ["an empty file", new Uint8Array(0)],
  ["a few bytes", new TextEncoder().encode("hello")],
  ["a raw disk", new Uint8Array(64 * 1024)],
  ["a disk of another format", Uint8Array.from({ length: 8192 }, (_, at) => "KDMV".charCodeAt(at % 4))],
];

describe.each(["kept", "given up"] as const)("the undo %s", (state) => {
  const beside = state === "kept" ? NAMES.undo : NAMES.journal;

  test.each(OTHERS)("%s in its place", async (_, other) => {
    for (const journal of [undefined, ELSEWHERE]) {
      const files = await converted(journal, state);
      await endsByHand({ ...files, [IMAGE_PATH]: other }, beside, journal ?? beside);
    }
  });
});

test("a backup of the source restored after the undo was given up: convert points to resume, resume to the end", async () => {
  const files = { ...(await converted(undefined, "given up")), [IMAGE_PATH]: LEAKY };
  const volume = new MemoryVolume(files);
  const error = await failureOf(convert(IMAGE_PATH, "qcow2", {}, testHost(volume)));
  expect(error).toMatchObject({ kind: "interrupted", journal: NAMES.journal });
  expect(error.message).toContain("inplace-convert resume");
  await endsByHand(files, NAMES.journal, NAMES.journal);
  await volume.remove(NAMES.journal);
  expect((await convert(IMAGE_PATH, "qcow2", {}, testHost(volume))).changed).toBe(true);
});

test("an image of the same format in its place is finished as found, and no journal stays", async () => {
  const other = new MemoryVolume({ [IMAGE_PATH]: LEAKY });
  await convert(IMAGE_PATH, "qcow2", {}, testHost(other));
  for (const state of ["kept", "given up"] as const) {
    const volume = new MemoryVolume({
      ...(await converted(undefined, state)),
      [IMAGE_PATH]: other.snapshot(IMAGE_PATH),
    });
    await resume(IMAGE_PATH, {}, testHost(volume));
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
    expect((await check(IMAGE_PATH, {}, testHost(volume))).verdict).toBe("clean");
  }
});
