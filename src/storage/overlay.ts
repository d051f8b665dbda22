/** A file as it would be after a few writes that exist in memory only: how a target is verified before it is on disk. */

import { hex, ImageError } from "../bytes/image-error.ts";
import type { Storage } from "./storage.ts";

/** Bytes that lie over the file's own; the same shape as a driver's `Write`. */
export interface OverlaidBytes {
  readonly hostOffset: number;
  readonly bytes: Uint8Array;
}

export interface OverlayOptions {
  /** Length of the file as it would be; by default the base's, or the end of the last write if that lies further. */
  readonly size?: number;
  /**
   * The caller's word that nothing below this host offset is guest data of the image to be opened (its header
   * cluster). With it, and without `size`, the base's descriptor passes through, so that hash workers can read guest
   * data past the overlay: every overlaid byte must lie below, or the constructor throws.
   */
  readonly overlaidBelow?: number;
}

export class OverlayStorage implements Storage {
  readonly path: string;
  readonly descriptor?: number;
  readonly #base: Storage;
  readonly #overlaid: readonly OverlaidBytes[];
  readonly #size: number | undefined;
  readonly #overlaidEnd: number;

  /** Where writes overlap, the later one wins. `overlaid` is not copied. */
  constructor(base: Storage, overlaid: readonly OverlaidBytes[], options: OverlayOptions = {}) {
    this.path = base.path;
    this.#base = base;
    this.#overlaid = overlaid;
    this.#size = options.size;
    this.#overlaidEnd = overlaid.reduce((end, { hostOffset, bytes }) => Math.max(end, hostOffset + bytes.length), 0);
    const limit = options.overlaidBelow;
    if (limit === undefined) return;
    if (this.#overlaidEnd > limit) {
      throw new ImageError(
        "out-of-bounds",
        `Cannot overlay ${base.path} up to host offset ${hex(this.#overlaidEnd)}: guest data may begin at ${hex(limit)}`,
        { path: base.path, hostOffset: this.#overlaidEnd },
      );
    }
    if (base.descriptor !== undefined && options.size === undefined) this.descriptor = base.descriptor;
  }

  async size(): Promise<number> {
    return this.#size ?? Math.max(await this.#base.size(), this.#overlaidEnd);
  }

  async read(hostOffset: number, into: Uint8Array): Promise<number> {
    const there = await this.#base.read(hostOffset, into);
    // The file would be as long as the base or longer unless a size is set, so most reads need not ask for it.
    const isInside = there === into.length && this.#size === undefined;
    const end = hostOffset + into.length;
    const readEnd = isInside ? end : Math.max(hostOffset, Math.min(end, await this.size()));
    const wanted = into.subarray(0, readEnd - hostOffset);
    // The base may be shorter than the file would be; what it lacks reads as zeros.
    wanted.fill(0, there);
    for (const { hostOffset: start, bytes } of this.#overlaid) {
      const from = Math.max(start, hostOffset);
      const to = Math.min(start + bytes.length, readEnd);
      if (from < to) wanted.set(bytes.subarray(from - start, to - start), from - hostOffset);
    }
    return wanted.length;
  }

  /** Does nothing: the base belongs to whoever opened it. */
  async close(): Promise<void> {}
}
