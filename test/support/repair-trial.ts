/** One trial of the crash suite over repairs: a state that a cut left, judged before any recovery, recovered, judged again. */

import { ImageError } from "../../src/bytes/image-error.ts";
import { check } from "../../src/convert/check.ts";
import type { CheckOptions } from "../../src/convert/options/options.ts";
import { resume, rollback } from "../../src/convert/recover.ts";
import { openImage } from "../../src/formats/registry.ts";
import { digestGuest } from "../../src/image/guest/digest.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { checkOf } from "../../src/image/source.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import type { Volume } from "../../src/storage/storage.ts";
import { IMAGE_PATH, testHost } from "./crash-scenario.ts";
import { WISHES } from "./crash-sweep.ts";
import { type DiskState, eachCut, OUTCOMES, type Outcome } from "./power-cut.ts";
import { type Random, seededRandom } from "./random.ts";
import { type OperationLog, RecordingVolume } from "./recording-volume.ts";
import { type DamagedImage, withPlan } from "./repair-stand-in.ts";

export type Wish = "resume" | "rollback";

/** One repair of one image. */
export interface RepairScenario {
  readonly name: string;
  readonly damaged: DamagedImage;
  readonly options: CheckOptions;
}

/** What the image shows, and must show in every state. */
export interface RepairExpected {
  readonly scenario: RepairScenario;
  readonly digest: string;
  /** What a check finds after an undisturbed repair: mostly nothing. */
  readonly foundAfter: number;
}

export async function expectedOfRepair(scenario: RepairScenario): Promise<RepairExpected> {
  const image = await openImage(memoryStorage(new Uint8Array(scenario.damaged.bytes)));
  const digest = await digestGuest(await openGuestView([image]), "blkhash-sha256");
  const volume = new RecordingVolume({ [IMAGE_PATH]: scenario.damaged.bytes });
  await performRepair(scenario, volume);
  return { scenario, digest, foundAfter: await foundIn(volume.memory.snapshot(IMAGE_PATH)) };
}

async function foundIn(bytes: Uint8Array): Promise<number> {
  const { corruptions, checkErrors, leaks } = await checkOf(await openImage(memoryStorage(bytes)));
  return corruptions + checkErrors + leaks;
}

export function performRepair({ damaged, options }: RepairScenario, volume: Volume): Promise<unknown> {
  return withPlan(damaged.plan, () => check(IMAGE_PATH, options, testHost(volume)));
}

export async function recordRepair(scenario: RepairScenario): Promise<OperationLog> {
  const volume = new RecordingVolume({ [IMAGE_PATH]: new Uint8Array(scenario.damaged.bytes) });
  await performRepair(scenario, volume);
  return volume.log;
}

/** Throws unless the image opens by itself with the same guest. */
export async function judgeRepaired(expected: RepairExpected, state: DiskState): Promise<Uint8Array> {
  const bytes = state[IMAGE_PATH];
  if (!bytes) throw new Error("the image is gone");
  const image = await openImage(memoryStorage(bytes));
  const found = await digestGuest(await openGuestView([image]), "blkhash-sha256");
  if (found !== expected.digest) throw new Error("the guest differs");
  return bytes;
}

export type RecoveryOutcome = "done" | "nothing" | "given up";

/** "given up" where the way back is no more; anything else that throws fails the trial. */
export async function recoverRepaired(
  { damaged }: RepairScenario,
  volume: Volume,
  wish: Wish,
): Promise<RecoveryOutcome> {
  try {
    await withPlan(damaged.plan, () => (wish === "resume" ? resume : rollback)(IMAGE_PATH, {}, testHost(volume)));
    return "done";
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    if (error.message.startsWith("Nothing to ")) return "nothing";
    if (wish === "rollback" && error.kind === "unsupported" && error.journal !== undefined) return "given up";
    throw error;
  }
}

/** Runs one trial; of two wishes the first recovery is cut off. */
export async function runRepairTrial(
  expected: RepairExpected,
  state: DiskState,
  wishes: readonly [Wish] | readonly [Wish, Wish],
  random: Random,
): Promise<RecoveryOutcome> {
  const { scenario } = expected;
  await judgeRepaired(expected, state);
  let volume = new RecordingVolume(state);
  let outcome = await recoverRepaired(scenario, volume, wishes[0]);
  if (wishes.length === 2 && outcome === "done") {
    const between = anyCut(volume, random);
    await judgeRepaired(expected, between);
    volume = new RecordingVolume(between);
    outcome = await recoverRepaired(scenario, volume, wishes[1]);
  }
  if (outcome === "given up") {
    outcome = await recoverRepaired(scenario, volume, "resume");
    if (outcome !== "done") throw new Error("the way back was given up, and there is none on");
    await judgeEnd(expected, volume, "resume", ["resume"]);
    return "given up";
  }
  await judgeEnd(expected, volume, outcome === "nothing" ? undefined : (wishes.at(-1) as Wish), wishes);
  return outcome;
}

async function judgeEnd(
  expected: RepairExpected,
  volume: RecordingVolume,
  wish: Wish | undefined,
  wishes: readonly Wish[],
): Promise<void> {
  const { scenario } = expected;
  const state = volume.memory.snapshots() as DiskState;
  const bytes = await judgeRepaired(expected, state);
  const isOld = Buffer.compare(bytes, scenario.damaged.bytes) === 0;
  const isClean = (await foundIn(bytes)) === expected.foundAfter;
  if (wish === "rollback" && !isOld) throw new Error("rollback did not put the old bytes back");
  if (wish === "resume" && !isClean) throw new Error("resume did not mend the image");
  if (wish === undefined && !isOld && !isClean) throw new Error("nothing to recover, and neither old nor mended");
  const left = Object.keys(state).filter((path) => path !== IMAGE_PATH && !path.includes("elsewhere"));
  const keepsUndo = scenario.options.keepUndo === true && wish === "resume";
  if (left.some((path) => !(keepsUndo && path.endsWith("-undo"))) && !(wish === undefined && wishes.length > 1)) {
    throw new Error(`left behind: ${left.join(", ")}`);
  }
}

function anyCut(volume: RecordingVolume, random: Random): DiskState {
  const at = random.below(volume.operations.length + 1);
  for (const { count, cut } of eachCut(volume.log))
    if (count === at) return cut.sample(random.pick(OUTCOMES) as Outcome, random);
  throw new Error("unreachable");
}

export interface RepairTally {
  states: number;
  secondCrashes: number;
  readonly outcomes: Map<RecoveryOutcome, number>;
}

export function newRepairTally(): RepairTally {
  return { states: 0, secondCrashes: 0, outcomes: new Map() };
}

/**
 * At least `stateCount` states, spread evenly over cuts, outcomes and wishes; of large images every n-th of them. Returns
 * what failed, at most a few.
 */
export async function sweepRepair(
  scenario: RepairScenario,
  stateCount: number,
  seed: number,
  tally: RepairTally,
  every = 1,
): Promise<string[]> {
  const log = await recordRepair(scenario);
  const expected = await expectedOfRepair(scenario);
  const rounds = Math.ceil(stateCount / ((log.operations.length + 1) * OUTCOMES.length));
  const failures: string[] = [];
  for (const { count, cut } of eachCut(log)) {
    for (const [at, outcome] of OUTCOMES.entries()) {
      for (let round = 0; round < rounds; round++) {
        if ((count * OUTCOMES.length + at + round) % every !== 0) continue;
        const trialSeed = ((seed * 1009 + count) * 31 + at) * 101 + round;
        const random = seededRandom(trialSeed);
        const wishes = WISHES[(count + at + round) % WISHES.length] as readonly [Wish];
        tally.states++;
        if (wishes.length > 1) tally.secondCrashes++;
        try {
          const end = await runRepairTrial(expected, cut.sample(outcome, random), wishes, random);
          tally.outcomes.set(end, (tally.outcomes.get(end) ?? 0) + 1);
        } catch (error) {
          const after = log.operations[count - 1];
          const where = after ? `${after.kind} ${"path" in after ? after.path : ""}` : "the start";
          failures.push(
            `${scenario.name}: cut ${count} after ${where}, ${outcome}, ${wishes.join(" then ")}, seed ${trialSeed}: ${(error as Error).message}`,
          );
          if (failures.length >= 5) return failures;
        }
      }
    }
  }
  return failures;
}
