/** What is asked of the guest's disk itself: a multiple of a size, its GPT's backup at its end, or, on the way back, what it was. */

import { TiB } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, option, say } from "../../bytes/sentence.ts";
import { targetDriverOf } from "../../formats/target-registry.ts";
import { ExtentState, ExtentTableBuilder } from "../../image/extent.ts";
import { noteOfStrandedGpt, planGptRelocation } from "../../image/gpt/relocation.ts";
import { GuestReader } from "../../image/guest/reader.ts";
import { composeGuestView, type GuestView, openGuestView } from "../../image/guest/view.ts";
import { changeOfRecord, type DiskChange, type DiskPatch } from "../../journal/changed-disk.ts";
import type { Intent, Journey } from "../../journal/records.ts";
import type { GuestChange } from "../../plan/path-text.ts";
import { memoryStorage } from "../../storage/memory.ts";
import { sharedUnder } from "../../storage/shared-file.ts";
import type { Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { parseTargetOptions } from "../options/target-options.ts";
import { foreignToChange, isChangedTo, refuseForeignToChange } from "../undo/changed-disk.ts";
import { waypointOf, waypointTo } from "./wish.ts";

export interface DiskWish {
  /** What is left to do; undefined where the disk is as asked. */
  readonly change: DiskChange | undefined;
  /** Bytes of the guest that change, for plan and report. */
  readonly told: readonly GuestChange[];
  /** What the user ought to know. */
  readonly notes: readonly string[];
}

export const AS_ASKED: DiskWish = { change: undefined, told: [], notes: [] };

/** Throws ImageError for a GPT that can't be moved, and `changed-underneath` where the way back would overwrite another's bytes. */
export async function diskWishOf(source: Source, journey: Journey, purpose: Intent["purpose"]): Promise<DiskWish> {
  if (purpose === "roll-back") return wishBack(source, journey);
  const { goalFormat, goalOptions, changed } = journey;
  const goal = waypointTo(goalFormat, goalOptions);
  // A backing file is none of one piece's, as the target says.
  if (!goal.isInOnePiece || source.options.backing !== undefined) return AS_ASKED;
  const target = targetDriverOf(goalFormat);
  const asked = parseTargetOptions(goalFormat, target, goalOptions);
  const { virtualSize } = source.options;
  const newSize = target.grownSize?.(virtualSize, asked) ?? virtualSize;
  // What grows with its own switch needs no step before it.
  const relocates = asked.gpt === "relocate";
  const isSized = goal.by === undefined && asked.align !== undefined;
  if (!relocates && !isSized && (asked.gpt !== undefined || goal.by === undefined)) return AS_ASKED;
  refuseTooLong(source, newSize);
  const view = await openGuestView([source.image]);
  const oldSize = isPlace(source) ? source.image.virtualSize : virtualSize;
  if (!relocates) {
    const note =
      asked.gpt === undefined ? await noteOfStrandedGpt(new GuestReader(view), { oldSize, newSize }) : undefined;
    const change = isSized && newSize !== oldSize ? { oldFileSize: oldSize, fileSize: newSize, steps: [] } : undefined;
    return { change, told: [], notes: note === undefined ? [] : [note] };
  }
  const begun = changed === undefined ? undefined : await begunChange(source, changeOfRecord(changed));
  if (begun !== undefined) return { ...AS_ASKED, change: begun };
  const { steps, notes } = await relocationOf(source, view, { oldSize, newSize }, changed !== undefined);
  if (steps.length === 0 && newSize === oldSize) return { ...AS_ASKED, notes };
  return {
    change: { oldFileSize: oldSize, fileSize: newSize, steps: steps.map(({ patches }) => patches) },
    told: steps.flatMap(({ patches }) =>
      patches.map(({ guestOffset, after, what }) => ({ guestOffset, length: after.length, what })),
    ),
    notes,
  };
}

/** The file of a layer that lies in no file. */
const IN_MEMORY = { path: "memory", descriptor: undefined };

/** The guest as the change will show it, from the source as it is and the values alone. */
export function changedView(
  view: GuestView,
  { oldFileSize, fileSize, steps }: DiskChange,
  purpose: Intent["purpose"],
): GuestView {
  const isBack = purpose === "roll-back";
  const bytesOf = (patch: DiskPatch) => (isBack ? patch.before : patch.after);
  const virtualSize = isBack ? oldFileSize : fileSize;
  const patches = steps.flat().toSorted((a, b) => a.guestOffset - b.guestOffset);
  const extents = new ExtentTableBuilder();
  let hostOffset = 0;
  for (const patch of patches) {
    const length = Math.min(patch.after.length, Math.max(0, virtualSize - patch.guestOffset));
    if (length > 0) {
      extents.append(patch.guestOffset - extents.end, ExtentState.unallocated);
      extents.append(length, ExtentState.data, hostOffset);
    }
    hostOffset += patch.after.length;
  }
  extents.append(virtualSize - extents.end, ExtentState.unallocated);
  const bytes = Buffer.concat(patches.map(bytesOf));
  const layer = {
    storage: { ...memoryStorage(bytes), shared: sharedUnder(IN_MEMORY, [{ hostOffset: 0, bytes }]) },
    extents: extents.finish(virtualSize),
    virtualSize,
    clusterSize: view.layers[0]?.clusterSize ?? 0,
    compression: undefined,
    inflate: (stored: Uint8Array) => stored,
  };
  return composeGuestView([layer, ...view.layers]);
}

/** What was begun and not finished, where nobody else was there since: the same bytes lead on, whatever came of them. */
async function begunChange({ image }: Source, change: DiskChange): Promise<DiskChange | undefined> {
  if (!isPlace({ image }) || (await isChangedTo(image.storage, change, "after"))) return undefined;
  return (await foreignToChange(image.storage, change)) === undefined ? change : undefined;
}

async function wishBack({ image }: Source, { changed }: Journey): Promise<DiskWish> {
  if (changed === undefined) return AS_ASKED;
  const change = changeOfRecord(changed);
  if (!isPlace({ image })) return { ...AS_ASKED, change };
  if (await isChangedTo(image.storage, change, "before")) return AS_ASKED;
  await refuseForeignToChange(image.storage, change);
  return { ...AS_ASKED, change };
}

/** Whether the disk lies in one piece that is reached directly, so that the file is the disk. */
function isPlace({ image }: Pick<Source, "image">): boolean {
  const { isInOnePiece, by } = waypointOf(image);
  return isInOnePiece && by === undefined;
}

interface Sizes {
  readonly oldSize: number;
  readonly newSize: number;
}

/** `wasBegun`: what somebody has made of the GPT since is theirs, and no reason to stop. */
async function relocationOf({ image }: Source, view: GuestView, sizes: Sizes, wasBegun: boolean) {
  try {
    return await planGptRelocation(new GuestReader(view), sizes);
  } catch (error) {
    if (!(error instanceof ImageError) || error.structure !== "GPT") throw error;
    if (wasBegun) return { steps: [], notes: [`The disk's GPT is left as it was found: ${error.problem}`] };
    const { path } = image.storage;
    throw new ImageError(error.kind, say`${error.what} (in ${imageNamed(path)})`, {
      ...error.facts,
      ...error.words,
      path,
      format: image.format,
      operation: "plan",
      cause: error,
    });
  }
}

/** Zeros that a disk may gain where their checksum is taken: no arithmetic shortens a hash, and this much takes minutes. */
const MOST_HASHED = { sha256: 2 * TiB, "blkhash-sha256": 128 * TiB } as const;

/** Throws ImageError `unsupported` where the disk as it shall be has a checksum that would take hours. */
export function refuseLongDigest(
  { image }: Source,
  { change }: DiskWish,
  { checksum, verify }: Pick<Settings, "checksum" | "verify">,
): void {
  if (change === undefined || checksum === "none" || verify !== "full") return;
  const gained = change.fileSize - change.oldFileSize;
  if (gained <= MOST_HASHED[checksum]) return;
  const { path } = image.storage;
  throw new ImageError("unsupported", say`Cannot let the disk of ${imageNamed(path)} grow`, {
    because: `the ${checksum} checksum of the ${gained} bytes of zeros that it gains would take hours`,
    remedy: say`choose a smaller align, or use ${option("checksum", "none")}`,
    path,
    format: image.format,
    operation: "plan",
  });
}

function refuseTooLong({ image }: Source, newSize: number): void {
  if (Number.isSafeInteger(newSize)) return;
  const { path } = image.storage;
  throw new ImageError("unsupported", say`Cannot let the disk of ${imageNamed(path)} grow`, {
    because: `no file has ${newSize} bytes`,
    path,
    format: image.format,
    operation: "plan",
  });
}
