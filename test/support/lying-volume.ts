/** A volume that does not do or say what is true of one file: bits flip on their way to it or from it, writes get lost. */

import { RangeSet } from "../../src/bytes/range-set.ts";
import type { Volume, WritableStorage } from "../../src/storage/storage.ts";
import { WrappedStorage, WrappedVolume } from "./wrapped-volume.ts";

/** How far the engine came with the image, by what it did to the files. */
export type LyingStage = "inspected" | "journaled" | "committed";

export interface Lies {
  /** What reaches the file in the place of `bytes`; undefined where nothing does. */
  readonly write?: (hostOffset: number, bytes: Uint8Array, stage: LyingStage) => Uint8Array | undefined;
  /** False where the file stays as long as it is. */
  readonly resize?: (size: number, stage: LyingStage) => boolean;
  /** False where nothing is given back, and yet said to be. */
  readonly punch?: (ranges: RangeSet, stage: LyingStage) => boolean;
  /** May change what was read. */
  readonly read?: (hostOffset: number, bytes: Uint8Array, stage: LyingStage) => void;
}

export class LyingVolume extends WrappedVolume {
  stage: LyingStage = "inspected";
  /** Records that were made. */
  journalWrites = 0;
  readonly #path: string;
  readonly #lies: Lies;

  /** Only the file that is opened as `path` is lied about. */
  constructor(inner: Volume, path: string, lies: Lies) {
    super(inner);
    this.#path = path;
    this.#lies = lies;
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    if (storage.path === this.#path) return new LyingStorage(storage, this.#lies, this);
    if (this.stage === "inspected" && storage.path.includes("journal")) this.stage = "journaled";
    return storage.path.includes("journal") ? new JournalStorage(storage, this) : new WrappedStorage(storage);
  }
}

class JournalStorage extends WrappedStorage {
  readonly #volume: LyingVolume;

  constructor(inner: WritableStorage, volume: LyingVolume) {
    super(inner);
    this.#volume = volume;
  }

  override write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    this.#volume.journalWrites++;
    return super.write(hostOffset, bytes);
  }
}

class LyingStorage extends WrappedStorage {
  readonly #lies: Lies;
  readonly #volume: LyingVolume;

  constructor(inner: WritableStorage, lies: Lies, volume: LyingVolume) {
    super(inner);
    this.#lies = lies;
    this.#volume = volume;
  }

  override async read(hostOffset: number, into: Uint8Array): Promise<number> {
    const count = await super.read(hostOffset, into);
    this.#lies.read?.(hostOffset, into.subarray(0, count), this.#volume.stage);
    return count;
  }

  override async resize(size: number): Promise<void> {
    if (this.#lies.resize?.(size, this.#volume.stage) ?? true) await super.resize(size);
  }

  override async punch(ranges: RangeSet): Promise<RangeSet> {
    return (this.#lies.punch?.(ranges, this.#volume.stage) ?? true) ? super.punch(ranges) : new RangeSet();
  }

  override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    const { write } = this.#lies;
    const taken = write === undefined ? bytes : write(hostOffset, bytes, this.#volume.stage);
    if (hostOffset === 0) this.#volume.stage = "committed";
    // A write that got lost changes the time of the file all the same.
    await super.write(hostOffset, taken ?? new Uint8Array(0));
  }
}

/** A copy with one bit the other way round. */
export function flipped(bytes: Uint8Array, at: number, bit = 0): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] as number) ^ (1 << bit);
  return copy;
}
