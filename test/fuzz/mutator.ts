/** Damages an image field by field: boundary values, random masks, exchanged pointers, lengths; the same for each seed. */

import type { FieldMap, FieldSite } from "../formats/field-map.ts";
import type { Random } from "../support/random.ts";

export interface Mutant {
  readonly bytes: Buffer;
  /** What was done, one phrase each, to tell of a failure. */
  readonly story: readonly string[];
}

export function mutate(image: Buffer, fields: FieldMap, random: Random): Mutant {
  let bytes = Buffer.from(image);
  const story: string[] = [];
  const count = random.chance(0.7) ? 1 : 2 + random.below(4);
  for (let turn = 0; turn < count; turn++) {
    if (random.chance(0.08)) bytes = otherLength(bytes, fields, random, story);
    else if (random.chance(0.06)) noise(bytes, fields, random, story);
    else if (random.chance(0.1)) exchange(bytes, fields, random, story);
    else change(bytes, fields, random, story);
  }
  return { bytes, story };
}

function anySite(fields: FieldMap, random: Random): FieldSite {
  const word = random.pick([...fields.sites.keys()]);
  return random.pick(fields.sites.get(word) as FieldSite[]);
}

function change(bytes: Buffer, fields: FieldMap, random: Random, story: string[]): void {
  const site = anySite(fields, random);
  if (site.hostOffset + site.size > bytes.length) return;
  const before = read(bytes, site, fields);
  const after = BigInt.asUintN(site.size * 8, damaged(before, bytes, site, fields, random));
  write(bytes, site, fields, after);
  story.push(`${site.what} at 0x${site.hostOffset.toString(16)}: 0x${before.toString(16)} -> 0x${after.toString(16)}`);
}

function damaged(before: bigint, bytes: Buffer, site: FieldSite, fields: FieldMap, random: Random): bigint {
  const bits = site.size * 8;
  const cluster = BigInt(fields.clusterSize);
  const length = BigInt(bytes.length);
  const somewhere = BigInt(random.below(Math.ceil(bytes.length / fields.clusterSize) + 2)) * cluster;
  const power = 1n << BigInt(random.below(bits));
  const flags = before & fields.entryFlags;
  const otherFlags = flags ^ (fields.entryFlags & (1n << 63n));
  const same = fields.sites.get(site.what) as FieldSite[];
  const kinds: (() => bigint)[] = [
    () => random.pick([0n, 1n, 2n, 3n, 7n, 8n, 9n, 511n, 512n, 513n, 1023n, 1024n, 4096n, 65_535n, 65_536n]),
    () => random.pick([-1n, -2n, -512n, -65_536n, power, power - 1n, power + 1n, -power]),
    () => random.pick([before + 1n, before - 1n, before * 2n, before / 2n, before + cluster, before - cluster]),
    () => before ^ power,
    () => before ^ BigInt.asUintN(bits, (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32))),
    () => before & BigInt.asUintN(bits, (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32))),
    () => length + random.pick([-cluster, -512n, -1n, 0n, 1n, 512n, cluster]),
    () => flags | somewhere,
    () => otherFlags | somewhere,
    () => somewhere + BigInt(random.below(fields.clusterSize)),
    () => read(bytes, random.pick(same), fields),
    () => read(bytes, anySite(fields, random), fields),
    // A compressed cluster of qcow2 that begins anywhere.
    () => (1n << 62n) | BigInt(random.below(bytes.length + 512)) | (BigInt(random.below(64)) << 54n),
  ];
  return random.pick(kinds)();
}

function exchange(bytes: Buffer, fields: FieldMap, random: Random, story: string[]): void {
  const one = anySite(fields, random);
  const candidates = random.chance(0.7)
    ? (fields.sites.get(one.what) as FieldSite[])
    : [...fields.sites.values()].flat().filter(({ size }) => size === one.size);
  const other = random.pick(candidates);
  if (other.size !== one.size || Math.max(one.hostOffset, other.hostOffset) + one.size > bytes.length) return;
  const value = read(bytes, one, fields);
  write(bytes, one, fields, read(bytes, other, fields));
  write(bytes, other, fields, value);
  story.push(`${one.what} at ${one.hostOffset} exchanged with ${other.what} at ${other.hostOffset}`);
}

/** Bytes that no table knows of: names, compressed streams, data. */
function noise(bytes: Buffer, fields: FieldMap, random: Random, story: string[]): void {
  const room = random.chance(0.5) ? Math.min(1024, fields.clusterSize, bytes.length) : bytes.length;
  if (room === 0) return;
  const at = random.below(room);
  const length = Math.min(1 + random.below(16), bytes.length - at);
  for (let index = 0; index < length; index++) bytes[at + index] = random.below(256);
  story.push(`${length} random bytes at ${at}`);
}

function otherLength(bytes: Buffer, fields: FieldMap, random: Random, story: string[]): Buffer<ArrayBuffer> {
  const { clusterSize } = fields;
  const length = random.pick([
    () => random.below(bytes.length + 1),
    () => random.below(1024),
    () => Math.floor(random.below(bytes.length + 1) / clusterSize) * clusterSize,
    () => bytes.length - 1 - random.below(Math.min(clusterSize, bytes.length + 1)),
    () => bytes.length + 1 + random.below(2 * clusterSize),
    () => bytes.length + clusterSize * (1 + random.below(4)),
  ])();
  const size = Math.max(0, length);
  const other = Buffer.alloc(size, random.chance(0.5) ? 0 : 0xa5);
  bytes.copy(other, 0, 0, Math.min(size, bytes.length));
  story.push(`length ${bytes.length} -> ${size}`);
  return other;
}

function read(bytes: Buffer, { hostOffset, size }: FieldSite, { isLittleEndian }: FieldMap): bigint {
  if (hostOffset + size > bytes.length) return 0n;
  const word = Buffer.alloc(8);
  bytes.copy(word, isLittleEndian ? 0 : 8 - size, hostOffset, hostOffset + size);
  return isLittleEndian ? word.readBigUInt64LE() : word.readBigUInt64BE();
}

function write(bytes: Buffer, { hostOffset, size }: FieldSite, { isLittleEndian }: FieldMap, value: bigint): void {
  if (hostOffset + size > bytes.length) return;
  const word = Buffer.alloc(8);
  if (isLittleEndian) word.writeBigUInt64LE(value);
  else word.writeBigUInt64BE(value);
  word.copy(bytes, hostOffset, isLittleEndian ? 0 : 8 - size, isLittleEndian ? size : 8);
}
