/** Overwrites of a few bytes here and there, gathered by the sector: what a repair writes in place, and how the file would read with it. */

import { MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { ImageError } from "../../../bytes/image-error.ts";
import type { Write } from "../../../image/write.ts";
import type { Storage } from "../../../storage/storage.ts";

/** Sectors of all steps of one repair; their old bytes must find room in the journal. */
const MAX_SECTORS = (64 * MiB) / SECTOR_SIZE;
/** Sectors that are looked for together: a walk reads far more of them than are edited. */
const SECTORS_PER_GROUP = 64;
/** Neighbouring sectors become one write of at most this many. */
const SECTORS_PER_WRITE = MiB / SECTOR_SIZE;

/** A piece of the file in memory; begins and ends with a sector, but for the end of file. */
export interface Piece {
  readonly hostOffset: number;
  readonly bytes: Uint8Array;
}

/** Sectors by their number, and which groups they are in. */
interface EditedSectors {
  readonly bytes: Map<number, Uint8Array>;
  readonly groups: Set<number>;
}

export class SectorEdits {
  readonly #edited: EditedSectors = { bytes: new Map(), groups: new Set() };

  /** Grows with each change. */
  changeCount = 0;

  get isEmpty(): boolean {
    return this.#sectors.size === 0;
  }

  /** The sector that holds `hostOffset`, to be written to; taken from `piece`, which must hold all of it, if it is new. */
  sectorAt(hostOffset: number, piece: Piece): Uint8Array {
    this.changeCount++;
    const sector = Math.floor(hostOffset / SECTOR_SIZE);
    let bytes = this.#sectors.get(sector);
    if (bytes === undefined) {
      if (this.#sectors.size >= MAX_SECTORS) throw tooMuch();
      this.#edited.groups.add(Math.floor(sector / SECTORS_PER_GROUP));
      const start = sector * SECTOR_SIZE - piece.hostOffset;
      bytes = new Uint8Array(SECTOR_SIZE);
      bytes.set(piece.bytes.subarray(start, start + SECTOR_SIZE));
      this.#sectors.set(sector, bytes);
    }
    return bytes;
  }

  /** The sector as it is edited; undefined where it is not. */
  edited(hostOffset: number): Uint8Array | undefined {
    return this.#sectors.get(Math.floor(hostOffset / SECTOR_SIZE));
  }

  /** Sets 64 bits, big-endian, that lie in one sector. */
  set64(hostOffset: number, high: number, low: number, piece: Piece): void {
    const bytes = this.sectorAt(hostOffset, piece);
    const view = new DataView(bytes.buffer);
    view.setUint32(hostOffset % SECTOR_SIZE, high);
    view.setUint32((hostOffset % SECTOR_SIZE) + 4, low);
  }

  /** Puts `bytes`, which end with a sector or at the end of what lies there, as they are. */
  put(hostOffset: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += SECTOR_SIZE) this.sectorAt(hostOffset + at, { hostOffset, bytes });
  }

  /** These edits, and over them those of `later`. */
  with(later: SectorEdits): SectorEdits {
    const both = new SectorEdits();
    for (const edits of [this, later]) {
      for (const [sector, bytes] of edits.#sectors) both.#sectors.set(sector, bytes);
      for (const group of edits.#edited.groups) both.#edited.groups.add(group);
    }
    return both;
  }

  /** The edits within [start, end) in ascending order, neighbours together; nothing past `end`. */
  writes(start: number, end: number): Write[] {
    const order = [...this.#sectors.keys()]
      .filter((sector) => sector * SECTOR_SIZE >= start && sector * SECTOR_SIZE < end)
      .sort((a, b) => a - b);
    const writes: Write[] = [];
    for (let from = 0; from < order.length; ) {
      let to = from + 1;
      while (to < order.length && to - from < SECTORS_PER_WRITE && order[to] === (order[to - 1] as number) + 1) to++;
      const hostOffset = (order[from] as number) * SECTOR_SIZE;
      const bytes = new Uint8Array(Math.min((to - from) * SECTOR_SIZE, end - hostOffset));
      for (let at = from; at < to; at++) {
        const start = (at - from) * SECTOR_SIZE;
        bytes.set((this.#sectors.get(order[at] as number) as Uint8Array).subarray(0, bytes.length - start), start);
      }
      writes.push({ hostOffset, bytes });
      from = to;
    }
    return writes;
  }

  /** The file as it would be with these edits and, if it grows, with zeros up to `size`. */
  over(base: Storage, size: number): Storage {
    return new EditedStorage(base, this.#edited, size);
  }

  get #sectors(): Map<number, Uint8Array> {
    return this.#edited.bytes;
  }
}

class EditedStorage implements Storage {
  readonly path: string;
  readonly readAtOnce?: (hostOffset: number, into: Uint8Array) => number;
  readonly #base: Storage;
  readonly #edited: EditedSectors;
  readonly #size: number;

  constructor(base: Storage, edited: EditedSectors, size: number) {
    this.path = base.path;
    this.#base = base;
    this.#edited = edited;
    this.#size = size;
    const { readAtOnce } = base;
    if (readAtOnce) {
      this.readAtOnce = (hostOffset, into) => {
        const wanted = this.#wanted(hostOffset, into);
        return this.#edit(hostOffset, wanted, readAtOnce.call(base, hostOffset, wanted));
      };
    }
  }

  async size(): Promise<number> {
    return this.#size;
  }

  async read(hostOffset: number, into: Uint8Array): Promise<number> {
    const wanted = this.#wanted(hostOffset, into);
    return this.#edit(hostOffset, wanted, await this.#base.read(hostOffset, wanted));
  }

  #wanted(hostOffset: number, into: Uint8Array): Uint8Array {
    return into.subarray(0, Math.max(0, Math.min(into.length, this.#size - hostOffset)));
  }

  /** Lays the edits over what was read; what the base lacks are zeros. */
  #edit(hostOffset: number, wanted: Uint8Array, readCount: number): number {
    const { bytes: sectors, groups } = this.#edited;
    wanted.fill(0, readCount);
    const end = hostOffset + wanted.length;
    const groupSize = SECTORS_PER_GROUP * SECTOR_SIZE;
    for (let group = Math.floor(hostOffset / groupSize); group * groupSize < end && groups.size > 0; group++) {
      if (!groups.has(group)) continue;
      for (let sector = group * SECTORS_PER_GROUP; sector < (group + 1) * SECTORS_PER_GROUP; sector++) {
        const bytes = sectors.get(sector);
        const start = sector * SECTOR_SIZE - hostOffset;
        if (bytes === undefined || start + SECTOR_SIZE <= 0 || start >= wanted.length) continue;
        wanted.set(
          bytes.subarray(Math.max(0, -start), Math.min(SECTOR_SIZE, wanted.length - start)),
          Math.max(0, start),
        );
      }
    }
    return wanted.length;
  }

  /** Does nothing: the base belongs to whoever opened it. */
  async close(): Promise<void> {}
}

/** @throws ImageError `unsupported` where the steps of one repair write more than their old bytes may take in a journal */
export function refuseTooManySectors(steps: readonly { readonly writes: readonly Write[] }[]): void {
  let byteCount = 0;
  for (const { writes } of steps) for (const { bytes } of writes) byteCount += bytes.length;
  if (byteCount > MAX_SECTORS * SECTOR_SIZE) throw tooMuch();
}

function tooMuch(): ImageError {
  return new ImageError("unsupported", "Cannot repair the image in place", {
    because: "more than 64 MiB of its tables and refcounts are wrong",
    remedy: "copy it with qemu-img convert",
    format: "qcow2",
    operation: "repair",
  });
}
