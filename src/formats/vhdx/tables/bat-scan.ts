/**
 * One walk over the block allocation table that feeds both the mapping and the check (MS-VHDX, "BAT").
 *
 *   payload 0 | payload 1 | ... | payload r-1 | sector bitmap | payload r | ...        r: the chunk ratio
 *
 * A disk without a parent has no sector bitmaps: what their entries say is checked as qemu-img checks it, never followed.
 */

import { alignUp, SECTOR_SIZE } from "../../../bytes/align.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, NOWHERE } from "../../../image/extent.ts";
import type { Finding, FindingList, FindingListener } from "../../../image/finding.ts";
import { readExactly, type Storage } from "../../../storage/storage.ts";
import { PLACE_UNIT } from "../header/fields.ts";
import type { Place } from "../header/refuse.ts";
import { BAT_ENTRY_SIZE, BlockState, batLayoutOf, hasReservedBits, hostOffsetOf, stateOf } from "./bat-entry.ts";
import { BatFindings } from "./bat-findings.ts";
import { BlockPlaces, Places } from "./places.ts";

/** Of one read. */
const PIECE_SIZE = 512 * 1024;

/** Offsets and sizes in bytes. */
export interface BatFacts {
  readonly bat: Place;
  /** The log, then the regions in their table's order. */
  readonly places: readonly Place[];
  readonly virtualSize: number;
  readonly blockSize: number;
  readonly fileSize: number;
}

export interface BatScan {
  /** Undefined where an entry can't be followed; `broken` then says which. */
  readonly mapping: ExtentTable | undefined;
  readonly broken: Finding | undefined;
  readonly findings: FindingList;
}

/** Throws ImageError only for what can't be read; wrong entries become findings, all of which `listener` hears. */
export async function scanBat(storage: Storage, facts: BatFacts, listener?: FindingListener): Promise<BatScan> {
  const { virtualSize, blockSize, bat } = facts;
  const { entryCount } = batLayoutOf(virtualSize, blockSize);
  const walk = new BatWalk(facts, listener);
  const length = entryCount * BAT_ENTRY_SIZE;
  for (let done = 0; done < length; done += PIECE_SIZE) {
    const size = Math.min(PIECE_SIZE, length - done);
    walk.read(await readExactly(storage, bat.start + done, size, "BAT"), done / BAT_ENTRY_SIZE);
  }
  return walk.finish();
}

class BatWalk {
  readonly #facts: BatFacts;
  readonly #findings: BatFindings;
  readonly #mapping = new ExtentTableBuilder();
  readonly #places: Places;
  readonly #blocks: BlockPlaces;
  readonly #chunkRatio: number;
  /** As QEMU takes it: up to whole sectors. */
  readonly #fileEnd: number;

  constructor(facts: BatFacts, listener: FindingListener | undefined) {
    this.#facts = facts;
    this.#findings = new BatFindings(facts.bat.start, listener);
    this.#places = new Places(facts.places);
    this.#blocks = new BlockPlaces(facts.fileSize);
    this.#chunkRatio = batLayoutOf(facts.virtualSize, facts.blockSize).chunkRatio;
    this.#fileEnd = alignUp(facts.fileSize, SECTOR_SIZE);
  }

  read(bytes: Uint8Array, firstIndex: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { virtualSize, blockSize } = this.#facts;
    for (let at = 0; at < bytes.length; at += BAT_ENTRY_SIZE) {
      const index = firstIndex + at / BAT_ENTRY_SIZE;
      const low = view.getUint32(at, true);
      const high = view.getUint32(at + 4, true);
      const state = stateOf(low);
      const isPayload = (index + 1) % (this.#chunkRatio + 1) !== 0;
      const left = virtualSize - this.#mapping.end;
      const length = isPayload ? Math.min(blockSize, left) : blockSize;
      if (hasReservedBits(low)) this.#findings.reservedBits(index);
      if (state === BlockState.fullyPresent) this.#readPresent(index, hostOffsetOf(low, high), length, isPayload);
      else if (isPayload) this.#readAbsent(index, state, length);
    }
  }

  finish(): BatScan {
    const { broken, list } = this.#findings;
    const mapping = broken === undefined ? this.#mapping.finish(this.#facts.virtualSize) : undefined;
    return { mapping, broken, findings: list };
  }

  #readAbsent(index: number, state: number, length: number): void {
    if (state > BlockState.unmapped) this.#findings.unknownState(index, state);
    // Without a parent nothing can show through: QEMU writes ZERO for each block of an empty disk, and a target that had to
    // say so too would need all its tables.
    this.#mapping.append(length, ExtentState.unallocated);
  }

  #readPresent(index: number, hostOffset: number, length: number, isPayload: boolean): void {
    const { blockSize } = this.#facts;
    const isInside = this.#judgePlace(index, hostOffset, length);
    const place = this.#places.sharing(hostOffset, hostOffset + blockSize);
    if (place !== undefined) this.#findings.overlaps(index, hostOffset, hostOffset + blockSize, place);
    if (!isPayload) return;
    if (hostOffset < PLACE_UNIT) this.#findings.onHeaders(index);
    if (isInside && this.#blocks.take(hostOffset, hostOffset + blockSize)) this.#findings.shared(index, hostOffset);
    this.#mapping.append(length, ExtentState.data, isInside ? hostOffset : NOWHERE);
  }

  /** False where the block, as far as the disk needs it, is not all in the file. */
  #judgePlace(index: number, hostOffset: number, length: number): boolean {
    if (hostOffset + length >= 2 ** 63) this.#findings.overflow(index);
    const end = hostOffset + length;
    if (hostOffset >= this.#fileEnd) this.#findings.startsOutside(index, hostOffset, this.#fileEnd);
    else if (end > this.#fileEnd) this.#findings.endsOutside(index, end - 1, this.#fileEnd);
    return end <= this.#fileEnd;
  }
}
