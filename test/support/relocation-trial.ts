/** A GPT disk grown and relocated on its way, cut anywhere, judged by bytes alone, recovered, and judged again. */

import { openImage } from "../../src/formats/registry.ts";
import { readGuest } from "../../src/image/gpt/gpt.ts";
import { GuestReader } from "../../src/image/guest/reader.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import type { Scenario } from "./crash-scenario.ts";
import { IMAGE_PATH, recordScenario } from "./crash-scenario.ts";
import { recover, type Wish } from "./crash-trial.ts";
import { tableAt, wholeGpt } from "./gpt-disk.ts";
import { type DiskState, eachCut, OUTCOMES, type Outcome } from "./power-cut.ts";
import { type Random, seededRandom } from "./random.ts";
import { RecordingVolume } from "./recording-volume.ts";

const SECTOR = 512;

export interface Relocated {
  readonly scenario: Scenario;
  /** The guest's disk before, and as it was asked for. */
  readonly before: Buffer;
  readonly after: Buffer;
}

/** The undisturbed run, and the disks that it must keep to. Throws unless it ends with a whole GPT in a disk of that size. */
export async function relocatedBy(scenario: Scenario, before: Buffer, newSize: number) {
  const { log, final } = await recordScenario(scenario);
  const found = await shownBy(final);
  if (found.format !== scenario.targetFormat) throw new Error(`it is ${found.format}`);
  if (found.disk.length !== newSize) throw new Error(`the disk has ${found.disk.length} bytes, not ${newSize}`);
  wholeGpt(found.disk);
  return { log, relocated: { scenario, before, after: found.disk } satisfies Relocated };
}

const MARKS: Readonly<Record<string, string>> = { "QFI\xfb": "qcow2", "QED\0": "qed", KDMV: "vmdk" };

/** The format that the bytes tell of, and the guest's disk. What tells of none is raw. */
export async function shownBy(bytes: Uint8Array): Promise<{ readonly format: string; readonly disk: Buffer }> {
  const mark = Buffer.from(bytes.subarray(0, 4)).toString("latin1");
  const isVpc = Buffer.from(bytes.subarray(-SECTOR)).toString("latin1", 0, 8) === "conectix";
  const format = MARKS[mark] ?? (isVpc ? "vpc" : "raw");
  const image = await openImage(memoryStorage(bytes), format, { allowMarkedRaw: true });
  const reader = new GuestReader(await openGuestView([image]));
  return { format, disk: Buffer.from(await readGuest(reader, image.virtualSize, 0, image.virtualSize)) };
}

/** Throws unless the image shows the disk before, or one of which each sector is as before or as after and the primary is right. */
export async function judgeWhole({ scenario, before, after }: Relocated, state: DiskState): Promise<string> {
  const { format, disk } = await shownBy(state[IMAGE_PATH] as Uint8Array);
  if (format === "qcow2") {
    if (!disk.equals(before)) throw new Error("the guest of the qcow2 image differs");
    return format;
  }
  if (disk.length < before.length) throw new Error(`the disk is cut to ${disk.length} bytes`);
  // Until the file is cut to its disk the carrier's tables lie behind it.
  const end = scenario.sourceFormat === "qcow2" && format === "raw" ? before.length : after.length;
  for (let at = 0; at < Math.min(disk.length, end); at += SECTOR) {
    const sector = sectorOf(disk, at);
    if (!sector.equals(sectorOf(before, at)) && !sector.equals(sectorOf(after, at)))
      throw new Error(`sector ${at / SECTOR} is neither old nor new`);
  }
  const { entries, guid, alternate } = tableAt(disk, 1);
  if (alternate * SECTOR >= disk.length) throw new Error(`the backup lies past the end, in sector ${alternate}`);
  // Where the new one comes over the old, only the primary is whole for a while.
  if (after.length - before.length > before.length / 4) tableAt(disk, alternate);
  const old = tableAt(before, 1);
  if (!entries.equals(old.entries) || guid !== old.guid) throw new Error("the primary tells of other partitions");
  return format;
}

function sectorOf(disk: Buffer, at: number): Buffer {
  const sector = Buffer.alloc(SECTOR);
  sector.set(disk.subarray(at, at + SECTOR));
  return sector;
}

async function judgeEnd(
  relocated: Relocated,
  state: DiskState,
  wishes: readonly Wish[],
  outcome: string,
): Promise<void> {
  const { scenario, before, after } = relocated;
  const format = await judgeWhole(relocated, state);
  const bytes = Buffer.from(state[IMAGE_PATH] as Uint8Array);
  const { disk } = await shownBy(bytes);
  const isOld = format === scenario.sourceFormat && disk.equals(before);
  const isNew = format === scenario.targetFormat && disk.equals(after);
  if (outcome === "nothing") {
    if (!isOld && !isNew) throw new Error("nothing to recover, and the image is neither old nor finished");
    return;
  }
  const strays = Object.keys(state).filter((path) => path !== IMAGE_PATH && !path.endsWith("-undo"));
  if (strays.length > 0) throw new Error(`left behind: ${strays.join(", ")}`);
  if (wishes.includes("rollback") ? !isOld : !isNew)
    throw new Error(`${wishes.join(" then ")} ended elsewhere: ${format}`);
  // In one piece there is but one way for it to lie.
  if (isOld && scenario.sourceFormat !== "qcow2" && !bytes.equals(scenario.image))
    throw new Error("rolled back, and not byte for byte");
}

export const WISHES: readonly (readonly Wish[])[] = [
  ["resume"],
  ["rollback"],
  ["resume", "resume"],
  ["rollback", "rollback"],
  ["resume", "rollback"],
];

/** Each cut with each outcome; what failed, at most five. */
export async function sweepRelocation(
  scenario: Scenario,
  before: Buffer,
  newSize: number,
  every = 1,
): Promise<{ readonly failures: string[]; readonly states: number }> {
  const { log, relocated } = await relocatedBy(scenario, before, newSize);
  const failures: string[] = [];
  let states = 0;
  for (const { count, cut } of eachCut(log)) {
    for (const [at, outcome] of OUTCOMES.entries()) {
      if ((count + at) % every !== 0) continue;
      const random = seededRandom(count * 31 + at);
      const wishes = WISHES[(count * 2 + at) % WISHES.length] as readonly Wish[];
      states++;
      try {
        await runTrial(relocated, cut.sample(outcome, random), wishes, random);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        failures.push(`${scenario.name}: cut ${count}, ${outcome}, ${wishes.join(" then ")}: ${text}`);
        if (failures.length >= 5) return { failures, states };
      }
    }
  }
  return { failures, states };
}

async function runTrial(
  relocated: Relocated,
  state: DiskState,
  wishes: readonly Wish[],
  random: Random,
): Promise<void> {
  await judgeWhole(relocated, state);
  let volume = new RecordingVolume(state);
  let done = await recover(volume, wishes[0] as Wish);
  if (wishes.length > 1 && done === "done") {
    const between = anyCut(volume, random);
    await judgeWhole(relocated, between);
    volume = new RecordingVolume(between);
    done = await recover(volume, wishes[1] as Wish);
  }
  await judgeEnd(relocated, volume.memory.snapshots() as DiskState, wishes, done);
}

function anyCut(volume: RecordingVolume, random: Random): DiskState {
  const at = random.below(volume.operations.length + 1);
  for (const { count, cut } of eachCut(volume.log))
    if (count === at) return cut.sample(random.pick(OUTCOMES) as Outcome, random);
  throw new Error("unreachable");
}
