/**
 * Journals, undos and pointers with flipped bits, lost and repeated sectors, cut off, or another image's: whatever a
 * command makes of one, the guest stays, and what is wrong is told as an ImageError. Seeded.
 */

import { expect, test } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { check } from "../../src/convert/check.ts";
import { convert } from "../../src/convert/convert.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import type { Host } from "../../src/convert/session/host.ts";
import { openImage } from "../../src/formats/registry.ts";
import { digestGuest } from "../../src/image/guest/digest.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { MemoryVolume, memoryStorage } from "../../src/storage/memory.ts";
import { buildQcow2Image } from "../formats/qcow2/builder.ts";
import { buildQedImage } from "../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../support/crash-scenario.ts";
import { eachCut } from "../support/power-cut.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";

const SEED = 20261129;
const TRIALS = 1500;
const SECTOR = 512;
const ELSEWHERE = "/vm/elsewhere/journal";

interface State {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly guest: string;
}

const QED = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3], leaks: 2 }).bytes;
const QCOW2 = buildQcow2Image({ clusterBits: 12, snapshot: true }).bytes;
/** Each way there and back, of images with the same guest: a journal put beside the wrong one is the worst. */
const RUNS: readonly (readonly [Uint8Array, (host: Host) => Promise<unknown>])[] = [
  [QED, (host) => convert(IMAGE_PATH, "qcow2", {}, host)],
  [QED, (host) => convert(IMAGE_PATH, "qcow2", { keepUndo: true, journal: ELSEWHERE }, host)],
  [QED, (host) => convert(IMAGE_PATH, "qcow2", {}, host).then(() => convert(IMAGE_PATH, "qed", {}, host))],
  [QCOW2, (host) => convert(IMAGE_PATH, "qed", { drop: ["snapshots"] }, host)],
  [withoutRefcounts(), (host) => check(IMAGE_PATH, { repair: "all", keepUndo: true }, host)],
];

function withoutRefcounts(): Uint8Array {
  const { bytes, at } = buildQcow2Image({ clusterBits: 12 });
  bytes.writeBigUInt64BE(0n, at.refcountTable);
  return bytes;
}

async function guestOf(bytes: Uint8Array): Promise<string> {
  return digestGuest(await openGuestView([await openImage(memoryStorage(bytes))]), "blkhash-sha256");
}

/** The journal files of a state that hold something. */
function journalsIn(files: State["files"]): string[] {
  return Object.keys(files).filter((path) => path !== IMAGE_PATH && (files[path] as Uint8Array).length > 0);
}

async function statesOf([image, run]: (typeof RUNS)[number]): Promise<State[]> {
  const volume = new RecordingVolume({ [IMAGE_PATH]: image });
  await run(testHost(volume));
  const states: State[] = [];
  for (const { cut } of eachCut(volume.log)) {
    const { [`${IMAGE_PATH}.inplace-lock`]: _lock, ...files } = cut.sample("all-new", seededRandom(SEED));
    if (journalsIn(files).length === 0) continue;
    states.push({ files, guest: await guestOf(files[IMAGE_PATH] as Uint8Array) });
  }
  return states;
}

function damaged(journal: Uint8Array, another: Uint8Array, random: Random): Uint8Array {
  const bytes = Buffer.from(journal);
  const sector = () => random.below(Math.ceil(bytes.length / SECTOR)) * SECTOR;
  const start = sector();
  switch (random.below(7)) {
    case 0:
      bytes.writeUInt8((bytes[random.below(64)] as number) ^ (1 << random.below(8)), random.below(64));
      return bytes;
    case 1: {
      const at = random.below(bytes.length);
      bytes.writeUInt8((bytes[at] as number) ^ (1 << random.below(8)), at);
      return bytes;
    }
    case 2:
      return bytes.subarray(0, random.below(bytes.length + 1));
    case 3:
      return bytes.fill(0, start, start + SECTOR);
    case 4:
      return bytes.copyWithin(sector(), start, start + SECTOR);
    case 5:
      return Buffer.concat([bytes, another]);
    default:
      return another;
  }
}

const COMMANDS: readonly ((host: Host) => Promise<unknown>)[] = [
  (host) => resume(IMAGE_PATH, {}, host),
  (host) => rollback(IMAGE_PATH, {}, host),
  (host) => convert(IMAGE_PATH, "qcow2", {}, host),
  (host) => check(IMAGE_PATH, { repair: "all" }, host),
];

test("the guest stays whatever becomes of the journal", async () => {
  const states = (await Promise.all(RUNS.map(statesOf))).flat();
  const random = seededRandom(SEED);
  for (let trial = 0; trial < TRIALS; trial++) {
    const { files, guest } = random.pick(states);
    const others = random.pick(states).files;
    const path = random.pick(journalsIn(files));
    const journal = damaged(files[path] as Uint8Array, others[random.pick(journalsIn(others))] as Uint8Array, random);
    const volume = new MemoryVolume({ ...files, [path]: journal });
    const error = await random
      .pick(COMMANDS)(testHost(volume))
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    if (error !== undefined) expect(error, `trial ${trial}`).toBeInstanceOf(ImageError);
    expect(await guestOf(volume.snapshot(IMAGE_PATH)), `trial ${trial}`).toBe(guest);
  }
});
