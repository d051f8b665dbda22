/**
 * An open image that notices another writer between any two of our own calls, not only between barriers.
 *
 *   look | compare | write | note | compare | write | note | compare | sync | compare
 *
 * Between two syncs the first write asks for more (`look`): whether the lock and the name are still ours, since what came
 * before it, reading or waiting for the disk, may have taken long.
 * What another program writes inside one of our calls can't be told from ours; copied units are therefore read again
 * before their old places are given up (same-guest.ts), and metadata is digested before it is replaced.
 */

import { ImageError } from "../../bytes/image-error.ts";
import type { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { FileCopy, Sidecar, WritableStorage } from "../../storage/storage.ts";

export class GuardedStorage implements WritableStorage {
  readonly path: string;
  readonly descriptor?: number;
  readonly readAtOnce?: (hostOffset: number, into: Uint8Array) => number;
  readonly dataRanges?: () => Promise<RangeSet | undefined>;
  readonly punch?: (ranges: RangeSet) => Promise<RangeSet>;
  readonly copy?: (copies: readonly FileCopy[]) => Promise<RangeSet>;
  readonly syncData?: () => Promise<void>;
  readonly flush?: () => void;
  readonly hasLateFingerprint: boolean;
  /** Set once it is known that a text beside it belongs to it. */
  sidecar?: () => Promise<Sidecar | undefined>;
  readonly #inner: WritableStorage;
  #fingerprint: string;
  #look: () => Promise<void> = async () => {};
  #hasLooked = false;

  private constructor(inner: WritableStorage, fingerprint: string) {
    this.path = inner.path;
    if (inner.descriptor !== undefined) this.descriptor = inner.descriptor;
    if (inner.readAtOnce) this.readAtOnce = inner.readAtOnce.bind(inner);
    if (inner.dataRanges) this.dataRanges = inner.dataRanges.bind(inner);
    const punch = inner.punch?.bind(inner);
    if (punch) this.punch = (ranges) => this.#ours(() => punch(ranges));
    const copy = inner.copy?.bind(inner);
    if (copy) this.copy = (copies) => this.#ours(() => copy(copies));
    const syncData = inner.syncData?.bind(inner);
    if (syncData) this.syncData = () => this.#synced(syncData);
    if (inner.flush) this.flush = inner.flush.bind(inner);
    this.hasLateFingerprint = inner.hasLateFingerprint ?? false;
    this.#inner = inner;
    this.#fingerprint = fingerprint;
  }

  /** From now on whoever else writes is noticed. */
  static async over(inner: WritableStorage): Promise<GuardedStorage> {
    return new GuardedStorage(inner, await inner.fingerprint());
  }

  /** What throws where nothing more may be written; asked before the first change after each sync. */
  lookBy(look: () => Promise<void>): void {
    this.#look = look;
  }

  size(): Promise<number> {
    return this.#inner.size();
  }

  read(hostOffset: number, into: Uint8Array): Promise<number> {
    return this.#inner.read(hostOffset, into);
  }

  async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    await this.#ours(() => this.#inner.write(hostOffset, bytes));
  }

  async resize(size: number): Promise<void> {
    await this.#ours(() => this.#inner.resize(size));
  }

  sync(): Promise<void> {
    return this.#synced(() => this.#inner.sync());
  }

  async #synced(perform: () => Promise<void>): Promise<void> {
    this.#hasLooked = false;
    if (this.hasLateFingerprint) {
      await perform();
      this.#fingerprint = await this.#inner.fingerprint();
      return;
    }
    await this.refuseChange();
    await perform();
    // A sync can take long, and changes nothing that the fingerprint tells.
    await this.refuseChange();
  }

  fingerprint(): Promise<string> {
    return this.#inner.fingerprint();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** Throws `changed-underneath` where another program wrote to the file. */
  async refuseChange(): Promise<void> {
    if ((await this.#inner.fingerprint()) === this.#fingerprint) return;
    throw new ImageError("changed-underneath", say`Cannot go on with ${imageNamed(this.path)}`, {
      because: "it was written to by another program while we worked on it",
      path: this.path,
      operation: "compare",
    });
  }

  /** What fails may have written a part, which is ours too. */
  async #ours<T>(perform: () => Promise<T>): Promise<T> {
    if (!this.#hasLooked) await this.#look();
    this.#hasLooked = true;
    if (!this.hasLateFingerprint) await this.refuseChange();
    try {
      return await perform();
    } finally {
      this.#fingerprint = await this.#inner.fingerprint();
    }
  }
}
