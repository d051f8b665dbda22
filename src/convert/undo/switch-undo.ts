/**
 * The way back over a switch: proves that the image is where the plan left it, then restores its metadata byte for byte.
 *
 * Nothing is believed because it can be read: after a failed sync the page cache shows what the disk has lost. So what
 * a recovery builds on is written once more and synced (`settleHeader`, `rewriteMetadata`) before anything depends on it.
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { formatToldBy, openImage } from "../../formats/registry.ts";
import type { Image } from "../../image/driver.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Prepared } from "../../journal/records.ts";
import type { JournalState } from "../../journal/state.ts";
import { rewriteRange } from "../../storage/rewrite.ts";
import { ifReadable, readExactly, type Storage, type WritableStorage } from "../../storage/storage.ts";
import { digestRanges } from "../inspect/source.ts";
import type { Session } from "../session/session.ts";
import { lengthToKeep } from "./grown-tail.ts";
import { behindCommit } from "./overlays.ts";

/** Where the commit stands: sector 0 is the source's, the target's, or neither (someone rewrote it since). */
export type CommitState = "before" | "after" | "rewritten";

export async function commitStateOf(storage: Storage, { savedHeader, sector }: JournalState): Promise<CommitState> {
  const found = await readExactly(storage, 0, SECTOR_SIZE, "sector 0");
  if (sameBytes(found, savedHeader.subarray(0, SECTOR_SIZE))) return "before";
  return sameBytes(found, sector) ? "after" : "rewritten";
}

/** Says what was written to the image since by someone else; `undefined` when nothing was, as far as metadata shows. */
export async function foreignWrite(storage: Storage, state: JournalState): Promise<string | undefined> {
  const { intent, prepared, extras } = state;
  const commit = await commitStateOf(storage, state);
  if (commit === "rewritten") return "its header was rewritten";
  const size = await storage.size();
  if (size < intent.oldFileSize) return `its file was cut to ${size} bytes`;
  if (commit === "after") {
    if (!prepared) return "its header is the target's, but the journal never came to write it";
    if (size !== intent.fileSize) return `its file has ${size} bytes instead of ${intent.fileSize}`;
    if (!(await addedIsUntouched(storage, prepared))) return "the new tables were changed";
    for (const { hostOffset, bytes } of extras) {
      const found = await readExactly(storage, hostOffset, bytes.length, "header cluster");
      if (!sameBytes(found, bytes)) return "its header cluster was changed";
    }
  }
  return (await sourceIsUntouched(storage, state)) ? undefined : "the old tables were changed";
}

/** True where all that was put past the old end, copied units included, is as it was written. */
export async function addedIsUntouched(storage: Storage, { added, addedDigest }: Prepared): Promise<boolean> {
  const ranges = RangeSet.of(...added.map(([start, end]) => ({ start, end })));
  return (await digestRanges(storage, ranges)) === addedDigest;
}

/** True where every metadata byte of the source is as it was inspected. */
export async function sourceIsUntouched(storage: Storage, state: JournalState): Promise<boolean> {
  const view = behindCommit(storage, state);
  try {
    const image = await openImage(view, state.intent.sourceFormat);
    return (await digestRanges(view, await image.getMetadataRanges())) === state.intent.metadataDigest;
  } catch (error) {
    if (error instanceof ImageError && error.kind !== "io") return false;
    throw error;
  }
}

/**
 * Puts the source back: its sector 0 first, so that each state is a whole image; then the unused header bytes and
 * the length. The caller has proven that nobody else wrote to its metadata. What a guest wrote past the old end, into
 * a cluster that the old file ended inside, stays: returns false then.
 */
export async function restoreSource(session: Session, journal: Journal): Promise<boolean> {
  const { storage } = session;
  const { intent, savedHeader } = journal.state;
  // Also where it reads as the source's already: a cut may show what the disk really has.
  await storage.write(0, savedHeader.subarray(0, SECTOR_SIZE));
  await storage.sync();
  await takeExtrasBack(storage, journal.state);
  const length = await lengthToKeep(storage, intent.oldFileSize, intent.sourceEnd);
  await storage.resize(length);
  await storage.sync();
  if ((await commitStateOf(storage, journal.state)) !== "before") {
    throw new ImageError("verification-failed", say`Cannot put ${imageNamed(storage.path)} back`, {
      because: "its header does not read as written",
      path: storage.path,
      hostOffset: 0,
      operation: "roll back",
    });
  }
  await session.refuseChange();
  await journal.append({ record: "rolled-back" });
  await journal.remove();
  return length === intent.oldFileSize;
}

/** The header bytes that the source does not use, as they were. */
export async function takeExtrasBack(storage: WritableStorage, { extras, savedHeader }: JournalState): Promise<void> {
  for (const { hostOffset, bytes } of extras) {
    await storage.write(hostOffset, savedHeader.subarray(hostOffset, hostOffset + bytes.length));
  }
}

/** Writes every metadata byte of the image as found once more: pointers that the disk may have in an older version. */
export async function rewriteMetadata(storage: WritableStorage, image: Image): Promise<void> {
  for (const { start, end } of (await image.getMetadataRanges()).each()) await rewriteRange(storage, start, end);
  await storage.sync();
}

/** Bytes around the commit that a medium may lose when it is cut while writing sector 0. */
const COMMIT_BLOCK = 4096;

/**
 * Makes the block around the commit durable as it is found; from the journal where it can't be read any more, or where
 * its write stopped in the middle. Which header belongs there then is told by the rest of the file: whoever booted the
 * image since wrote through one of the two, and would lose that under the other. Throws `changed-underneath` where both
 * are in doubt.
 */
export async function settleHeader(
  storage: WritableStorage,
  journal: Journal,
  toward: "source" | "target",
): Promise<void> {
  const { state } = journal;
  const { savedHeader, lastSector, previousSector } = state;
  const length = Math.min(COMMIT_BLOCK, savedHeader.length);
  const found = await ifReadable(readExactly(storage, 0, length, "header"));
  const known = knownHeader(state, length);
  // Where clusters are small, a guest's data and tables lie beside the header. Another file's bytes are none of ours.
  if (found && !sameBytes(found.subarray(SECTOR_SIZE), known.subarray(SECTOR_SIZE))) {
    const { sourceFormat, targetFormat } = state.intent;
    const told = await formatToldBy(storage);
    if (told === sourceFormat || told === targetFormat) await journal.append({ record: "found-header" }, found);
  }
  if (found && !isHalfWritten(found, lastSector, previousSector) && !isHalfWritten(found, previousSector, lastSector)) {
    await rewriteRange(storage, 0, length);
    await storage.sync();
    return;
  }
  const block = found ?? known;
  const side = await sideInUse(withBlock(storage, block), state, toward);
  if (side === undefined) {
    throw new ImageError("changed-underneath", say`Cannot mend the header of ${imageNamed(storage.path)}`, {
      because: "the old tables and the new ones were changed since",
      remedy: "keep a copy of both files",
      path: storage.path,
      structure: "header",
      hostOffset: 0,
      operation: "mend",
    });
  }
  block.set(side === "source" ? savedHeader.subarray(0, SECTOR_SIZE) : lastSector);
  await storage.write(0, block);
  await storage.sync();
}

/** What the journal can bring back of the file's first bytes. */
function knownHeader({ foundHeader, savedHeader, extras }: JournalState, length: number): Uint8Array<ArrayBuffer> {
  const block = savedHeader.slice(0, length);
  for (const { hostOffset, bytes } of extras) {
    if (hostOffset < length) block.set(bytes.subarray(0, length - hostOffset), hostOffset);
  }
  if (foundHeader) block.set(foundHeader.subarray(0, length));
  return block;
}

/** The side that may hold what the other lacks; `undefined` where that can't be told. */
async function sideInUse(
  storage: Storage,
  state: JournalState,
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

/** The file with its first bytes from memory: below them nothing is read. */
function withBlock(storage: Storage, block: Uint8Array): Storage {
  return {
    path: storage.path,
    size: () => storage.size(),
    close: async () => {},
    async read(hostOffset, into) {
      const taken = block.subarray(hostOffset, hostOffset + into.length);
      into.set(taken);
      if (taken.length === into.length) return taken.length;
      return taken.length + (await storage.read(hostOffset + taken.length, into.subarray(taken.length)));
    },
  };
}

/**
 * A write of `sector` over `before` that stopped has left its beginning. A mere mixture is no proof: a program that
 * clears a flag in the old header can make a byte what it is in the new one.
 */
function isHalfWritten(block: Uint8Array, sector: Uint8Array, before: Uint8Array): boolean {
  const found = block.subarray(0, SECTOR_SIZE);
  if (sameBytes(found, sector) || sameBytes(found, before)) return false;
  let written = 0;
  while (found[written] === sector[written]) written++;
  return sameBytes(found.subarray(written), before.subarray(written, SECTOR_SIZE));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
