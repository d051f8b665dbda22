/**
 * The way back over a switch: proves that the image is where the plan left it, then restores its metadata byte for byte.
 *
 * Nothing is believed because it can be read: after a failed sync the page cache shows what the disk has lost. So what
 * a recovery builds on is written once more and synced (`settleHeader`, `rewriteMetadata`) before anything depends on it.
 */

import { KiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { openOptionsOf, reopenImage } from "../../formats/registry.ts";
import type { Image } from "../../image/source.ts";
import type { ConversionWork } from "../../journal/conversion-work.ts";
import type { ConversionJournal } from "../../journal/journal.ts";
import type { Prepared } from "../../journal/records.ts";
import { rewriteRange } from "../../storage/rewrite.ts";
import { readExactly, readZeroFilled, type Storage, type WritableStorage } from "../../storage/storage.ts";
import { addText, clearTextDraft, removeText } from "../execute/name.ts";
import { digestRanges } from "../inspect/source.ts";
import { isTextOf } from "../session/named-image.ts";
import type { Session } from "../session/session.ts";
import { lengthToKeep } from "./grown-tail.ts";
import { areHolesEmpty } from "./hidden-writes.ts";
import { behindCommit } from "./overlays.ts";
import { wasInOnePiece } from "./told-format.ts";

/** Where the commit stands: its sector is the source's, the target's, or neither (someone rewrote it since). */
export type CommitState = "before" | "after" | "rewritten";

export async function commitStateOf(
  storage: Storage,
  { intent, commitHostOffset, oldSector, anchor, sector, named }: ConversionWork,
): Promise<CommitState> {
  if (named) return nameStateOf(storage, { ...named, sector });
  const isLength = intent.commitKind === "length";
  if (isLength || commitHostOffset >= intent.oldFileSize) {
    const isThere = (await storage.size()) >= commitHostOffset + SECTOR_SIZE;
    if (!isThere) return isLength ? "after" : "before";
  }
  const found = await readExactly(storage, commitHostOffset, SECTOR_SIZE, `sector ${commitHostOffset / SECTOR_SIZE}`);
  if (sameBytes(found, oldSector) || (anchor && sameBytes(found, anchor))) return "before";
  return sameBytes(found, sector) && !isLength ? "after" : "rewritten";
}

/** Of a text beside it. What bears the name and speaks of another disk, or of none, is not ours. */
async function nameStateOf(
  storage: Storage,
  { name, comes, sector }: { readonly name: string; readonly comes: boolean; readonly sector: Uint8Array },
): Promise<CommitState> {
  if (storage.sidecar === undefined) throw new TypeError(`Cannot tell whether ${name} is there: nobody has looked`);
  const found = await storage.sidecar();
  const isNamed = found?.name === name;
  if (isNamed && sameBytes(found.bytes, sector)) return comes ? "after" : "before";
  if (isNamed && isTextOf(found, storage.path)) return "rewritten";
  return comes ? "before" : "after";
}

/** Says what was written to the image since by someone else; `undefined` when nothing was, as far as metadata shows. */
export async function foreignWrite(storage: Storage, state: ConversionWork): Promise<string | undefined> {
  const { intent, prepared } = state;
  const { named, sector } = state;
  if (named && !named.comes && !isTextOf({ name: named.name, bytes: sector }, storage.path))
    return `its file was renamed, by whose old name ${named.name} speaks of it,`;
  const commit = await commitStateOf(storage, state);
  if (commit === "rewritten") return named ? `${named.name} was rewritten` : "its header was rewritten";
  const size = await storage.size();
  // A footer that went took the end of the file with it.
  const isShorter = commit === "after" && intent.commitKind === "length";
  if (size < intent.oldFileSize && !isShorter) return `its file was cut to ${size} bytes`;
  if (commit === "before" && !(await isAsShort(storage, state))) return "its disk was used as long as it was";
  if (commit === "after") {
    if (!prepared) return "its header is the target's, but the journal never came to write it";
    const expected = sizeAfterCommit(state);
    if (size !== expected && !(await isFooterInPart(storage, state, size)))
      return `its file has ${size} bytes instead of ${expected}`;
    if (!(await addedIsUntouched(storage, prepared))) return "the new tables were changed";
    if (!(await frontIsOurs(storage, state))) return "its header cluster was changed";
    const source = await sourceBehind(storage, state);
    if (source && !(await areHolesEmpty(storage, state, source))) return "its guest wrote where nothing was";
  }
  return (await sourceIsUntouched(storage, state)) ? undefined : "the old tables were changed";
}

/**
 * False where a disk in one piece is longer for a while, and its first bytes changed: somebody may have used it at that
 * length, and made a partition or file system larger.
 */
export async function isAsShort(storage: Storage, work: ConversionWork): Promise<boolean> {
  const { intent } = work;
  if (!wasInOnePiece(intent) || (await storage.size()) <= intent.oldFileSize) return true;
  return isFrontAsItWas(storage, work);
}

/** The file's length once the commit is there and nothing has been cut. */
function sizeAfterCommit({ intent, commitHostOffset, named }: ConversionWork): number {
  if (named) return intent.fileSize;
  if (intent.commitKind === "length") return commitHostOffset;
  return Math.max(intent.fileSize, commitHostOffset + SECTOR_SIZE);
}

/** What a footer that was being put back got as far as, on a disk that was full: no byte of it is anybody else's. */
async function isFooterInPart(storage: Storage, state: ConversionWork, size: number): Promise<boolean> {
  const { intent, commitHostOffset, sector } = state;
  const length = size - commitHostOffset;
  if (intent.commitKind !== "length" || length <= 0 || length >= SECTOR_SIZE) return false;
  return sameBytes(await readExactly(storage, commitHostOffset, length, "footer"), sector.subarray(0, length));
}

/** True where the commit and what came with it are as they were written: nobody changed the disk's first bytes since. */
export async function frontIsOurs(storage: Storage, state: ConversionWork): Promise<boolean> {
  if ((await commitStateOf(storage, state)) !== "after") return false;
  for (const { hostOffset, bytes } of state.extras) {
    const found = await readExactly(storage, hostOffset, bytes.length, "first bytes");
    if (!sameBytes(found, bytes)) return false;
  }
  return true;
}

/** True where all that was put past the old end, copied units included, is as it was written. */
export async function addedIsUntouched(storage: Storage, { added, addedDigest }: Prepared): Promise<boolean> {
  const ranges = RangeSet.of(...added.map(([start, end]) => ({ start, end })));
  return (await digestRanges(storage, ranges)) === addedDigest;
}

/** What was said of how the source is to be read (`size_from`). */
export function sourceOptionsOf({ intent }: ConversionWork): Readonly<Record<string, string>> {
  return openOptionsOf(intent.sourceFormat, intent.journey?.goalOptions ?? intent.options);
}

/** True where every metadata byte of the source is as it was inspected. */
export async function sourceIsUntouched(storage: Storage, state: ConversionWork): Promise<boolean> {
  return (await sourceBehind(storage, state)) !== undefined;
}

/** The source as the commit left it behind; undefined where its metadata is another now. */
async function sourceBehind(storage: Storage, state: ConversionWork): Promise<Image | undefined> {
  const view = behindCommit(storage, state);
  try {
    const image = await reopenImage(view, state.intent.sourceFormat, sourceOptionsOf(state));
    const isSame = (await digestRanges(view, await image.getMetadataRanges())) === state.intent.metadataDigest;
    return isSame ? image : undefined;
  } catch (error) {
    if (error instanceof ImageError && error.kind !== "io") return undefined;
    throw error;
  }
}

/**
 * Puts the source back: its own sector over the commit first, so that each state is a whole image; then the unused header bytes and
 * the length. The caller has proven that nobody else wrote to its metadata, which may have taken long: who has the image
 * open by now would lose what they write. What a guest wrote past the old end, into a cluster that the old file ended
 * inside, stays: returns false then. Unless it `isOver` the journal stands, for more to come.
 */
export async function restoreSource(session: Session, journal: ConversionJournal, isOver = true): Promise<boolean> {
  const { storage } = session;
  const { intent, commitHostOffset, oldSector, anchor = oldSector, named } = journal.work;
  await session.refuseInterference();
  // Also where it reads as the source's already: a cut may show what the disk really has. A footer that came goes with the length.
  const isComing = commitHostOffset >= intent.oldFileSize;
  if (named) await takeNameBack(session, journal.work);
  else if (!isComing) await storage.write(commitHostOffset, anchor);
  await storage.sync();
  await takeExtrasBack(storage, journal.work);
  const length = await lengthToKeep(storage, intent.oldFileSize, intent.sourceEnd);
  await storage.resize(length);
  await storage.sync();
  await liftAnchor(storage, journal.work);
  if ((await commitStateOf(storage, journal.work)) !== "before") throw wrongOldHeader(storage.path, commitHostOffset);
  await session.refuseChange();
  if (isOver) {
    await journal.append({ record: "rolled-back" });
    await journal.remove();
  }
  return length === intent.oldFileSize;
}

/** The source's own sector again, once its file is as long as it was, so that what lies at its end is found. */
export async function liftAnchor(storage: WritableStorage, work: ConversionWork): Promise<void> {
  const { anchor, oldSector, commitHostOffset, intent } = work;
  if (anchor === undefined || (await storage.size()) !== intent.oldFileSize) return;
  await storage.write(commitHostOffset, oldSector);
  await storage.sync();
  const found = await readExactly(storage, commitHostOffset, oldSector.length, "header");
  if (!sameBytes(found, oldSector)) throw wrongOldHeader(storage.path, commitHostOffset);
}

function wrongOldHeader(path: string, hostOffset: number): ImageError {
  return new ImageError("verification-failed", say`Cannot put ${imageNamed(path)} back`, {
    because: "its header does not read as written",
    path,
    hostOffset,
    operation: "roll back",
  });
}

/** The text under its name again, or gone. Whatever else bears the name stays. */
async function takeNameBack(session: Session, work: ConversionWork): Promise<void> {
  const { named, sector } = work;
  const state = await commitStateOf(session.storage, work);
  await clearTextDraft(session);
  if (named === undefined || state !== "after") return;
  if (named.comes) await removeText(session, named.name);
  else await addText(session, { name: named.name, bytes: sector });
}

/** Where partition tables, volume managers and file systems (Btrfs at 64 KiB the last of them) tell how large they are. */
const FRONT_LENGTH = 128 * KiB;

export function frontDigestOf(storage: Storage, fileSize: number): Promise<string> {
  return digestRanges(storage, RangeSet.of({ start: 0, end: Math.min(FRONT_LENGTH, fileSize) }));
}

/** Whether the first bytes of a disk in one piece are as they were: nobody can have made a partition larger since. */
export async function isFrontAsItWas(storage: Storage, { intent, savedHeader }: ConversionWork): Promise<boolean> {
  if (intent.frontDigest !== undefined)
    return (await frontDigestOf(storage, intent.oldFileSize)) === intent.frontDigest;
  return sameBytes(await readZeroFilled(storage, 0, savedHeader.length), savedHeader);
}

/** The header bytes that the source does not use, as they were. */
export async function takeExtrasBack(storage: WritableStorage, { extras, savedHeader }: ConversionWork): Promise<void> {
  for (const { hostOffset, bytes } of extras) {
    await storage.write(hostOffset, savedHeader.subarray(hostOffset, hostOffset + bytes.length));
  }
}

/** Writes every metadata byte of the image as found once more: pointers that the disk may have in an older version. */
export async function rewriteMetadata(storage: WritableStorage, image: Image): Promise<void> {
  for (const { start, end } of (await image.getMetadataRanges()).each()) await rewriteRange(storage, start, end);
  await storage.sync();
}

/** True where they are the same to the byte. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
