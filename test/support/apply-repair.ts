/** A repair's writes done to bytes in memory: all of it, or as far as a cut would let it come. */

import type { Repair, RepairStep } from "../../src/image/repair.ts";

const SECTOR = 512;

/** The file after the additive writes and the first `stepCount` steps. */
export function applyRepair(file: Uint8Array, repair: Repair, stepCount = repair.steps.length): Buffer {
  const bytes = Buffer.alloc(repair.fileSize);
  bytes.set(file);
  for (const write of repair.additiveWrites()) bytes.set(write.bytes, write.hostOffset);
  for (const step of repair.steps.slice(0, stepCount)) applyStep(bytes, step);
  return bytes;
}

export function applyStep(bytes: Uint8Array, step: RepairStep): void {
  for (const write of step.writes) bytes.set(write.bytes, write.hostOffset);
}

/** Between two steps: of each sector that they differ in, the new one where `isNew` says so. */
export function mixture(before: Uint8Array, after: Uint8Array, isNew: () => boolean): Buffer {
  const mixed = Buffer.from(before);
  for (let start = 0; start < before.length; start += SECTOR) {
    const sector = after.subarray(start, start + SECTOR);
    if (Buffer.compare(mixed.subarray(start, start + SECTOR), sector) !== 0 && isNew()) mixed.set(sector, start);
  }
  return mixed;
}
