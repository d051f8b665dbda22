/** Arithmetic on addresses and sizes: plain numbers, exact up to 2^53 - 1, so no bitwise operators. */

export const SECTOR_SIZE = 512;
export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const TiB = 1024 * GiB;

export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

export function alignDown(value: number, alignment: number): number {
  return Math.floor(value / alignment) * alignment;
}

export function isAligned(value: number, alignment: number): boolean {
  return value % alignment === 0;
}

export function ceilDiv(value: number, divisor: number): number {
  return Math.ceil(value / divisor);
}

export function isPowerOfTwo(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && Number.isInteger(Math.log2(value));
}

/** Whether a whole unit lies in [start, end), of which the last one of all may be shorter. */
export function holdsUnit(start: number, end: number, unitSize: number, endOfAll: number): boolean {
  const first = alignUp(start, unitSize);
  return first < end && Math.min(first + unitSize, endOfAll) <= end;
}
