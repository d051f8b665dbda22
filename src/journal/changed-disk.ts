/** How a disk was changed, as bytes and as its journal says it. */

import { isAligned, MiB, SECTOR_SIZE } from "../bytes/align.ts";
import { RangeSet } from "../bytes/range-set.ts";
import type { ChangedDisk, PatchedSectors } from "./records.ts";

/** Whole sectors of the disk as they were and as they are then. */
export interface DiskPatch {
  readonly guestOffset: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** The same as `ChangedDisk`, in bytes. */
export interface DiskChange {
  readonly oldFileSize: number;
  readonly fileSize: number;
  readonly steps: readonly (readonly DiskPatch[])[];
}

/** A GPT's entries and headers are 4 MiB at most; so much is made of a journal's word. */
const MAX_PATCHED = 8 * MiB;

export function recordOfChange({ oldFileSize, fileSize, steps }: DiskChange): ChangedDisk {
  const told = ({ guestOffset, before, after }: DiskPatch): PatchedSectors => [
    guestOffset,
    after.length,
    hexOf(before),
    hexOf(after),
  ];
  return { oldFileSize, fileSize, steps: steps.map((patches) => patches.map(told)) };
}

/** What the record says has been looked at (`isChangedDisk`). */
export function changeOfRecord({ oldFileSize, fileSize, steps }: ChangedDisk): DiskChange {
  const patch = ([guestOffset, length, before, after]: PatchedSectors): DiskPatch => ({
    guestOffset,
    before: bytesOf(before, length),
    after: bytesOf(after, length),
  });
  return { oldFileSize, fileSize, steps: steps.map((patches) => patches.map(patch)) };
}

/** Whether a value is such a record, bounded, each sector inside the disk and told of once. */
export function isChangedDisk(value: unknown): boolean {
  const { oldFileSize, fileSize, steps } = (value ?? {}) as Partial<Record<keyof ChangedDisk, unknown>>;
  if (!isSize(oldFileSize) || !isSize(fileSize) || oldFileSize > fileSize || !Array.isArray(steps)) return false;
  const taken = new RangeSet();
  return steps.every((patches) => Array.isArray(patches) && patches.every((patch) => isPatch(patch, fileSize, taken)));
}

function isPatch(patch: unknown, fileSize: number, taken: RangeSet): boolean {
  if (!Array.isArray(patch) || patch.length !== 4) return false;
  const [guestOffset, length, before, after] = patch as readonly unknown[];
  if (!isSize(guestOffset) || !isSize(length) || length === 0 || length > MAX_PATCHED) return false;
  const end = guestOffset + length;
  if (!isAligned(guestOffset, SECTOR_SIZE) || !isAligned(length, SECTOR_SIZE) || end > fileSize) return false;
  if (taken.intersects(guestOffset, end)) return false;
  taken.add(guestOffset, end);
  return taken.total <= MAX_PATCHED && isHex(before, length) && isHex(after, length);
}

function isHex(value: unknown, length: number): boolean {
  return typeof value === "string" && value.length <= 2 * length && value.length % 2 === 0 && !/[^0-9a-f]/.test(value);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1)).toString("hex");
}

function bytesOf(hex: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(Buffer.from(hex, "hex"));
  return bytes;
}
