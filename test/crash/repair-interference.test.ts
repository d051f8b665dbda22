/** A guest boots a half-repaired image before the recovery (qemu-io writes): nothing that it wrote is lost. */

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { openImage } from "../../src/formats/registry.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { checkOf } from "../../src/image/source.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { IMAGE_PATH, testHost } from "../support/crash-scenario.ts";
import { type DiskState, eachCut, OUTCOMES } from "../support/power-cut.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";
import { damagedByHand } from "../support/repair-stand-in.ts";
import { recordRepair } from "../support/repair-trial.ts";

const run = promisify(execFile);
const SECTOR = 512;
const STATE_COUNT = 40;

const folder = await mkdtemp(join(tmpdir(), "inplace-repair-interference-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Leaks and cleared flags: damage that QEMU itself can write over without harm. */
const scenario = {
  name: "leaks and flags",
  damaged: damagedByHand("leaks and flags", { clusterBits: 12 }, (bytes, at) => {
    for (const place of [at.end, at.end + 3 * at.clusterSize, at.data]) {
      bytes.writeUInt16BE(6, at.refcountBlock + (place / at.clusterSize) * 2);
    }
    bytes.writeUInt8(bytes.readUInt8(at.l2) & 0x7f, at.l2);
    bytes.writeUInt8(bytes.readUInt8(at.l2 + 8) & 0x7f, at.l2 + 8);
  }),
  options: { repair: "all" },
} as const;

async function guestOf(bytes: Uint8Array): Promise<Uint8Array> {
  const image = await openImage(memoryStorage(bytes));
  const guest = new Uint8Array(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return guest;
}

/** Writes over old data and into holes; changes `guest` alike. */
async function bootAndWrite(bytes: Uint8Array, guest: Uint8Array, random: Random): Promise<Uint8Array> {
  const path = join(folder, "disk.img");
  await writeFile(path, bytes);
  const commands: string[] = [];
  for (let count = 1 + random.below(3); count > 0; count--) {
    const length = SECTOR * (1 + random.below(16));
    const start = SECTOR * random.below((guest.length - length) / SECTOR / 8);
    const pattern = 1 + random.below(255);
    guest.fill(pattern, start, start + length);
    commands.push("-c", `write -P ${pattern} ${start} ${length}`);
  }
  await run("qemu-io", ["-f", "qcow2", ...commands, path]);
  return readFile(path);
}

test("what a guest writes between crash and recovery stays", { timeout: 60_000 }, async () => {
  const log = await recordRepair(scenario);
  const random = seededRandom(41);
  const ends = { refused: 0, resumed: 0, "rolled back": 0, nothing: 0 };
  const cuts = log.operations.length + 1;
  for (const { count, cut } of eachCut(log)) {
    for (let turn = 0; turn < Math.ceil(STATE_COUNT / cuts); turn++) {
      const state = cut.sample(random.pick(OUTCOMES), random);
      const guest = await guestOf(state[IMAGE_PATH] as Uint8Array);
      const written = await bootAndWrite(state[IMAGE_PATH] as Uint8Array, guest, random);
      const volume = new RecordingVolume({ ...state, [IMAGE_PATH]: written } as DiskState);
      const outcome = await recover(volume, (count + turn) % 2 === 0, written);
      ends[outcome]++;
      const end = volume.memory.snapshot(IMAGE_PATH);
      expect(Buffer.compare(await guestOf(end), guest), `cut ${count}: the guest that was written`).toBe(0);
      const { corruptions } = await checkOf(await openImage(memoryStorage(end)));
      if (outcome === "resumed" || outcome === "refused") expect(corruptions, `cut ${count}: corruptions`).toBe(0);
    }
  }
  expect(ends.refused).toBeGreaterThan(0);
  expect(ends.resumed).toBeGreaterThan(0);
});

/** Tries the way back where asked; refused, it must have touched nothing, and resume goes on. */
async function recover(
  volume: RecordingVolume,
  wantsBack: boolean,
  written: Uint8Array,
): Promise<"refused" | "resumed" | "rolled back" | "nothing"> {
  let refused = false;
  for (const wish of wantsBack ? [rollback, resume] : [resume]) {
    try {
      await wish(IMAGE_PATH, {}, testHost(volume));
      if (refused) return "refused";
      return wish === rollback ? "rolled back" : "resumed";
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      if (error.message.startsWith("Nothing to ")) return "nothing";
      if (wish === resume) throw error;
      expect(error.journal).toBeDefined();
      expect(Buffer.compare(written, volume.memory.snapshot(IMAGE_PATH)), "nothing was touched").toBe(0);
      refused = true;
    }
  }
  throw new Error("unreachable");
}
