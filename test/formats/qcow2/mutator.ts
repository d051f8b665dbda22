/** Damages qcow2 images field by field, the same for each seed; finds the fields by itself, with no code of the driver. */

import type { Random } from "../../support/random.ts";

/** A place in the image where a table or header field lies. */
interface Site {
  readonly at: number;
  readonly size: 2 | 4 | 8;
  readonly what: string;
}

export interface Mutation {
  readonly what: string;
  readonly at: number;
  readonly before: bigint;
  readonly after: bigint;
}

const OFFSET_MASK = 0x00ff_ffff_ffff_fe00n;

export class Qcow2Mutator {
  readonly #image: Buffer;
  readonly #clusterSize: number;
  readonly #sites = new Map<string, Site[]>();

  constructor(image: Buffer) {
    this.#image = image;
    this.#clusterSize = 2 ** image.readUInt32BE(20);
    this.#findSites();
  }

  get kinds(): string[] {
    return [...this.#sites.keys()];
  }

  /** A damaged copy and what was done to it. */
  mutate(random: Random, count: number): { image: Buffer; mutations: Mutation[] } {
    const image = Buffer.from(this.#image);
    const mutations: Mutation[] = [];
    for (let turn = 0; turn < count; turn++) {
      const site = random.pick(this.#sites.get(random.pick(this.kinds)) as Site[]);
      const before = readAt(image, site);
      const after = BigInt.asUintN(site.size * 8, this.#damaged(before, site, random));
      writeAt(image, site, after);
      mutations.push({ what: site.what, at: site.at, before, after });
    }
    return { image, mutations };
  }

  #damaged(before: bigint, site: Site, random: Random): bigint {
    const clusters = Math.ceil(this.#image.length / this.#clusterSize);
    const somewhere = BigInt(random.below(clusters + 2)) * BigInt(this.#clusterSize);
    if (site.size !== 8) return random.pick([0n, 1n, before + 1n, before - 1n, BigInt(random.below(2 ** 16))]);
    const flags = before & ~OFFSET_MASK;
    return random.pick([
      0n,
      before ^ (1n << BigInt(random.below(64))),
      before ^ (1n << 63n),
      before ^ 1n,
      flags | somewhere,
      flags | somewhere | 0x8000_0000_0000_0000n,
      before + BigInt(this.#clusterSize),
      before | 0x200n,
      readAt(this.#image, random.pick(this.#sites.get(site.what) as Site[])),
    ]);
  }

  #findSites(): void {
    const image = this.#image;
    const version = image.readUInt32BE(4);
    const isExtended = version === 3 && (image.readUInt32BE(76) & 16) !== 0;
    const entrySize = isExtended ? 16 : 8;
    const refcountBits = version === 3 ? 2 ** image.readUInt32BE(96) : 16;
    const l1Tables = [{ at: u64(image, 40), count: image.readUInt32BE(36), what: "" }];
    let next = u64(image, 64);
    for (let index = 0; index < image.readUInt32BE(60); index++) {
      l1Tables.push({ at: u64(image, next), count: image.readUInt32BE(next + 8), what: "inactive " });
      this.#add("snapshot", next, 8);
      this.#add("snapshot", next + 8, 4);
      const tail = image.readUInt16BE(next + 12) + image.readUInt16BE(next + 14) + image.readUInt32BE(next + 36);
      next += Math.ceil((40 + tail) / 8) * 8;
    }
    for (const { at, count, what } of l1Tables) {
      for (let index = 0; index < count; index++) {
        this.#add(`${what}L1 entry`, at + index * 8, 8);
        const table = Number(image.readBigUInt64BE(at + index * 8) & OFFSET_MASK);
        if (table !== 0) this.#addL2(`${what}L2 entry`, table, entrySize);
      }
    }
    const table = u64(image, 48);
    for (let index = 0; index < 3; index++) this.#add("refcount table entry", table + index * 8, 8);
    const block = u64(image, table);
    const width = Math.max(2, refcountBits / 8) as 2 | 4 | 8;
    const clusters = Math.ceil(image.length / this.#clusterSize);
    const bytes = Math.min(this.#clusterSize, Math.ceil((clusters * refcountBits) / 8));
    for (let at = 0; at + width <= bytes; at += width) this.#add("refcount", block + at, width);
  }

  /** Used entries, and a few that are not. */
  #addL2(what: string, table: number, entrySize: number): void {
    for (let at = 0, unused = 0; at < this.#clusterSize; at += entrySize) {
      const place = table + at;
      const isUsed = this.#image.readBigUInt64BE(place) !== 0n;
      if (!isUsed && ++unused > 8) continue;
      this.#add(what, place, 8);
      if (entrySize === 16) this.#add(`${what}'s bitmap`, place + 8, 8);
    }
  }

  #add(what: string, at: number, size: 2 | 4 | 8): void {
    if (at + size > this.#image.length) return;
    const sites = this.#sites.get(what) ?? [];
    sites.push({ at, size, what });
    this.#sites.set(what, sites);
  }
}

function u64(image: Buffer, at: number): number {
  return Number(image.readBigUInt64BE(at));
}

function readAt(image: Buffer, { at, size }: Site): bigint {
  if (size === 8) return image.readBigUInt64BE(at);
  return BigInt(size === 4 ? image.readUInt32BE(at) : image.readUInt16BE(at));
}

function writeAt(image: Buffer, { at, size }: Site, value: bigint): void {
  if (size === 8) image.writeBigUInt64BE(value, at);
  else if (size === 4) image.writeUInt32BE(Number(value), at);
  else image.writeUInt16BE(Number(value), at);
}
