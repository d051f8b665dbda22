/**
 * The guest's disk itself changed, while it lies in one piece: it grows and its GPT's backup moves to the new end, or all of
 * that is put back. The one thing that changes guest bytes, only on request.
 *
 *   forth   grown, backup at the new end | primary header | protective MBR
 *   back    protective MBR | primary header | what the backup was written over, cut        each bar a sync
 *
 * Each state is a whole disk that its primary GPT reads.
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, placeAt, say } from "../../bytes/sentence.ts";
import type { Epoch, Write } from "../../image/write.ts";
import type { DiskChange, DiskPatch } from "../../journal/changed-disk.ts";
import type { RearrangementJournal } from "../../journal/journal.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import { executeEpoch, firstWrongByte } from "../execute/execute.ts";
import { type Session, stopIfAsked } from "../session/session.ts";
import { afterFailure } from "../undo/after-failure.ts";
import { foreignToChange, isChangedTo } from "../undo/changed-disk.ts";
import { openJournal, type Rearranged, type RearrangeStep } from "./rearrange-step.ts";

/** Where MBR and primary header lie, by sectors of either size: the blocks that a medium may lose while they are written. */
const FRONT = 8192;

/** Throws with `journal` set in the error: the disk is whole, and `resume` or `rollback` goes on. */
export async function relocate(step: RearrangeStep, change: DiskChange): Promise<Rearranged> {
  const { session, settings, purpose, journey, replacing } = step;
  const isBack = purpose === "roll-back";
  await refuseForeign(session, change);
  const journal = await openJournal(step, FRONT);
  let bytesWritten = 0;
  try {
    for (const epoch of isBack ? epochsBack(change) : epochsForth(change)) {
      stopIfAsked(settings.signal, session.path, "while changing the disk of");
      await session.refuseInterference();
      await rememberFront(session, journal, [...(epoch.writes?.() ?? [])]);
      await session.refuseChange();
      await executeEpoch(session.storage, epoch);
      for (const { bytes } of epoch.writes?.() ?? []) bytesWritten += bytes.length;
      await refuseWrongBytes(session, epoch);
    }
    return { bytesMoved: 0, bytesWritten, journal, isAll: true };
  } catch (error) {
    const isFirst = !isBack && replacing === undefined && journey.stepsTaken === 0;
    const restore = isFirst ? () => putBack(session, journal, change) : undefined;
    throw await afterFailure(session, journal, error, undefined, restore);
  }
}

/** Nobody else wrote since, so that all that differs is ours. */
async function putBack(session: Session, journal: RearrangementJournal, change: DiskChange): Promise<void> {
  const { storage } = session;
  for (const epoch of epochsBack(change)) await executeEpoch(storage, epoch);
  if (!(await isChangedTo(storage, change, "before"))) throw new Error("the disk does not read as it was");
  await session.refuseChange();
  await journal.append({ record: "rolled-back" });
  await journal.remove();
}

function epochsForth({ fileSize, steps }: DiskChange): Epoch[] {
  const [first = [], ...rest] = steps;
  return [first, ...rest].map((patches, at) => ({
    purpose: "change the disk",
    writes: () => patches.map(({ guestOffset, after }) => ({ hostOffset: guestOffset, bytes: after })),
    ...(at === 0 && { fileSize }),
  }));
}

function epochsBack({ oldFileSize, steps }: DiskChange): Epoch[] {
  const writes = (patches: readonly DiskPatch[]): Write[] =>
    patches.flatMap(({ guestOffset, before }) => {
      const bytes = before.subarray(0, Math.max(0, oldFileSize - guestOffset));
      return bytes.length === 0 ? [] : [{ hostOffset: guestOffset, bytes }];
    });
  const put: Epoch[] = steps.toReversed().map((patches) => ({
    purpose: "put the disk back",
    writes: () => writes(patches),
  }));
  return [...put, { purpose: "cut the disk to its old length", fileSize: oldFileSize }];
}

/** Nothing is written where somebody else was since the change was planned. */
async function refuseForeign({ storage, path }: Session, change: DiskChange): Promise<void> {
  const foreign = await foreignToChange(storage, change);
  if (foreign === undefined) return;
  throw new ImageError("changed-underneath", say`Cannot change the disk of ${imageNamed(path)}`, {
    because: foreign,
    path,
    operation: "compare",
  });
}

/** What else lies in a block that is written to is nowhere else should the medium lose it. */
async function rememberFront(
  { storage }: Session,
  journal: RearrangementJournal,
  writes: readonly Write[],
): Promise<void> {
  if (!writes.some(({ hostOffset }) => hostOffset < FRONT)) return;
  await journal.append({ record: "found-header" }, await readZeroFilled(storage, 0, FRONT));
  const sector = writes.find(({ hostOffset }) => hostOffset === 0);
  if (sector) await journal.append({ record: "new-header" }, padded(sector.bytes));
}

function padded(bytes: Uint8Array): Uint8Array {
  const sector = new Uint8Array(SECTOR_SIZE);
  sector.set(bytes.subarray(0, SECTOR_SIZE));
  return sector;
}

/** What does not read as written is written once more, if it is known that nobody else was there. */
async function refuseWrongBytes({ storage, path }: Session, epoch: Epoch): Promise<void> {
  let hostOffset = await firstWrongByte(storage, epoch);
  if (hostOffset >= 0 && !storage.hasLateFingerprint) {
    await executeEpoch(storage, epoch);
    hostOffset = await firstWrongByte(storage, epoch);
  }
  if (hostOffset < 0) return;
  throw new ImageError("verification-failed", say`Cannot trust ${imageNamed(path)}`, {
    because: say`host offset ${placeAt(hostOffset)} does not read as it was written`,
    path,
    hostOffset,
    operation: "verify",
  });
}
