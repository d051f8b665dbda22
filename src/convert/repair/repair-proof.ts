/** The proof of a repair: opened as each step will leave it, the image still shows its guest and is no worse than it was. */

import { counted } from "../../bytes/count-text.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { PatchedSectors } from "../../check/repair-place.ts";
import type { RepairPlan } from "../../check/repair-plan.ts";
import { openImage } from "../../formats/registry.ts";
import { type Extent, type ExtentTable, extentAt, firstDifference, isStored, NOWHERE } from "../../image/extent.ts";
import type { CheckResult } from "../../image/finding.ts";
import { digestGuest } from "../../image/guest/digest.ts";
import { openGuestView } from "../../image/guest/view.ts";
import { SideBySide } from "../../image/side-by-side.ts";
import { type ConversionOptions, checkOf, type Image } from "../../image/source.ts";
import type { Write } from "../../image/write.ts";
import { OverlayStorage } from "../../storage/overlay.ts";
import type { Storage } from "../../storage/storage.ts";
import { companionsOf } from "../undo/companions.ts";

/** The image as it is before a repair. */
export interface BeforeRepair {
  readonly image: Image;
  readonly check: CheckResult;
  /** Undefined where the tables can't be followed. */
  readonly mapping: ExtentTable | undefined;
}

/** Opens the image as each step will leave it. `storage` has all that is additive. Returns the last one's check. */
export async function proveRepair(before: BeforeRepair, plan: RepairPlan, storage: Storage): Promise<CheckResult> {
  const sectors = new PatchedSectors(plan.steps);
  const isLossy = plan.repair.givenUp.length > 0;
  for (let step = 1; step < plan.steps.length; step++) {
    await proveGuest(before, await openedAs(storage, before, sectors.after(step), plan), isLossy);
  }
  const repaired = await openedAs(storage, before, sectors.after(plan.steps.length), plan);
  await proveGuest(before, repaired, isLossy);
  return proveBetter(before, repaired);
}

/**
 * What the guest may show while a repair can be undone that gives up what must follow each of its writes: snapshots,
 * bitmaps, autoclear bits. As blkhash-sha256; empty where it can't be told. Undefined for any other repair, whose guest
 * follows its metadata both ways.
 */
export async function digestsForUndo(
  { image }: BeforeRepair,
  plan: RepairPlan,
  whole: Storage | undefined,
): Promise<readonly string[] | undefined> {
  const options = image.getConversionOptions();
  // The bits go with the first write, whatever it mends.
  const givenUp = plan.repair.givenUp.length > 0 ? companionsOf(options) : options.unknownAutoclear;
  if (givenUp.length === 0) return undefined;
  if (whole === undefined) return [];
  const sectors = new PatchedSectors(plan.steps).after(plan.steps.length);
  const repaired = new OverlayStorage(whole, sectors, { size: plan.repair.fileSize });
  const digests = new Set<string>();
  for (const open of [async () => image, () => openImage(repaired, image.format)]) {
    try {
      digests.add(await digestGuest(await openGuestView([await open()]), "blkhash-sha256"));
    } catch (error) {
      // What can't be read whole, as before such a repair, proves nothing; the other one still does.
      if (!(error instanceof ImageError) || error.kind === "interrupted") throw error;
    }
  }
  return [...digests];
}

/** The mapping, undefined where the tables can't be followed. */
export async function mappingOf(image: Image): Promise<ExtentTable | undefined> {
  try {
    return await image.getMapping();
  } catch (error) {
    if (error instanceof ImageError && error.kind !== "io" && error.kind !== "interrupted") return undefined;
    throw error;
  }
}

/** Throws `verification-failed` where the image shows anything else than before, but, where it is lossy, what was given up. */
export async function proveGuest(before: BeforeRepair, repaired: Image, isLossy: boolean): Promise<void> {
  const changed = changedOption(before.image.getConversionOptions(), repaired.getConversionOptions(), isLossy);
  if (changed !== undefined) throw failed(repaired, `its ${changed} would change`);
  if (before.mapping === undefined) return;
  const mapping = await mappingOf(repaired);
  if (mapping === undefined) throw failed(repaired, "its tables could not be followed any more");
  const lost = firstChange(before.mapping, mapping, isLossy);
  if (lost !== undefined) throw failed(repaired, `guest offset ${hex(lost)} would show something else`);
}

/** Throws `verification-failed` where a check finds more than before. */
export async function proveBetter({ check }: BeforeRepair, repaired: Image): Promise<CheckResult> {
  const after = await checkOf(repaired);
  // A structure that can be read again shows what is wrong in it.
  const errorsOf = ({ corruptions, checkErrors }: CheckResult) => corruptions + checkErrors;
  const isMended = errorsOf(after) < errorsOf(check);
  // Who shares a cluster is said once its refcount agrees: a repair that makes it agree makes no sharing.
  const isWorse =
    errorsOf(after) > errorsOf(check) ||
    (after.warnings > check.warnings && !isMended) ||
    (after.leaks > check.leaks && !isMended);
  if (!isWorse) return after;
  const [first] = after.findings;
  throw failed(
    repaired,
    `its check would find ${counted(errorsOf(after), "error")} and ${counted(after.leaks, "leak")}, first: ${first?.message ?? "no detail"}`,
  );
}

/** Throws `verification-failed` where the file's own check is another than that of the proof, which was taken in memory. */
export function proveSameCheck(image: Image, proven: CheckResult, found: CheckResult): void {
  const countsOf = ({ corruptions, checkErrors, leaks }: CheckResult) =>
    `${counted(corruptions, "corruption")}, ${counted(checkErrors, "error")} and ${counted(leaks, "leak")}`;
  if (countsOf(proven) === countsOf(found)) return;
  const detail = found.findings[0]?.message ?? "no detail";
  throw failed(image, `its check found ${countsOf(found)}, which were not to be: ${detail}`);
}

async function openedAs(
  storage: Storage,
  { image }: BeforeRepair,
  overlaid: readonly Write[],
  { repair }: RepairPlan,
): Promise<Image> {
  try {
    return await openImage(new OverlayStorage(storage, overlaid, { size: repair.fileSize }), image.format);
  } catch (error) {
    if (!(error instanceof ImageError) || error.kind === "io") throw error;
    throw failed(image, `it could not be opened any more: ${error.message}`);
  }
}

function changedOption(before: ConversionOptions, after: ConversionOptions, isLossy: boolean): string | undefined {
  if (before.virtualSize !== after.virtualSize) return "size";
  if (before.encryption !== after.encryption) return "encryption";
  if (before.hasDataFile !== after.hasDataFile) return "data file";
  const [old, now] = [before.backing, after.backing];
  const name = (backing: typeof old) => backing && Buffer.from(backing.nameBytes).toString("hex");
  if (name(old) !== name(now) || old?.format !== now?.format) return "backing file";
  if (!isLossy && before.snapshotCount !== after.snapshotCount) return "snapshots";
  if (!isLossy && before.bitmapNames.join("\0") !== after.bitmapNames.join("\0")) return "bitmaps";
  return undefined;
}

/** The first guest offset whose stored bytes are neither where they were nor, with `isLossy`, given up. */
function firstChange(before: ExtentTable, after: ExtentTable, isLossy: boolean): number | undefined {
  // Mostly they are equal, and that is told without looking at each row as an object.
  if (firstDifference(before, after) < 0) return undefined;
  const run = new SideBySide(before, after);
  const placeOf = ({ hostOffset, guestOffset }: Extent) =>
    hostOffset === NOWHERE ? NOWHERE : hostOffset + run.guestOffset - guestOffset;
  while (run.next() && !run.isPastAnEnd) {
    const [old, now] = [extentAt(before, run.rowA), extentAt(after, run.rowB)];
    const isSame = old.state === now.state && old.storedLength === now.storedLength && placeOf(old) === placeOf(now);
    if (!isSame && (isStored(now.state) || !isLossy)) return run.guestOffset;
  }
  return undefined;
}

function failed({ storage: { path }, format }: Image, what: string): ImageError {
  return new ImageError("verification-failed", say`Cannot repair ${imageNamed(path)}`, {
    because: what,
    path,
    format,
    operation: "verify",
  });
}
