/**
 * A driver's repair as the journal keeps it: every sector that its steps overwrite, before and after; and the proof,
 * from the mapping and the metadata alone, that no write leaves its bounds or touches what a guest can read.
 */

import { alignDown, alignUp, MiB, SECTOR_SIZE } from "../bytes/align.ts";
import { hex, ImageError } from "../bytes/image-error.ts";
import { RangeSet } from "../bytes/range-set.ts";
import { imageNamed, placeAt, say } from "../bytes/sentence.ts";
import { type ExtentTable, NOWHERE } from "../image/extent.ts";
import type { Repair, RepairStep } from "../image/repair.ts";
import type { Write } from "../image/write.ts";
import type { Patch, PatchStep } from "../journal/repair-work.ts";

/** The journal holds each byte twice. */
export const MAX_PATCHED_BYTES = 64 * MiB;
/** A medium may lose the block around the header whole, which nothing else finds its way without. */
const HEADER_BLOCK = 4096;

export interface RepairPlan {
  readonly repair: Repair;
  readonly oldFileSize: number;
  /** Those that change anything. */
  readonly steps: readonly PatchStep[];
  /** Every byte of `steps`. */
  readonly patched: RangeSet;
  /** Where the additive writes go. */
  readonly added: RangeSet;
}

/** The image as far as the proof needs it. */
export interface RepairedImage {
  readonly path: string;
  readonly format: string;
  readonly clusterSize: number;
  readonly fileSize: number;
  /** Undefined where the tables can't be followed. */
  readonly mapping: ExtentTable | undefined;
  readonly metadata: RangeSet;
}

/** Bytes of the file as they are; `length` of them are there. */
export type ReadOldBytes = (hostOffset: number, length: number) => Promise<Uint8Array>;

/** True where there is nothing to be written. */
export function isEmptyPlan({ steps, added, repair, oldFileSize }: RepairPlan): boolean {
  return steps.length === 0 && added.total === 0 && repair.fileSize === oldFileSize;
}

/** Throws `verification-failed` for a write that must not be, `unsupported` for more than a journal holds. */
export async function planPatches(image: RepairedImage, repair: Repair, read: ReadOldBytes): Promise<RepairPlan> {
  const oldFileSize = image.fileSize;
  const added = proveAdditive(image, repair);
  const sectors = new SectorMemory(read);
  const steps: PatchStep[] = [];
  const patched = new RangeSet();
  let total = 0;
  for (const step of repair.steps) {
    const writes = proveStep(image, step);
    const patches: Patch[] = [];
    for (const { start, end } of touchedSectors(writes, image).each()) {
      total += end - start;
      if (total > MAX_PATCHED_BYTES) throw tooMuch(image);
      const before = await sectors.read(start, end - start);
      const after = before.slice();
      for (const { hostOffset, bytes } of within(writes, start, end)) after.set(bytes, hostOffset - start);
      patches.push(...changedRuns(start, before, after));
      sectors.remember(start, after);
    }
    if (patches.length === 0) continue;
    for (const { hostOffset, before } of patches) patched.add(hostOffset, hostOffset + before.length);
    steps.push({ purpose: step.purpose, patches });
  }
  const plan: RepairPlan = { repair, oldFileSize, steps, patched, added };
  proveGuestUntouched(image, plan);
  return plan;
}

function proveAdditive(image: RepairedImage, repair: Repair): RangeSet {
  const added = new RangeSet();
  if (!(repair.fileSize >= image.fileSize)) throw refused(image, repair.fileSize, "would shorten the file");
  for (const { hostOffset, bytes } of repair.additiveWrites()) {
    const end = hostOffset + bytes.length;
    if (hostOffset < Math.max(image.fileSize, added.end) || end > repair.fileSize) {
      throw refused(image, hostOffset, "is no place past the old end of file, in ascending order");
    }
    added.add(hostOffset, end);
  }
  return added;
}

/** The step's writes, ascending. */
function proveStep(image: RepairedImage, { writes }: RepairStep): Write[] {
  const sorted = [...writes].sort((a, b) => a.hostOffset - b.hostOffset);
  let end = 0;
  for (const { hostOffset, bytes } of sorted) {
    if (!(hostOffset >= end)) throw refused(image, hostOffset, "is written twice in one step");
    end = hostOffset + bytes.length;
    if (end > image.fileSize) throw refused(image, hostOffset, "lies past the old end of file");
  }
  return sorted;
}

/** Nothing on a guest's data, wherever the mapping tells of it, and nothing at all outside metadata. */
function proveGuestUntouched(image: RepairedImage, { patched, added }: RepairPlan): void {
  const { mapping, metadata, clusterSize } = image;
  for (let row = 0; mapping !== undefined && row < mapping.count; row++) {
    const hostOffset = mapping.hostOffset[row] as number;
    if (hostOffset === NOWHERE) continue;
    const end = hostOffset + ((mapping.storedLength[row] as number) || (mapping.length[row] as number));
    for (const written of [patched, added]) {
      if (written.intersects(hostOffset, end)) {
        throw refused(image, hostOffset, `holds data of guest offset ${hex(mapping.guestOffset[row] as number)}`);
      }
    }
  }
  for (const { start, end } of patched.each()) {
    // The header's cluster is metadata whatever the tables say.
    if (end > clusterSize && !metadata.contains(Math.max(start, clusterSize), end)) {
      throw refused(image, start, "is no metadata");
    }
  }
}

/** Whole sectors, and the header's block whole, as far as the file goes. */
function touchedSectors(writes: readonly Write[], image: RepairedImage): RangeSet {
  const { fileSize } = image;
  const touched = new RangeSet();
  const headerEnd = headerEndOf(image);
  for (const { hostOffset, bytes } of writes) {
    if (bytes.length === 0) continue;
    const end = Math.min(alignUp(hostOffset + bytes.length, SECTOR_SIZE), fileSize);
    if (hostOffset < headerEnd) touched.add(0, headerEnd);
    touched.add(alignDown(hostOffset, SECTOR_SIZE), end);
  }
  return touched;
}

/** As much of the header's block as holds none of the guest's data, which begins inside it where blocks lie at any sector. */
function headerEndOf({ clusterSize, fileSize, mapping }: RepairedImage): number {
  let end = Math.min(HEADER_BLOCK, clusterSize, fileSize);
  for (let row = 0; mapping !== undefined && row < mapping.count; row++) {
    const hostOffset = mapping.hostOffset[row] as number;
    if (hostOffset >= 0 && hostOffset < end) end = alignDown(hostOffset, SECTOR_SIZE);
  }
  return end;
}

/** Of writes that ascend, those in [start, end). */
function* within(writes: readonly Write[], start: number, end: number): Generator<Write> {
  let low = 0;
  let high = writes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((writes[middle] as Write).hostOffset >= start) high = middle;
    else low = middle + 1;
  }
  for (let at = low; at < writes.length && (writes[at] as Write).hostOffset < end; at++) yield writes[at] as Write;
}

/** The runs of sectors that differ; of the header's block, which is kept whole, all or nothing. */
function changedRuns(hostOffset: number, before: Uint8Array, after: Uint8Array): Patch[] {
  const runs: Patch[] = [];
  const differs = (from: number, to: number) =>
    Buffer.compare(before.subarray(from, to), after.subarray(from, to)) !== 0;
  const add = (from: number, to: number) =>
    runs.push({ hostOffset: hostOffset + from, before: before.subarray(from, to), after: after.subarray(from, to) });
  let from = -1;
  let at = 0;
  while (at < before.length) {
    const unit = hostOffset + at === 0 ? HEADER_BLOCK : SECTOR_SIZE;
    const end = Math.min(at + unit, before.length);
    if (!differs(at, end)) {
      if (from >= 0) add(from, at);
      from = -1;
    } else if (from < 0) from = at;
    at = end;
  }
  if (from >= 0) add(from, before.length);
  return runs;
}

/** The file as the steps so far leave it. */
class SectorMemory {
  readonly #read: ReadOldBytes;
  readonly #sectors = new Map<number, Uint8Array>();

  constructor(read: ReadOldBytes) {
    this.#read = read;
  }

  async read(hostOffset: number, length: number): Promise<Uint8Array> {
    const bytes = (await this.#read(hostOffset, length)).slice();
    for (let at = 0; at < length; at += SECTOR_SIZE) {
      const known = this.#sectors.get(hostOffset + at);
      if (known !== undefined) bytes.set(known, at);
    }
    return bytes;
  }

  remember(hostOffset: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += SECTOR_SIZE) {
      this.#sectors.set(hostOffset + at, bytes.subarray(at, at + SECTOR_SIZE));
    }
  }
}

function refused({ path, format }: RepairedImage, hostOffset: number, why: string): ImageError {
  return new ImageError("verification-failed", say`Cannot repair ${imageNamed(path)}`, {
    because: say`the plan would write at host offset ${placeAt(hostOffset)}, which ${why}`,
    state: "nothing was written",
    path,
    format,
    hostOffset,
    operation: "plan",
  });
}

function tooMuch({ path, format }: RepairedImage): ImageError {
  return new ImageError("unsupported", say`Cannot repair ${imageNamed(path)}`, {
    because: `more than ${MAX_PATCHED_BYTES / MiB} MiB of its metadata are wrong`,
    remedy: "convert a copy of it with qemu-img convert",
    path,
    format,
    operation: "plan",
  });
}
