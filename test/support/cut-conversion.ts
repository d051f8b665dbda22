/** The files of a conversion that was cut off where one wants it, all of them durable. */

import { journalNamesOf } from "../../src/journal/names.ts";
import { IMAGE_PATH } from "./crash-scenario.ts";
import { type DiskState, eachCut } from "./power-cut.ts";
import { seededRandom } from "./random.ts";
import { type Operation, RecordingVolume } from "./recording-volume.ts";

export function isCommit(operation: Operation | undefined): boolean {
  return operation?.kind === "write" && operation.path === IMAGE_PATH && operation.hostOffset === 0;
}

/** Right before the first sector is written, or right after. */
export async function cutAtCommit(
  files: Readonly<Record<string, Uint8Array>>,
  run: (volume: RecordingVolume) => Promise<unknown>,
  which: "prepared" | "committed",
): Promise<DiskState> {
  const volume = new RecordingVolume(files);
  await run(volume);
  let before: DiskState | undefined;
  for (const { count, cut } of eachCut(volume.log)) {
    const isIt = isCommit(volume.operations[count - 1]);
    if (isIt && which === "prepared") return withoutLock(before as DiskState);
    before = cut.sample("all-new", seededRandom(1));
    if (isIt) return withoutLock(before);
  }
  throw new Error("there was no commit");
}

/** Where the record that gives the undo up has just become durable. */
export async function cutAtGivenUp(
  files: Readonly<Record<string, Uint8Array>>,
  run: (volume: RecordingVolume) => Promise<unknown>,
): Promise<DiskState> {
  const volume = new RecordingVolume(files);
  await run(volume);
  let isCommitted = false;
  for (const { count, cut } of eachCut(volume.log)) {
    const last = volume.operations[count - 1];
    isCommitted ||= isCommit(last);
    if (isCommitted && last?.kind === "sync" && last.path !== IMAGE_PATH)
      return withoutLock(cut.sample("all-new", seededRandom(1)));
  }
  throw new Error("the undo was never given up");
}

/** A dead owner's lock is of no matter to anybody. */
function withoutLock(state: DiskState): DiskState {
  return Object.fromEntries(Object.entries(state).filter(([path]) => path !== journalNamesOf(IMAGE_PATH).lock));
}
