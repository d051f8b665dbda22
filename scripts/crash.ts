/**
 * Any number of power cuts: `npm run crash -- [--seed N] [--states N] [--full] [--only TEXT]`, or
 * `-- --live [--seed N] [--chains N] [--only TEXT]`, `-- --paths [--seed N] [--states N] [--only TEXT]`, or
 * `-- --faults [--only TEXT]`; `--only` takes the scenarios whose names hold the text.
 *
 * `--full` takes the two smallest images and, at each cut, every state there is (up to 65,536 a cut, then strata), each
 * with resume and with rollback. `--live` fails a sync and recovers before any restart, on a cache that shows what the
 * disk lost: each sync of each command, and N chains a scenario in which a recovery's own sync fails. `--paths` takes
 * the conversions of several steps, N states of them, no two alike. `--faults` fails every call of every conversion
 * once, in every way. A failure prints the seed that makes it again.
 */

import { parseArgs } from "node:util";
import { crashScenarios, recordScenario, type Scenario } from "../test/support/crash-scenario.ts";
import { newTally, sweepScenario } from "../test/support/crash-sweep.ts";
import { expectedOf, runTrial, type Wish } from "../test/support/crash-trial.ts";
import { newDistinctTally, sweepDistinct } from "../test/support/distinct-sweep.ts";
import { enumerateStates } from "../test/support/every-state.ts";
import { sweepFaults } from "../test/support/fault-sweep.ts";
import { conversionSubject, repairSubject } from "../test/support/live-subjects.ts";
import { type LiveTally, sweepLiveView } from "../test/support/live-view.ts";
import { pathScenarios } from "../test/support/path-scenarios.ts";
import { eachCut } from "../test/support/power-cut.ts";
import { seededRandom } from "../test/support/random.ts";
import { repairScenarios } from "../test/support/repair-scenarios.ts";
import { newRepairTally, sweepRepair } from "../test/support/repair-trial.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    states: { type: "string", default: "200000" },
    full: { type: "boolean", default: false },
    live: { type: "boolean", default: false },
    paths: { type: "boolean", default: false },
    faults: { type: "boolean", default: false },
    chains: { type: "string", default: "200" },
    only: { type: "string", default: "" },
  },
});
/** Sixteen sectors in doubt, each old or new. */
const MOST_STATES = 65_536;
const seed = Number(values.seed);
const isAsked = ({ name }: { readonly name: string }) => name.includes(values.only);
const scenarios = [...(await crashScenarios()), ...(await pathScenarios())].filter(isAsked);
let failed = 0;

if (values.live) {
  await sweepLive();
} else if (values.paths) {
  await sweepPaths();
} else if (values.faults) {
  for (const scenario of scenarios) {
    const { failures, outcomes } = await sweepFaults(scenario);
    tell(scenario.name, failures);
    console.log(`     ${[...outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(", ")}`);
  }
} else if (values.full) {
  for (const scenario of scenarios.slice(0, 2)) failed += await sweepWhole(scenario);
} else {
  const tally = newTally();
  const repairs = newRepairTally();
  const repaired = repairScenarios().filter(isAsked);
  for (const [index, scenario] of scenarios.entries()) {
    tell(scenario.name, await sweepScenario(scenario, share(scenarios.length), seed + index, tally));
  }
  for (const [index, scenario] of repaired.entries()) {
    tell(`repair: ${scenario.name}`, await sweepRepair(scenario, share(repaired.length), seed + index, repairs));
  }
  const [states, secondCrashes] = [tally.states + repairs.states, tally.secondCrashes + repairs.secondCrashes];
  console.log(`${states} states, ${secondCrashes} with a second crash, seed ${seed}`);
}
process.exitCode = failed === 0 ? 0 : 1;

/** Conversions and repairs get half of the states each. */
function share(scenarioCount: number): number {
  return Math.ceil(Number(values.states) / 2 / scenarioCount);
}

function tell(name: string, failures: readonly string[]): void {
  failed += failures.length;
  console.log(`${failures.length === 0 ? "ok  " : "FAIL"} ${name}`);
  for (const failure of failures) console.log(`     ${failure}`);
}

/** Every scenario on the live view; the tests take the same chains, but fewer and of other seeds. */
async function sweepLive(): Promise<void> {
  const total: LiveTally = { chains: 0, states: 0 };
  // One after another: a repair's stand-in takes the driver's place while it runs.
  const subjects = [
    ...scenarios.map((scenario) => () => conversionSubject(scenario)),
    ...repairScenarios()
      .filter(isAsked)
      .map((scenario) => () => repairSubject(scenario)),
  ];
  for (const [index, make] of subjects.entries()) {
    const subject = await make();
    tell(subject.name, await sweepLiveView(subject, Number(values.chains), seed + index, total));
  }
  console.log(`${total.chains} chains with a failed sync, ${total.states} states, seed ${seed}`);
}

/** One recovery for each few hundred states. */
async function sweepPaths(): Promise<void> {
  const tally = newDistinctTally();
  const chosen = (await pathScenarios()).filter(isAsked);
  const states = Math.ceil(Number(values.states) / chosen.length);
  for (const [index, scenario] of chosen.entries()) {
    const sweep = { states, recoveries: Math.ceil(states / 400), seed: seed + index };
    const error = await sweepDistinct(scenario, sweep, tally).catch((thrown: Error) => thrown);
    tell(scenario.name, error ? [error.message] : []);
  }
  console.log(`${tally.states} states, ${tally.secondCrashes} of second crashes, ${tally.recoveries} recoveries`);
}

/** The full product of one scenario; returns how many states failed. */
async function sweepWhole(scenario: Scenario): Promise<number> {
  const { log, final } = await recordScenario(scenario);
  const expected = await expectedOf(scenario, final);
  let count = 0;
  let failures = 0;
  let sampledCuts = 0;
  for (const { count: operations, cut } of eachCut(log)) {
    const { isExhaustive, states } = enumerateStates(cut, MOST_STATES, seed);
    if (!isExhaustive) sampledCuts++;
    for (const state of states) {
      for (const wish of ["resume", "rollback"] as const satisfies readonly Wish[]) {
        count++;
        try {
          await runTrial(expected, state, [wish], seededRandom(seed + count));
        } catch (error) {
          failures++;
          console.log(`FAIL ${scenario.name}: cut ${operations}, state ${count}, ${wish}: ${(error as Error).message}`);
        }
      }
    }
  }
  const whole = sampledCuts === 0 ? "every cut whole" : `${sampledCuts} cuts in strata`;
  console.log(`${failures === 0 ? "ok  " : "FAIL"} ${scenario.name}: ${count} trials, ${whole}`);
  return failures;
}
