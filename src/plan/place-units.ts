/**
 * Which units stay and which move.
 *
 *      source   |h|  A  | L2 |  C  |  B  |z(B)|           old end
 *                    |          |     |                   |
 *      target   |h|  A  |    |  C  |  B  |                |  copies  |  new tables ...
 *
 * A unit stays when its whole guest range is one contiguous, aligned host run outside the reserved ranges; everything
 * else is copied once, past the old end (docs/how-it-works.md). Where the target fixes the places, a switch can only take
 * what lies there already: the rest is refused. Holes that it must not have are filled by gather-units.ts.
 */

import { alignDown, alignUp } from "../bytes/align.ts";
import { hex } from "../bytes/image-error.ts";
import { type Range, RangeSet } from "../bytes/range-set.ts";
import { option, say, type Words } from "../bytes/sentence.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, isStored } from "../image/extent.ts";
import type { Placement } from "../image/target.ts";
import type { GuestCopy } from "../image/write.ts";
import type { IsNobodys } from "./nobodys-places.ts";

export interface PlacementInput {
  readonly mapping: ExtentTable;
  readonly placement: Placement;
  readonly virtualSize: number;
  readonly sourceClusterSize: number;
  /** The disk ends inside its last cluster, and the stream of that one holds less than a cluster. */
  readonly hasShortTail?: boolean;
  readonly hasBacking: boolean;
  /** All that lies below is read: of a unit stored in part the rest is stored as well, as the guest sees it. */
  readonly fillsIn?: boolean;
  /** Set where a unit of which only parts are stored may stay: what lies beside them is made zeros, if it is nobody's. */
  readonly isNobodys?: IsNobodys;
  /** First host offset for copies: past all that the source points at, aligned to both cluster sizes. */
  readonly copyStart: number;
  /** Where the target fixes the places: end of the source's header area, whose guest bytes the commit brings along; 0 where absent. */
  readonly frontEnd?: number;
}

export interface Placed {
  /** Where the target finds each guest range. */
  readonly extents: ExtentTable;
  readonly copies: readonly GuestCopy[];
  /** One past the last copied unit. */
  readonly copyEnd: number;
  /** Host bytes of all copies, in whole units. */
  readonly bytesMoved: number;
  /** Guest bytes that the backing file showed and the target stores. */
  readonly bytesFilled: number;
  /** Places beside what is stored of units that stay. */
  readonly zeros: RangeSet;
  readonly refusals: readonly Words[];
}

/** Pure; one pass over the mapping. */
export function placeUnits(input: PlacementInput): Placed {
  const pass = new PlacementPass(input);
  const { mapping, placement, virtualSize } = input;
  const unit = placement.unitSize;
  let row = 0;
  for (let at = 0; at < virtualSize; ) {
    while ((mapping.guestOffset[row] as number) + (mapping.length[row] as number) <= at) row++;
    const rowEnd = (mapping.guestOffset[row] as number) + (mapping.length[row] as number);
    const runEnd = rowEnd === virtualSize ? virtualSize : alignDown(rowEnd, unit);
    if (runEnd > at) {
      pass.uniform(row, at, runEnd);
      at = runEnd;
    } else {
      const unitEnd = Math.min(at + unit, virtualSize);
      let last = row;
      while ((mapping.guestOffset[last] as number) + (mapping.length[last] as number) < unitEnd) last++;
      pass.mixed(row, last, at, unitEnd);
      at = unitEnd;
    }
  }
  return pass.finish();
}

class PlacementPass {
  readonly #input: PlacementInput;
  readonly #extents = new ExtentTableBuilder();
  readonly #copies: { guestOffset: number; hostOffset: number; length: number }[] = [];
  readonly #refusals: Words[] = [];
  readonly #zeros = new RangeSet();
  #copyEnd: number;
  #bytesFilled = 0;

  constructor(input: PlacementInput) {
    this.#input = input;
    this.#copyEnd = input.copyStart;
  }

  /** Whole units [start, end) inside one extent; `end` may be the disk's own end. */
  uniform(row: number, start: number, end: number): void {
    const { mapping, placement, hasBacking } = this.#input;
    const state = mapping.state[row] as ExtentState;
    if (placement.linearBase !== undefined && state === ExtentState.compressed) {
      this.#refuseFixed(start, end);
    } else if (placement.linearBase !== undefined && !isStored(state)) {
      // Nothing lies there, and nothing may: the place has to read as zeros.
      this.#linear(start, end, ExtentState.unallocated);
    } else if (state === ExtentState.data) {
      this.#data(start, end, (mapping.hostOffset[row] as number) + start - (mapping.guestOffset[row] as number));
    } else if (state === ExtentState.compressed) {
      this.#compressed(row, start, end);
    } else if (state === ExtentState.unallocated) {
      this.#extents.append(end - start, ExtentState.unallocated);
    } else if (placement.hasZeroState) {
      this.#extents.append(end - start, ExtentState.zero);
    } else if (hasBacking) {
      this.#copy(start, end);
    } else {
      this.#extents.append(end - start, ExtentState.unallocated);
    }
  }

  /** One unit that several extents make up. */
  mixed(first: number, last: number, start: number, end: number): void {
    const { mapping, placement, hasBacking, fillsIn = false } = this.#input;
    const states = mapping.state.subarray(first, last + 1);
    const isEmpty = !states.some((state) => isStored(state));
    const showsBacking = hasBacking && states.includes(ExtentState.unallocated);
    const allZero = !states.includes(ExtentState.unallocated);
    if (placement.linearBase !== undefined) {
      this.#refuseFixed(start, end);
    } else if (showsBacking && fillsIn) {
      this.#bytesFilled += this.#showing(first, last, start, end);
      this.#copy(start, end);
    } else if (showsBacking) {
      this.#refuse(start, end);
      this.#extents.append(end - start, ExtentState.unallocated);
    } else if (isEmpty && placement.hasZeroState) {
      this.#extents.append(end - start, ExtentState.zero);
    } else if (isEmpty && !(hasBacking && allZero)) {
      this.#extents.append(end - start, ExtentState.unallocated);
    } else {
      this.#fillOrCopy(first, last, start, end);
    }
  }

  finish(): Placed {
    const { virtualSize, copyStart } = this.#input;
    const extents = this.#extents.finish(virtualSize);
    return {
      extents,
      copies: this.#copies,
      copyEnd: this.#copyEnd,
      bytesMoved: this.#copyEnd - copyStart,
      bytesFilled: this.#bytesFilled,
      zeros: this.#zeros,
      refusals: this.#refusals,
    };
  }

  /** Of what lies below, bytes that show between `start` and `end`. */
  #showing(first: number, last: number, start: number, end: number): number {
    const { state, guestOffset, length } = this.#input.mapping;
    let bytes = 0;
    for (let row = first; row <= last; row++) {
      if (state[row] !== ExtentState.unallocated) continue;
      const from = guestOffset[row] as number;
      bytes += Math.min(from + (length[row] as number), end) - Math.max(from, start);
    }
    return bytes;
  }

  #data(start: number, end: number, hostOffset: number): void {
    const { unitSize, hostAlignment, reserved, linearBase, leadIn = 0 } = this.#input.placement;
    if (linearBase !== undefined) {
      this.#linear(start, end, ExtentState.data, hostOffset);
      return;
    }
    if (leadIn > 0) {
      for (let at = start; at < end; at += unitSize) {
        const unitEnd = Math.min(at + unitSize, end);
        this.#stayOrCopy([{ start: at, end: unitEnd }], hostOffset + at - start, at, unitEnd);
      }
      return;
    }
    if (hostOffset % hostAlignment !== 0) {
      this.#copy(start, end);
      return;
    }
    const stayEnd = this.#hasWholeTail(start, end) ? end : alignDown(end, unitSize);
    if (!reserved.intersects(hostOffset, hostOffset + alignUp(stayEnd - start, unitSize))) {
      this.#extents.append(stayEnd - start, ExtentState.data, hostOffset);
    } else {
      for (let at = start; at < stayEnd; at += unitSize) {
        const unitEnd = Math.min(at + unitSize, stayEnd);
        const unitHost = hostOffset + at - start;
        if (reserved.intersects(unitHost, unitHost + unitSize)) this.#copy(at, unitEnd);
        else this.#extents.append(unitEnd - at, ExtentState.data, unitHost);
      }
    }
    if (stayEnd < end) this.#stayOrCopy([{ start: stayEnd, end }], hostOffset + stayEnd - start, stayEnd, end);
  }

  /** One unit, stored in parts. */
  #fillOrCopy(first: number, last: number, start: number, end: number): void {
    const { mapping } = this.#input;
    const parts: Range[] = [];
    let base: number | undefined;
    for (let row = first; row <= last; row++) {
      if (!isStored(mapping.state[row])) continue;
      const guestOffset = mapping.guestOffset[row] as number;
      const rowBase = (mapping.hostOffset[row] as number) + start - guestOffset;
      if (mapping.state[row] === ExtentState.compressed || (base ?? rowBase) !== rowBase) {
        this.#copy(start, end);
        return;
      }
      base = rowBase;
      const rowEnd = guestOffset + (mapping.length[row] as number);
      parts.push({ start: Math.max(start, guestOffset), end: Math.min(end, rowEnd) });
    }
    this.#stayOrCopy(parts, base as number, start, end);
  }

  /** A unit of which these guest ranges are stored, all as it would lie at `base`: it stays where what is beside them, and before it, is nobody's. */
  #stayOrCopy(parts: readonly Range[], base: number, start: number, end: number): void {
    const { isNobodys, placement, sourceClusterSize, copyStart } = this.#input;
    const { unitSize, hostAlignment, reserved, leadIn = 0 } = placement;
    const unitEnd = base + unitSize;
    const stored = new RangeSet();
    for (const part of parts)
      stored.add(base + part.start - start, base + alignUp(part.end, sourceClusterSize) - start);
    const gaps = [...stored.gapsIn(base, unitEnd)];
    const stays =
      isNobodys !== undefined &&
      // Where copies and new tables begin it must have ended.
      unitEnd <= copyStart &&
      (base - leadIn) % hostAlignment === 0 &&
      !reserved.intersects(base - leadIn, unitEnd) &&
      isNobodys(base - leadIn, base) &&
      gaps.every((gap) => isNobodys(gap.start, gap.end));
    if (!stays) {
      this.#copy(start, end);
      return;
    }
    for (const gap of gaps) this.#zeros.add(gap.start, gap.end);
    this.#extents.append(end - start, ExtentState.data, base);
  }

  /**
   * A disk may end inside its last unit. The rest of that unit is the guest's too only as far as the source's own
   * cluster goes; past it another cluster may lie.
   */
  #hasWholeTail(start: number, end: number): boolean {
    const { placement, sourceClusterSize } = this.#input;
    const tail = start + alignDown(end - start, placement.unitSize);
    return tail === end || alignUp(end, sourceClusterSize) - tail >= placement.unitSize;
  }

  #compressed(row: number, start: number, end: number): void {
    const { mapping, placement, sourceClusterSize, hasShortTail = false } = this.#input;
    const hostOffset = mapping.hostOffset[row] as number;
    const stored = mapping.storedLength[row] as number;
    const wholeCluster =
      start === mapping.guestOffset[row] &&
      end - start === mapping.length[row] &&
      placement.unitSize === sourceClusterSize;
    const isShort = hasShortTail && end - start < sourceClusterSize;
    const { clusterSize, maxStored = stored } = placement.compressed ?? {};
    const isFree = !placement.reserved.intersects(hostOffset, hostOffset + stored);
    if (clusterSize === sourceClusterSize && wholeCluster && stored <= maxStored && !isShort && isFree) {
      this.#extents.append(end - start, ExtentState.compressed, hostOffset, stored);
    } else {
      this.#copy(start, end);
    }
  }

  #copy(start: number, end: number): void {
    const { unitSize, leadIn = 0, linearBase } = this.#input.placement;
    if (linearBase !== undefined) {
      this.#refuseFixed(start, end);
      return;
    }
    const step = leadIn > 0 ? unitSize : end - start;
    for (let at = start; at < end; at += step) {
      this.#copyEnd += leadIn;
      this.#copyRun(at, Math.min(at + step, end));
    }
  }

  /** One run past all others. */
  #copyRun(start: number, end: number): void {
    const length = alignUp(end - start, this.#input.placement.unitSize);
    const last = this.#copies.at(-1);
    const isNext = last && last.guestOffset + last.length === start && last.hostOffset + last.length === this.#copyEnd;
    if (isNext) last.length += length;
    else this.#copies.push({ guestOffset: start, hostOffset: this.#copyEnd, length });
    this.#extents.append(end - start, ExtentState.data, this.#copyEnd);
    this.#copyEnd += length;
  }

  /** What lies in the source's header area comes with the commit, wherever it lies now. */
  #linear(start: number, end: number, state: ExtentState, hostOffset?: number): void {
    const { placement, frontEnd = 0 } = this.#input;
    const base = placement.linearBase ?? 0;
    const split = Math.min(Math.max(frontEnd - base, start), end);
    this.#extents.append(split - start, ExtentState.data, base + start);
    const isElsewhere = hostOffset !== undefined && hostOffset !== base + start;
    if (split === end) return;
    if (isElsewhere) this.#refuseFixed(split, end);
    else this.#extents.append(end - split, state, state === ExtentState.data ? base + split : undefined);
  }

  #refuseFixed(start: number, end: number): void {
    this.#extents.append(end - start, ExtentState.unallocated);
    this.#refuseOnce(
      `Guest bytes ${hex(start)} to ${hex(end)} would have to lie at host offset ` +
        `${hex((this.#input.placement.linearBase ?? 0) + start)}, and nothing is moved to where the source's own bytes are`,
    );
  }

  #refuse(start: number, end: number): void {
    const what =
      `Guest bytes ${hex(start)} to ${hex(end)} are stored in part and in part left to the backing file, which a ` +
      `cluster of ${this.#input.placement.unitSize} bytes can't express`;
    this.#refuseOnce(
      say`${what}; choose a smaller cluster_size, or let the rest be stored as well by ${option("backing-chain")}`,
    );
  }

  /** One place of many is enough. */
  #refuseOnce(reason: Words): void {
    if (this.#refusals.length === 0) this.#refusals.push(reason);
  }
}
