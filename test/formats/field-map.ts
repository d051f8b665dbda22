/** The fields and table entries of a valid image: where they lie, found by the specifications and by nothing of `src/`. */

/** One number in the file. */
export interface FieldSite {
  readonly hostOffset: number;
  readonly size: 1 | 2 | 4 | 8;
  /** The specification's word; sites of one word are exchanged with one another. */
  readonly what: string;
}

export interface FieldMap {
  readonly isLittleEndian: boolean;
  /** Bits of an entry that are no place; 0 where an entry is a place and nothing else. */
  readonly entryFlags: bigint;
  readonly clusterSize: number;
  readonly sites: ReadonlyMap<string, readonly FieldSite[]>;
}

/** Entries of one table that hold nothing: a few stand for all. */
export const UNUSED_ENTRIES = 6;
/** Entries of one word: a large table has no more to say. */
const MAX_SITES = 4096;

export class SiteList {
  readonly sites = new Map<string, FieldSite[]>();
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  add(what: string, hostOffset: number, size: 1 | 2 | 4 | 8): void {
    const sites = this.sites.get(what) ?? [];
    if (hostOffset + size > this.#length || sites.length >= MAX_SITES) return;
    sites.push({ hostOffset, size, what });
    this.sites.set(what, sites);
  }
}
