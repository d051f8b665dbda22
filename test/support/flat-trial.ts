/** Conversions to and from a flat VMDK for the crash suite: two names, and what must be true of both at each instant. */

import { basename } from "node:path";
import { ImageError } from "../../src/bytes/image-error.ts";
import { convert } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { formatToldBy, openImage } from "../../src/formats/registry.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import type { Image } from "../../src/image/source.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import type { Volume } from "../../src/storage/storage.ts";
import { testHost } from "./crash-scenario.ts";
import { type DiskState, eachCut, OUTCOMES, type Outcome } from "./power-cut.ts";
import type { Random } from "./random.ts";
import { RecordingVolume } from "./recording-volume.ts";

export interface FlatScenario {
  readonly name: string;
  /** The file that holds the disk, and the descriptor beside it. */
  readonly disk: string;
  readonly text: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** What is converted: one of the two. */
  readonly named: string;
  readonly sourceFormat: string;
  readonly targetFormat: string;
  readonly options: ConvertOptions;
}

export type FlatWish = "resume" | "rollback";

export interface FlatExpected {
  readonly scenario: FlatScenario;
  readonly guest: Uint8Array;
  /** After an undisturbed run. */
  readonly final: Readonly<Record<string, Uint8Array>>;
}

export async function recordFlat(scenario: FlatScenario): Promise<{ expected: FlatExpected; volume: RecordingVolume }> {
  const volume = new RecordingVolume(scenario.files);
  await perform(scenario, volume);
  const guest = await guestOf(await openAs(scenario.files, scenario, scenario.sourceFormat));
  return { expected: { scenario, guest, final: volume.memory.snapshots() }, volume };
}

export async function perform({ named, targetFormat, options }: FlatScenario, volume: Volume): Promise<unknown> {
  return convert(named, targetFormat, options, testHost(volume));
}

/** The image, opened by nothing but what lies there. */
export async function openAs(
  files: Readonly<Record<string, Uint8Array | undefined>>,
  { disk, text }: Pick<FlatScenario, "disk" | "text">,
  format: string,
): Promise<Image> {
  const stored = files[disk];
  if (stored === undefined) throw new Error("the disk is gone");
  if (format !== "vmdk") return openImage(memoryStorage(stored, disk), format, { allowMarkedRaw: true });
  const beside = async (name: string) => {
    if (name !== basename(disk)) throw new Error(`its descriptor names ${name}`);
    return memoryStorage(stored, disk);
  };
  return openImage(memoryStorage(files[text] as Uint8Array, text), undefined, { beside });
}

async function guestOf(image: Image): Promise<Uint8Array> {
  const guest = new Uint8Array(Math.ceil(image.virtualSize / 512) * 512);
  await new GuestReader(await openGuestView([image])).read(0, guest.subarray(0, image.virtualSize));
  return guest;
}

/** What the image is: by its descriptor where one is there, which must be whole then; else by its own marks; else raw. */
export async function judgeFlat({ scenario, guest, final }: FlatExpected, state: DiskState): Promise<string> {
  const { disk, text, files } = scenario;
  const stored = state[disk];
  if (!stored) throw new Error("the disk is gone");
  const told = (await formatToldBy(memoryStorage(stored, disk))) ?? "raw";
  const found = state[text];
  const formats = found ? ["vmdk", "raw"] : [told];
  if (found && told !== "raw") throw new Error(`there is a descriptor, and the disk is ${told}`);
  if (found && ![files[text], final[text]].some((known) => known && same(known, found)))
    throw new Error("the descriptor is neither the old nor the new one");
  for (const format of formats) {
    const seen = await guestOf(await openAs(state, scenario, format));
    // A raw disk may be longer for a while: what lies behind the guest is nobody's.
    if (!same(seen.subarray(0, guest.length), guest)) throw new Error(`the guest of the ${format} image is another`);
    if (seen.length < guest.length) throw new Error(`the ${format} image is too short`);
    if (format === "vmdk" && seen.length !== guest.length) throw new Error("the descriptor's disk is too long");
  }
  return found ? "vmdk" : told;
}

/** "nothing" where there was nothing to do. A journal that was cut off in its first record speaks of no other name yet. */
export async function recoverFlat(
  volume: Volume,
  path: string,
  wish: FlatWish,
  disk: string,
): Promise<"done" | "nothing"> {
  try {
    await (wish === "resume" ? resume : rollback)(path, {}, testHost(volume));
    return "done";
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    if (error.message.startsWith("Nothing to ")) return "nothing";
    if (error.facts.isMissing && path !== disk) return recoverFlat(volume, disk, wish, disk);
    throw error;
  }
}

/** Recovers by one name or the other, perhaps cut off in between, and judges where it ended. */
export async function flatTrial(
  expected: FlatExpected,
  state: DiskState,
  wishes: readonly FlatWish[],
  random: Random,
): Promise<void> {
  await judgeFlat(expected, state);
  const { disk, text, named } = expected.scenario;
  let from = state;
  let outcome: "done" | "nothing" = "nothing";
  for (const [at, wish] of wishes.entries()) {
    const volume = new RecordingVolume(from as Record<string, Uint8Array>);
    const isOpen = Object.keys(from).some((path) => /-(?:journal|undo)$/.test(path));
    // Where no journal speaks of a name that is gone, nothing is there to be found by it.
    const path =
      isOpen && random.chance(0.5) ? text : named === text && !from[text] ? disk : random.pick([disk, named]);
    outcome = await recoverFlat(volume, path, wish, disk);
    const isLast = at === wishes.length - 1;
    from = isLast || outcome === "nothing" ? (volume.memory.snapshots() as DiskState) : anyCut(volume, random);
    await judgeFlat(expected, from);
    if (outcome === "nothing") break;
  }
  await judgeEnd(expected, from, wishes, outcome);
}

function anyCut(volume: RecordingVolume, random: Random): DiskState {
  const at = random.below(volume.operations.length + 1);
  for (const { count, cut } of eachCut(volume.log))
    if (count === at) return cut.sample(random.pick(OUTCOMES) as Outcome, random);
  throw new Error("unreachable");
}

async function judgeEnd(
  expected: FlatExpected,
  state: DiskState,
  wishes: readonly FlatWish[],
  outcome: "done" | "nothing",
): Promise<void> {
  const { scenario, final } = expected;
  const { sourceFormat, targetFormat, files, disk, text, options } = scenario;
  const format = await judgeFlat(expected, state);
  const isUndo = (path: string) => options.keepUndo === true && path.endsWith("-undo");
  const strays = Object.keys(state).filter(
    (path) => path !== disk && path !== text && !isUndo(path) && !path.includes("elsewhere"),
  );
  // A lock that nobody was asked to take over.
  const left = outcome === "nothing" ? strays.filter((path) => !path.endsWith("-lock")) : strays;
  if (left.length > 0) throw new Error(`left behind: ${left.join(", ")}`);
  if (![sourceFormat, targetFormat].includes(format)) throw new Error(`it ended at ${format}`);
  const wish = wishes.at(-1);
  if (outcome === "done" && wish === "rollback" && format !== sourceFormat) throw new Error(`rolled back to ${format}`);
  if (outcome === "done" && wish === "resume" && !wishes.includes("rollback") && format !== targetFormat)
    throw new Error(`resumed to ${format}`);
  const isOnePiece = (name: string) => ["raw", "vmdk", "vpc"].includes(name);
  for (const [known, of] of [
    [files, sourceFormat],
    [final, targetFormat],
  ] as const) {
    if (format !== of || !isOnePiece(of)) continue;
    const wanted = known[disk] as Uint8Array;
    // A fresh footer or descriptor has ids of its own.
    if (of !== "vpc" && !same(state[disk] as Uint8Array, wanted))
      throw new Error(`the ${of} disk is not byte for byte`);
    if (of === "vmdk" && known === files && !same(state[text] as Uint8Array, files[text] as Uint8Array))
      throw new Error("it is not the descriptor that it had");
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
