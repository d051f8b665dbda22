/** Damage of each kind in a qcow2 image whose every cluster has its place, as after `preallocation=metadata`. */

import { closeSync, openSync, readSync, writeSync } from "node:fs";

const PLACE = 0x00ff_ffff_ffff_fe00n;
const COPIED = 1n << 63n;
/** How many entries or refcounts are damaged, spread over the whole image. */
const SPREAD = 1000;

/** What is wrong then, by name. */
export const damages: Readonly<Record<string, (image: Tables) => void>> = {
  "one wrong refcount": (image) => image.setRefcount(image.clusterOf(0.5), 2),
  "1,000 wrong refcounts": (image) => {
    for (let turn = 0; turn < SPREAD; turn++) image.setRefcount(image.clusterOf(turn / SPREAD), turn % 2 === 0 ? 0 : 2);
  },
  "1,000 leaked clusters": (image) => image.editSpread(() => 0n),
  "1,000 clear COPIED flags": (image) => image.editSpread((entry) => entry & ~COPIED),
  "1,000 entries outside the file": (image) => image.editSpread((entry) => entry | (1n << 50n)),
  "1,000 entries that share a cluster": (image) => image.editSpread((entry, before) => before || entry),
  "a refcount block of zeros": (image) => image.clearBlock(0.5),
  "the dirty bit alone": (image) => image.setDirty(),
};

/** The tables of one image, to be written to. */
class Tables {
  readonly #file: number;
  readonly #tableSize: number;
  readonly #refcountTable: number;
  readonly #l2Tables: readonly number[];

  constructor(file: number) {
    this.#file = file;
    const header = this.#read(0, 104);
    this.#tableSize = 2 ** header.readUInt32BE(20);
    this.#refcountTable = Number(header.readBigUInt64BE(48));
    const l1 = this.#read(Number(header.readBigUInt64BE(40)), 8 * header.readUInt32BE(36));
    this.#l2Tables = Array.from({ length: l1.length / 8 }, (_, index) => Number(l1.readBigUInt64BE(8 * index) & PLACE));
  }

  /** The host cluster of the entry that lies at this share of the disk. */
  clusterOf(share: number): number {
    return Number(this.#get(this.#entryAt(share)) & PLACE) / this.#tableSize;
  }

  /** 16-bit refcounts. */
  setRefcount(cluster: number, refcount: number): void {
    const perBlock = this.#tableSize / 2;
    const block = Number(this.#get(this.#refcountTable + 8 * Math.floor(cluster / perBlock)));
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16BE(refcount);
    this.#write(block + 2 * (cluster % perBlock), bytes);
  }

  /** `edit` is given an entry and the one before it, in the same table. */
  editSpread(edit: (entry: bigint, before: bigint) => bigint): void {
    for (let turn = 0; turn < SPREAD; turn++) {
      const at = this.#entryAt((turn + 0.5) / SPREAD);
      this.#set(at, edit(this.#get(at), this.#get(at - 8)));
    }
  }

  clearBlock(share: number): void {
    const block = Math.floor(this.clusterOf(share) / (this.#tableSize / 2));
    this.#write(Number(this.#get(this.#refcountTable + 8 * block)), Buffer.alloc(this.#tableSize));
  }

  setDirty(): void {
    this.#set(72, this.#get(72) | 1n);
  }

  #entryAt(share: number): number {
    const entries = this.#tableSize / 8;
    const index = Math.floor(share * this.#l2Tables.length * entries);
    // An odd one, which has another before it in its table.
    return (this.#l2Tables[Math.floor(index / entries)] as number) + 8 * ((index % entries) | 1);
  }

  #get(hostOffset: number): bigint {
    return this.#read(hostOffset, 8).readBigUInt64BE(0);
  }

  #set(hostOffset: number, value: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    this.#write(hostOffset, bytes);
  }

  #read(hostOffset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.#file, bytes, 0, length, hostOffset);
    return bytes;
  }

  #write(hostOffset: number, bytes: Buffer): void {
    writeSync(this.#file, bytes, 0, bytes.length, hostOffset);
  }
}

export function damage(path: string, kind: string): void {
  const file = openSync(path, "r+");
  damages[kind]?.(new Tables(file));
  closeSync(file);
}
