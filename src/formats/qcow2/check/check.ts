/** The consistency check: everything that is referenced, against everything that has a refcount. */

import { ceilDiv } from "../../../bytes/align.ts";
import { ImageError } from "../../../bytes/image-error.ts";
import { hasFlag } from "../../../bytes/struct.ts";
import type { CheckResult } from "../../../image/finding.ts";
import { IncompatibleBit } from "../header/header.ts";
import { type Bitmap, countBitmaps } from "../tables/bitmap-directory.ts";
import { type RefcountBlocks, readRefcountTable } from "../tables/refcount-table.ts";
import { countSnapshots } from "../tables/snapshot-table.ts";
import { type WalkSource, walkSharedTables } from "../tables/table-walk.ts";
import { compareRefcounts } from "./refcount-compare.ts";

/** All references of the image, with where its refcounts lie; `failed` where some of it could not be read. */
export interface Inventory {
  readonly blocks: RefcountBlocks;
  readonly failed: boolean;
}

/**
 * Counts what the active tables do not: header, snapshots, shared L2 tables, bitmaps, encryption header, refcount
 * table and blocks. To be called once, after the walk of the active tables.
 */
export async function takeInventory(source: WalkSource, bitmaps: readonly Bitmap[]): Promise<Inventory> {
  const { geometry, tally } = source;
  try {
    tally.countMetadata(0, geometry.clusterSize, "header");
    const unaligned = await countSnapshots(source);
    await walkSharedTables(source, unaligned);
    return { blocks: await countTheRest(source, bitmaps), failed: false };
  } catch (cause) {
    reportUnreadable(source, cause);
    return { blocks: new Float64Array(0), failed: true };
  }
}

/** Encryption header, bitmaps, refcount table and blocks, in qemu-img's order. */
export async function countTheRest(source: WalkSource, bitmaps: readonly Bitmap[]): Promise<RefcountBlocks> {
  const { header, tally } = source;
  const { encryptionHeader } = header.extensions;
  if (encryptionHeader !== undefined) {
    tally.countMetadata(encryptionHeader.hostOffset, encryptionHeader.length, "encryption header");
  }
  await countBitmaps(source, bitmaps);
  return await readRefcountTable(source);
}

/** Compares refcounts; without a whole inventory nothing is compared, since all else would look leaked. */
export async function checkImage(source: WalkSource, { blocks, failed }: Inventory): Promise<CheckResult> {
  let endCluster = 0;
  if (!failed) {
    try {
      endCluster = await compareRefcounts(source, blocks);
    } catch (cause) {
      reportUnreadable(source, cause);
    }
  }
  warnOfMarks(source);
  return resultOf(source, endCluster);
}

const MARKS = [
  ["dirty-bit", IncompatibleBit.dirty, "dirty: its refcounts may be stale"],
  ["corrupt-bit", IncompatibleBit.corrupt, "corrupt: nothing writes to it before it is repaired"],
] as const;

/** True where nothing is wrong but that such marks are set, if they are. */
export function findsOnlyMarks({ corruptions, leaks, checkErrors, warnings, findings }: CheckResult): boolean {
  const marks = findings.filter((finding) => MARKS.some(([kind]) => kind === finding.kind));
  return corruptions + leaks + checkErrors === 0 && warnings === marks.length;
}

/** Marks that ask for a repair; qemu-img's check says nothing of them. */
export function warnOfMarks({ header, tally }: WalkSource): void {
  for (const [kind, bit, words] of MARKS) {
    if (!hasFlag(header.incompatible, bit)) continue;
    const what = `the image is marked ${words}`;
    tally.warning(() => ({
      kind,
      structure: "header",
      hostOffset: 72,
      message: `T${what.slice(1)}`,
      line: `WARNING ${what}`,
    }));
  }
}

/** `endCluster` is one past the last cluster in use. */
export function resultOf({ geometry, tally }: WalkSource, endCluster: number): CheckResult {
  const { corruptions, leaks, checkErrors, warnings, findings } = tally.findings;
  return {
    corruptions,
    leaks,
    checkErrors,
    warnings,
    // Even where no refcount can be read there is a header.
    imageEndOffset: Math.max(1, endCluster) * geometry.clusterSize,
    totalClusters: ceilDiv(geometry.virtualSize, geometry.clusterSize),
    allocatedClusters: tally.allocatedClusters,
    fragmentedClusters: tally.fragmentedClusters,
    compressedClusters: tally.compressedClusters,
    findings,
  };
}

/** What is wrong inside the image is a finding; a medium that fails is not. */
export function reportUnreadable({ tally }: WalkSource, cause: unknown): void {
  if (!(cause instanceof ImageError) || cause.kind === "io" || cause.kind === "interrupted") throw cause;
  tally.error(() => ({
    kind: "unreadable",
    structure: cause.structure ?? "image",
    message: cause.message,
    ...(cause.hostOffset === undefined ? {} : { hostOffset: cause.hostOffset }),
  }));
}
