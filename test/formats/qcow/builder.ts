/** Makes qcow images (version 1) byte by byte from a description, by nothing of `src/`, compressed clusters too. */

import { deflateRawSync } from "node:zlib";
import { seededRandom } from "../../support/random.ts";
import { clusterContent } from "../guest-contents.ts";
import type { BuiltImage } from "../kit.ts";

export interface QcowDescription {
  /** Bytes; default 4096. */
  readonly clusterSize?: number;
  /** Default 9, as qemu-img writes. */
  readonly l2Bits?: number;
  /** Bytes of the guest's disk. */
  readonly virtualSize: number;
  /** Guest clusters that hold data. */
  readonly data?: readonly number[];
  /** Those that are compressed. */
  readonly compressed?: readonly number[];
  /** Bytes by which each stream is told to be longer than it is. */
  readonly streamsTellMore?: number;
  /** Shuffles data and streams in the file, with `shuffleTables` tables too; 0 or absent: guest order. */
  readonly seed?: number;
  readonly shuffleTables?: boolean;
  /** Where the tables lie unless they are shuffled; default before the data. */
  readonly tables?: "first" | "last";
  /** Default right behind the header, as qemu-img has it; else among the tables. */
  readonly l1?: "behind the header" | "apart";
  /** Sectors between units, so that they lie at any; default: all lie at multiples of the cluster size. */
  readonly sectorsBetween?: number;
  /** Clusters that nothing refers to, filled with 0xee. */
  readonly leaks?: number;
  readonly backingName?: string;
  /** Bytes that the file lacks of its last data cluster, where that ends it. */
  readonly cut?: number;
  /** Says that it is encrypted. */
  readonly cryptMethod?: number;
}

export interface BuiltQcow extends BuiltImage {
  readonly l1Offset: number;
  /** L1 index to host offset. */
  readonly l2Offsets: ReadonlyMap<number, number>;
  /** Guest cluster to host offset, streams too. */
  readonly dataOffsets: ReadonlyMap<number, number>;
}

const HEADER_SIZE = 48;
const SECTOR = 512;

type Unit =
  | { readonly kind: "l1" | "leak" }
  | { readonly kind: "l2" | "data"; readonly index: number }
  | { readonly kind: "stream"; readonly index: number; readonly bytes: Buffer };

export function buildQcow(description: QcowDescription): BuiltQcow {
  const { clusterSize = 4096, l2Bits = 9, virtualSize, seed = 0, sectorsBetween } = description;
  const { data = [], compressed = [], leaks = 0, tables = "first", cut = 0 } = description;
  const perTable = 2 ** l2Bits;
  const l1Bytes = Math.ceil(virtualSize / (perTable * clusterSize)) * 8;
  const name = Buffer.from(description.backingName ?? "");
  const random = seededRandom(seed);
  const l1Indexes = [...new Set([...data, ...compressed].map((cluster) => Math.floor(cluster / perTable)))];
  const isApart = description.l1 === "apart";
  const tableUnits: Unit[] = [
    ...(isApart ? [{ kind: "l1" as const }] : []),
    ...l1Indexes.sort((a, b) => a - b).map((index) => ({ kind: "l2" as const, index })),
  ];
  let guestUnits: Unit[] = [...data, ...compressed]
    .sort((a, b) => a - b)
    .map((index) =>
      compressed.includes(index)
        ? { kind: "stream", index, bytes: deflateRawSync(clusterContent(index, clusterSize), { windowBits: 12 }) }
        : { kind: "data", index },
    );
  guestUnits = [...guestUnits, ...Array.from({ length: leaks }, () => ({ kind: "leak" as const }))];
  if (seed !== 0) guestUnits = random.shuffle(guestUnits);
  let units = tables === "first" ? [...tableUnits, ...guestUnits] : [...guestUnits, ...tableUnits];
  if (description.shuffleTables) units = random.shuffle(units);

  const lengthOf = (unit: Unit) => {
    if (unit.kind === "l1") return l1Bytes;
    if (unit.kind === "l2") return perTable * 8;
    return unit.kind === "stream" ? unit.bytes.length : clusterSize;
  };
  let l1Offset = HEADER_SIZE + Math.ceil(name.length / 8) * 8;
  let next = isApart ? l1Offset : l1Offset + l1Bytes;
  const l2Offsets = new Map<number, number>();
  const dataOffsets = new Map<number, number>();
  const entries = new Map<number, bigint>();
  const placed = units.map((unit) => {
    const isPacked = unit.kind === "stream";
    const alignment = sectorsBetween === undefined ? clusterSize : SECTOR;
    const hostOffset = isPacked ? next : Math.ceil(next / alignment) * alignment + (sectorsBetween ?? 0) * SECTOR;
    next = hostOffset + lengthOf(unit);
    if (unit.kind === "l1") l1Offset = hostOffset;
    if (unit.kind === "l2") l2Offsets.set(unit.index, hostOffset);
    if (unit.kind === "data" || unit.kind === "stream") dataOffsets.set(unit.index, hostOffset);
    if (unit.kind === "data") entries.set(unit.index, BigInt(hostOffset));
    if (unit.kind === "stream") {
      const told = BigInt(unit.bytes.length + (description.streamsTellMore ?? 0));
      entries.set(unit.index, (1n << 63n) | (told << BigInt(63 - Math.log2(clusterSize))) | BigInt(hostOffset));
    }
    return { unit, hostOffset };
  });
  const bytes = Buffer.alloc(next + (description.streamsTellMore ?? 0));
  const guest = Buffer.alloc(Math.ceil(virtualSize / clusterSize) * clusterSize);
  for (const { unit, hostOffset } of placed) {
    if (unit.kind === "leak") bytes.fill(0xee, hostOffset, hostOffset + clusterSize);
    if (unit.kind !== "data" && unit.kind !== "stream") continue;
    const content = clusterContent(unit.index, clusterSize);
    if (unit === units.at(-1)) content.fill(0, clusterSize - cut);
    bytes.set(unit.kind === "stream" ? unit.bytes : content, hostOffset);
    guest.set(content, unit.index * clusterSize);
  }
  for (const [index, hostOffset] of l2Offsets) bytes.writeBigUInt64BE(BigInt(hostOffset), l1Offset + index * 8);
  for (const [cluster, entry] of entries) {
    const table = l2Offsets.get(Math.floor(cluster / perTable)) as number;
    bytes.writeBigUInt64BE(entry, table + (cluster % perTable) * 8);
  }
  bytes.write("QFI\xfb", 0, "latin1");
  bytes.writeUInt32BE(1, 4);
  bytes.writeBigUInt64BE(BigInt(name.length === 0 ? 0 : HEADER_SIZE), 8);
  bytes.writeUInt32BE(name.length, 16);
  bytes.writeBigUInt64BE(BigInt(virtualSize), 24);
  bytes.writeUInt8(Math.log2(clusterSize), 32);
  bytes.writeUInt8(l2Bits, 33);
  bytes.writeUInt32BE(description.cryptMethod ?? 0, 36);
  bytes.writeBigUInt64BE(BigInt(l1Offset), 40);
  bytes.set(name, HEADER_SIZE);
  return {
    bytes: new Uint8Array(bytes.subarray(0, bytes.length - cut)),
    guest: new Uint8Array(guest.subarray(0, virtualSize)),
    l1Offset,
    l2Offsets,
    dataOffsets,
  };
}
