/**
 * Qcow2 images as hardly anybody makes them, each with what its guest sees: streams side by side over the borders of clusters,
 * shared by several entries, said to be longer than they are, longer than a cluster; plain clusters in no order between them,
 * counts that are too high.
 */

import { deflateRawSync } from "node:zlib";
import { type Random, seededRandom } from "../../support/random.ts";
import type { BuiltImage } from "../kit.ts";

const CLUSTER = 65_536;
const COPIED = 1n << 63n;
const COMPRESSED = 1n << 62n;
const PLACE_BITS = 54n;
/** No last block, stored, of no bytes. */
const EMPTY_BLOCK = Buffer.from([0, 0, 0, 0xff, 0xff]);
/** Header, refcount table, refcount block, L1, L2. */
const TABLES = 5;

export interface PackableShape {
  readonly seed: number;
  readonly guestClusters: number;
  readonly sectorsLess: number;
  /** Of the clusters that are stored: streams, and of those entries that point at another's. */
  readonly streams: number;
  readonly shared: number;
  /** Of the streams: made of more bytes than they need, more than a cluster some of them. */
  readonly long: number;
  /** Whether what is stored lies in the guest's order. */
  readonly isInOrder: boolean;
  readonly refcountOrder: 4 | 5 | 6;
}

interface Stored {
  readonly word: bigint;
  readonly start: number;
  readonly end: number;
  /** One past the last byte that is its own. */
  readonly ownEnd: number;
  readonly plain: Uint8Array;
}

export function buildPackable(shape: PackableShape): BuiltImage {
  const { guestClusters, sectorsLess, isInOrder } = shape;
  const random = seededRandom(shape.seed);
  const guest = new Uint8Array(guestClusters * CLUSTER);
  const file = Buffer.alloc((TABLES + 4 + 3 * guestClusters) * CLUSTER);
  const counts = new Uint32Array(file.length / CLUSTER).fill(1, 0, TABLES);
  const present = [...Array(guestClusters).keys()].filter(() => random.chance(0.85));
  const streams: Stored[] = [];
  let at = TABLES * CLUSTER;
  for (const cluster of isInOrder ? present : random.shuffle(present)) {
    if (random.chance(0.1)) at += random.below(2 * CLUSTER);
    const stored =
      streams.length > 0 && random.chance(shape.shared)
        ? random.pick(streams)
        : random.chance(shape.streams)
          ? streamAt(file, at, shape, random)
          : plainAt(file, at, random);
    if (stored.word >> 63n === 0n) streams.push(stored);
    at = Math.max(at, stored.ownEnd);
    guest.set(stored.plain, cluster * CLUSTER);
    file.writeBigUInt64BE(stored.word, 4 * CLUSTER + cluster * 8);
    count(counts, stored.start, stored.end);
  }
  const end = Math.ceil(at / CLUSTER) + 1 + random.below(3);
  // What a cut leaves: nobody's, or a stream's cluster counted once more.
  for (let cluster = TABLES; cluster < end; cluster++)
    if (random.chance(0.05) && isOfStreams(cluster, streams, counts)) counts[cluster] = (counts[cluster] ?? 0) + 1;
  const virtualSize = guestClusters * CLUSTER - sectorsLess * 512;
  putTables(file, virtualSize, shape.refcountOrder, counts);
  return { bytes: new Uint8Array(file.subarray(0, end * CLUSTER)), guest: guest.subarray(0, virtualSize) };
}

function isOfStreams(cluster: number, streams: readonly Stored[], counts: Uint32Array): boolean {
  const reaches = ({ start, end }: Stored) => start < (cluster + 1) * CLUSTER && end > cluster * CLUSTER;
  return counts[cluster] === 0 || streams.some(reaches);
}

function count(counts: Uint32Array, start: number, end: number): void {
  for (let cluster = Math.floor(start / CLUSTER); cluster * CLUSTER < end; cluster++)
    counts[cluster] = (counts[cluster] ?? 0) + 1;
}

function plainAt(file: Buffer, from: number, random: Random): Stored {
  const start = Math.ceil(from / CLUSTER) * CLUSTER;
  const plain = contentOf(random.pick([0, 0.3, 0.9, 1]), random);
  file.set(plain, start);
  return { word: COPIED | BigInt(start), start, end: start + CLUSTER, ownEnd: start + CLUSTER, plain };
}

function streamAt(file: Buffer, start: number, { long }: PackableShape, random: Random): Stored {
  const plain = contentOf(random.pick([0.001, 0.05, 0.3, 0.6, 0.95, 1]), random);
  const raw = deflateRawSync(plain, { windowBits: random.pick([12, 15]), level: random.pick([1, 6, 9]) });
  const most = 2 * CLUSTER - 512 - raw.length;
  const empty = random.chance(long) ? random.below(Math.floor(most / EMPTY_BLOCK.length)) : 0;
  const stream = Buffer.concat([Buffer.alloc(empty * EMPTY_BLOCK.length, EMPTY_BLOCK), raw]);
  file.set(stream, start);
  const sectors = Math.ceil((start + stream.length) / 512) - Math.floor(start / 512);
  const said = random.chance(long) ? Math.min(256, sectors + random.below(9)) : sectors;
  const word = COMPRESSED | (BigInt(said - 1) << PLACE_BITS) | BigInt(start);
  return { word, start, end: (Math.floor(start / 512) + said) * 512, ownEnd: start + stream.length, plain };
}

/** A part of it noise, the rest text. */
function contentOf(noise: number, random: Random): Uint8Array {
  const words = new Uint32Array(CLUSTER / 4).fill(0x41424344 + random.below(256));
  const end = Math.floor(words.length * noise);
  let state = 1 + random.below(2 ** 31);
  for (let at = 0; at < end; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return new Uint8Array(words.buffer);
}

function putTables(file: Buffer, virtualSize: number, refcountOrder: number, counts: Uint32Array): void {
  file.writeUInt32BE(0x514649fb, 0);
  file.writeUInt32BE(3, 4);
  file.writeUInt32BE(16, 20);
  file.writeBigUInt64BE(BigInt(virtualSize), 24);
  file.writeUInt32BE(1, 36);
  file.writeBigUInt64BE(BigInt(3 * CLUSTER), 40);
  file.writeBigUInt64BE(BigInt(CLUSTER), 48);
  file.writeUInt32BE(1, 56);
  file.writeUInt32BE(refcountOrder, 96);
  file.writeUInt32BE(112, 100);
  file.writeBigUInt64BE(BigInt(2 * CLUSTER), CLUSTER);
  file.writeBigUInt64BE(COPIED | BigInt(4 * CLUSTER), 3 * CLUSTER);
  const bytes = 2 ** refcountOrder / 8;
  for (const [cluster, said] of counts.entries()) file.writeUInt16BE(said, 2 * CLUSTER + (cluster + 1) * bytes - 2);
}
