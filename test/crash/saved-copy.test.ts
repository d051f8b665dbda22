/**
 * `--keep-undo` of a path that rearranges, on a file system that copies a file for nothing: the old bytes come back from any
 * cut, recoveries cut in turn; what a guest wrote meanwhile is never given up for them.
 */

import { describe, expect, test } from "vitest";
import { convert } from "../../src/convert/convert.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { formatToldBy } from "../../src/formats/registry.ts";
import { journalNamesOf } from "../../src/journal/names.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { buildWithGuest } from "../formats/qcow2/any-image.ts";
import { IMAGE_PATH, type Scenario, testHost } from "../support/crash-scenario.ts";
import { FailingVolume } from "../support/failing-volume.ts";
import { failureOf } from "../support/failure-of.ts";
import { LyingVolume } from "../support/lying-volume.ts";
import { pathScenarios } from "../support/path-scenarios.ts";
import { type DiskState, eachCut } from "../support/power-cut.ts";
import { seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";

const NAMES = journalNamesOf(IMAGE_PATH);
const all = await pathScenarios();
const NOTHING = /^Nothing to (?:resume|roll back)/;

function scenario(name: string): Scenario {
  const found = all.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no scenario ${name}`);
  return { ...found, options: { ...found.options, keepUndo: true } };
}

function sharing(files: Readonly<Record<string, Uint8Array>>): RecordingVolume {
  const volume = new RecordingVolume(files);
  volume.memory.canClone = true;
  return volume;
}

/** Without what no pointer leads to any more, as where the records were made and a cut took the pointer. */
function namesIn(files: Readonly<Record<string, Uint8Array>>): string[] {
  return Object.keys(files).filter((path) => !path.includes("/elsewhere/"));
}

/** The image alone, byte for byte: a difference of a million bytes is not drawn. */
function expectOld(files: Readonly<Record<string, Uint8Array>>, image: Uint8Array, where = ""): void {
  expect(namesIn(files), where).toEqual([IMAGE_PATH]);
  expect(Buffer.compare(files[IMAGE_PATH] as Uint8Array, image), where).toBe(0);
}

async function guestOf(files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const image = files[IMAGE_PATH] as Uint8Array;
  const format = (await formatToldBy(memoryStorage(image))) ?? "raw";
  const options = { forceShare: true, format, allowMarkedRaw: true } as const;
  return (await checksum(IMAGE_PATH, options, sharing(files))).checksum;
}

async function recovered(state: DiskState, recover: typeof resume): Promise<RecordingVolume> {
  const volume = sharing(state);
  await recover(IMAGE_PATH, {}, testHost(volume)).catch((error: Error) => expect(error.message).toMatch(NOTHING));
  return volume;
}

const SCENARIOS = [
  "raw to qcow2",
  "qcow2 to raw, random",
  "qcow2 to qcow2, compacted, a snapshot",
  "raw to qcow2, undo kept, journal elsewhere",
].map(scenario);

describe.each(SCENARIOS)("$name", ({ image, targetFormat, options }) => {
  const converted = async () => {
    const volume = sharing({ [IMAGE_PATH]: image });
    const report = await convert(IMAGE_PATH, targetFormat, options, testHost(volume));
    return { volume, report };
  };

  test("keeps the old bytes, says so, and gives them back", async () => {
    const { volume, report } = await converted();
    expect(report.notes.join("\n")).toMatch(/The undo keeps the old bytes in .*\.inplace-copy/);
    const files = volume.memory.snapshots();
    expect(Object.keys(files)).toEqual(expect.arrayContaining([NAMES.copy, NAMES.undo]));
    const back = await recovered(files, rollback);
    expectOld(back.memory.snapshots(), image);
    const given = (await recovered(files, resume)).memory.snapshots();
    expect(Object.keys(given)).toEqual([IMAGE_PATH]);
    expectOld(given, files[IMAGE_PATH] as Uint8Array);
  });

  test("cut anywhere: rollback gives every byte back, resume keeps the guest", { timeout: 60_000 }, async () => {
    const { volume } = await converted();
    const guest = await guestOf({ [IMAGE_PATH]: image });
    const { length } = volume.operations;
    const step = Math.max(1, Math.floor(length / 14));
    for (const { count, cut } of eachCut(volume.log)) {
      if (count > 10 && count < length - 8 && count % step > 0) continue;
      const state = cut.sample(count % 2 === 0 ? "all-new" : "each-sector-random", seededRandom(count));
      const isTold = [NAMES.journal, NAMES.undo].some((name) => name in state);
      const back = (await recovered(state, rollback)).memory.snapshots();
      // A name may come back, and go, by itself.
      if (isTold) expectOld(back, image);
      expect(namesIn(back)).toEqual([IMAGE_PATH]);
      const forth = (await recovered(state, resume)).memory.snapshots();
      expect(await guestOf(forth)).toBe(guest);
      if (NAMES.copy in forth) expect(NAMES.undo in forth).toBe(true);
    }
  });

  test("a rollback that is cut is finished by either command", { timeout: 60_000 }, async () => {
    const { volume } = await converted();
    const guest = await guestOf({ [IMAGE_PATH]: image });
    const back = await recovered(volume.memory.snapshots(), rollback);
    for (const { count, cut } of eachCut(back.log)) {
      if (count % 2 === 0 && count < back.operations.length - 6) continue;
      const state = cut.sample(count % 2 === 0 ? "all-new" : "each-sector-random", seededRandom(count));
      expect(await guestOf(state)).toBe(guest);
      const again = (await recovered(state, rollback)).memory.snapshots();
      expectOld(again, image);
      expect(await guestOf((await recovered(state, resume)).memory.snapshots())).toBe(guest);
    }
  });

  test("a rollback that is cut, and the copy removed by somebody: what is said of the image is true", {
    timeout: 60_000,
  }, async () => {
    const { volume } = await converted();
    const guest = await guestOf({ [IMAGE_PATH]: image });
    const files = volume.memory.snapshots();
    const back = await recovered(files, rollback);
    let removed = 0;
    for (const { count, cut } of eachCut(back.log)) {
      if (count < back.operations.length - 8) continue;
      const state = { ...cut.sample("all-new", seededRandom(count)) };
      if (!(NAMES.copy in state) || !(NAMES.undo in state)) continue;
      delete state[NAMES.copy];
      removed++;
      for (const recover of [rollback, resume]) {
        const after = sharing(state);
        const { format } = await recover(IMAGE_PATH, {}, testHost(after));
        const left = after.memory.snapshots();
        expect(namesIn(left)).toEqual([IMAGE_PATH]);
        expect(await guestOf(left)).toBe(guest);
        expect((await formatToldBy(memoryStorage(left[IMAGE_PATH] as Uint8Array))) ?? "raw").toBe(format);
      }
    }
    expect(removed).toBeGreaterThan(0);
  });
});

test("a copy that another file takes the place of while it is compared takes no image's place", async () => {
  const { image, targetFormat, options } = scenario("qcow2 to raw, random");
  const volume = sharing({ [IMAGE_PATH]: image });
  await convert(IMAGE_PATH, targetFormat, options, testHost(volume));
  const files = volume.memory.snapshots();
  const [guest, other] = [await guestOf(files), "/elsewhere/other"];
  const after = sharing({ ...files, [other]: new Uint8Array(4096).fill(7) });
  const replacing = new LyingVolume(after, NAMES.copy, {
    read() {
      if (other in after.memory.snapshots()) void after.rename(other, NAMES.copy);
    },
  });
  const error = await failureOf(rollback(IMAGE_PATH, {}, testHost(replacing)));
  expect(error).toMatchObject({ kind: "changed-underneath", message: expect.stringMatching(/copy .* was changed/) });
  expect(await guestOf(after.memory.snapshots())).toBe(guest);
});

test("a call that fails: without a journal nothing is left of the copy, with one it gives the old bytes back", {
  timeout: 60_000,
}, async () => {
  const { image, targetFormat, options } = scenario("qcow2 to raw, random");
  const files = { [IMAGE_PATH]: image };
  const counting = new FailingVolume(sharing(files));
  await convert(IMAGE_PATH, targetFormat, options, testHost(counting));
  for (const kind of ["sync", "syncFolder", "create", "rename", "remove", "write"] as const) {
    const count = counting.count(kind);
    for (let nth = 1; nth <= count; nth += nth < 6 || nth > count - 4 ? 1 : 7) {
      const volume = sharing(files);
      const failing = new FailingVolume(volume, { kind, nth, code: "EIO" });
      const error = await convert(IMAGE_PATH, targetFormat, options, testHost(failing)).then(
        () => undefined,
        (thrown) => thrown,
      );
      expect(failing.retriedSyncCount).toBe(0);
      const left = volume.memory.snapshots();
      const standing = [NAMES.journal, NAMES.undo].some((name) => name in left);
      const where = `${kind} ${nth}: ${error}`;
      if (!standing) {
        expect(Buffer.compare(left[IMAGE_PATH] as Uint8Array, image), where).toBe(0);
        expect(NAMES.copy in left && kind !== "remove" && kind !== "syncFolder", where).toBe(false);
      }
      const back = (await recovered(left, rollback)).memory.snapshots();
      expectOld(back, image, where);
    }
  }
});

test.each<[string, RegExp, (files: Record<string, Uint8Array>) => void]>([
  ["gone", /inplace-copy is gone/, (files) => delete files[NAMES.copy]],
  ["no image any more", /can't be read/, (files) => (files[NAMES.copy] as Uint8Array).fill(0, 0, 512)],
])("a copy that is %s: the old format is made again", async (_, why, harm) => {
  const { image, targetFormat, options } = scenario("qcow2 to raw, random");
  const volume = sharing({ [IMAGE_PATH]: image });
  await convert(IMAGE_PATH, targetFormat, options, testHost(volume));
  const files = volume.memory.snapshots();
  harm(files);
  const after = sharing(files);
  const { notes } = await rollback(IMAGE_PATH, {}, testHost(after));
  expect(notes.join("\n")).toMatch(why);
  expect(Object.keys(after.memory.snapshots())).toEqual([IMAGE_PATH]);
  expect(await guestOf(after.memory.snapshots())).toBe(await guestOf({ [IMAGE_PATH]: image }));
});

test("what a guest wrote since stays: the old format is made again, and the output says why", async () => {
  const { bytes } = buildWithGuest({ virtualSize: 12 * 4096, data: [0, 3, 7], clusterBits: 12 });
  const volume = sharing({ [IMAGE_PATH]: bytes });
  await convert(IMAGE_PATH, "raw", { keepUndo: true }, testHost(volume));
  const files = volume.memory.snapshots();
  (files[IMAGE_PATH] as Uint8Array).fill(0xee, 5 * 4096, 5 * 4096 + 512);
  const guest = await guestOf(files);
  const after = sharing(files);
  const { notes, message } = await rollback(IMAGE_PATH, {}, testHost(after));
  expect(notes.join("\n")).toMatch(/The old bytes are not put back: the guest wrote to its disk since/);
  expect(message).toMatch(/converted back/);
  const ended = after.memory.snapshots();
  expect(Object.keys(ended)).toEqual([IMAGE_PATH]);
  expect(await guestOf(ended)).toBe(guest);
});

test("a disk that somebody made longer stays as long, all of it zeros or not", async () => {
  const { bytes } = buildWithGuest({ virtualSize: 12 * 4096, data: [0, 3, 7], clusterBits: 12 });
  const volume = sharing({ [IMAGE_PATH]: bytes });
  await convert(IMAGE_PATH, "raw", { keepUndo: true }, testHost(volume));
  const files = volume.memory.snapshots();
  files[IMAGE_PATH] = Buffer.concat([files[IMAGE_PATH] as Uint8Array, Buffer.alloc(4096)]);
  const guest = await guestOf(files);
  const after = sharing(files);
  const { notes } = await rollback(IMAGE_PATH, {}, testHost(after));
  expect(notes.join("\n")).toMatch(/The old bytes are not put back: its disk is longer by now/);
  expect(await guestOf(after.memory.snapshots())).toBe(guest);
});

test.each<[string, RegExp, (volume: RecordingVolume) => void, object]>([
  [
    "where no copy can be made",
    /copies no file for nothing/,
    (volume) => {
      volume.memory.canClone = false;
    },
    {},
  ],
  [
    "where there is no room for it",
    /has no room/,
    (volume) => {
      volume.memory.free = 2 ** 25;
    },
    {},
  ],
  ["where a bound leaves none", /--max-extra-space/, () => {}, { maxExtraSpace: 2 ** 24 }],
])("%s nothing changes, and that is said", async (_, why, arrange, more) => {
  const { image, targetFormat, options } = scenario("qcow2 to raw, random");
  const volume = sharing({ [IMAGE_PATH]: image });
  arrange(volume);
  const { notes } = await convert(IMAGE_PATH, targetFormat, { ...options, ...more }, testHost(volume));
  expect(notes.join("\n")).toMatch(why);
  expect(Object.keys(volume.memory.snapshots()).sort()).toEqual([IMAGE_PATH, NAMES.undo]);
});
