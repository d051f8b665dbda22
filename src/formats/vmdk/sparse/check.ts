/** What a check says of a sparse extent: qemu-img's looks for grains outside the file alone; the rest is ours. */

import { alignUp, ceilDiv, SECTOR_SIZE } from "../../../bytes/align.ts";
import { Bitmap, MAX_BITS } from "../../../bytes/bitmap.ts";
import { hex } from "../../../bytes/image-error.ts";
import { ExtentState, eachExtent } from "../../../image/extent.ts";
import {
  type CheckResult,
  FindingList,
  type FindingListener,
  MAX_FINDINGS,
  NOTHING_FOUND,
} from "../../../image/finding.ts";
import type { Wrong } from "./findings.ts";
import type { GrainScan } from "./grain-scan.ts";
import type { SparseHeader } from "./header.ts";
import type { Redundant } from "./redundant.ts";

/**
 * Adds to what the walk over the tables found what qemu-img lets pass, and a conversion does not. qemu-img counts nothing
 * here, so neither do we.
 */
export function checkResult(
  header: SparseHeader,
  scan: GrainScan,
  { wrong }: Redundant,
  listener?: FindingListener,
): CheckResult {
  const found = scan.findings.list;
  const list = new FindingList(listener);
  const warn = (what: Wrong) => list.add({ severity: "warning", ...what });
  if (header.values.uncleanShutdown !== 0)
    warn({
      kind: "unclean-shutdown",
      structure: "header",
      hostOffset: 72,
      message: "The image is marked as in use: its last writer did not close it",
    });
  for (const shared of sharedPlaces(header, scan)) warn(shared);
  if (wrong !== undefined) warn(wrong);
  return {
    ...NOTHING_FOUND,
    corruptions: found.corruptions,
    checkErrors: found.checkErrors,
    warnings: list.warnings,
    findings: [...found.findings, ...list.findings].slice(0, MAX_FINDINGS),
  };
}

/** Grains that lie on metadata, or where another one does; of streams the markers have told. */
function* sharedPlaces(
  { grainSize, fileSize, guestStart }: SparseHeader,
  { mapping, metadata, isAligned }: GrainScan,
): Generator<Wrong> {
  const unit = isAligned ? grainSize : SECTOR_SIZE;
  const placeCount = ceilDiv(fileSize, unit) + grainSize / unit;
  if (mapping === undefined || placeCount > MAX_BITS) return;
  const taken = new Bitmap(placeCount);
  for (const { state, guestOffset: offset, hostOffset, length } of eachExtent(mapping)) {
    if (state !== ExtentState.data) continue;
    const guestOffset = guestStart + offset;
    const end = hostOffset + alignUp(length, grainSize);
    const isOnMetadata = metadata.intersects(hostOffset, end);
    const first = Math.floor(hostOffset / unit);
    const isShared = taken.mark(first, Math.min(ceilDiv(end, unit), placeCount) - first) > 0;
    if (!isOnMetadata && !isShared) continue;
    const where = isOnMetadata ? "on metadata" : "where others do";
    yield {
      kind: isOnMetadata ? "grain-on-metadata" : "double-reference",
      structure: "grain table",
      guestOffset,
      hostOffset,
      message: `The grains of guest offset ${hex(guestOffset)} lie at host offset ${hex(hostOffset)}, ${where}`,
    };
  }
}
