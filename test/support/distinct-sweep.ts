/**
 * Many states of one conversion, no two of them alike: what cuts leave, and what cuts of recoveries leave.
 *
 *   first    every cut: each state there is, where they are few, else strata and states by chance
 *   second   so many of these, recovered; every cut of that recovery, in the same way
 *   end      a few of those, recovered to the end
 *
 * A state is all files on the disk. Each is judged as a whole image; a sample is recovered.
 */

import { recordScenario, type Scenario } from "./crash-scenario.ts";
import { type Expected, expectedOf, judgeEnd, judgeWhole, recover, type Wish } from "./crash-trial.ts";
import { enumerateStates } from "./every-state.ts";
import { type DiskState, eachCut, stateKey } from "./power-cut.ts";
import { type Random, seededRandom } from "./random.ts";
import { type OperationLog, RecordingVolume } from "./recording-volume.ts";

export interface DistinctTally {
  /** Those of second crashes among them. */
  states: number;
  secondCrashes: number;
  /** Distinct images among the states. */
  images: number;
  recoveries: number;
}

export interface DistinctSweep {
  /** States, about so many; half of them of second crashes. */
  readonly states: number;
  /** First recoveries. */
  readonly recoveries: number;
  readonly seed: number;
  /** Called with some of the states. */
  readonly asked?: { readonly every: number; ask(expected: Expected, state: DiskState): Promise<void> };
}

/** States of a cut beyond which its cuts are not worth more. */
const MOST_OF_A_CUT = 96;
const LEAST_OF_A_CUT = 3;
/** States of each first recovery that are recovered themselves. */
const SECOND_RECOVERIES = 2;

export function newDistinctTally(): DistinctTally {
  return { states: 0, secondCrashes: 0, images: 0, recoveries: 0 };
}

/** Throws at the first state that is not whole, or that recovery does not end where it was asked to. */
export async function sweepDistinct(scenario: Scenario, sweep: DistinctSweep, tally: DistinctTally): Promise<void> {
  const { log, final } = await recordScenario(scenario);
  const expected = await expectedOf(scenario, final);
  const seen = new Set<string>();
  const random = seededRandom(sweep.seed);
  const before = tally.states;
  const first = await visit(log, sweep.states / 2, sweep.recoveries, "cut");
  for (const [turn, state] of first.entries()) {
    const wish = turn % 2 === 0 ? "resume" : "rollback";
    const recovery = await recovered(state, [wish], `recovery ${turn}`);
    const share = (sweep.states - (tally.states - before)) / (first.length - turn);
    const counted = tally.states;
    const second = await visit(recovery, share, SECOND_RECOVERIES, `recovery ${turn}, ${wish}, cut`);
    tally.secondCrashes += tally.states - counted;
    for (const [at, again] of second.entries()) {
      const last = (turn + at) % 3 === 0 ? wish : wish === "resume" ? "rollback" : "resume";
      await recovered(again, [wish, last], `recovery ${turn}, ${wish}, then ${last}`);
    }
  }
  tally.images += expected.whole.size;

  /** Judges states of all cuts, about `wanted` new ones; returns some of them. */
  async function visit(of: OperationLog, wanted: number, keep: number, what: string): Promise<DiskState[]> {
    const limit = limitFor(of, wanted);
    const kept: DiskState[] = [];
    let count = 0;
    for (const { count: at, cut } of eachCut(of)) {
      // A state is not new where nothing has changed.
      if (at > 0 && isIdle(of, at - 1)) continue;
      for (const state of enumerateStates(cut, limit, sweep.seed + at).states) {
        const key = stateKey(state);
        if (seen.has(key)) continue;
        seen.add(key);
        tally.states++;
        count++;
        await within(`${what} ${at}, state ${count}`, () => judgeWhole(expected, state));
        if (sweep.asked && tally.states % sweep.asked.every === 0) {
          await within(`${what} ${at}, state ${count}`, () => sweep.asked?.ask(expected, state));
        }
        keepSome(kept, keep, state, count, random);
      }
    }
    return kept;
  }

  /** Recovers it with the last of the wishes, and judges the end. */
  async function recovered(state: DiskState, wishes: [Wish] | [Wish, Wish], what: string): Promise<OperationLog> {
    const volume = new RecordingVolume(state);
    tally.recoveries++;
    await within(what, async () => {
      const outcome = await recover(volume, wishes.at(-1) as Wish);
      await judgeEnd(expected, volume.memory.snapshots() as DiskState, wishes, outcome);
    });
    return volume.log;
  }

  async function within(what: string, act: () => Promise<unknown> | undefined): Promise<void> {
    try {
      await act();
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`${scenario.name}, seed ${sweep.seed}: ${what}: ${message}`, { cause: error });
    }
  }
}

/** By the operations that leave something in doubt. */
function limitFor(log: OperationLog, wanted: number): number {
  const cuts = log.operations.filter((_, at) => !isIdle(log, at)).length;
  return Math.max(LEAST_OF_A_CUT, Math.min(MOST_OF_A_CUT, Math.ceil((2.4 * wanted) / Math.max(1, cuts))));
}

/** Opening changes nothing, and a barrier leaves what was one of the states before it. */
function isIdle({ operations }: OperationLog, at: number): boolean {
  const kind = operations[at]?.kind;
  return kind === "open" || kind === "sync" || kind === "syncFolder";
}

/** Each of all is kept as likely as any other. */
function keepSome(kept: DiskState[], keep: number, state: DiskState, count: number, random: Random): void {
  if (kept.length < keep) kept.push(state);
  else {
    const at = random.below(count);
    if (at < keep) kept[at] = state;
  }
}
