/** A stretch of a file as a file of its own: what lies in an archive uncompressed. */

import type { Storage } from "./storage.ts";

/** Has no descriptor: whoever reads from that itself reads the whole file, by the whole file's offsets. */
export class SliceStorage implements Storage {
  /** The whole file's. */
  readonly path: string;
  readonly readAtOnce?: (hostOffset: number, into: Uint8Array) => number;
  readonly #file: Storage;
  readonly #start: number;
  readonly #size: number;

  /** @param size a part of it may lie outside of the file: it ends where the file does */
  constructor(file: Storage, start: number, size: number) {
    this.path = file.path;
    this.#file = file;
    this.#start = start;
    this.#size = size;
    const readAtOnce = file.readAtOnce?.bind(file);
    if (readAtOnce)
      this.readAtOnce = (hostOffset, into) => readAtOnce(start + hostOffset, this.#inside(hostOffset, into));
  }

  async size(): Promise<number> {
    return Math.max(0, Math.min(this.#size, (await this.#file.size()) - this.#start));
  }

  async read(hostOffset: number, into: Uint8Array): Promise<number> {
    const inside = this.#inside(hostOffset, into);
    return inside.length === 0 ? 0 : this.#file.read(this.#start + hostOffset, inside);
  }

  /** Does nothing: the file belongs to whoever opened it. */
  async close(): Promise<void> {}

  #inside(hostOffset: number, into: Uint8Array): Uint8Array {
    return into.subarray(0, Math.max(0, Math.min(into.length, this.#size - hostOffset)));
  }
}
