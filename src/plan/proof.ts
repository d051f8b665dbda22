/**
 * The plan's proof: walked apart from the planner, row against row, before anything is written.
 *
 * It shows that every guest byte of the target is the source's (the same host byte, or a copy of the same guest
 * byte), that no two units share a place, and that nothing new lies below the old end.
 */

import { alignUp, holdsUnit } from "../bytes/align.ts";
import { Bitmap, MAX_BITS } from "../bytes/bitmap.ts";
import { hex, ImageError } from "../bytes/image-error.ts";
import { RangeSet } from "../bytes/range-set.ts";
import { ExtentState, type ExtentTable, eachExtent, guestEndOf, isStored } from "../image/extent.ts";
import { SideBySide } from "../image/side-by-side.ts";
import type { Placement } from "../image/target.ts";
import type { GuestCopy } from "../image/write.ts";

export interface ProofInput {
  readonly source: ExtentTable;
  readonly target: ExtentTable;
  readonly copies: readonly GuestCopy[];
  readonly placement: Placement;
  /** Every host byte of the source's metadata. */
  readonly metadata: RangeSet;
  readonly hasBacking: boolean;
  /** What shows through may be stored in a unit that holds something else. */
  readonly fillsIn?: boolean;
  /** Of the source: data is its own up to the end of its cluster, also where the file ends before. */
  readonly sourceClusterSize: number;
  readonly oldFileSize: number;
  /** Of a target with fixed places: what lies below comes with the commit (place-units.ts); 0 where absent. */
  readonly frontEnd?: number;
  /** What will be made zeros before the commit. Absent where source and target lie in one piece. */
  readonly zeros?: RangeSet;
}

/** Throws ImageError `verification-failed` at the first place where the plan would lose a byte. */
export function provePlan(input: ProofInput): void {
  proveCopies(input);
  proveSameGuest(input);
  provePlaces(input);
  proveZeros(input);
}

function proveCopies(input: ProofInput): void {
  const { copies, placement } = input;
  const { leadIn = 0, linearBase, dense } = placement;
  let guestEnd = 0;
  let hostEnd = dense === undefined ? endOfOld(input) : dense.from;
  for (const { guestOffset, hostOffset, length } of copies) {
    if (guestOffset < guestEnd || hostOffset - leadIn < hostEnd || length % placement.unitSize !== 0 || length <= 0) {
      throw failed("copies overlap, or lie below the old end of the source", guestOffset);
    }
    if (linearBase !== undefined) throw failed("a unit is copied from the one place that it may have", guestOffset);
    guestEnd = guestOffset + length;
    hostEnd = hostOffset + length;
  }
  if (dense === undefined) return;
  const isLive = liveIn(input);
  for (const { guestOffset, hostOffset, length } of copies)
    if (isLive(hostOffset, hostOffset + length)) throw failed("a copy lies on what the source points at", guestOffset);
}

/**
 * Tells whether anything of the source lies in a range: where the target fixes the places by its clusters, else by each one's
 * own bytes, up to the end of its cluster, or, where the disk may end inside one, of a smaller unit of the target.
 */
function liveIn({ source, metadata, placement, ...more }: ProofInput): (start: number, end: number) => boolean {
  const { sourceClusterSize, oldFileSize } = more;
  const { linearBase, dense, unitSize } = placement;
  const size = dense ? Math.min(sourceClusterSize, unitSize) : sourceClusterSize;
  if (linearBase === undefined) return liveBytesIn(source, metadata, size);
  const placeCount = Math.ceil(oldFileSize / size) + 1;
  const live = new Bitmap(Math.min(placeCount, MAX_BITS));
  for (const { state, hostOffset, length, storedLength } of eachExtent(source)) {
    if (!isStored(state)) continue;
    const first = Math.floor(hostOffset / size);
    const stored = state === ExtentState.compressed ? storedLength : length;
    const end = Math.min(Math.ceil((hostOffset + stored) / size), placeCount);
    live.mark(first, end - first);
  }
  return (start, end) => {
    const [first, last] = [Math.floor(start / size), Math.min(Math.ceil(end / size), placeCount)];
    return metadata.intersects(start, end) || (first < last && live.nextMarked(first, last) < last);
  };
}

function liveBytesIn(source: ExtentTable, metadata: RangeSet, clusterSize: number) {
  const live = new RangeSet();
  for (const { state, guestOffset, hostOffset, length, storedLength } of eachExtent(source)) {
    if (!isStored(state)) continue;
    const rest =
      state === ExtentState.compressed ? storedLength : alignUp(guestOffset + length, clusterSize) - guestOffset;
    live.add(hostOffset, hostOffset + rest);
  }
  return (start: number, end: number) => metadata.intersects(start, end) || live.intersects(start, end);
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

/** Both tables cover the disk; steps through their common runs, cut where copies begin and end. */
function proveSameGuest({ source, target, copies, placement, frontEnd = 0, ...more }: ProofInput): void {
  const { hasBacking, fillsIn = false } = more;
  const zeros = placement.linearBase === undefined ? more.zeros : undefined;
  const frontGuestEnd = placement.linearBase === undefined ? 0 : frontEnd - placement.linearBase;
  const run = new SideBySide(source, target);
  let copy = 0;
  while (run.next()) {
    if (run.isPastAnEnd) throw failed("the disks differ in length", run.guestOffset);
    for (let at = run.guestOffset; at < run.guestEnd; ) {
      while (copy < copies.length && endOf(copies[copy] as GuestCopy) <= at) copy++;
      const active = copies[copy];
      const copied = active !== undefined && at >= active.guestOffset ? active : undefined;
      if (at < frontGuestEnd) {
        // The commit's own bytes, which are read through the source; that they lie where they must, `provePlaces` shows.
        if (target.state[run.rowB] !== ExtentState.data) throw failed("the commit's bytes are not pointed at", at);
        at = Math.min(run.guestEnd, frontGuestEnd);
        continue;
      }
      const isPart = fillsIn && !holdsUnit(run.guestOffset, run.guestEnd, placement.unitSize, guestEndOf(target));
      const turn = active && (copied ? endOf(active) : active.guestOffset);
      const end = Math.min(run.guestEnd, turn ?? run.guestEnd);
      if (copied || !isMadeZeros(source, run.rowA, target, run.rowB, at, end, zeros))
        proveRange(source, run.rowA, target, run.rowB, at, copied, hasBacking, isPart);
      at = end;
    }
  }
}

/** Whether the source stores nothing there, and the target points at zeros that are made. */
function isMadeZeros(
  source: ExtentTable,
  sourceRow: number,
  target: ExtentTable,
  targetRow: number,
  at: number,
  end: number,
  zeros: RangeSet | undefined,
): boolean {
  if (zeros === undefined || isStored(source.state[sourceRow]) || target.state[targetRow] !== ExtentState.data)
    return false;
  const hostOffset = (target.hostOffset[targetRow] as number) + at - (target.guestOffset[targetRow] as number);
  return zeros.contains(hostOffset, hostOffset + end - at);
}

function proveRange(
  source: ExtentTable,
  sourceRow: number,
  target: ExtentTable,
  targetRow: number,
  at: number,
  copied: GuestCopy | undefined,
  hasBacking: boolean,
  /** Of a unit, and what shows through there may be stored with the rest. */
  isPart: boolean,
): void {
  const from = source.state[sourceRow] as ExtentState;
  const to = target.state[targetRow] as ExtentState;
  const sourceHost = (source.hostOffset[sourceRow] as number) + at - (source.guestOffset[sourceRow] as number);
  const targetHost = (target.hostOffset[targetRow] as number) + at - (target.guestOffset[targetRow] as number);
  if (copied) {
    // A copy is read through the source, so whatever the source shows there is what it holds; but a copy may not
    // freeze what shows through from a backing file, but for the rest of a unit where all of the chain is read.
    const right = to === ExtentState.data && targetHost === copied.hostOffset + at - copied.guestOffset;
    if (!right || (hasBacking && from === ExtentState.unallocated && !isPart))
      throw failed("a copy is not pointed at", at);
    return;
  }
  const empty = !isStored(from);
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
  const { unitSize, hostAlignment, reserved, leadIn = 0, linearBase, dense } = placement;
  const lastCopy = copies.at(-1);
  const endOfCopies = lastCopy ? lastCopy.hostOffset + lastCopy.length : 0;
  const endOfZeros = (linearBase === undefined && input.zeros?.end) || 0;
  const end = alignUp(Math.max(endOfOld(input), endOfCopies, endOfZeros), unitSize);
  // Where units may begin between two multiples of their size, halves of them must be told apart.
  const place = Math.min(unitSize, hostAlignment);
  if (end / place > MAX_BITS) {
    throw new ImageError("unsupported", `Cannot plan for a file of ${end} bytes in units of ${place}`, {
      because: `at most ${MAX_BITS} can be told apart`,
      structure: "plan",
    });
  }
  const placeCount = Math.ceil(end / place);
  const taken = new Bitmap(placeCount);
  const isLive = leadIn > 0 ? liveIn(input) : undefined;
  for (const extent of eachExtent(target)) {
    if (linearBase !== undefined && isStored(extent.state) && extent.hostOffset !== linearBase + extent.guestOffset)
      throw failed("a unit is not at the one place that it may have", extent.guestOffset);
    if (extent.state !== ExtentState.data) continue;
    const { guestOffset, length } = extent;
    const hostEnd = extent.hostOffset + alignUp(length, unitSize);
    // What precedes each unit is the target's as much as the unit.
    const hostOffset = extent.hostOffset - leadIn;
    if (leadIn > 0 && length > unitSize) throw failed("units lie without their lead-in", guestOffset);
    if (isLive?.(hostOffset, extent.hostOffset))
      throw failed("a lead-in lies on what the source points at", guestOffset);
    if (guestOffset % unitSize !== 0 || hostOffset % hostAlignment !== 0 || reserved.intersects(hostOffset, hostEnd)) {
      throw failed(`a unit at host offset ${hex(hostOffset)} is misplaced`, guestOffset);
    }
    // The old header gives its place up to the commit, and what comes with it lies beside what the source uses of it.
    if (metadata.intersects(Math.max(hostOffset, linearBase === undefined ? 0 : (input.frontEnd ?? 0)), hostEnd))
      throw failed(`a unit at ${hex(hostOffset)} lies on metadata`, guestOffset);
    if (hostEnd > end) throw failed(`a unit at host offset ${hex(hostOffset)} lies past the end of file`, guestOffset);
    const first = hostOffset / place;
    const last = hostEnd / place;
    const shared = taken.nextMarked(first, last);
    if (shared < last) throw failed(`two units share host offset ${hex(shared * place)}`, guestOffset);
    taken.mark(first, last - first);
  }
  if (dense !== undefined) proveDense(taken, placeCount, dense.from / place, dense.latest / place);
}

/** What is made zeros is nobody's in the source; where the places are fixed, all that shows zeros is made so. */
function proveZeros(input: ProofInput): void {
  const { target, placement, oldFileSize, zeros, frontEnd = 0 } = input;
  const base = placement.linearBase ?? 0;
  if (zeros === undefined || (zeros.end === 0 && placement.linearBase === undefined)) return;
  const isLive = liveIn(input);
  for (const { state, guestOffset, length } of placement.linearBase === undefined ? [] : eachExtent(target)) {
    if (isStored(state)) continue;
    const [start, end] = [base + guestOffset, Math.min(base + guestOffset + length, oldFileSize)];
    if (end > start && !zeros.contains(start, end))
      throw failed("stale bytes would show where zeros belong", guestOffset);
  }
  for (const { start, end } of zeros.each()) {
    if (isLive(start, end) || start < frontEnd)
      throw failed(`what lies at host offset ${hex(start)} would be made zeros`, start - base);
  }
}

/** From the first unit on, behind the first free place nothing may lie. */
function proveDense(taken: Bitmap, placeCount: number, from: number, latest: number): void {
  const first = taken.nextMarked(0, placeCount);
  const free = taken.nextFree(first, placeCount);
  const isThere = first === placeCount || (first >= from && first <= latest);
  if (!isThere || taken.nextMarked(free, placeCount) < placeCount)
    throw failed("units leave a hole, which the target must not have", 0);
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
