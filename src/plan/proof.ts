/**
 * The plan's proof: walked apart from the planner, row against row, before anything is written.
 *
 * It shows that every guest byte of the target is the source's (the same host byte, or a copy of the same guest
 * byte), that no two units share a place, and that nothing new lies below the old end.
 */

import { alignUp, ceilDiv } from "../bytes/align.ts";
import { hex, ImageError } from "../bytes/image-error.ts";
import type { RangeSet } from "../bytes/range-set.ts";
import type { Placement } from "../image/driver.ts";
import { ExtentState, type ExtentTable, eachExtent } from "../image/extent.ts";
import type { GuestCopy } from "../image/write.ts";

/** One bit each is kept of a file's units; a sparse file can claim any length. */
const MAX_UNITS = 2 ** 32;

export interface ProofInput {
  readonly source: ExtentTable;
  readonly target: ExtentTable;
  readonly copies: readonly GuestCopy[];
  readonly placement: Placement;
  /** Every host byte of the source's metadata. */
  readonly metadata: RangeSet;
  readonly hasBacking: boolean;
  /** Of the source: data is its own up to the end of its cluster, also where the file ends before. */
  readonly sourceClusterSize: number;
  readonly oldFileSize: number;
}

/** Throws ImageError `verification-failed` at the first place where the plan would lose a byte. */
export function provePlan(input: ProofInput): void {
  proveCopies(input);
  proveSameGuest(input);
  provePlaces(input);
}

function proveCopies(input: ProofInput): void {
  const { copies, placement } = input;
  let guestEnd = 0;
  let hostEnd = endOfOld(input);
  for (const { guestOffset, hostOffset, length } of copies) {
    if (guestOffset < guestEnd || hostOffset < hostEnd || length % placement.unitSize !== 0 || length <= 0) {
      throw failed("copies overlap, or lie below the old end of the source", guestOffset);
    }
    guestEnd = guestOffset + length;
    hostEnd = hostOffset + length;
  }
}

/** One past the old file's last byte and past the last cluster of its data, which must begin inside the file. */
function endOfOld({ source, sourceClusterSize, oldFileSize }: ProofInput): number {
  let end = oldFileSize;
  for (const { state, guestOffset, hostOffset, length, storedLength } of eachExtent(source)) {
    const intoCluster = (guestOffset + length) % sourceClusterSize;
    const restOfCluster = intoCluster === 0 ? 0 : sourceClusterSize - intoCluster;
    const isCompressed = state === ExtentState.compressed;
    if (state !== ExtentState.data && !isCompressed) continue;
    const placeEnd = isCompressed ? hostOffset + storedLength : hostOffset + length + restOfCluster;
    const lastStart = isCompressed ? hostOffset : placeEnd - sourceClusterSize;
    if (lastStart >= oldFileSize)
      throw failed(`a unit at host offset ${hex(lastStart)} lies past the end`, guestOffset);
    end = Math.max(end, placeEnd);
  }
  return end;
}

/** Both tables cover the disk; steps through their common refinement. */
function proveSameGuest({ source, target, copies, hasBacking }: ProofInput): void {
  let sourceRow = 0;
  let targetRow = 0;
  let copy = 0;
  let at = 0;
  while (sourceRow < source.count && targetRow < target.count) {
    const sourceEnd = (source.guestOffset[sourceRow] as number) + (source.length[sourceRow] as number);
    const targetEnd = (target.guestOffset[targetRow] as number) + (target.length[targetRow] as number);
    while (copy < copies.length && endOf(copies[copy] as GuestCopy) <= at) copy++;
    let end = Math.min(sourceEnd, targetEnd);
    const active = copies[copy];
    if (active) end = Math.min(end, at < active.guestOffset ? active.guestOffset : endOf(active));
    const copied = active !== undefined && at >= active.guestOffset ? active : undefined;
    proveRange(source, sourceRow, target, targetRow, at, copied, hasBacking);
    if (end === sourceEnd) sourceRow++;
    if (end === targetEnd) targetRow++;
    at = end;
  }
  if (sourceRow !== source.count || targetRow !== target.count) throw failed("the disks differ in length", at);
}

function proveRange(
  source: ExtentTable,
  sourceRow: number,
  target: ExtentTable,
  targetRow: number,
  at: number,
  copied: GuestCopy | undefined,
  hasBacking: boolean,
): void {
  const from = source.state[sourceRow] as ExtentState;
  const to = target.state[targetRow] as ExtentState;
  const sourceHost = (source.hostOffset[sourceRow] as number) + at - (source.guestOffset[sourceRow] as number);
  const targetHost = (target.hostOffset[targetRow] as number) + at - (target.guestOffset[targetRow] as number);
  if (copied) {
    // A copy is read through the source, so whatever the source shows there is what it holds; but a copy may not
    // freeze what shows through from a backing file.
    const right = to === ExtentState.data && targetHost === copied.hostOffset + at - copied.guestOffset;
    if (!right || (hasBacking && from === ExtentState.unallocated)) throw failed("a copy is not pointed at", at);
    return;
  }
  const empty = from === ExtentState.unallocated || from === ExtentState.zero;
  const stays =
    to === ExtentState.data
      ? from === ExtentState.data && sourceHost === targetHost
      : to === ExtentState.compressed
        ? from === ExtentState.compressed &&
          sourceHost === targetHost &&
          source.guestOffset[sourceRow] === target.guestOffset[targetRow] &&
          source.storedLength[sourceRow] === target.storedLength[targetRow]
        : hasBacking
          ? from === to
          : empty;
  if (!stays) throw failed("the target would show other bytes than the source", at);
}

/** Every data unit aligned, outside the reserved ranges, and alone in its place. */
function provePlaces(input: ProofInput): void {
  const { target, placement, copies, metadata } = input;
  const { unitSize, hostAlignment, reserved } = placement;
  const lastCopy = copies.at(-1);
  const end = alignUp(Math.max(endOfOld(input), lastCopy ? lastCopy.hostOffset + lastCopy.length : 0), unitSize);
  if (end / unitSize > MAX_UNITS) {
    throw new ImageError("unsupported", `Cannot plan for a file of ${end} bytes in units of ${unitSize}`, {
      because: `at most ${MAX_UNITS} can be told apart`,
      structure: "plan",
    });
  }
  const taken = new Uint8Array(ceilDiv(end / unitSize, 8));
  for (const extent of eachExtent(target)) {
    if (extent.state !== ExtentState.data) continue;
    const { guestOffset, hostOffset, length } = extent;
    const hostEnd = hostOffset + alignUp(length, unitSize);
    if (guestOffset % unitSize !== 0 || hostOffset % hostAlignment !== 0 || reserved.intersects(hostOffset, hostEnd)) {
      throw failed(`a unit at host offset ${hex(hostOffset)} is misplaced`, guestOffset);
    }
    if (metadata.intersects(hostOffset, hostEnd))
      throw failed(`a unit at ${hex(hostOffset)} lies on metadata`, guestOffset);
    if (hostEnd > end) throw failed(`a unit at host offset ${hex(hostOffset)} lies past the end of file`, guestOffset);
    for (let unit = hostOffset / unitSize; unit < hostEnd / unitSize; unit++) {
      const bit = 1 << (unit % 8);
      const byte = Math.floor(unit / 8);
      if ((taken[byte] as number) & bit)
        throw failed(`two units share host offset ${hex(unit * unitSize)}`, guestOffset);
      taken[byte] = (taken[byte] as number) | bit;
    }
  }
}

function endOf(copy: GuestCopy): number {
  return copy.guestOffset + copy.length;
}

function failed(what: string, guestOffset: number): ImageError {
  return new ImageError("verification-failed", `Cannot prove the plan at guest offset ${hex(guestOffset)}`, {
    because: what,
    state: "nothing was written, please report this",
    structure: "plan",
    guestOffset,
  });
}
