/** A volume beside which somebody else is at work on one file: at the moments at which we have just looked at it. */

import type { Volume, WritableStorage } from "../../src/storage/storage.ts";
import { WrappedStorage, WrappedVolume } from "./wrapped-volume.ts";

export interface Meddling {
  /** What the file's time and size seem to be. */
  readonly fingerprint?: () => string;
  /** Called when the file was looked at; `isCommitted` once its first sector was written. */
  readonly looked?: (isCommitted: boolean) => Promise<void>;
}

export class MeddledVolume extends WrappedVolume {
  readonly #path: string;
  readonly #meddling: Meddling;

  constructor(inner: Volume, path: string, meddling: Meddling) {
    super(inner);
    this.#path = path;
    this.#meddling = meddling;
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    return storage.path === this.#path ? new MeddledStorage(storage, this.#meddling) : new WrappedStorage(storage);
  }
}

class MeddledStorage extends WrappedStorage {
  readonly #meddling: Meddling;
  #isCommitted = false;

  constructor(inner: WritableStorage, meddling: Meddling) {
    super(inner);
    this.#meddling = meddling;
  }

  override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    await super.write(hostOffset, bytes);
    if (hostOffset === 0) this.#isCommitted = true;
  }

  override async fingerprint(): Promise<string> {
    const found = await super.fingerprint();
    await this.#meddling.looked?.(this.#isCommitted);
    return this.#meddling.fingerprint?.() ?? found;
  }
}
