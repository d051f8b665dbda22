/**
 * The one file of a split VMDK, converted where it lies: its descriptor says what it is until the commit, and goes when nothing
 * leads back. Cut at every call, recovered by either name, and cut again.
 */

import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { convert } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { formatToldBy, openImage } from "../../src/formats/registry.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { buildDescriptor, sparseExtent } from "../formats/vmdk/builder.ts";
import { buildSparse } from "../formats/vmdk/sparse/builder.ts";
import { SPLIT_SPARSE } from "../formats/vmdk/split-cases.ts";
import { testHost } from "../support/crash-scenario.ts";
import { type DiskState, eachCut, OUTCOMES } from "../support/power-cut.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";

const [DISK, TEXT] = ["/vm/disk-s001.vmdk", "/vm/disk.vmdk"];
const { bytes, guest } = buildSparse({
  virtualSize: 12 * 4096,
  data: [0, 1, 5, 9],
  zero: [3],
  isPart: "no room",
  phase: 1,
  seed: 3,
});
const words = buildDescriptor({
  createType: SPLIT_SPARSE,
  extents: [sparseExtent(basename(DISK), guest.length / 512)],
});
const FILES: Readonly<Record<string, Uint8Array>> = { [DISK]: new Uint8Array(bytes), [TEXT]: new Uint8Array(words) };

type Wish = "resume" | "rollback";

/** The format that a state is of, whose guest must be whole; a descriptor beside it is as it was. */
async function judge(state: DiskState): Promise<string> {
  const [disk, text] = [state[DISK], state[TEXT]];
  if (!disk) throw new Error("the disk is gone");
  if (text && !Buffer.from(text).equals(words)) throw new Error("the descriptor is another");
  const told = (await formatToldBy(memoryStorage(disk, DISK))) ?? "raw";
  if (told === "vmdk" && !text) throw new Error("the extent has lost its descriptor");
  const image =
    told === "vmdk"
      ? await openImage(memoryStorage(text as Uint8Array, TEXT), "vmdk", {
          beside: async () => memoryStorage(disk, DISK),
        })
      : await openImage(memoryStorage(disk, DISK), told, { allowMarkedRaw: true });
  const seen = new Uint8Array(guest.length);
  await new GuestReader(await openGuestView([image])).read(0, seen);
  if (Buffer.compare(seen, guest) !== 0) throw new Error(`the guest of the ${told} image is another`);
  return told;
}

/** `closed` where the way back was: nothing is touched then. */
async function recover(volume: RecordingVolume, path: string, wish: Wish): Promise<"done" | "nothing" | "closed"> {
  try {
    await (wish === "resume" ? resume : rollback)(path, {}, testHost(volume));
    return "done";
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    if (error.message.startsWith("Nothing to ")) return "nothing";
    if (error.message.includes("can only be read so far")) return "closed";
    // Nothing speaks of a text that went for good.
    if (error.isMissing && path === TEXT) return recover(volume, DISK, wish);
    throw error;
  }
}

async function expectEnd(state: DiskState, wish: Wish, target: string): Promise<void> {
  expect(await judge(state)).toBe(wish === "resume" ? target : "vmdk");
  expect(Object.keys(state).filter((path) => /inplace-(?:journal|lock|text|draft)/.test(path))).toEqual([]);
  if (wish === "rollback") expect(state).toEqual(FILES);
  // What leads back needs it.
  else expect(TEXT in state).toBe(Object.keys(state).some((path) => path.endsWith("-undo")));
}

async function trial(from: DiskState, wish: Wish, target: string, random: Random): Promise<string> {
  await judge(from);
  const volume = new RecordingVolume(from as Record<string, Uint8Array>);
  const outcome = await recover(volume, random.pick([DISK, TEXT]), wish);
  const end = volume.memory.snapshots() as DiskState;
  if (outcome === "done") await expectEnd(end, wish, target);
  else await judge(end);
  // Cut in between, and once more.
  for (const { count, cut } of eachCut(volume.log)) {
    if (!random.chance(3 / (volume.operations.length + 1))) continue;
    const again = cut.sample(random.pick(OUTCOMES), random);
    const format = await judge(again);
    const last = new RecordingVolume(again as Record<string, Uint8Array>);
    const second = await recover(last, random.pick([DISK, TEXT]), "resume");
    if (second === "done") expect(await judge(last.memory.snapshots() as DiskState), `${count} ${format}`).toBeTruthy();
  }
  return outcome;
}

const scenarios: readonly (readonly [target: string, options: ConvertOptions])[] = [
  ["qcow2", { options: { cluster_size: "4k" } }],
  ["qcow2", { options: { cluster_size: "4k" }, keepUndo: true }],
  // Where nothing else would be given up.
  ["qcow2", { options: { cluster_size: "4k" }, keepLeaks: true }],
  ["qed", { options: { cluster_size: "4k" } }],
  ["raw", {}],
];
/** Of each. */
const MAX_STATES = Number(process.env.SPLIT_STATES ?? 40);

describe.each(scenarios.map(([target, options]) => ({ target, options, says: JSON.stringify(options) })))(
  "to $target $says",
  ({ target, options }) => {
    test("cut at each call it is a whole disk, and recovery by either name ends where it was asked to", async () => {
      const volume = new RecordingVolume(FILES);
      await convert(TEXT, target, options, testHost(volume));
      const share = MAX_STATES / (volume.operations.length * OUTCOMES.length);
      const outcomes = new Set<string>();
      let states = 0;
      for (const { count, cut } of eachCut(volume.log))
        for (const [at, outcome] of OUTCOMES.entries()) {
          const random = seededRandom(count * 31 + at);
          const state = cut.sample(outcome, random);
          // Between the descriptor's end and the journal's each.
          const isClosing =
            !(TEXT in state) && options.keepLeaks && Object.keys(state).some((path) => /journal$/.test(path));
          if (!isClosing && !random.chance(share)) continue;
          const wish = (["resume", "rollback"] as const)[(count + at) % 2] as Wish;
          const done = await trial(state, wish, target, random).catch((error: Error) => {
            throw new Error(`cut ${count}, ${outcome}, ${wish}: ${error.message}`, { cause: error });
          });
          outcomes.add(`${wish} ${done}`);
          states++;
        }
      expect(states).toBeGreaterThan(20);
      expect([...outcomes]).toEqual(expect.arrayContaining(["resume done", "rollback done"]));
    });

    test("in the end its descriptor is gone, but where its undo is kept", async () => {
      const volume = new RecordingVolume(FILES);
      await convert(TEXT, target, options, testHost(volume));
      const end = volume.memory.snapshots() as DiskState;
      expect(await judge(end)).toBe(target);
      if (!options.keepUndo) return expect(end[TEXT]).toBeUndefined();
      expect(Buffer.compare(end[TEXT] as Uint8Array, words)).toBe(0);
      for (const wish of ["rollback", "resume"] as const) {
        const after = new RecordingVolume(end as Record<string, Uint8Array>);
        expect(await recover(after, TEXT, wish)).toBe("done");
        await expectEnd(after.memory.snapshots() as DiskState, wish, target);
      }
    });
  },
);
