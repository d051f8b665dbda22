/** What others wrote between two of our commands: each byte that leads back is looked at, and what they wrote stays. */

import { describe, expect, test } from "vitest";
import type { ImageError } from "../../../src/bytes/image-error.ts";
import { check } from "../../../src/convert/check.ts";
import { convert } from "../../../src/convert/convert.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { setmap } from "../../../src/convert/setmap.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { kitOf } from "../../formats/kits.ts";
import { buildQedImage, setEntry } from "../../formats/qed/builder.ts";
import { crashScenarios, IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { cutAtCommit, cutAtGivenUp } from "../../support/cut-conversion.ts";
import { guestOf, sha256, WAYS } from "../../support/lying-trial.ts";
import { cutAfter, eachCut } from "../../support/power-cut.ts";
import { seededRandom } from "../../support/random.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";
import { repairScenarios } from "../../support/repair-scenarios.ts";
import { withPlan } from "../../support/repair-stand-in.ts";
import { UnreadableVolume } from "../../support/unreadable-storage.ts";

const CLUSTER = 4096;
const NAMES = journalNamesOf(IMAGE_PATH);

/** Conversions with their undo kept; the last has bytes of the target's in the source's header cluster. */
const scenarios = [
  ...WAYS,
  ...(await crashScenarios())
    .filter(({ name }) => name.includes("backing name moved"))
    .map(({ name, image, sourceFormat, targetFormat, options }) => {
      return { name, image, from: sourceFormat, to: targetFormat, options };
    }),
];

async function kept({ image, to, options }: (typeof scenarios)[number]): Promise<MemoryVolume> {
  const volume = new MemoryVolume({ [IMAGE_PATH]: image });
  await convert(IMAGE_PATH, to, { ...options, keepUndo: true }, testHost(volume));
  return volume;
}

function digestsOf(volume: MemoryVolume): Record<string, string> {
  return Object.fromEntries(Object.entries(volume.snapshots()).map(([path, bytes]) => [path, sha256(bytes)]));
}

async function refusedBack(volume: MemoryVolume): Promise<ImageError> {
  const before = digestsOf(volume);
  const undo = volume.snapshot(NAMES.undo);
  const error = await rollback(IMAGE_PATH, {}, testHost(volume)).then(
    () => undefined,
    (thrown: unknown) => thrown as ImageError,
  );
  // The undo may have learnt what somebody else wrote beside the header, and has all that it had.
  const [now, undoNow] = [digestsOf(volume), volume.snapshot(NAMES.undo)];
  expect(sha256(undoNow.subarray(0, undo.length))).toBe(before[NAMES.undo]);
  expect({ ...now, [NAMES.undo]: before[NAMES.undo] }).toEqual(before);
  expect(error).toMatchObject({ kind: "changed-underneath", journal: NAMES.undo });
  expect(error?.message).toContain("nothing was touched");
  return error as ImageError;
}

describe.each(scenarios)("rollback of $name", (scenario) => {
  const { image } = scenario;

  test("puts the old bytes back", async () => {
    const volume = await kept(scenario);
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
    expect(sha256(volume.snapshot(IMAGE_PATH))).toBe(sha256(image));
  });

  test("refuses over a byte that was added, wherever it lies", async () => {
    const files = (await kept(scenario)).snapshots();
    const converted = files[IMAGE_PATH] as Uint8Array;
    const places = [...converted.keys()].filter((at) => at >= image.length && converted[at] !== 0);
    const step = Math.max(1, Math.floor(places.length / 60));
    expect(places.length).toBeGreaterThan(5);
    for (const at of [...places.slice(0, 4), ...places.filter((_, index) => index % step === 0)]) {
      const volume = new MemoryVolume(files);
      await (await volume.openForWriting(IMAGE_PATH)).write(at, Uint8Array.of((converted[at] as number) ^ 4));
      expect((await refusedBack(volume)).message).toContain("the new tables were changed since");
    }
  });

  test("refuses over a header that was rewritten, and over bytes of ours in its cluster", async () => {
    const files = (await kept(scenario)).snapshots();
    const converted = files[IMAGE_PATH] as Uint8Array;
    const isExtra = (at: number) => at >= 512 && at < CLUSTER && converted[at] !== image[at];
    const extras = [...converted.subarray(0, CLUSTER).keys()].filter(isExtra);
    expect(extras.length > 0).toBe(scenario.name.includes("backing name moved"));
    for (const [at, message] of [
      [20, "its header was rewritten since"],
      [511, "its header was rewritten since"],
      ...extras.map((place) => [place, "its header cluster was changed since"] as const),
    ] as const) {
      const volume = new MemoryVolume(files);
      await (await volume.openForWriting(IMAGE_PATH)).write(at, Uint8Array.of((converted[at] as number) ^ 4));
      expect((await refusedBack(volume)).message).toContain(message);
    }
  });

  test("refuses over the old tables, a longer file, a shorter one", async () => {
    const files = (await kept(scenario)).snapshots();
    const converted = files[IMAGE_PATH] as Uint8Array;
    const source = await openImage(memoryStorage(image));
    const tables = [...(await source.getMetadataRanges()).each()]
      .filter(({ end }) => end > CLUSTER)
      .map(({ end }) => end - 1);
    expect(tables.length).toBeGreaterThan(0);
    for (const at of tables) {
      const volume = new MemoryVolume(files);
      await (await volume.openForWriting(IMAGE_PATH)).write(at, Uint8Array.of((converted[at] as number) ^ 4));
      expect((await refusedBack(volume)).message).toContain("the old tables were changed since");
    }
    for (const [size, message] of [
      [converted.length + 512, `its file has ${converted.length + 512} bytes instead of ${converted.length} since`],
      [image.length - 512, `its file was cut to ${image.length - 512} bytes since`],
    ] as const) {
      const volume = new MemoryVolume(files);
      await (await volume.openForWriting(IMAGE_PATH)).resize(size);
      expect((await refusedBack(volume)).message).toContain(message);
    }
  });

  test("from before the commit, after a resume and with its undo, puts the old bytes back too", async () => {
    const run = (volume: RecordingVolume) =>
      convert(IMAGE_PATH, scenario.to, { ...scenario.options, keepUndo: true }, testHost(volume));
    const undisturbed = await kept(scenario);
    const volume = new MemoryVolume(await cutAtCommit({ [IMAGE_PATH]: image }, run, "prepared"));
    expect(await resume(IMAGE_PATH, {}, testHost(volume))).toMatchObject({ format: scenario.to });
    expect(sha256(volume.snapshot(IMAGE_PATH))).toBe(sha256(undisturbed.snapshot(IMAGE_PATH)));
    expect(volume.has(NAMES.undo)).toBe(true);
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(sha256(volume.snapshot(IMAGE_PATH))).toBe(sha256(image));
  });
});

describe("a guest used the source before the commit", () => {
  /** One L2 table is there, the next one is not. */
  const built = buildQedImage({
    clusterSize: CLUSTER,
    tableSize: 2,
    virtualSize: 2000 * CLUSTER,
    data: [0, 1, 5, 9, 17, 39],
  });
  const prepared = () =>
    cutAtCommit(
      { [IMAGE_PATH]: built.bytes },
      (volume) => convert(IMAGE_PATH, "qcow2", {}, testHost(volume)),
      "prepared",
    );

  test("and allocated a table behind its data: resume keeps both", async () => {
    const files = await prepared();
    const old = files[IMAGE_PATH] as Uint8Array;
    const data = Math.ceil(old.length / CLUSTER) * CLUSTER;
    const grown = new Uint8Array(data + 3 * CLUSTER);
    grown.set(old);
    grown.fill(0x77, data, data + CLUSTER);
    const view = new DataView(grown.buffer);
    setEntry(view, data + CLUSTER, 1500 - 1024, data);
    setEntry(view, built.l1Offset, 1, data + CLUSTER);
    const guest = await guestOf(grown);
    expect(guest).not.toBe(await guestOf(old));
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: grown });
    expect(await resume(IMAGE_PATH, {}, testHost(volume))).toMatchObject({ format: "qcow2" });
    expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(guest);
  });

  test("and left it corrupt: nothing is touched", async () => {
    const files = await prepared();
    const used = (files[IMAGE_PATH] as Uint8Array).slice();
    // Two entries point at one cluster.
    setEntry(new DataView(used.buffer), built.l2Offsets.get(0) as number, 3, built.dataOffsets.get(5) as number);
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: used });
    const before = digestsOf(volume);
    await expect(resume(IMAGE_PATH, {}, testHost(volume))).rejects.toMatchObject({
      kind: "corrupt",
      journal: NAMES.journal,
      message: expect.stringContaining("it was written to since, and its check finds errors"),
    });
    expect(digestsOf(volume)).toEqual(before);
  });
});

describe.each(WAYS)("a guest used the target after the commit: $name", ({ image, to, options }) => {
  const committed = () =>
    cutAtCommit({ [IMAGE_PATH]: image }, (volume) => convert(IMAGE_PATH, to, options, testHost(volume)), "committed");

  test("and set a bit in its header: resume settles what it finds", async () => {
    const files = await committed();
    const used = (files[IMAGE_PATH] as Uint8Array).slice();
    const place = kitOf(to).target?.harmlessFlagAt as number;
    used[place] = (used[place] as number) | 1;
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: used });
    expect(await resume(IMAGE_PATH, {}, testHost(volume))).toMatchObject({ format: to });
    expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(await guestOf(image));
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  });

  test("and left it corrupt: it is not settled, nothing is touched", async () => {
    const files = await committed();
    const used = (files[IMAGE_PATH] as Uint8Array).slice();
    const target = await openImage(memoryStorage(used));
    const mapping = await target.getMapping();
    const stored = [...mapping.hostOffset.subarray(0, mapping.count)].filter((place) => place > 0);
    // The pointer to one cluster becomes the pointer to another.
    const [one, other] = [pointerTo(used, stored[0] as number, to), pointerTo(used, stored[1] as number, to)];
    used.copyWithin(one, other, other + 8);
    const volume = new MemoryVolume({ ...files, [IMAGE_PATH]: used });
    const before = digestsOf(volume);
    await expect(resume(IMAGE_PATH, {}, testHost(volume))).rejects.toMatchObject({
      kind: "corrupt",
      journal: NAMES.journal,
      message: expect.stringContaining("Cannot settle"),
    });
    expect(digestsOf(volume)).toEqual(before);
  });
});

/** The last place in the file where a table points at `hostOffset`: of the two formats' tables the newer. */
function pointerTo(bytes: Uint8Array, hostOffset: number, format: string): number {
  const entry = kitOf(format).target?.pointerTo(hostOffset);
  const at = Buffer.from(bytes).lastIndexOf(entry as Buffer);
  expect(at).toBeGreaterThan(0);
  return at;
}

describe("the way back by converting, cut off", () => {
  const { image, to, options } = WAYS[0] as (typeof WAYS)[number];

  test.each(["resume", "rollback"] as const)("%s ends at the old format, wherever it was cut", async (wish) => {
    const files = await cutAtGivenUp({ [IMAGE_PATH]: image }, (volume) =>
      convert(IMAGE_PATH, to, options, testHost(volume)),
    );
    const back = new RecordingVolume(files);
    await rollback(IMAGE_PATH, {}, testHost(back));
    let recovered = 0;
    for (const { count, cut } of eachCut(back.log)) {
      const state = cut.sample("all-new", seededRandom(count));
      // From where the new journal has the old one's place.
      const hasBegun = back.operations.slice(0, count).some(({ kind }) => kind === "rename");
      if (!hasBegun || !(NAMES.journal in state)) continue;
      const volume = new MemoryVolume(state);
      const command = wish === "resume" ? resume : rollback;
      expect((await command(IMAGE_PATH, {}, testHost(volume))).format, `cut ${count}`).toBe("qed");
      expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(await guestOf(image));
      recovered++;
    }
    expect(recovered).toBeGreaterThan(5);
  });
});

test.each(repairScenarios())(
  "a repaired file of another length is not put back: $name",
  async ({ damaged, options }) => {
    const { bytes, plan } = damaged;
    const repaired = new MemoryVolume({ [IMAGE_PATH]: bytes });
    await withPlan(plan, () => check(IMAGE_PATH, { ...options, keepUndo: true }, testHost(repaired)));
    const { length } = repaired.snapshot(IMAGE_PATH);
    for (const [size, message] of [
      [length + 512, `its file has grown to ${length + 512} bytes since`],
      [bytes.length - 1, `its file was cut to ${bytes.length - 1} bytes since`],
    ] as const) {
      const volume = new MemoryVolume(repaired.snapshots());
      await (await volume.openForWriting(IMAGE_PATH)).resize(size);
      const before = digestsOf(volume);
      const error = await rollback(IMAGE_PATH, {}, testHost(volume)).then(
        () => undefined,
        (thrown: unknown) => thrown as ImageError,
      );
      expect(error?.message).toContain(message);
      expect(error?.kind).toBe("changed-underneath");
      expect(digestsOf(volume)).toEqual(before);
    }
  },
);

test("a setmap that was cut off before its commit is put back, not planned anew", async () => {
  const built = buildQedImage({
    clusterSize: CLUSTER,
    tableSize: 2,
    virtualSize: 40 * CLUSTER,
    data: [0, 5],
    leaks: 1,
  });
  const leak = built.bytes.length - CLUSTER;
  const run = (volume: RecordingVolume) => setmap(IMAGE_PATH, 3 * CLUSTER, leak, CLUSTER, {}, testHost(volume));
  const volume = new MemoryVolume(await cutAtCommit({ [IMAGE_PATH]: built.bytes }, run, "prepared"));
  await resume(IMAGE_PATH, {}, testHost(volume));
  expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: built.bytes });
});

test.each(WAYS)(
  "the header can't be read any more when all is settled: it becomes the target's ($name)",
  async (way) => {
    const recording = new RecordingVolume({ [IMAGE_PATH]: way.image });
    await convert(IMAGE_PATH, way.to, way.options, testHost(recording));
    const last = recording.operations.findLastIndex((one) => one.kind === "sync" && one.path === IMAGE_PATH);
    const settled = new RecordingVolume(cutAfter(recording.log, last + 1).sample("all-new", seededRandom(1)));
    expect(settled.memory.has(NAMES.journal)).toBe(true);
    await resume(IMAGE_PATH, {}, testHost(new UnreadableVolume(settled, IMAGE_PATH)));
    const bytes = settled.memory.snapshot(IMAGE_PATH);
    expect((await openImage(memoryStorage(bytes))).format).toBe(way.to);
    expect(await guestOf(bytes)).toBe(await guestOf(way.image));
  },
);

test("copies longer than one piece, of guest data and in settling, are copies of all of it", async () => {
  const { bytes } = buildQedImage({
    clusterSize: CLUSTER,
    tableSize: 2,
    virtualSize: 1000 * CLUSTER,
    data: Array.from({ length: 700 }, (_, at) => at),
  });
  const guest = await guestOf(bytes);
  const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
  const there = await convert(IMAGE_PATH, "qcow2", { options: { cluster_size: "64k" } }, testHost(volume));
  expect(there.bytesMoved).toBeGreaterThan(2 << 20);
  expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(guest);
  // Its data lies behind a large hole by now.
  const back = await convert(IMAGE_PATH, "qed", { options: { cluster_size: "64k" } }, testHost(volume));
  expect(back.bytesSettled).toBeGreaterThan(2 << 20);
  expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(guest);
});
