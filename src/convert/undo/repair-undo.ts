/** The way back over a repair: proves that the image is where the plan left it, then restores its metadata byte for byte. */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { PatchedSectors, type RepairPlace } from "../../check/repair-place.ts";
import { openImage } from "../../formats/registry.ts";
import { digestGuest } from "../../image/guest/digest.ts";
import { openGuestView } from "../../image/guest/view.ts";
import type { Image } from "../../image/source.ts";
import type { RepairJournal } from "../../journal/journal.ts";
import type { PatchStep, RepairWork } from "../../journal/repair-work.ts";
import { OverlayStorage } from "../../storage/overlay.ts";
import { ifReadable, readZeroFilled, type Storage, type WritableStorage } from "../../storage/storage.ts";
import { executeEpoch } from "../execute/execute.ts";
import { digestRanges } from "../inspect/source.ts";
import type { Session } from "../session/session.ts";
import { lengthToKeep } from "./grown-tail.ts";

/** What somebody else did to the image since, for messages. */
export interface ForeignWrite {
  readonly foreign: string;
}

/** Where the image stands, nobody else having written to it. */
export interface Untouched extends RepairPlace {
  /** All that is additive is durable and complete. */
  readonly hasAdded: boolean;
}

/** How far the repair came; or what was written to the image since by someone else, as far as metadata shows. */
export async function repairPlaceOf(storage: Storage, state: RepairWork): Promise<Untouched | ForeignWrite> {
  const { intent, steps } = state;
  const size = await storage.size();
  if (size < intent.oldFileSize) return { foreign: `its file was cut to ${size} bytes` };
  if (size > intent.fileSize) return { foreign: `its file has grown to ${size} bytes` };
  const place = await new PatchedSectors(steps).find(await sectorReader(storage, steps));
  if (place === undefined) return { foreign: "its metadata was changed" };
  // A way back that was cut off may have taken it away again, but only after all steps were undone.
  const hasAdded = await isAddedThere(storage, state);
  if (place.step > 0 && !hasAdded) return { foreign: "the new metadata was changed" };
  if (!(await isUntouched(asItWasBefore(storage, state), state))) return { foreign: "its metadata was changed" };
  return { ...place, hasAdded };
}

async function isAddedThere(storage: Storage, { intent, prepared }: RepairWork): Promise<boolean> {
  if (prepared === undefined || (await storage.size()) !== intent.fileSize) return false;
  const added = RangeSet.of(...prepared.added.map(([start, end]) => ({ start, end })));
  return (await digestRanges(storage, added)) === prepared.addedDigest;
}

/** The file as it was before the repair's first write. */
export function asItWasBefore(storage: Storage, { intent, steps }: RepairWork): Storage {
  return new OverlayStorage(storage, new PatchedSectors(steps).after(0), { size: intent.oldFileSize });
}

/**
 * Puts the image back: first all that was found is made durable, then step by step what was there before, the length
 * last. Each state in between is one that the repair went through. The caller has proven that nobody else wrote, which may
 * have taken long.
 * Returns false where the file stays longer (`cutAdded`).
 */
export async function undoRepair(session: Session, journal: RepairJournal, place: RepairPlace): Promise<boolean> {
  const { storage } = session;
  const { steps } = journal.work;
  await session.refuseInterference();
  await settlePlace(storage, place);
  for (const { purpose, patches } of steps.slice(0, place.step).reverse()) {
    const writes = patches.map(({ hostOffset, before }) => ({ hostOffset, bytes: before }));
    await executeEpoch(storage, { purpose: `undo: ${purpose}`, writes: () => writes });
  }
  const isExact = await cutAdded(storage, journal.work);
  await storage.sync();
  await session.refuseChange();
  await journal.append({ record: "rolled-back" });
  await journal.remove();
  return isExact;
}

/**
 * Gives up what was added past the old end. A cluster that lies there and was pointed at all the same is alive once the
 * file is longer: what somebody wrote to it stays, and false is returned.
 */
export async function cutAdded(storage: WritableStorage, { intent, prepared }: RepairWork): Promise<boolean> {
  const added = intent.added ?? prepared?.added;
  if (added === undefined) {
    await storage.resize(intent.oldFileSize);
    return true;
  }
  const ours = RangeSet.of(...added.map(([start, end]) => ({ start, end })));
  const length = await lengthToKeep(storage, intent.oldFileSize, intent.fileSize, ours);
  await storage.resize(length);
  return length === intent.oldFileSize;
}

/**
 * Where the repair gave snapshots, bitmaps or autoclear bits up, a guest may have written since what they must follow:
 * throws `changed-underneath` unless the guest is provably one that the repair itself showed.
 */
export async function proveGuestOfRepair(session: Session, { intent }: RepairWork, place: RepairPlace): Promise<void> {
  const { guestDigests } = intent;
  if (guestDigests === undefined || place.step === 0) return;
  // A sector that the medium has lost is known all the same.
  const size = await session.storage.size();
  const image = await openImage(new OverlayStorage(session.storage, place.seen, { size }), intent.format);
  const found =
    guestDigests.length === 0 ? undefined : await digestGuest(await openGuestView([image]), "blkhash-sha256");
  if (found === undefined || !guestDigests.includes(found)) {
    const why = found === undefined ? "what its guest was before is not known" : "a guest wrote to its disk since";
    throw new ImageError("changed-underneath", say`Cannot put ${imageNamed(session.path)} back`, {
      because: `the repair gave snapshots, bitmaps or autoclear bits up, and ${why}`,
      state: "nothing was touched",
      path: session.path,
      format: intent.format,
      operation: "roll back",
    });
  }
}

/**
 * Writes what was found once more: after a failed sync the disk may hold other versions than those that are read, and
 * a sector that the medium lost comes back.
 */
export async function settlePlace(storage: WritableStorage, { seen }: RepairPlace): Promise<void> {
  await executeEpoch(storage, { purpose: "write what was found", writes: () => seen });
}

/** SHA-256 over every metadata byte, hex; null where the metadata can't be followed. */
export async function metadataDigestOf(image: Image): Promise<string | null> {
  try {
    return await digestRanges(image.storage, await image.getMetadataRanges());
  } catch (error) {
    if (error instanceof ImageError && error.kind !== "io") return null;
    throw error;
  }
}

async function isUntouched(asItWas: Storage, { intent }: RepairWork): Promise<boolean> {
  try {
    return (await metadataDigestOf(await openImage(asItWas, intent.format))) === intent.metadataDigest;
  } catch (error) {
    if (error instanceof ImageError && error.kind !== "io") return false;
    throw error;
  }
}

/** Reads all patched places in large pieces beforehand, by sectors where the medium has lost some. */
async function sectorReader(
  storage: Storage,
  steps: readonly PatchStep[],
): Promise<(hostOffset: number, length: number) => Promise<Uint8Array | undefined>> {
  const sectors = new Map<number, Uint8Array>();
  for (const { hostOffset, before } of steps.flatMap(({ patches }) => patches)) {
    const run = await ifReadable(readZeroFilled(storage, hostOffset, before.length));
    for (let skip = 0; run !== undefined && skip < run.length; skip += SECTOR_SIZE) {
      sectors.set(hostOffset + skip, run.subarray(skip, skip + SECTOR_SIZE));
    }
  }
  return async (hostOffset, length) =>
    sectors.get(hostOffset)?.subarray(0, length) ?? (await ifReadable(readZeroFilled(storage, hostOffset, length)));
}
