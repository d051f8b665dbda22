/** One trial of the crash suite: a state that a cut left, judged before any recovery, recovered, and judged again. */

import { SECTOR_SIZE } from "../../src/bytes/align.ts";
import { ImageError } from "../../src/bytes/image-error.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { carrierDriver, driverOf, formatToldBy, hubDriver, openImage } from "../../src/formats/registry.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { checkOf, type Image } from "../../src/image/source.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import type { Volume } from "../../src/storage/storage.ts";
import { kitOf } from "../formats/kits.ts";
import { IMAGE_PATH, type Scenario, testHost } from "./crash-scenario.ts";
import { type DiskState, digestOf, eachCut, OUTCOMES, type Outcome } from "./power-cut.ts";
import type { Random } from "./random.ts";
import { RecordingVolume } from "./recording-volume.ts";

export type Wish = "resume" | "rollback";

export interface Judgement {
  readonly format: string;
  readonly bytes: Uint8Array;
}

/** A guest and what its image must always be. */
export interface Expected {
  readonly scenario: Scenario;
  /** The disk's bytes, in whole sectors. */
  readonly guest: Uint8Array;
  /** Formats that the image may have on its way. */
  readonly formats: ReadonlySet<string>;
  /** Lengths that the disk may have: the source's, and the target's where it grows. */
  readonly virtualSizes: ReadonlySet<number>;
  /** Whether the source held the disk in one piece: some formats have both kinds. */
  readonly wasInOnePiece: boolean;
  /** The image after an undisturbed conversion. */
  readonly final: Uint8Array;
  /** Formats of images that were found whole, by their digest: what one says depends on nothing else. */
  readonly whole: Map<string, string>;
}

export async function expectedOf(scenario: Scenario, final: Uint8Array): Promise<Expected> {
  const { sourceFormat, targetFormat } = scenario;
  const drivers = [driverOf(sourceFormat), driverOf(targetFormat)];
  const isSome = drivers.some(({ onePiece }) => onePiece);
  const hubs = isSome ? [carrierDriver().name, ...drivers.flatMap(({ onePiece }) => onePiece?.by ?? [])] : [];
  const image = await openImage(memoryStorage(scenario.image), sourceFormat);
  // What leads back to a dynamic VHD brings its blocks together, too.
  const isGathered = scenario.isGathered || image.getConversionOptions().creationOptions.subformat === "dynamic";
  const gathering = isGathered ? [hubDriver().name, carrierDriver().name] : [];
  const guest = await guestOf(image);
  const { virtualSize } = await openImage(memoryStorage(final), targetFormat);
  return {
    scenario,
    guest,
    formats: new Set([sourceFormat, targetFormat, ...hubs, ...gathering]),
    virtualSizes: new Set([guest.length, Math.ceil(virtualSize / SECTOR_SIZE) * SECTOR_SIZE]),
    wasInOnePiece: image.getConversionOptions().linearBase !== undefined,
    final,
    whole: new Map(),
  };
}

/** What the guest sees, in whole sectors; what is missing of the last one are zeros. */
async function guestOf(image: Image): Promise<Uint8Array> {
  const guest = new Uint8Array(Math.ceil(image.virtualSize / SECTOR_SIZE) * SECTOR_SIZE);
  await new GuestReader(await openGuestView([image])).read(0, guest.subarray(0, image.virtualSize));
  return guest;
}

/** As whoever boots it does: by its marks, or, where it bears none, as raw, which a disk may be that a step left so. */
export async function openFound(bytes: Uint8Array): Promise<Image> {
  const storage = memoryStorage(bytes);
  return openImage(storage, (await formatToldBy(storage)) === undefined ? "raw" : undefined);
}

/** Throws unless the image opens by itself as source, hub or target, with the same guest, and no corruption. */
export async function judgeWhole(expected: Expected, state: DiskState): Promise<Judgement> {
  const bytes = state[IMAGE_PATH];
  if (!bytes) throw new Error("the image is gone");
  const digest = digestOf(bytes);
  const known = expected.whole.get(digest);
  const format = known ?? (await judgeImage(expected, bytes));
  if (known === undefined) expected.whole.set(digest, format);
  return { format, bytes };
}

async function judgeImage({ scenario, guest, formats, virtualSizes }: Expected, bytes: Uint8Array): Promise<string> {
  const image = await openFound(bytes);
  const { format } = image;
  if (!formats.has(format)) throw new Error(`the image is ${format}`);
  const found = await guestOf(image);
  // A raw disk is as long as its file, which may be longer for a while: what lies behind the guest then is nobody's.
  const isLonger = format === "raw" && found.length >= guest.length;
  if (!isLonger && !virtualSizes.has(found.length)) {
    throw new Error(`the disk of the ${format} image has ${found.length} bytes, not ${guest.length}`);
  }
  if (Buffer.compare(found.subarray(0, guest.length), guest) !== 0)
    throw new Error(`the guest of the ${format} image differs at ${firstDifference(found, guest)}`);
  if (!isLonger && found.subarray(guest.length).some((byte) => byte !== 0))
    throw new Error(`what the disk of the ${format} image gained is not zeros`);
  const check = await checkOf(image);
  // What two point at is pointed at anew by sectors of their own; where counts are mended then, no order of the two writes
  // has flag and count right at once. Whoever reads or writes does no harm by it (src/formats/qcow2/repair/repair.ts).
  const ofFlags = scenario.isShared ? check.findings.filter(({ kind }) => kind === "copied-flag-mismatch").length : 0;
  if (check.corruptions - ofFlags + check.checkErrors > 0) {
    throw new Error(`the ${format} image is corrupt: ${check.findings[0]?.message}`);
  }
  return format;
}

function firstDifference(found: Uint8Array, guest: Uint8Array): number {
  return guest.findIndex((byte, at) => byte !== found[at]);
}

/** `closed`: a way back was asked for, was refused since the old format is never written, and the way there was gone to its end. */
export type Recovered = "done" | "nothing" | "closed";

/** Recovers; "nothing" where there was nothing to do. Anything else that throws fails the trial. */
export async function recover(volume: Volume, wish: Wish): Promise<Recovered> {
  const command = wish === "resume" ? resume : rollback;
  try {
    await command(IMAGE_PATH, {}, testHost(volume));
    return "done";
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    if (error.message.startsWith("Nothing to ")) return "nothing";
    const isClosed = wish === "rollback" && error.message.includes("can only be read so far");
    if (!isClosed || (await recover(volume, "resume")) !== "done") throw error;
    return "closed";
  }
}

/** Runs one trial; `second` cuts the first recovery off and recovers again. */
export async function runTrial(
  expected: Expected,
  state: DiskState,
  wishes: readonly [Wish] | readonly [Wish, Wish],
  random: Random,
): Promise<void> {
  await judgeWhole(expected, state);
  const volume = new RecordingVolume(state);
  let outcome = await recover(volume, wishes[0]);
  let end: DiskState = volume.memory.snapshots() as DiskState;
  if (wishes.length === 2 && outcome !== "nothing") {
    const between = anyCut(volume, random);
    await judgeWhole(expected, between);
    const again = new RecordingVolume(between);
    outcome = await recover(again, wishes[1]);
    end = again.memory.snapshots() as DiskState;
  }
  await judgeEnd(expected, end, wishes, outcome);
}

function anyCut(volume: RecordingVolume, random: Random): DiskState {
  const at = random.below(volume.operations.length + 1);
  for (const { count, cut } of eachCut(volume.log))
    if (count === at) return cut.sample(random.pick(OUTCOMES) as Outcome, random);
  throw new Error("unreachable");
}

/** The last word: the target, settled; or the old bytes; or, once the undo was given up, the old format, clean. */
export async function judgeEnd(
  expected: Expected,
  state: DiskState,
  wishes: readonly Wish[],
  outcome: Recovered,
): Promise<void> {
  const { scenario, final } = expected;
  const { format, bytes } = await judgeWhole(expected, state);
  const isOld = same(bytes, scenario.image);
  const left = Object.keys(state).filter(
    (path) => path !== IMAGE_PATH && !(outcome !== "nothing" && path.endsWith("-undo")),
  );
  const strays = left.filter((path) => !path.includes("elsewhere"));
  if (strays.length > 0 && !(outcome === "nothing" && wishes.length > 1))
    throw new Error(`left behind: ${strays.join(", ")}`);
  if (outcome === "nothing") {
    if (!isOld) await judgeLength(expected, bytes, format);
    const undone = wishes.includes("rollback") && format === scenario.sourceFormat;
    if (isOld || same(bytes, final) || undone || format === scenario.targetFormat) return;
    throw new Error("nothing to recover, and the image is neither old nor finished");
  }
  const isClosed = outcome === "closed";
  const wish = isClosed ? "resume" : (wishes.at(-1) as Wish);
  if (isClosed && format !== scenario.targetFormat)
    throw new Error(`there was no way back, and resume ended at ${format}`);
  if (wish === "resume" && !wishes.includes("rollback") && format !== scenario.targetFormat) {
    throw new Error(`resume ended at ${format}`);
  }
  if (wish === "rollback" && format !== scenario.sourceFormat) throw new Error(`rollback ended at ${format}`);
  if (isOld) return;
  const isInOnePiece = await liesInOnePiece(bytes);
  const isBack =
    format === scenario.sourceFormat && isInOnePiece === expected.wasInOnePiece && wishes.includes("rollback");
  if (isBack && isInOnePiece) throw new Error(`rolled back to ${format}, but not byte for byte`);
  await judgeLength(expected, bytes, format);
  if (wish === "rollback" || !scenario.options.keepLeaks) await judgeSettled(bytes, scenario);
}

/** Such a disk is led back to byte for byte; of what has tables the same guest is. */
export async function liesInOnePiece(bytes: Uint8Array): Promise<boolean> {
  return (await openFound(bytes)).getConversionOptions().linearBase !== undefined;
}

/** A disk in one piece ends where it ends. */
export async function judgeLength({ final, scenario }: Expected, bytes: Uint8Array, format: string): Promise<void> {
  if (format !== scenario.targetFormat || bytes.length === final.length || !(await liesInOnePiece(bytes))) return;
  throw new Error(`the ${format} image has ${bytes.length} bytes in the end, not ${final.length}`);
}

/** Where the undo is kept a target without refcounts still holds what its old format left. */
async function judgeSettled(bytes: Uint8Array, scenario: Scenario): Promise<void> {
  const image = await openFound(bytes);
  const isTarget = image.format === scenario.targetFormat;
  if (scenario.options.keepUndo && isTarget && !kitOf(image.format).target?.countsReferences) return;
  const check = await checkOf(image);
  if (check.leaks + check.corruptions + check.checkErrors > 0)
    throw new Error(`${check.leaks} clusters leak after recovery`);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
