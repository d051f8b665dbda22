/** A guest that boots an image of several steps between a crash and its recovery, as long as its disk is then. */

import { ImageError } from "../../src/bytes/image-error.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { checkOf } from "../../src/image/source.ts";
import { IMAGE_PATH, type Scenario, testHost } from "./crash-scenario.ts";
import { openFound } from "./crash-trial.ts";
import { type DiskState, OUTCOMES, type PowerCut } from "./power-cut.ts";
import type { Random } from "./random.ts";
import { RecordingVolume } from "./recording-volume.ts";

const SECTOR = 512;

/** Writes to the image by the words of qemu-io. */
export type Write = (bytes: Uint8Array, words: readonly string[]) => Promise<Uint8Array>;

async function guestOf(bytes: Uint8Array): Promise<{ format: string; guest: Uint8Array }> {
  const image = await openFound(bytes);
  const guest = new Uint8Array(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return { format: image.format, guest };
}

/**
 * One state of the cut, used and recovered: what was lost, or "". Where the disk is longer for a while the guest makes
 * itself at home in that too, and, as all do that grow, tells so in its first bytes.
 */
export async function useBetween(scenario: Scenario, cut: PowerCut, random: Random, write: Write): Promise<string> {
  const state = cut.sample(random.pick(OUTCOMES), random);
  const { format, guest } = await guestOf(state[IMAGE_PATH] as Uint8Array);
  const isGrowing = random.chance(0.4);
  const known = Math.min(guest.length, (await guestOf(scenario.image)).guest.length);
  const limit = isGrowing ? guest.length : known - (known % SECTOR);
  const words = ["-f", format];
  for (let left = random.below(4); left >= 0; left--) {
    const length = SECTOR * (1 + random.below(16));
    const isFront = left === 0 && (isGrowing || random.chance(0.3));
    const start = isFront ? 0 : SECTOR * random.below((limit - length) / SECTOR);
    const pattern = 1 + random.below(255);
    guest.fill(pattern, start, start + length);
    words.push("-c", `write -P ${pattern} ${start} ${length}`);
  }
  const used = await write(state[IMAGE_PATH] as Uint8Array, words);
  const volume = new RecordingVolume({ ...state, [IMAGE_PATH]: used } as DiskState);
  const wanted = random.pick(["resume", "rollback"] as const);
  const ended = await recovered(volume, used, wanted);
  const end = volume.memory.snapshot(IMAGE_PATH);
  const found = await guestOf(end);
  const where = `${words.join(" ")}; ${wanted}, ${ended} at ${found.format}`;
  // A disk that ends sooner has lost nothing but zeros.
  const whole = new Uint8Array(Math.max(limit, found.guest.length));
  whole.set(found.guest);
  if (Buffer.compare(whole.subarray(0, limit), guest.subarray(0, limit)) !== 0) return `the guest differs: ${where}`;
  const { corruptions } = await checkOf(await openFound(end));
  if (corruptions > 0) return `corruptions: ${where}`;
  const wish = { resume: scenario.targetFormat, rollback: scenario.sourceFormat, nothing: found.format }[ended];
  return found.format === wish ? "" : where;
}

/** A way back that is refused has touched nothing, and the way on is open. */
async function recovered(
  volume: RecordingVolume,
  used: Uint8Array,
  wanted: "resume" | "rollback",
): Promise<"resume" | "rollback" | "nothing"> {
  try {
    await (wanted === "resume" ? resume : rollback)(IMAGE_PATH, {}, testHost(volume));
    return wanted;
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    if (error.message.startsWith("Nothing to ")) return "nothing";
    const isUntouched = Buffer.compare(volume.memory.snapshot(IMAGE_PATH), used) === 0;
    if (wanted !== "rollback" || !isUntouched || error.journal === undefined) throw error;
    await resume(IMAGE_PATH, {}, testHost(volume));
    return "resume";
  }
}
