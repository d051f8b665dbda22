/**
 * A commit that is a name: flat VMDKs made and unmade, cut at every call and outcome, failed at every call, recovered by
 * either name, and cut again.
 */

import { describe, expect, test } from "vitest";
import { guestBytesOf } from "../formats/guest-contents.ts";
import { buildWithGuest } from "../formats/qcow2/any-image.ts";
import { buildFlat } from "../formats/vmdk/builder.ts";
import { WISHES } from "../support/crash-sweep.ts";
import { type CallKind, FailingVolume, type Failure } from "../support/failing-volume.ts";
import {
  type FlatScenario,
  type FlatWish,
  flatTrial,
  judgeFlat,
  perform,
  recordFlat,
  recoverFlat,
} from "../support/flat-trial.ts";
import { type Subject, sweepLiveView } from "../support/live-view.ts";
import { type DiskState, eachCut, OUTCOMES } from "../support/power-cut.ts";
import { seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";

const GUEST = { virtualSize: 12 * 4096, data: [0, 1, 5, 9], zero: [3] };
const RAW = guestBytesOf(GUEST);
const FLAT = buildFlat(GUEST, "disk-flat.vmdk");
const [DISK, TEXT] = ["/vm/disk-flat.vmdk", "/vm/disk.vmdk"];
const SMALL = { cluster_size: "4k" };

const from = (name: string, targetFormat: string, options: FlatScenario["options"] = {}): FlatScenario => ({
  name: `flat to ${name}`,
  disk: DISK,
  text: TEXT,
  files: { [DISK]: FLAT.disk, [TEXT]: FLAT.text },
  named: TEXT,
  sourceFormat: "vmdk",
  targetFormat,
  options,
});
const to = (
  name: string,
  sourceFormat: string,
  image: Uint8Array,
  options: FlatScenario["options"] = {},
): FlatScenario => ({
  name: `${name} to flat`,
  disk: "/vm/disk.img",
  text: TEXT,
  files: { "/vm/disk.img": image },
  named: "/vm/disk.img",
  sourceFormat,
  targetFormat: "vmdk",
  // Planned anew it gets the same id.
  options: { format: sourceFormat, options: { subformat: "monolithicFlat" }, reproducible: true, ...options },
});

/** The number of states that one round takes of each. */
const scenarios: readonly FlatScenario[] = [
  to("raw", "raw", RAW),
  to("raw, odd length,", "raw", RAW.slice(0, RAW.length - 700)),
  to("raw, undo kept,", "raw", RAW, { keepUndo: true }),
  to("raw, journal elsewhere,", "raw", RAW, { journal: "/vm/elsewhere/journal" }),
  from("raw", "raw"),
  from("raw, undo kept", "raw", { keepUndo: true }),
  from("raw, journal elsewhere", "raw", { journal: "/vm/elsewhere/journal" }),
  from("qcow2", "qcow2", { options: SMALL }),
  from("vpc, undo kept", "vpc", { options: { subformat: "fixed", force_size: "on" }, keepUndo: true }),
  to("qcow2", "qcow2", buildWithGuest({ virtualSize: 12 * 4096, data: [0, 1, 5, 9], clusterBits: 12, seed: 3 }).bytes),
];
/** Of the longer ways a sample. */
const MAX_STATES = Number(process.env.FLAT_STATES ?? 90);

describe.each(scenarios.map((scenario, index) => ({ ...scenario, index })))("$name", (scenario) => {
  test("cut at each call it is a whole disk, and recovery by either name ends where it was asked to", async () => {
    const { expected, volume } = await recordFlat(scenario);
    const chosen = seededRandom(scenario.index);
    const share = MAX_STATES / (volume.operations.length * OUTCOMES.length);
    let states = 0;
    for (const { count, cut } of eachCut(volume.log)) {
      for (const [at, outcome] of OUTCOMES.entries()) {
        if (!chosen.chance(share)) continue;
        const seed = (scenario.index * 1009 + count) * 31 + at;
        const random = seededRandom(seed);
        const wishes = WISHES[(count + at) % WISHES.length] as readonly FlatWish[];
        const where = `cut ${count}, ${outcome}, ${wishes.join(" then ")}`;
        await flatTrial(expected, cut.sample(outcome, random), wishes, random).catch((error: Error) => {
          throw new Error(`${where}: ${error.message}`, { cause: error });
        });
        states++;
      }
    }
    expect(states).toBeGreaterThan(60);
  });

  test("a call that fails: the disk is whole, and recovery works", async () => {
    const { expected } = await recordFlat(scenario);
    const counting = new FailingVolume(new RecordingVolume(scenario.files));
    await perform(scenario, counting);
    const random = seededRandom(scenario.index);
    for (const failure of failuresOf(
      counting,
      scenario.targetFormat === "qcow2" || scenario.sourceFormat === "qcow2" ? 0.05 : 0.5,
      random,
    )) {
      const volume = new RecordingVolume(scenario.files);
      const failing = new FailingVolume(volume, failure);
      const wish = random.pick(["resume", "rollback"] as const);
      const error = await perform(scenario, failing).then(
        () => undefined,
        (reason: Error) => reason,
      );
      const where = `${JSON.stringify(failure)} then ${wish}: ${error?.message}`;
      await judgeFlat(expected, volume.memory.snapshots() as DiskState).catch((reason) => {
        throw new Error(`${where}: ${reason}`);
      });
      const again = new RecordingVolume(volume.memory.snapshots());
      const isOpen = Object.keys(again.initial).some((path) => path.endsWith("-journal"));
      const outcome = await recoverFlat(
        again,
        isOpen ? random.pick([scenario.disk, scenario.text]) : scenario.disk,
        wish,
        scenario.disk,
      ).catch((reason) => {
        throw new Error(`${where}: ${reason}`);
      });
      const format = await judgeFlat(expected, again.memory.snapshots() as DiskState);
      if (outcome === "done") {
        expect(format, where).toBe(wish === "resume" ? scenario.targetFormat : scenario.sourceFormat);
        const left = Object.keys(again.memory.snapshots()).filter((path) =>
          /inplace-(?:journal|lock|text|draft)/.test(path),
        );
        expect(left, where).toEqual([]);
      }
    }
  });
});

const between = scenarios.filter(({ sourceFormat, targetFormat }) => ![sourceFormat, targetFormat].includes("qcow2"));

describe.each(between.map((scenario, index) => ({ ...scenario, index })))("used in between: $name", (scenario) => {
  test("what a guest writes between crash and recovery stays, whichever name it booted", async () => {
    const { expected, volume } = await recordFlat(scenario);
    for (const { count, cut } of eachCut(volume.log)) {
      const random = seededRandom(scenario.index * 1009 + count);
      const state: Record<string, Uint8Array> = { ...cut.sample(random.pick(OUTCOMES), random) } as never;
      const guest = new Uint8Array(expected.guest);
      const start = 512 * random.below(Math.floor(expected.guest.length / 512) - 2);
      const used = new Uint8Array(state[scenario.disk] as Uint8Array);
      for (const bytes of [used, guest]) bytes.fill(1 + random.below(255), start, start + 512);
      guest.set(used.subarray(start, start + 512), start);
      state[scenario.disk] = used;
      // QEMU gives a flat VMDK that it writes to a fresh id.
      const text = state[scenario.text];
      if (text)
        state[scenario.text] = Buffer.from(
          Buffer.from(text)
            .toString("latin1")
            .replace(/(?<=\nCID=)\w+/, "0badcafe"),
        );
      const after = new RecordingVolume(state);
      const wish = random.pick(["resume", "rollback"] as const);
      const recovery = (path: string, wanted: FlatWish) => recoverFlat(after, path, wanted, scenario.disk);
      const where = `cut ${count}, ${wish}, ${text ? "flat" : "raw"}`;
      const outcome = await recovery(random.pick([scenario.disk, scenario.text]), wish).catch((error: Error) => {
        if (wish === "rollback" && /since; nothing was touched/.test(error.message))
          return recovery(scenario.disk, "resume");
        throw new Error(`${where}: ${error.message}`, { cause: error });
      });
      const end = after.memory.snapshots();
      const found = (end[scenario.disk] as Uint8Array).subarray(0, guest.length);
      expect(Buffer.compare(found, guest.subarray(0, found.length)), where).toBe(0);
      expect(guest.length - found.length, where).toBeLessThan(512);
      if (outcome === "done")
        expect(
          Object.keys(end).filter((path) => /-(?:journal|lock|text|draft)$/.test(path)),
          where,
        ).toEqual([]);
    }
  });
});

describe("after a failed sync, recovered on the live view, every cut leaves a whole disk", () => {
  test.each([scenarios[1], scenarios[4], scenarios[8]] as readonly FlatScenario[])("$name", async (scenario) => {
    const { expected, volume } = await recordFlat(scenario);
    const random = seededRandom(3);
    const subject: Subject = {
      name: scenario.name,
      log: volume.log,
      perform: (on) => perform(scenario, on),
      recover: (on, wish) => recoverFlat(on, random.pick([scenario.disk, scenario.text]), wish, scenario.disk),
      judge: (state) => judgeFlat(expected, state),
      judgeEnd: async (state, wish, outcome) => {
        const format = await judgeFlat(expected, state);
        if (outcome === "done") expect(format).toBe(wish === "resume" ? scenario.targetFormat : scenario.sourceFormat);
      },
    };
    const tally = { chains: 0, states: 0 };
    expect(await sweepLiveView(subject, 4, 5, tally, 0.3)).toEqual([]);
    expect(tally.states).toBeGreaterThan(0);
  });
});

/** Each call of each kind that could fail, in each way. */
function* failuresOf(
  counted: FailingVolume,
  share: number,
  random: ReturnType<typeof seededRandom>,
): Generator<Failure> {
  const kinds: readonly CallKind[] = [
    "read",
    "write",
    "resize",
    "sync",
    "create",
    "link",
    "rename",
    "remove",
    "syncFolder",
  ];
  for (const kind of kinds) {
    for (let nth = 1; nth <= counted.count(kind); nth++) {
      if (kind === "read" && nth % 7 !== 0) continue;
      for (const way of [{ code: "EIO" }, { code: "EIO", leaves: "all" }, { code: "ENOSPC", isLasting: true }] as const)
        if (random.chance(share)) yield { kind, nth, ...way };
    }
  }
}
