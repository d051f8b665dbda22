/** A volume whose lock becomes another command's in the middle of a run. */

import type { RangeSet } from "../../src/bytes/range-set.ts";
import { journalNamesOf } from "../../src/journal/names.ts";
import type { MemoryVolume } from "../../src/storage/memory.ts";
import type { WritableStorage } from "../../src/storage/storage.ts";
import { IMAGE_PATH } from "./crash-scenario.ts";
import { WrappedStorage, WrappedVolume } from "./wrapped-volume.ts";

const NAMES = journalNamesOf(IMAGE_PATH);
export const ANOTHERS_LOCK = new TextEncoder().encode(
  JSON.stringify({ pid: 1, hostName: "there", bootId: "b", startTime: "0", nonce: "another's" }),
);

/** What a run does, one word a call. */
export type Deed = "image: sector 0" | "image: write" | "image: sync" | "journal";

/**
 * The lock becomes another's right after the n-th write, sync or resize of anything but the lock, or the n-th read of
 * the image.
 */
export class LosingVolume extends WrappedVolume {
  /** What was done once the lock was lost. */
  readonly afterwards: Deed[] = [];
  readonly memory: MemoryVolume;
  readonly #nth: number;
  readonly #countsReads: boolean;
  count = 0;
  /** What was done right before the lock was lost. */
  last: Deed | undefined;

  constructor(memory: MemoryVolume, nth: number, counted: "barriers" | "reads" = "barriers") {
    super(memory);
    this.memory = memory;
    this.#nth = nth;
    this.#countsReads = counted === "reads";
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    const done = (deed: Deed) => this.#done(deed);
    const isImage = storage.path === IMAGE_PATH;
    if (storage.path === NAMES.lock) return super.wrap(storage);
    const hasRead = () => this.#hasRead();
    return new (class extends WrappedStorage {
      override async read(hostOffset: number, into: Uint8Array): Promise<number> {
        const count = await super.read(hostOffset, into);
        if (isImage) await hasRead();
        return count;
      }

      override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
        await super.write(hostOffset, bytes);
        await done(isImage ? (hostOffset === 0 ? "image: sector 0" : "image: write") : "journal");
      }

      override async resize(size: number): Promise<void> {
        await super.resize(size);
        await done(isImage ? "image: write" : "journal");
      }

      override async punch(ranges: RangeSet): Promise<RangeSet> {
        const left = await super.punch(ranges);
        await done(isImage ? "image: write" : "journal");
        return left;
      }

      override async sync(): Promise<void> {
        await super.sync();
        await done(isImage ? "image: sync" : "journal");
      }
    })(storage);
  }

  async #done(deed: Deed): Promise<void> {
    if (this.count >= this.#nth) this.afterwards.push(deed);
    if (!this.#countsReads) await this.#counted(deed);
  }

  async #hasRead(): Promise<void> {
    if (this.#countsReads) await this.#counted(undefined);
  }

  async #counted(deed: Deed | undefined): Promise<void> {
    this.count++;
    if (this.count !== this.#nth) return;
    this.last = deed;
    await this.memory.remove(NAMES.lock);
    const lock = await this.memory.createExclusively(NAMES.lock);
    await lock?.write(0, ANOTHERS_LOCK);
  }
}
