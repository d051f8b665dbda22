/** A footer that comes, goes, or is put back on a disk that is full: each write that fails halfway, each way on from there. */

import { expect, test } from "vitest";
import { convert } from "../../src/convert/convert.ts";
import { IMAGE_PATH, recordScenario, testHost } from "../support/crash-scenario.ts";
import { expectedOf } from "../support/crash-trial.ts";
import { FailingVolume, type Failure } from "../support/failing-volume.ts";
import { type FaultOutcome, runFault } from "../support/fault-trial.ts";
import { pathScenarios } from "../support/path-scenarios.ts";
import { seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";

const scenarios = (await pathScenarios()).filter(({ name }) => ["vpc to raw", "raw to vpc, grown"].includes(name));

test("there are such conversions", () => expect(scenarios).toHaveLength(2));

test.each(scenarios)("$name", async (scenario) => {
  const expected = await expectedOf(scenario, (await recordScenario(scenario)).final);
  const counting = new FailingVolume(new RecordingVolume({ [IMAGE_PATH]: scenario.image }));
  await convert(IMAGE_PATH, scenario.targetFormat, scenario.options, testHost(counting));
  const outcomes = new Set<FaultOutcome>();
  for (const kind of ["write", "resize", "sync"] as const) {
    for (let nth = 1; nth <= counting.count(kind); nth++) {
      for (const isLasting of [false, true]) {
        for (const wish of ["resume", "rollback"] as const) {
          const failure: Failure = { kind, nth, code: "ENOSPC", isLasting, leaves: "half" };
          const trial = runFault(expected, failure, wish, seededRandom(nth));
          outcomes.add(
            await trial.catch((error: Error) =>
              expect.unreachable(`${JSON.stringify(failure)}, then ${wish}: ${error.message}`),
            ),
          );
        }
      }
    }
  }
  expect([...outcomes]).toContain("journal stands");
});
