/** Every call of a conversion that can fail, failed once in every way: what was wrong of what the command then said. */

import { convert } from "../../src/convert/convert.ts";
import { IMAGE_PATH, recordScenario, type Scenario, testHost } from "./crash-scenario.ts";
import { expectedOf } from "./crash-trial.ts";
import { type CallKind, FailingVolume, type Failure } from "./failing-volume.ts";
import { type FaultOutcome, runFault } from "./fault-trial.ts";
import { seededRandom } from "./random.ts";
import { RecordingVolume } from "./recording-volume.ts";

const KINDS: readonly CallKind[] = [
  ...(["open", "read", "write", "resize", "punch", "sync", "create", "rename", "remove", "syncFolder"] as const),
];
const WAYS: readonly Pick<Failure, "code" | "isLasting" | "leaves">[] = [
  { code: "EIO" },
  { code: "EIO", leaves: "half" },
  { code: "EIO", leaves: "all" },
  { code: "ENOSPC" },
  { code: "ENOSPC", isLasting: true, leaves: "half" },
];

export interface FaultSweep {
  readonly failures: readonly string[];
  readonly outcomes: ReadonlyMap<FaultOutcome, number>;
}

/** Of more trials than `most` a seeded sample. */
export async function sweepFaults(scenario: Scenario, most = Number.POSITIVE_INFINITY): Promise<FaultSweep> {
  const { final } = await recordScenario(scenario);
  const expected = await expectedOf(scenario, final);
  const counting = new FailingVolume(new RecordingVolume({ [IMAGE_PATH]: scenario.image }));
  await convert(IMAGE_PATH, scenario.targetFormat, scenario.options, testHost(counting));
  const outcomes = new Map<FaultOutcome, number>();
  const failures: string[] = [];
  const callCount = KINDS.reduce((sum, kind) => sum + counting.count(kind), 0);
  const share = most / (callCount * WAYS.length);
  const chosen = seededRandom(callCount);
  for (const kind of KINDS) {
    for (let nth = 1; nth <= counting.count(kind); nth++) {
      for (const [at, way] of WAYS.entries()) {
        if (!chosen.chance(share)) continue;
        const wish = (nth + at) % 2 === 0 ? "resume" : "rollback";
        try {
          const outcome = await runFault(expected, { kind, nth, ...way }, wish, seededRandom(nth * 31 + at));
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        } catch (error) {
          failures.push(`${kind} ${nth} ${JSON.stringify(way)} then ${wish}: ${(error as Error).message}`);
        }
      }
    }
  }
  return { failures, outcomes };
}
