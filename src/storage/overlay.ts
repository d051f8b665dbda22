/** A file as it would be after a few writes that exist in memory only: how a target is verified before it is on disk. */

import { ImageError } from "../bytes/image-error.ts";
import { RangeSet } from "../bytes/range-set.ts";
import { endOfPieces, type OverlaidBytes, piecesIn, type SharedFile, sharedUnder } from "./shared-file.ts";
import type { Sidecar, Storage } from "./storage.ts";

export interface OverlayOptions {
  /** Length of the file as it would be; by default the base's, or the end of the last write if that lies further. */
  readonly size?: number;
  /** What the text beside it would be, null where there would be none; by default the base's. */
  readonly sidecar?: Sidecar | null;
}

export class OverlayStorage implements Storage {
  readonly path: string;
  /** Only where the size is set; throws where the base can't be read, though `read` may do without it. */
  readonly readAtOnce?: (hostOffset: number, into: Uint8Array) => number;
  readonly sidecar?: () => Promise<Sidecar | undefined>;
  readonly #base: Storage;
  /** Ascending, without overlap, so that a read among many finds its own by bisection. */
  readonly #pieces: readonly OverlaidBytes[];
  readonly #size: number | undefined;
  readonly #overlaidEnd: number;

  /** Where writes overlap, the later one wins. `overlaid` is not copied. */
  constructor(base: Storage, overlaid: readonly OverlaidBytes[], options: OverlayOptions = {}) {
    this.path = base.path;
    this.#base = base;
    this.#pieces = apart(overlaid);
    this.#size = options.size;
    this.#overlaidEnd = endOfPieces(this.#pieces);
    const { sidecar, size } = options;
    const readAtOnce = base.readAtOnce?.bind(base);
    if (readAtOnce && size !== undefined) {
      this.readAtOnce = (hostOffset, into) => this.#overlay(hostOffset, into, readAtOnce(hostOffset, into), size);
    }
    if (sidecar !== undefined) this.sidecar = async () => sidecar ?? undefined;
    else if (base.sidecar) this.sidecar = base.sidecar.bind(base);
  }

  /** Not over another overlay, of which only the base would be seen. */
  get shared(): SharedFile | undefined {
    const { path, descriptor } = this.#base;
    return descriptor === undefined ? undefined : sharedUnder({ path, descriptor }, this.#pieces, this.#size);
  }

  async size(): Promise<number> {
    return this.#size ?? Math.max(await this.#base.size(), this.#overlaidEnd);
  }

  async read(hostOffset: number, into: Uint8Array): Promise<number> {
    const there = await this.#readBase(hostOffset, into);
    // The file would be as long as the base or longer unless a size is set, so most reads need not ask for it.
    const isInside = there === into.length && this.#size === undefined;
    return this.#overlay(hostOffset, into, there, isInside ? Number.POSITIVE_INFINITY : await this.size());
  }

  /** Lays the pieces over `there` bytes that were read, in a file of `size` bytes. */
  #overlay(hostOffset: number, into: Uint8Array, there: number, size: number): number {
    const readEnd = Math.max(hostOffset, Math.min(hostOffset + into.length, size));
    const wanted = into.subarray(0, readEnd - hostOffset);
    // The base may be shorter than the file would be; what it lacks reads as zeros.
    wanted.fill(0, there);
    for (const { hostOffset: start, bytes } of piecesIn(this.#pieces, hostOffset, readEnd)) {
      const from = Math.max(start, hostOffset);
      const to = Math.min(start + bytes.length, readEnd);
      wanted.set(bytes.subarray(from - start, to - start), from - hostOffset);
    }
    return wanted.length;
  }

  /** The base's, and what lies over it. */
  async dataRanges(): Promise<RangeSet | undefined> {
    const size = await this.size();
    const ranges = (await this.#base.dataRanges?.())?.clippedTo(0, size);
    for (const { hostOffset, bytes } of piecesIn(this.#pieces, 0, size)) {
      ranges?.add(hostOffset, Math.min(hostOffset + bytes.length, size));
    }
    return ranges;
  }

  /** Does nothing: the base belongs to whoever opened it. */
  async close(): Promise<void> {}

  /** Where the base can't be read, it need not be: a medium may have lost just what the overlay brings back. */
  async #readBase(hostOffset: number, into: Uint8Array): Promise<number> {
    try {
      return await this.#base.read(hostOffset, into);
    } catch (error) {
      const end = hostOffset + into.length;
      const covered = [...piecesIn(this.#pieces, hostOffset, end)];
      if (covered.length === 0 || !(error instanceof ImageError) || error.kind !== "io") throw error;
      let at = hostOffset;
      for (const { hostOffset: start, bytes } of [...covered, { hostOffset: end, bytes: new Uint8Array(0) }]) {
        if (start > at) await this.#base.read(at, into.subarray(at - hostOffset, start - hostOffset));
        at = Math.max(at, start + bytes.length);
      }
      return Math.max(0, Math.min(into.length, (await this.#base.size()) - hostOffset));
    }
  }
}

/** The same bytes as pieces that ascend and do not overlap; the later of two wins. */
function apart(overlaid: readonly OverlaidBytes[]): readonly OverlaidBytes[] {
  const sorted = overlaid.filter(({ bytes }) => bytes.length > 0).sort((a, b) => a.hostOffset - b.hostOffset);
  const overlaps = sorted.some(({ hostOffset }, at) => {
    const before = sorted[at - 1];
    return before !== undefined && before.hostOffset + before.bytes.length > hostOffset;
  });
  if (!overlaps) return sorted;
  const pieces: OverlaidBytes[] = [];
  const taken = new RangeSet();
  for (const { hostOffset, bytes } of [...overlaid].reverse()) {
    const end = hostOffset + bytes.length;
    let at = hostOffset;
    const putUpTo = (to: number) => {
      if (to > at) pieces.push({ hostOffset: at, bytes: bytes.subarray(at - hostOffset, to - hostOffset) });
    };
    for (const range of taken.clippedTo(hostOffset, end).each()) {
      putUpTo(range.start);
      at = range.end;
    }
    putUpTo(end);
    taken.add(hostOffset, end);
  }
  return pieces.sort((a, b) => a.hostOffset - b.hostOffset);
}
