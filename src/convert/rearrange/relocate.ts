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
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { Epoch, Write } from "../../image/write.ts";
import type { DiskChange, DiskPatch } from "../../journal/changed-disk.ts";
import type { RearrangementJournal } from "../../journal/journal.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import { executeEpoch } from "../execute/execute.ts";
import type { Session } from "../session/session.ts";
import { foreignToChange, isChangedTo } from "../undo/changed-disk.ts";
import { Epochs, HEADER_BLOCK } from "./epochs.ts";
import { failed, openJournal, type Rearranged, type RearrangeStep } from "./rearrange-step.ts";

/** MBR and primary header lie in here, by sectors of either size. */
const FRONT = 8192;

/** Throws with `journal` set in the error: the disk is whole, and `resume` or `rollback` goes on. */
export async function relocate(step: RearrangeStep, change: DiskChange): Promise<Rearranged> {
  const { session, settings, purpose, journey, replacing } = step;
  const isBack = purpose === "roll-back";
  await refuseForeign(session, change);
  const journal = await openJournal(step, FRONT);
  const epochs = new Epochs(session, journal, settings);
  try {
    for (const epoch of isBack ? epochsBack(change) : epochsForth(change)) {
      const writes = [...(epoch.writes?.() ?? [])];
      await rememberPrimary(session, journal, writes);
      await epochs.perform(epoch, newHeader(writes));
    }
    return { bytesMoved: 0, bytesWritten: epochs.bytesWritten, journal, isAll: true };
  } catch (error) {
    const isFirst = !isBack && replacing === undefined && journey.stepsTaken === 0;
    const restore = isFirst ? () => putBack(session, journal, change) : undefined;
    throw await failed(session, journal, error, restore);
  }
}

/** Nobody else wrote since, so that all that differs is ours. */
async function putBack(session: Session, journal: RearrangementJournal, change: DiskChange): Promise<void> {
  const { storage } = session;
  await session.refuseInterference();
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

/** Where sectors are large the primary header lies in a block of its own, of which the medium may lose all. */
async function rememberPrimary(
  { storage }: Session,
  journal: RearrangementJournal,
  writes: readonly Write[],
): Promise<void> {
  if (!writes.some(({ hostOffset }) => hostOffset >= HEADER_BLOCK && hostOffset < FRONT)) return;
  await journal.append({ record: "found-header" }, await readZeroFilled(storage, 0, FRONT));
}

/** The file's first sector, where it is written. */
function newHeader(writes: readonly Write[]): Uint8Array | undefined {
  const first = writes.find(({ hostOffset }) => hostOffset === 0);
  if (first === undefined) return undefined;
  const sector = new Uint8Array(SECTOR_SIZE);
  sector.set(first.bytes.subarray(0, SECTOR_SIZE));
  return sector;
}
