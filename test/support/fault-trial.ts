/** One trial of the fault suite: a conversion in which one call fails; what it says must be true of the files. */

import { ImageError } from "../../src/bytes/image-error.ts";
import { convert } from "../../src/convert/convert.ts";
import { IMAGE_PATH, testHost } from "./crash-scenario.ts";
import { type Expected, judgeWhole, recover, type Wish } from "./crash-trial.ts";
import { FailingVolume, type Failure } from "./failing-volume.ts";
import { cutAfter, type DiskState } from "./power-cut.ts";
import type { Random } from "./random.ts";
import { RecordingVolume } from "./recording-volume.ts";

export type FaultOutcome = "unharmed" | "refused" | "put back" | "journal stands";

/**
 * Throws where the command's word is wrong: exit 1 means the old bytes, exit 4 a journal that recovers. After a
 * failed sync the disk is any subset of what was written since the last good one, so a cut is drawn there.
 */
export async function runFault(
  expected: Expected,
  failure: Failure,
  wish: Wish,
  random: Random,
): Promise<FaultOutcome> {
  const { scenario } = expected;
  const recording = new RecordingVolume({ [IMAGE_PATH]: scenario.image });
  const failing = new FailingVolume(recording, failure);
  let error: unknown;
  try {
    await convert(IMAGE_PATH, scenario.targetFormat, scenario.options, testHost(failing));
  } catch (thrown) {
    error = thrown;
  }
  if (failing.struck.length === 0) return "unharmed";
  if (failing.retriedSyncCount > 0) throw new Error("a failed sync was tried again");
  const live = recording.memory.snapshots() as DiskState;
  // Half a sector of a disk without tables is no state of a medium; what the command says of it must be true all the same.
  const isTornInside = failure.leaves === "half" && expected.formats.has("raw");
  if (!isTornInside) await judgeWhole(expected, live);
  if (error === undefined) return "unharmed";
  if (!(error instanceof ImageError)) throw error;
  const isSync = failure.kind === "sync" || failure.kind === "syncFolder";
  if (error.journal === undefined) {
    if (isSync && Object.keys(live).some((path) => path.endsWith("-journal")))
      return judgeStanding(expected, recording, wish, random, true, isTornInside);
    if (Buffer.compare(live[IMAGE_PATH] as Uint8Array, scenario.image) !== 0)
      throw new Error(`exit 1, but the image changed: ${error.message}`);
    return error.rolledBack ? "put back" : "refused";
  }
  return judgeStanding(expected, recording, wish, random, isSync, isTornInside);
}

async function judgeStanding(
  expected: Expected,
  recording: RecordingVolume,
  wish: Wish,
  random: Random,
  isSync: boolean,
  isTornInside: boolean,
): Promise<FaultOutcome> {
  const { scenario } = expected;
  const state = isSync
    ? cutAfter(recording.log, recording.operations.length).sample("each-sector-random", random)
    : (recording.memory.snapshots() as DiskState);
  if (!isTornInside) await judgeWhole(expected, state);
  const volume = new RecordingVolume(state);
  const outcome = await recover(volume, wish);
  const { format } = await judgeWhole(expected, volume.memory.snapshots() as DiskState);
  const wanted = wish === "resume" ? scenario.targetFormat : scenario.sourceFormat;
  if (outcome === "done" && format !== wanted) throw new Error(`${wish} ended at ${format}`);
  return "journal stands";
}
