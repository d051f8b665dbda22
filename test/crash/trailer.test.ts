/** An image that readers know by its file's end: it ends so while it is the source's, and no longer once it is the target's. */

import { describe, expect, test, vi } from "vitest";
import { convert } from "../../src/convert/convert.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { journalNamesOf } from "../../src/journal/names.ts";
import { MemoryVolume } from "../../src/storage/memory.ts";
import { IMAGE_PATH, recordScenario, testHost } from "../support/crash-scenario.ts";
import { newTally, sweepScenario } from "../support/crash-sweep.ts";
import { isCommit } from "../support/cut-conversion.ts";
import { guestOf } from "../support/lying-trial.ts";
import { type DiskState, eachCut } from "../support/power-cut.ts";
import { seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";
import { buildToyWithTrailer, endsInTrailer, TRAILER } from "../support/toy-with-trailer.ts";

vi.mock("../../src/formats/drivers.ts", async (original) => {
  const { toyWithTrailer } = await import("../support/toy-with-trailer.ts");
  const { formatDrivers } = await original<typeof import("../../src/formats/drivers.ts")>();
  return { formatDrivers: [...formatDrivers.slice(0, -1), toyWithTrailer, ...formatDrivers.slice(-1)] };
});
vi.mock("../formats/list.ts", async (original) =>
  (await import("../formats/toy/registered.ts")).withToyKit(await original()),
);

const { bytes: image } = buildToyWithTrailer();
const { undo } = journalNamesOf(IMAGE_PATH);
const scenario = { name: "toy", image, sourceFormat: "toy", targetFormat: "qcow2", options: {} };
const scenarios = [
  { ...scenario, name: "to qcow2" },
  { ...scenario, name: "to qcow2, undo kept", options: { keepUndo: true } },
  { ...scenario, name: "to qed", targetFormat: "qed" },
  { ...scenario, name: "to vmdk, in two steps", targetFormat: "vmdk" },
];

/** All-new states of the image, by whether the file is the target's, which has the source's trailer behind it for a while. */
async function statesOf(each: typeof scenario): Promise<{ before: DiskState[]; after: DiskState[] }> {
  const { log } = await recordScenario(each);
  const [before, after]: [DiskState[], DiskState[]] = [[], []];
  let isCommitted = false;
  for (const { count, cut } of eachCut(log)) {
    isCommitted ||= isCommit(log.operations[count - 1]);
    (isCommitted ? after : before).push(cut.sample("all-new", seededRandom(count)));
  }
  return { before, after };
}

const imageOf = (state: DiskState) => state[IMAGE_PATH] as Uint8Array;

describe.each(scenarios)("$name", (each) => {
  test("cut anywhere it is a whole image, and recovery ends where it was asked to", async () => {
    const tally = newTally();
    expect(await sweepScenario(each, 500, 13, tally)).toEqual([]);
    expect(tally.states).toBeGreaterThanOrEqual(500);
  });

  test("up to the commit the file ends as it did, in one write, and not in the end", async () => {
    const { before, after } = await statesOf(each);
    expect(before.every((state) => endsInTrailer(imageOf(state)))).toBe(true);
    expect(before.some((state) => imageOf(state).length > image.length)).toBe(true);
    expect(endsInTrailer(imageOf(after[0] as DiskState))).toBe(true);
    expect(endsInTrailer(imageOf(after.at(-1) as DiskState))).toBe(false);
  });
});

describe("between the commit and the cut of what was the trailer", () => {
  const kept = scenarios[1] as (typeof scenarios)[number];
  const committed = async () => {
    const { after } = await statesOf(kept);
    const states = after.filter((state) => endsInTrailer(imageOf(state)));
    expect(states.length).toBeGreaterThan(1);
    return states;
  };

  test("the way back is open, to the byte", async () => {
    for (const state of await committed()) {
      const volume = new MemoryVolume(state);
      await rollback(IMAGE_PATH, {}, testHost(volume));
      expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: image });
    }
  });

  test("resume goes on as if nothing had been, and keeps the undo that was asked for", async () => {
    const { final } = await recordScenario(kept);
    for (const state of await committed()) {
      const volume = new MemoryVolume(state);
      const { message } = await resume(IMAGE_PATH, {}, testHost(volume));
      expect(`${message}`).toContain("verified and settled");
      expect(Buffer.compare(volume.snapshot(IMAGE_PATH), final)).toBe(0);
      expect(volume.has(undo)).toBe(true);
      await rollback(IMAGE_PATH, {}, testHost(volume));
      expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: image });
    }
  });

  test("what somebody wrote where it was, or behind it, stays", async () => {
    const [state] = await committed();
    const found = imageOf(state as DiskState);
    for (const [at, length] of [
      [found.length - TRAILER.length, 4],
      [found.length, 512],
    ] as const) {
      const volume = new MemoryVolume(state as DiskState);
      await (await volume.openForWriting(IMAGE_PATH)).write(at, new Uint8Array(length).fill(7));
      await resume(IMAGE_PATH, {}, testHost(volume));
      const end = volume.snapshot(IMAGE_PATH);
      expect([...end.subarray(at, at + length)]).toEqual(Array.from({ length }, () => 7));
      expect(await guestOf(end)).toBe(await guestOf(image));
    }
  });
});

test("on the way back over a kept undo the file ends so again before it is the source's", async () => {
  const volume = new RecordingVolume({ [IMAGE_PATH]: image });
  await convert(IMAGE_PATH, "qcow2", { keepUndo: true }, testHost(volume));
  expect(endsInTrailer(volume.memory.snapshot(IMAGE_PATH))).toBe(false);
  const back = new RecordingVolume(volume.memory.snapshots());
  await rollback(IMAGE_PATH, {}, testHost(back));
  let ofSource = 0;
  for (const { count, cut } of eachCut(back.log)) {
    const found = imageOf(cut.sample("all-new", seededRandom(count)));
    if (Buffer.compare(found.subarray(0, 512), image.subarray(0, 512)) !== 0) continue;
    expect(endsInTrailer(found), `cut ${count}`).toBe(true);
    ofSource++;
  }
  expect(ofSource).toBeGreaterThan(2);
});
