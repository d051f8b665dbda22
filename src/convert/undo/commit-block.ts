/** The block around a commit, made durable by a recovery: as it is found, or mended where its write stopped in the middle. */

import { alignDown, SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { isWrittenInPart } from "../../bytes/torn-write.ts";
import type { Write } from "../../image/write.ts";
import type { ConversionWork } from "../../journal/conversion-work.ts";
import type { ConversionJournal } from "../../journal/journal.ts";
import { rewriteRange } from "../../storage/rewrite.ts";
import { ifReadable, readExactly, type Storage, type WritableStorage } from "../../storage/storage.ts";
import { addedIsUntouched, sameBytes, sourceIsUntouched } from "./switch-undo.ts";
import { toldFormat } from "./told-format.ts";

/** Bytes around the commit that a medium may lose when it is cut while writing the sector. */
const COMMIT_BLOCK = 4096;

/**
 * Makes the block around the commit durable as it is found; from the journal where it can't be read any more, or where
 * its write stopped in the middle. Which header belongs there then is told by the rest of the file: whoever booted the
 * image since wrote through one of the two, and would lose that under the other. Throws `changed-underneath` where both
 * are in doubt.
 */
export async function settleHeader(
  storage: WritableStorage,
  journal: ConversionJournal,
  toward: "source" | "target",
): Promise<void> {
  const state = journal.work;
  const { commitHostOffset, oldSector, anchor, lastSector, previousSector } = state;
  // A name is there or not, and no byte of the file tells of it.
  if (state.named) return storage.sync();
  if (commitHostOffset + SECTOR_SIZE > state.savedHeader.length) return settleFooter(storage, commitHostOffset);
  const known = knownBlock(state);
  const { hostOffset } = known;
  const [from, to] = [commitHostOffset - hostOffset, commitHostOffset - hostOffset + SECTOR_SIZE];
  const sector = (block: Uint8Array) => block.subarray(from, to);
  const rest = (block: Uint8Array) => Buffer.from(block).fill(0, from, to);
  const found = await ifReadable(readExactly(storage, hostOffset, known.bytes.length, "header"));
  // Where clusters are small, a guest's data and tables lie beside the header. Another file's bytes are none of ours.
  if (found && !sameBytes(rest(found), rest(known.bytes))) {
    if ((await toldFormat(storage, state.intent)) !== undefined)
      await journal.append({ record: "found-header" }, found);
  }
  const isHalf = (bytes: Uint8Array) =>
    isHalfWritten(sector(bytes), lastSector, previousSector) ||
    isHalfWritten(sector(bytes), previousSector, lastSector) ||
    (anchor !== undefined &&
      (isHalfWritten(sector(bytes), anchor, oldSector) || isHalfWritten(sector(bytes), oldSector, anchor)));
  if (found && !isHalf(found)) {
    await rewriteRange(storage, hostOffset, hostOffset + found.length);
    await storage.sync();
    return;
  }
  const block = { hostOffset, bytes: found ?? known.bytes };
  const side = await sideInUse(withBlock(storage, block), state, toward);
  if (side === undefined) {
    throw new ImageError("changed-underneath", say`Cannot mend the header of ${imageNamed(storage.path)}`, {
      because: "the old tables and the new ones were changed since",
      remedy: "keep a copy of both files",
      path: storage.path,
      structure: "header",
      hostOffset: commitHostOffset,
      operation: "mend",
    });
  }
  // How long the file is the cache alone may say; with the anchor the source is whole at any length.
  sector(block.bytes).set(side === "target" ? lastSector : (anchor ?? oldSector));
  await storage.write(hostOffset, block.bytes);
  await storage.sync();
}

/** A sector behind the disk is there or not: what it is says whose the file is, and nothing of a guest's lies in it. */
async function settleFooter(storage: WritableStorage, hostOffset: number): Promise<void> {
  await rewriteRange(storage, hostOffset, hostOffset + SECTOR_SIZE);
  await storage.sync();
}

/** What the journal can bring back of the block around the commit. */
function knownBlock({ commitHostOffset, foundHeader, savedHeader, extras }: ConversionWork): Write {
  const start = alignDown(commitHostOffset, COMMIT_BLOCK);
  const bytes = savedHeader.slice(start, start + COMMIT_BLOCK);
  const end = start + bytes.length;
  for (const extra of extras) {
    const [from, to] = [Math.max(start, extra.hostOffset), Math.min(end, extra.hostOffset + extra.bytes.length)];
    if (from < to) bytes.set(extra.bytes.subarray(from - extra.hostOffset, to - extra.hostOffset), from - start);
  }
  if (foundHeader) bytes.set(foundHeader.subarray(0, bytes.length));
  return { hostOffset: start, bytes };
}

/** The side that may hold what the other lacks; `undefined` where that can't be told. */
async function sideInUse(
  storage: Storage,
  state: ConversionWork,
  toward: "source" | "target",
): Promise<"source" | "target" | undefined> {
  const { intent, prepared, verified, undoGivenUp } = state;
  if (undoGivenUp) return "target";
  // Only a prepared target has all that its header points at, and only until a way back has cut it off.
  if (!prepared || (await storage.size()) < intent.fileSize) return "source";
  if (await addedIsUntouched(storage, prepared)) {
    // Nobody used the target, so that the source is right in any case; a commit that was proven may stay.
    return verified && toward === "target" ? "target" : "source";
  }
  return verified || (await sourceIsUntouched(storage, state)) ? "target" : undefined;
}

/** The file with a block of it from memory: there nothing is read. */
function withBlock(storage: Storage, { hostOffset: start, bytes }: Write): Storage {
  return {
    path: storage.path,
    size: () => storage.size(),
    close: async () => {},
    async read(hostOffset, into) {
      const before = Math.min(Math.max(0, start - hostOffset), into.length);
      if (before > 0) {
        const count = await storage.read(hostOffset, into.subarray(0, before));
        if (count < before || before === into.length) return count;
      }
      const taken = bytes.subarray(Math.max(0, hostOffset - start)).subarray(0, into.length - before);
      into.set(taken, before);
      const known = before + taken.length;
      if (known === into.length) return known;
      return known + (await storage.read(hostOffset + known, into.subarray(known)));
    },
  };
}

/** Whether a sector is neither of the two, but `sector` written over `before` in part. */
function isHalfWritten(found: Uint8Array, sector: Uint8Array, before: Uint8Array): boolean {
  if (sameBytes(found, sector) || sameBytes(found, before)) return false;
  return isWrittenInPart(found, sector, before);
}
