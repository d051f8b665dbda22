/** A volume on which another program, which takes no lock, does something right after our n-th call on the image. */

import type { RangeSet } from "../../src/bytes/range-set.ts";
import type { MemoryVolume } from "../../src/storage/memory.ts";
import type { WritableStorage } from "../../src/storage/storage.ts";
import { IMAGE_PATH } from "./crash-scenario.ts";
import { WrappedStorage, WrappedVolume } from "./wrapped-volume.ts";

export interface Interference {
  /** From 1, of all writes, resizes, punches and syncs of the image. */
  readonly nth: number;
  perform(memory: MemoryVolume): Promise<void>;
}

/**
 * The other program's turn comes once we have looked at the file after our call, as a watch between calls does; with a
 * blind clock right behind the call.
 */
class WatchedStorage extends WrappedStorage {
  readonly #onCall: (call: string) => (() => Promise<void>) | undefined;
  readonly #isBlind: boolean;
  readonly hasLateFingerprint: boolean;
  #waiting: (() => Promise<void>) | undefined;
  #hasLooked = false;

  constructor(inner: WritableStorage, isBlind: boolean, onCall: (call: string) => (() => Promise<void>) | undefined) {
    super(inner);
    this.#isBlind = isBlind;
    this.hasLateFingerprint = isBlind;
    this.#onCall = onCall;
  }

  override async read(hostOffset: number, into: Uint8Array): Promise<number> {
    await this.#theirTurn();
    return super.read(hostOffset, into);
  }

  override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    await super.write(hostOffset, bytes);
    await this.#called(`write ${hostOffset}`);
  }

  override async resize(size: number): Promise<void> {
    await super.resize(size);
    await this.#called("resize");
  }

  override async punch(ranges: RangeSet): Promise<RangeSet> {
    const left = await super.punch(ranges);
    await this.#called("punch");
    return left;
  }

  override async sync(): Promise<void> {
    await super.sync();
    await this.#called("sync");
  }

  /** A host that tells times late, or too coarsely: shows the size alone. */
  override async fingerprint(): Promise<string> {
    if (this.#hasLooked) await this.#theirTurn();
    this.#hasLooked = this.#waiting !== undefined;
    return this.#isBlind ? String(await this.size()) : super.fingerprint();
  }

  async #called(call: string): Promise<void> {
    this.#waiting ??= this.#onCall(call);
    this.#hasLooked = false;
    if (this.#isBlind) await this.#theirTurn();
  }

  async #theirTurn(): Promise<void> {
    const turn = this.#waiting;
    this.#waiting = undefined;
    await turn?.();
  }
}

export class InterferingVolume extends WrappedVolume {
  readonly memory: MemoryVolume;
  /** What was called so far: `write 0`, `sync`. */
  readonly calls: string[] = [];
  readonly #interference: Interference | undefined;
  readonly #isBlind: boolean;

  constructor(memory: MemoryVolume, interference?: Interference, isBlind = false) {
    super(memory);
    this.memory = memory;
    this.#interference = interference;
    this.#isBlind = isBlind;
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    if (storage.path !== IMAGE_PATH) return super.wrap(storage);
    return new WatchedStorage(storage, this.#isBlind, (call) => {
      const interference = this.#interference;
      return this.calls.push(call) === interference?.nth ? () => interference.perform(this.memory) : undefined;
    });
  }
}

/** Overwrites bytes of a file in place. */
export async function scribble(
  memory: MemoryVolume,
  path: string,
  hostOffset: number,
  bytes: Uint8Array,
): Promise<void> {
  const storage = await memory.openForWriting(path);
  await storage.write(hostOffset, bytes);
  await storage.close();
}
