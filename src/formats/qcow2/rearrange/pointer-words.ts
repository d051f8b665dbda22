/**
 * Who points at each piece: 64-bit words, each by the piece that holds it and its place in there, so that a table may
 * move and nothing has to be written down anew. Most pieces have one word, which costs 8 bytes.
 */

import { ImageError } from "../../../bytes/image-error.ts";
import { withRoom } from "../../../image/piece-table.ts";

/** Further words of all pieces: what many snapshots share, and streams that lie in one cluster; 12 bytes each. */
const MAX_FURTHER = 2 ** 25;
const NONE = 0xffff_ffff;
/** Words lie at multiples of 8: bit 0 is free to say that this one points at a compressed cluster's byte. */
const COMPRESSED = 1;

export class PointerWords {
  #holder: Uint32Array;
  #within: Uint32Array;
  /** For each piece the number of its second word and 1, or 0; absent while all have one. */
  #second: Uint32Array | undefined;
  #further = new Uint32Array(0);
  #furtherCount = 0;

  constructor(pieceCount: number) {
    this.#holder = new Uint32Array(pieceCount).fill(NONE);
    this.#within = new Uint32Array(pieceCount);
  }

  /** The word at byte `within` of piece `holder` points at `piece`. */
  add(piece: number, holder: number, within: number, isCompressed = false): void {
    const tagged = isCompressed ? within + COMPRESSED : within;
    if (piece >= this.#holder.length) this.#widen();
    if (this.#holder[piece] === NONE) {
      this.#holder[piece] = holder;
      this.#within[piece] = tagged;
      return;
    }
    this.#second ??= new Uint32Array(this.#holder.length);
    const at = this.#room();
    this.#further[at] = holder;
    this.#further[at + 1] = tagged;
    this.#further[at + 2] = this.#second[piece] as number;
    this.#second[piece] = this.#furtherCount;
  }

  /** Calls `use` for each word that points at `piece`. */
  each(piece: number, use: (holder: number, within: number, isCompressed: boolean) => void): void {
    if (this.#holder[piece] === NONE) return;
    const tell = (holder: number, tagged: number) => use(holder, tagged - (tagged & COMPRESSED), (tagged & 1) === 1);
    tell(this.#holder[piece] as number, this.#within[piece] as number);
    for (let next = this.#second?.[piece] ?? 0; next > 0; ) {
      const at = (next - 1) * 3;
      tell(this.#further[at] as number, this.#further[at + 1] as number);
      next = this.#further[at + 2] as number;
    }
  }

  /** For pieces that are made later on. */
  #widen(): void {
    const { length } = this.#holder;
    this.#holder = withRoom(this.#holder).fill(NONE, length);
    this.#within = withRoom(this.#within);
    if (this.#second !== undefined) this.#second = withRoom(this.#second);
  }

  #room(): number {
    const at = this.#furtherCount * 3;
    if (this.#furtherCount >= MAX_FURTHER) {
      throw new ImageError("unsupported", "Cannot keep in memory who points at what: too many snapshots share it", {
        format: "qcow2",
        structure: "L2 tables",
      });
    }
    if (at + 3 > this.#further.length) {
      const wider = new Uint32Array(Math.max(3072, Math.ceil(this.#further.length / 2) * 3));
      wider.set(this.#further);
      this.#further = wider;
    }
    this.#furtherCount++;
    return at;
  }
}
