/**
 * One file of the crash model: what is durable, and for every 512-byte sector and the size, what a power cut may leave.
 *
 *   sector   the durable bytes (zeros where the size at the last sync did not reach), or any version written since
 *   punched  such a version too: zeros that come or don't, each sector by itself
 *   size     the durable one, or any set since, whatever becomes of the data
 *
 * After a failed sync the versions from before it stay in doubt for good, also behind a later sync that succeeds,
 * until the place is written anew: the kernel forgets that such pages were dirty.
 */

import { alignUp, ceilDiv, KiB, SECTOR_SIZE } from "../../src/bytes/align.ts";

/** File systems clear the rest of the last block when a file is cut; ext4 and XFS can make that durable early. */
const BLOCK_SIZE = 4 * KiB;

interface Version<T> {
  readonly value: T;
  /** Failed syncs of the file before it was written. */
  readonly failureCount: number;
}

export class CrashFile {
  /** Zeros past the durable size, but for sectors resolved while the size is in doubt. */
  #durable: Uint8Array;
  #durableSize: number;
  #current: Uint8Array;
  #currentSize: number;
  readonly #sectors = new Map<number, Version<Uint8Array>[]>();
  #sizes: Version<number>[] = [];
  #failureCount = 0;

  constructor(bytes: Uint8Array) {
    this.#durable = bytes.slice();
    this.#current = bytes.slice();
    this.#durableSize = bytes.length;
    this.#currentSize = bytes.length;
  }

  write(hostOffset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const end = hostOffset + bytes.length;
    const oldSize = this.#currentSize;
    this.#current = grown(this.#current, end);
    if (end > oldSize) {
      this.#setSize(end);
      this.#keepGrowth(oldSize, end);
    }
    // Writing the file's last byte anew also settles a size that a failed sync left in doubt.
    else if (end === oldSize && this.#sizes.length > 0) this.#setSize(end);
    this.#current.set(bytes, hostOffset);
    this.#keepVersions(hostOffset, end);
  }

  resize(size: number): void {
    const oldSize = this.#currentSize;
    if (size === oldSize && this.#sizes.length === 0) return;
    this.#current = grown(this.#current, size);
    if (size < oldSize) this.#current.fill(0, size, oldSize);
    this.#setSize(size);
    if (size < oldSize && size % BLOCK_SIZE !== 0) {
      this.#keepVersions(size, Math.min(alignUp(size, BLOCK_SIZE), oldSize));
    }
    if (size > oldSize) this.#keepGrowth(oldSize, size);
  }

  /** Zeros in [start, end), as far as the file reaches. */
  punch(start: number, end: number): void {
    const last = Math.min(end, this.#currentSize);
    if (start >= last) return;
    this.#current.fill(0, start, last);
    this.#keepVersions(start, last);
  }

  sync(isFailed: boolean): void {
    if (isFailed) {
      this.#failureCount++;
      return;
    }
    for (const [sector, versions] of this.#sectors) {
      const newest = versions.at(-1) as Version<Uint8Array>;
      if (newest.failureCount < this.#failureCount) continue;
      this.#durable = grown(this.#durable, (sector + 1) * SECTOR_SIZE);
      this.#durable.set(newest.value, sector * SECTOR_SIZE);
      this.#sectors.delete(sector);
    }
    const size = this.#sizes.at(-1);
    if (size === undefined || size.failureCount < this.#failureCount) return;
    this.#durable.fill(0, size.value);
    this.#durableSize = size.value;
    this.#sizes = [];
  }

  /** The sectors in doubt, ascending. */
  get pendingSectors(): number[] {
    return [...this.#sectors.keys()].sort((a, b) => a - b);
  }

  get isSettled(): boolean {
    return this.#sectors.size === 0 && this.#sizes.length === 0;
  }

  /** What a cut may leave of a sector in doubt: the old bytes first (zeros if fresh), the newest last, equal or not. */
  sectorChoices(sector: number): Uint8Array[] {
    const start = sector * SECTOR_SIZE;
    const old = new Uint8Array(SECTOR_SIZE);
    old.set(this.#durable.subarray(start, start + SECTOR_SIZE));
    const choices: Uint8Array[] = [];
    // From the newest back, so that the newest stays last where it equals an earlier one.
    for (const { value } of [...(this.#sectors.get(sector) ?? [])].reverse()) {
      if (!choices.some((choice) => areEqual(choice, value))) choices.unshift(value);
    }
    return [old, ...choices.filter((choice, at) => at === choices.length - 1 || !areEqual(choice, old))];
  }

  /** True where the size at the last sync did not reach the sector. */
  isFresh(sector: number): boolean {
    return sector * SECTOR_SIZE >= this.#durableSize;
  }

  /** The sizes that a cut may leave: the durable one first, the newest last; one alone where nothing is in doubt. */
  get sizeChoices(): number[] {
    const newest = this.#sizes.at(-1)?.value;
    if (newest === undefined) return [this.#durableSize];
    const between = new Set(this.#sizes.map(({ value }) => value));
    between.delete(this.#durableSize);
    between.delete(newest);
    return [this.#durableSize, ...between, newest];
  }

  /** The file after a cut; `choose` is asked for each sector in doubt that begins below `size`. */
  compose(size: number, choose: (sector: number) => Uint8Array): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    bytes.set(this.#durable.subarray(0, size));
    for (const sector of this.#sectors.keys()) {
      const start = sector * SECTOR_SIZE;
      if (start < size) bytes.set(choose(sector).subarray(0, size - start), start);
    }
    return bytes;
  }

  #setSize(size: number): void {
    this.#currentSize = size;
    this.#sizes.push({ value: size, failureCount: this.#failureCount });
  }

  /** What a file gains reads as zeros; where a part that was cut off may still lie, those are a version. */
  #keepGrowth(start: number, end: number): void {
    for (let sector = Math.floor(start / SECTOR_SIZE); sector < ceilDiv(end, SECTOR_SIZE); sector++) {
      if (this.#sectors.has(sector) || sector * SECTOR_SIZE < this.#durableSize) {
        this.#keepVersions(sector * SECTOR_SIZE, (sector + 1) * SECTOR_SIZE);
      }
    }
  }

  #keepVersions(start: number, end: number): void {
    const first = Math.floor(start / SECTOR_SIZE);
    const count = ceilDiv(end, SECTOR_SIZE) - first;
    const copy = new Uint8Array(count * SECTOR_SIZE);
    copy.set(this.#current.subarray(first * SECTOR_SIZE, (first + count) * SECTOR_SIZE));
    for (let at = 0; at < count; at++) {
      const value = copy.subarray(at * SECTOR_SIZE, (at + 1) * SECTOR_SIZE);
      const versions = this.#sectors.get(first + at);
      const version = { value, failureCount: this.#failureCount };
      if (versions === undefined) this.#sectors.set(first + at, [version]);
      else versions.push(version);
    }
  }
}

/** `bytes` with room for at least `size`; what is new is zeros. */
function grown(bytes: Uint8Array, size: number): Uint8Array {
  if (size <= bytes.length) return bytes;
  const wider = new Uint8Array(Math.max(size, bytes.length * 2));
  wider.set(bytes);
  return wider;
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
