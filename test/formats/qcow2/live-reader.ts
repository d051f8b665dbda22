/**
 * What of a qcow2's bytes is live, read the slow and obvious way, apart from all code under test: which entry points at which
 * bytes, which cluster is counted how often, and where the tables lie that say so.
 */

import { inflateRawSync } from "node:zlib";

export interface LiveEntry {
  /** The 64 bits of the L2 entry. */
  readonly word: bigint;
  /** Of what it points at; an empty place for none. */
  readonly start: number;
  /** One past the last byte: of a stream, its last sector's. */
  readonly end: number;
  readonly kind: "none" | "plain" | "stream";
}

export interface LiveTable {
  readonly start: number;
  readonly end: number;
  readonly kind: "header" | "l1" | "l2" | "refcount table" | "refcount block";
  /** Of an L2 table the first guest cluster, of a block the first host cluster, that it tells of. */
  readonly first: number;
}

export interface LiveImage {
  readonly clusterSize: number;
  readonly refcountBits: number;
  readonly tables: readonly LiveTable[];
  /** By guest cluster, those that point at something. */
  readonly entries: ReadonlyMap<number, LiveEntry>;
  /** By host cluster, those that are not 0. */
  readonly counts: ReadonlyMap<number, number>;
}

const PLACE = 0x00ff_ffff_ffff_fe00n;

export function isQcow2(file: Uint8Array): boolean {
  return Buffer.from(file.subarray(0, 4)).toString("latin1") === "QFI\xfb";
}

export function readLive(file: Uint8Array): LiveImage {
  const image = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const clusterBits = image.readUInt32BE(20);
  const clusterSize = 2 ** clusterBits;
  const refcountBits = image.readUInt32BE(4) === 2 ? 16 : 2 ** image.readUInt32BE(96);
  const tables: LiveTable[] = [{ start: 0, end: 512, kind: "header", first: 0 }];
  const add = (kind: LiveTable["kind"], start: number, length: number, first: number) =>
    tables.push({ start, end: start + length, kind, first });
  const place = (at: number) => Number(image.readBigUInt64BE(at) & PLACE);

  const [l1, l1Count] = [place(40), image.readUInt32BE(36)];
  add("l1", l1, l1Count * 8, 0);
  const entries = new Map<number, LiveEntry>();
  const perTable = clusterSize / 8;
  for (let index = 0; index < l1Count; index++) {
    const l2 = place(l1 + index * 8);
    if (l2 === 0) continue;
    add("l2", l2, clusterSize, index * perTable);
    for (let at = 0; at < perTable; at++) {
      const word = image.readBigUInt64BE(l2 + at * 8);
      if (word !== 0n) entries.set(index * perTable + at, entryOf(word, clusterBits));
    }
  }

  const [table, tableLength] = [place(48), image.readUInt32BE(56) * clusterSize];
  add("refcount table", table, tableLength, 0);
  const perBlock = (clusterSize * 8) / refcountBits;
  const counts = new Map<number, number>();
  for (let index = 0; index < tableLength / 8; index++) {
    const block = place(table + index * 8);
    if (block === 0) continue;
    add("refcount block", block, clusterSize, index * perBlock);
    for (let at = 0; at < perBlock; at++) {
      const count = countAt(image, block, at, refcountBits);
      if (count > 0) counts.set(index * perBlock + at, count);
    }
  }
  return { clusterSize, refcountBits, tables, entries, counts };
}

/** Of whole bytes. */
function countAt(image: Buffer, block: number, at: number, bits: number): number {
  const bytes = bits / 8;
  return bytes === 8 ? Number(image.readBigUInt64BE(block + at * 8)) : image.readUIntBE(block + at * bytes, bytes);
}

function entryOf(word: bigint, clusterBits: number): LiveEntry {
  if (((word >> 62n) & 1n) === 1n) {
    const placeBits = BigInt(70 - clusterBits);
    const start = Number(word & ((1n << placeBits) - 1n));
    const sectors = Number((word & ((1n << 62n) - 1n)) >> placeBits) + 1;
    return { word, start, end: (Math.floor(start / 512) + sectors) * 512, kind: "stream" };
  }
  const start = Number(word & PLACE);
  if ((word & 1n) === 1n || start === 0) return { word, start: 0, end: 0, kind: "none" };
  return { word, start, end: start + 2 ** clusterBits, kind: "plain" };
}

/** The host clusters that it points at. */
export function* clustersOf({ start, end }: LiveEntry, clusterSize: number): Generator<number> {
  for (let cluster = Math.floor(start / clusterSize); cluster * clusterSize < end; cluster++) yield cluster;
}

/** What the guest sees there. */
export function contentOf(file: Uint8Array, { kind, start, end }: LiveEntry, clusterSize: number): Uint8Array {
  const content = new Uint8Array(clusterSize);
  if (kind === "none") return content;
  const stored = file.subarray(start, end);
  content.set(kind === "plain" ? stored : inflateRawSync(stored));
  return content;
}
