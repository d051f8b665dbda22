/** A volume that stores one bit of the n-th write to the image wrong, and tells nobody. */

import type { Volume, WritableStorage } from "../../src/storage/storage.ts";
import { IMAGE_PATH } from "./crash-scenario.ts";
import { WrappedStorage, WrappedVolume } from "./wrapped-volume.ts";

export interface Flip {
  /** From 1. */
  readonly nth: number;
  /** Where in the written bytes, from 0 to 1. */
  readonly at: number;
  readonly bit: number;
}

export class FlippingVolume extends WrappedVolume {
  writeCount = 0;
  readonly #flip: Flip;

  constructor(inner: Volume, flip: Flip) {
    super(inner);
    this.#flip = flip;
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    if (storage.path !== IMAGE_PATH) return super.wrap(storage);
    const volume = this;
    return new (class extends WrappedStorage {
      override write(hostOffset: number, bytes: Uint8Array): Promise<void> {
        const { nth, at, bit } = volume.#flip;
        if (++volume.writeCount !== nth || bytes.length === 0) return super.write(hostOffset, bytes);
        const wrong = bytes.slice();
        const index = Math.floor(at * bytes.length);
        wrong[index] = (wrong[index] as number) ^ (1 << bit);
        return super.write(hostOffset, wrong);
      }
    })(storage);
  }
}
