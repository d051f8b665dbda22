/**
 * A volume on which the 4 KiB around the commit of one file can't be read until they are written: a physical sector
 * that a power cut tore. The drive fails every read of it, also the one that a kernel makes to change a part of it.
 */

import { hostError } from "../../src/storage/host-error.ts";
import type { Volume, WritableStorage } from "../../src/storage/storage.ts";
import { WrappedStorage, WrappedVolume } from "./wrapped-volume.ts";

const UNREADABLE_SIZE = 4096;

class UnreadableStorage extends WrappedStorage {
  readonly #volume: UnreadableVolume;

  constructor(inner: WritableStorage, volume: UnreadableVolume) {
    super(inner);
    this.#volume = volume;
  }

  override async read(hostOffset: number, into: Uint8Array): Promise<number> {
    if (into.length > 0) this.#refuse("read", hostOffset);
    return super.read(hostOffset, into);
  }

  override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    const end = Math.min(UNREADABLE_SIZE, await this.size());
    if (hostOffset === 0 && bytes.length >= end) this.#volume.isReadable = true;
    else if (bytes.length > 0) this.#refuse("write to", hostOffset);
    return super.write(hostOffset, bytes);
  }

  #refuse(verb: string, hostOffset: number): void {
    if (this.#volume.isReadable || hostOffset >= UNREADABLE_SIZE) return;
    const cause = Object.assign(new Error("EIO: injected by a test"), { code: "EIO" });
    throw hostError(cause, verb, this.path, hostOffset);
  }
}

export class UnreadableVolume extends WrappedVolume {
  readonly path: string;
  /** Becomes true when host bytes 0..4095 (or the whole of a shorter file) are written by one write. */
  isReadable = false;

  /** `path` names the file with the torn sector, through whatever descriptor it is read. */
  constructor(inner: Volume, path: string) {
    super(inner);
    this.path = path;
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    return storage.path === this.path ? new UnreadableStorage(storage, this) : super.wrap(storage);
  }
}
