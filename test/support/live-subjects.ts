/** Conversions and repairs of the crash suite as the trials on a live view need them. */

import { convert } from "../../src/convert/convert.ts";
import { openImage } from "../../src/formats/registry.ts";
import { leavesLeaks } from "../../src/formats/target-registry.ts";
import { checkOf } from "../../src/image/source.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { IMAGE_PATH, recordScenario, type Scenario, testHost } from "./crash-scenario.ts";
import { expectedOf, judgeLength, judgeWhole, liesInOnePiece, openFound, recover } from "./crash-trial.ts";
import type { Subject } from "./live-view.ts";
import {
  expectedOfRepair,
  judgeRepaired,
  performRepair,
  type RepairScenario,
  recordRepair,
  recoverRepaired,
} from "./repair-trial.ts";

export async function conversionSubject(scenario: Scenario): Promise<Subject> {
  const { log, final } = await recordScenario(scenario);
  const expected = await expectedOf(scenario, final);
  return {
    name: scenario.name,
    log,
    perform: (volume) => convert(IMAGE_PATH, scenario.targetFormat, scenario.options, testHost(volume)),
    async recover(volume, wish) {
      const outcome = await recover(volume, wish);
      return outcome === "closed" ? "given up" : outcome;
    },
    judge: (state) => judgeWhole(expected, state),
    async judgeEnd(state, wish, outcome) {
      const { format, bytes } = await judgeWhole(expected, state);
      if (outcome !== "done") return;
      if (wish === "rollback" && format !== scenario.sourceFormat) throw new Error(`rollback ended at ${format}`);
      const isOld = Buffer.compare(bytes, scenario.image) === 0;
      await judgeLength(expected, bytes, format);
      if (wish === "rollback" && !isOld && (await liesInOnePiece(bytes)))
        throw new Error(`rolled back to ${format}, but not byte for byte`);
      // A qcow counts nothing: what a failed sync lets it forget is room that its next compaction gives back.
      const mayLeak = isOld || scenario.options.keepLeaks || scenario.options.keepUndo || leavesLeaks(format);
      const { leaks } = await checkOf(await openFound(bytes));
      if (leaks > 0 && !mayLeak) throw new Error(`${leaks} clusters leak after ${wish}`);
    },
  };
}

export async function repairSubject(scenario: RepairScenario): Promise<Subject> {
  const expected = await expectedOfRepair(scenario);
  return {
    name: scenario.name,
    log: await recordRepair(scenario),
    perform: (volume) => performRepair(scenario, volume),
    recover: (volume, wish) => recoverRepaired(scenario, volume, wish),
    judge: (state) => judgeRepaired(expected, state),
    async judgeEnd(state, wish, outcome) {
      const bytes = await judgeRepaired(expected, state);
      if (outcome !== "done") return;
      const { corruptions, checkErrors, leaks } = await checkOf(await openImage(memoryStorage(bytes)));
      if (wish === "resume" && corruptions + checkErrors + leaks !== expected.foundAfter)
        throw new Error("resume did not mend the image");
      if (wish === "rollback" && Buffer.compare(bytes, scenario.damaged.bytes) !== 0)
        throw new Error("rollback did not put the old bytes back");
    },
  };
}
