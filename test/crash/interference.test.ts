/** A guest boots the image between the crash and the recovery (qemu-io writes): nothing that it wrote is lost. */

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { isArchive, openImage } from "../../src/formats/registry.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { checkOf } from "../../src/image/source.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { crashScenarios, IMAGE_PATH, recordScenario, testHost } from "../support/crash-scenario.ts";
import { type DiskState, eachCut, OUTCOMES } from "../support/power-cut.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";
import { UnreadableVolume } from "../support/unreadable-storage.ts";

const run = promisify(execFile);
const SEED = 12;
/** States for each scenario; each starts qemu-io once. */
const STATE_COUNT = 8;
const SECTOR = 512;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-interference-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function guestOf(bytes: Uint8Array): Promise<{ format: string; guest: Uint8Array }> {
  const image = await openImage(memoryStorage(bytes));
  const guest = new Uint8Array(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return { format: image.format, guest };
}

/** Writes at a few places: over old data, into holes, across clusters. Changes `guest` alike. */
async function bootAndWrite(bytes: Uint8Array, format: string, guest: Uint8Array, random: Random): Promise<Uint8Array> {
  const { compression } = (await openImage(memoryStorage(bytes))).getConversionOptions();
  // QEMU writes to no stream, in an archive or not.
  if ((format === "vmdk" && compression !== undefined) || isArchive(format)) return bytes;
  const path = join(folder, "disk.img");
  await writeFile(path, bytes);
  const commands: string[] = [];
  for (let count = 1 + random.below(4); count > 0; count--) {
    const length = SECTOR * (1 + random.below(16));
    const start = SECTOR * random.below((guest.length - length) / SECTOR);
    const pattern = 1 + random.below(255);
    guest.fill(pattern, start, start + length);
    commands.push("-c", `write -P ${pattern} ${start} ${length}`);
  }
  await run("qemu-io", ["-f", format, ...commands, path]);
  return readFile(path);
}

const scenarios = (await crashScenarios()).filter(
  ({ name, options }) => !name.includes("backing") && !name.includes("elsewhere") && !options.keepLeaks,
);

describe("what a guest writes between crash and recovery stays", () => {
  for (const [index, scenario] of scenarios.entries()) {
    test(scenario.name, { timeout: 120_000 }, async () => {
      const { log } = await recordScenario(scenario);
      const random = seededRandom(SEED + index);
      const picked = new Set(Array.from({ length: STATE_COUNT }, () => random.below(log.operations.length + 1)));
      const ends = { refused: 0, resumed: 0, "rolled back": 0, nothing: 0 };
      for (const { count, cut } of eachCut(log)) {
        if (!picked.has(count)) continue;
        const state = cut.sample(random.pick(OUTCOMES), random);
        const { format, guest } = await guestOf(state[IMAGE_PATH] as Uint8Array);
        const written = await bootAndWrite(state[IMAGE_PATH] as Uint8Array, format, guest, random);
        const volume = new RecordingVolume({ ...state, [IMAGE_PATH]: written } as DiskState);
        ends[await recover(volume, count % 2 === 0)]++;
        const end = await guestOf(volume.memory.snapshot(IMAGE_PATH));
        expect(Buffer.compare(end.guest, guest), `cut ${count}: the guest that was written`).toBe(0);
        const check = await checkOf(await openImage(memoryStorage(volume.memory.snapshot(IMAGE_PATH))));
        expect(check.corruptions, `cut ${count}: corruptions`).toBe(0);
      }
      expect(ends.resumed).toBeGreaterThan(0);
    });
  }
});

test("a guest grew the image before settling, and settling's own commits tear", { timeout: 60_000 }, async () => {
  const scenario = scenarios.find(({ name }) => name === "qcow2 to qed, free clusters to fill");
  if (!scenario) throw new Error("the scenario is gone");
  const unsettled = await settlingBegun(scenario);
  const { guest: before } = await guestOf(unsettled[IMAGE_PATH] as Uint8Array);
  const path = join(folder, "grown.img");
  let trials = 0;
  for (let grownCount = 1; grownCount <= 20; grownCount++) {
    const guest = before.slice();
    const commands: string[] = [];
    for (let cluster = 1; cluster < 2 * grownCount; cluster += 2) {
      guest.fill(0x77, cluster * 4096, (cluster + 1) * 4096);
      commands.push("-c", `write -P 0x77 ${cluster * 4096} 4096`);
    }
    await writeFile(path, unsettled[IMAGE_PATH] as Uint8Array);
    await run("qemu-io", ["-f", "qed", ...commands, path]);
    const grown = new RecordingVolume({ ...unsettled, [IMAGE_PATH]: await readFile(path) } as DiskState);
    await resume(IMAGE_PATH, {}, testHost(grown));
    for (const { count, cut } of eachCut(grown.log)) {
      const last = grown.log.operations[count - 1];
      if (last?.kind !== "write" || last.path !== IMAGE_PATH || last.hostOffset !== 0) continue;
      for (const outcome of ["all-old", "all-new"] as const) {
        const recording = new RecordingVolume(cut.sample(outcome, seededRandom(count)));
        await resume(IMAGE_PATH, {}, testHost(new UnreadableVolume(recording, IMAGE_PATH)));
        const end = await guestOf(recording.memory.snapshot(IMAGE_PATH));
        expect(Buffer.compare(end.guest, guest), `${grownCount} clusters grown, cut ${count}`).toBe(0);
        trials++;
      }
    }
  }
  expect(trials).toBeGreaterThanOrEqual(4);
});

/** The files at the barrier that gives the undo up: the target is committed, nothing is settled yet. */
async function settlingBegun(scenario: (typeof scenarios)[number]): Promise<DiskState> {
  const { log } = await recordScenario(scenario);
  let isCommitted = false;
  for (const { count, cut } of eachCut(log)) {
    const last = log.operations[count - 1];
    if (last?.kind === "write" && last.path === IMAGE_PATH && last.hostOffset === 0) isCommitted = true;
    if (isCommitted && last?.kind === "sync" && last.path !== IMAGE_PATH) return cut.sample("all-new", seededRandom(1));
  }
  throw new Error("the conversion was never committed");
}

/** Tries the way back where asked; refused, it must have touched nothing, and resume goes on. */
async function recover(
  volume: RecordingVolume,
  wantsBack: boolean,
): Promise<"refused" | "resumed" | "rolled back" | "nothing"> {
  const before = volume.memory.snapshot(IMAGE_PATH);
  try {
    if (wantsBack) {
      await rollback(IMAGE_PATH, {}, testHost(volume));
      return "rolled back";
    }
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    if (error.message.startsWith("Nothing to ")) return "nothing";
    expect(error.journal).toBeDefined();
    expect(Buffer.compare(before, volume.memory.snapshot(IMAGE_PATH)), "a refused rollback touches nothing").toBe(0);
  }
  try {
    await resume(IMAGE_PATH, {}, testHost(volume));
    return "resumed";
  } catch (error) {
    if (error instanceof ImageError && error.message.startsWith("Nothing to ")) return "nothing";
    throw error;
  }
}
