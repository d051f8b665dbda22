/**
 * A disk that was changed for its conversion, as it stands: whether all that lies where we wrote is ours, old or new.
 *
 *   old end        new end
 *   |M|h|  disk  |B|    zeros     |b|     M, h, B: as before or as after, sector by sector; b: zeros or as after
 */

import { MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { isWrittenInPart } from "../../bytes/torn-write.ts";
import type { DiskChange, DiskPatch } from "../../journal/changed-disk.ts";
import { rewriteRange } from "../../storage/rewrite.ts";
import { ifReadable, readZeroFilled, type Storage, type WritableStorage } from "../../storage/storage.ts";
import { sameBytes } from "./switch-undo.ts";

/** Says what somebody else did to the disk since; undefined where it is ours. `tail`: bytes that may lie behind the disk. */
export async function foreignToChange(
  storage: Storage,
  { oldFileSize, fileSize, steps }: DiskChange,
  tail = 0,
): Promise<string | undefined> {
  const size = await storage.size();
  if (size < oldFileSize) return `its file was cut to ${size} bytes`;
  if (size > fileSize + tail) return `its file has ${size} bytes instead of ${fileSize}`;
  const ours = new RangeSet();
  for (const patch of steps.flat()) {
    ours.add(patch.guestOffset, patch.guestOffset + patch.after.length);
    for (const { guestOffset, before, after } of sectorsOf(patch)) {
      const found = await ifReadable(readZeroFilled(storage, guestOffset, SECTOR_SIZE));
      if (found !== undefined && !isOurs(found, before, after))
        return `sector ${guestOffset / SECTOR_SIZE} of its disk was changed`;
    }
  }
  const holds = await storage.dataRanges?.();
  for (const gap of ours.gapsIn(oldFileSize, Math.min(size, fileSize))) {
    const data = (holds ?? RangeSet.of(gap)).clippedTo(gap.start, gap.end);
    for (const { start, end } of data.each()) {
      for (let at = start; at < end; at += MiB) {
        const bytes = await readZeroFilled(storage, at, Math.min(MiB, end - at));
        if (bytes.some((byte) => byte !== 0)) return "what its disk has grown by was written to";
      }
    }
  }
  return undefined;
}

/** Throws `changed-underneath` where the way back would overwrite what somebody else wrote. */
export async function refuseForeignToChange(storage: Storage, change: DiskChange, tail = 0): Promise<void> {
  const foreign = await foreignToChange(storage, change, tail);
  if (foreign === undefined) return;
  throw new ImageError("changed-underneath", say`Cannot put ${imageNamed(storage.path)} back`, {
    because: `${foreign} since`,
    state: "nothing was touched",
    path: storage.path,
    operation: "roll back",
  });
}

/** Whether the disk is as it was (`before`), or as it was to become (`after`), its length included. */
export async function isChangedTo(storage: Storage, change: DiskChange, which: "before" | "after"): Promise<boolean> {
  const size = which === "before" ? change.oldFileSize : change.fileSize;
  if ((await storage.size()) !== size) return false;
  for (const patch of change.steps.flat()) {
    const found = await readZeroFilled(storage, patch.guestOffset, patch.after.length);
    if (!sameBytes(found, patch[which])) return false;
  }
  return true;
}

/**
 * Makes what is found durable, step by step as it was written: a failed sync may have left it in the cache alone. What can't
 * be read, or was written in part, becomes what it was: the disk is whole with each step half done.
 */
export async function settleChange(storage: WritableStorage, { steps }: DiskChange): Promise<void> {
  const size = await storage.size();
  for (const patches of steps) {
    for (const patch of patches) {
      for (const { guestOffset, before, after } of sectorsOf(patch)) {
        const found = await ifReadable(readZeroFilled(storage, guestOffset, SECTOR_SIZE));
        const isWhole = found !== undefined && (sameBytes(found, before) || sameBytes(found, after));
        const isMended = found === undefined || (!isWhole && isOurs(found, before, after));
        if (isMended && guestOffset < size) await storage.write(guestOffset, before.subarray(0, size - guestOffset));
      }
      await rewriteRange(storage, patch.guestOffset, patch.guestOffset + patch.after.length);
    }
    await storage.sync();
  }
}

function isOurs(found: Uint8Array, before: Uint8Array, after: Uint8Array): boolean {
  return isWrittenInPart(found, after, before) || isWrittenInPart(found, before, after);
}

function* sectorsOf({ guestOffset, before, after }: DiskPatch): Generator<DiskPatch> {
  for (let at = 0; at < after.length; at += SECTOR_SIZE) {
    yield {
      guestOffset: guestOffset + at,
      before: before.subarray(at, at + SECTOR_SIZE),
      after: after.subarray(at, at + SECTOR_SIZE),
    };
  }
}
