/** Verification: the target opened by its own driver shows the source's guest, state by state and byte by byte. */

import { holdsUnit } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { ExtentState, type ExtentTable, extentAt, firstDifference, guestEndOf, isStored } from "../../image/extent.ts";
import type { CheckResult } from "../../image/finding.ts";
import { SideBySide } from "../../image/side-by-side.ts";
import { type BackingFile, type ConversionOptions, checkOf, type Image } from "../../image/source.ts";

export interface VerifyInput {
  readonly source: Pick<ConversionOptions, "virtualSize" | "backing"> & { readonly mapping: ExtentTable };
  readonly target: Image;
  /** The plan's extents, where there is a plan; the reopened mapping must equal them. */
  readonly planned: ExtentTable | undefined;
  /** The target is a disk in one piece, which has bytes and no states. */
  readonly isInOnePiece?: boolean;
  /** Unit of a target in which what shows through from below may be stored with the rest of it; absent: nowhere. */
  readonly fillsUnit?: number | undefined;
  /** True where nothing may be leaked. */
  readonly mustBeSettled: boolean;
  /** False with `--no-check`. */
  readonly check: boolean;
}

/** Reads the target's tables, no data. Throws `verification-failed`; returns its check. */
export async function verifyMetadata(input: VerifyInput): Promise<CheckResult | null> {
  const { source, target } = input;
  if (target.virtualSize !== source.virtualSize) {
    throw failed(target, `its disk has ${target.virtualSize} bytes, the source's ${source.virtualSize}`);
  }
  const { backing } = target.getConversionOptions();
  if (nameOf(backing) !== nameOf(source.backing)) {
    throw failed(
      target,
      `its backing file is ${backing?.name ?? "none"}, the source's ${source.backing?.name ?? "none"}`,
    );
  }
  // A disk in one piece has no tables that could be wrong, and which of its zeros are holes takes long to ask.
  if (!input.isInOnePiece) await refuseOtherMapping(input);
  if (!input.check) return null;
  const check = await checkOf(target);
  const [first] = check.findings.filter(({ severity }) => severity !== "leak" || input.mustBeSettled);
  if (check.corruptions > 0 || check.checkErrors > 0 || (input.mustBeSettled && check.leaks > 0)) {
    throw failed(
      target,
      `its check found ${counted(check.corruptions, "corruption")} and ${counted(check.leaks, "leak")}: ${first?.message ?? ""}`,
    );
  }
  return check;
}

async function refuseOtherMapping({ source, target, planned, fillsUnit }: VerifyInput): Promise<void> {
  const mapping = await target.getMapping();
  const row = planned ? firstDifference(mapping, planned) : -1;
  if (planned && row >= 0) {
    const where = row < mapping.count ? extentAt(mapping, row).guestOffset : target.virtualSize;
    throw failed(target, `its mapping differs from the plan's at guest offset ${hex(where)}`);
  }
  const lost = firstLostState(source.mapping, mapping, source.backing !== undefined, fillsUnit);
  if (lost >= 0) throw failed(target, `it shows another state than the source at guest offset ${hex(lost)}`);
}

function nameOf(backing: BackingFile | undefined): string | undefined {
  return backing && Buffer.from(backing.nameBytes).toString("hex");
}

/** Throws `verification-failed` when two digests differ. */
export function verifyDigest(format: string, path: string, before: string, after: string): void {
  if (before === after) return;
  throw failed({ format, storage: { path } }, `its guest's checksum is ${after}, the source's ${before}`);
}

/**
 * The first guest offset at which a target can't show what the source does, or -1. A digest can't tell a dropped
 * backing file from zeros, so the states are compared too: over a backing file unallocated must stay unallocated
 * and nothing else may become so; without one, zeros and unallocated read alike. Within a unit of `fillsUnit` what is
 * unallocated beside something else may be stored.
 */
export function firstLostState(
  source: ExtentTable,
  target: ExtentTable,
  hasBacking: boolean,
  fillsUnit?: number,
): number {
  const run = new SideBySide(source, target);
  while (run.next()) {
    const { guestOffset, rowA, rowB } = run;
    if (run.isPastAnEnd) return guestOffset;
    const from = source.state[rowA] as ExtentState;
    const to = target.state[rowB] as ExtentState;
    const isFilled =
      fillsUnit !== undefined &&
      to === ExtentState.data &&
      !holdsUnit(guestOffset, run.guestEnd, fillsUnit, guestEndOf(target));
    if (hasBacking && !isFilled && (from === ExtentState.unallocated) !== (to === ExtentState.unallocated))
      return guestOffset;
    // Stored data must stay stored; zeros may become stored where a target copies them.
    if (!isStored(to) && isStored(from)) return guestOffset;
  }
  return -1;
}

function failed(
  target: Pick<Image, "format"> & { readonly storage: { readonly path: string } },
  what: string,
): ImageError {
  return new ImageError(
    "verification-failed",
    say`Cannot trust the ${target.format} image made of ${imageNamed(target.storage.path)}`,
    { because: what, path: target.storage.path, format: target.format, operation: "verify" },
  );
}
