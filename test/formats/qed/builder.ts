/** Makes QED images byte by byte from a description, by nothing of `src/`, so that drivers are tested against it. */

import { seededRandom } from "../../support/random.ts";
import { clusterContent } from "../guest-contents.ts";

export interface QedImageDescription {
  /** Bytes; default 4096. */
  readonly clusterSize?: number;
  /** Clusters of each L1 and L2 table; default 1 is not openable by qemu, so 2. */
  readonly tableSize?: number;
  /** Clusters of the header; default 1. */
  readonly headerSize?: number;
  /** Bytes of the guest's disk. */
  readonly virtualSize: number;
  /** Guest clusters that hold data: cluster number to the byte they are filled with, or undefined for a pattern. */
  readonly data?: ReadonlyMap<number, number | undefined> | readonly number[];
  /** Guest clusters that read as zeros by an L2 entry of 1. */
  readonly zero?: readonly number[];
  /** Shuffles the order in the file: data only, or with `shuffleTables` tables too. 0 or absent: guest order. */
  readonly seed?: number;
  readonly shuffleTables?: boolean;
  /** Where the tables lie unless they are shuffled; default before the data. */
  readonly tables?: "first" | "last";
  /** Clusters that nothing refers to, filled with 0xee, spread among the others when shuffled, else at the end. */
  readonly leaks?: number;
  readonly backingName?: string;
  /** Default 64, right after the header. */
  readonly backingNameAt?: number;
  readonly backingIsRaw?: boolean;
  /** Raw feature words, added to what the description implies. */
  readonly features?: bigint;
  readonly compatFeatures?: bigint;
  readonly autoclearFeatures?: bigint;
  /** Bytes after the last whole cluster, filled with 0xdd. */
  readonly tail?: number;
  /** Fills the unused bytes of the header clusters, to see who reads or clears them. */
  readonly staleHeaderByte?: number;
}

export interface BuiltQedImage {
  readonly bytes: Uint8Array;
  /** What the guest sees of this layer; unallocated clusters are zeros here. */
  readonly guest: Uint8Array;
  readonly l1Offset: number;
  /** L1 index to host offset. */
  readonly l2Offsets: ReadonlyMap<number, number>;
  /** Guest cluster to host offset. */
  readonly dataOffsets: ReadonlyMap<number, number>;
}

const ENTRY_BYTES = 8;

/** Host places are given out in the order L1, L2 tables, data, leaks, or as the description says. */
export function buildQedImage(description: QedImageDescription): BuiltQedImage {
  const { clusterSize = 4096, tableSize = 2, headerSize = 1, virtualSize, tables = "first", leaks = 0 } = description;
  const entryCount = (clusterSize * tableSize) / ENTRY_BYTES;
  const data = new Map<number, number | undefined>(
    description.data instanceof Map
      ? description.data
      : ((description.data ?? []) as readonly number[]).map((cluster) => [cluster, undefined] as const),
  );
  const zero = description.zero ?? [];
  const l1Indexes = [...new Set([...data.keys(), ...zero].map((cluster) => Math.floor(cluster / entryCount)))].sort(
    (a, b) => a - b,
  );

  const random = seededRandom(description.seed ?? 0);
  const tableUnits: Unit[] = [{ kind: "l1" }, ...l1Indexes.map((index) => ({ kind: "l2" as const, index }))];
  let dataUnits: Unit[] = [...data.keys()].map((cluster) => ({ kind: "data" as const, cluster }));
  const leakUnits: Unit[] = Array.from({ length: leaks }, () => ({ kind: "leak" as const }));
  if (description.seed) dataUnits = random.shuffle([...dataUnits, ...leakUnits]);
  else dataUnits = [...dataUnits, ...leakUnits];
  let units = tables === "first" ? [...tableUnits, ...dataUnits] : [...dataUnits, ...tableUnits];
  if (description.shuffleTables) units = random.shuffle(units);

  let next = headerSize * clusterSize;
  const places = units.map((unit) => {
    const hostOffset = next;
    next += (unit.kind === "l1" || unit.kind === "l2" ? tableSize : 1) * clusterSize;
    return { unit, hostOffset };
  });
  const bytes = new Uint8Array(next + (description.tail ?? 0)).fill(0xdd, next);
  const view = new DataView(bytes.buffer);
  const guest = new Uint8Array(Math.ceil(virtualSize / clusterSize) * clusterSize);
  const l2Offsets = new Map<number, number>();
  const dataOffsets = new Map<number, number>();
  let l1Offset = 0;
  for (const { unit, hostOffset } of places) {
    if (unit.kind === "l1") l1Offset = hostOffset;
    if (unit.kind === "l2") l2Offsets.set(unit.index, hostOffset);
    if (unit.kind === "leak") bytes.fill(0xee, hostOffset, hostOffset + clusterSize);
    if (unit.kind === "data") {
      dataOffsets.set(unit.cluster, hostOffset);
      const content = clusterContent(unit.cluster, clusterSize, data.get(unit.cluster));
      bytes.set(content, hostOffset);
      guest.set(content, unit.cluster * clusterSize);
    }
  }
  for (const [index, hostOffset] of l2Offsets) setEntry(view, l1Offset, index, hostOffset);
  const place = (cluster: number, entry: number) =>
    setEntry(view, l2Offsets.get(Math.floor(cluster / entryCount)) as number, cluster % entryCount, entry);
  for (const [cluster, hostOffset] of dataOffsets) place(cluster, hostOffset);
  for (const cluster of zero) place(cluster, 1);

  writeHeader(bytes, { ...description, clusterSize, tableSize, headerSize }, l1Offset);
  return { bytes, guest: guest.slice(0, virtualSize), l1Offset, l2Offsets, dataOffsets };
}

type Unit =
  | { readonly kind: "l1" }
  | { readonly kind: "l2"; readonly index: number }
  | { readonly kind: "data"; readonly cluster: number }
  | { readonly kind: "leak" };

/** Sets the 64-bit little-endian entry `index` of the table at `tableOffset`. */
export function setEntry(view: DataView, tableOffset: number, index: number, value: number | bigint): void {
  view.setBigUint64(tableOffset + index * ENTRY_BYTES, BigInt(value), true);
}

function writeHeader(
  bytes: Uint8Array,
  description: QedImageDescription & { clusterSize: number; tableSize: number; headerSize: number },
  l1Offset: number,
): void {
  const { clusterSize, tableSize, headerSize, virtualSize, backingName, backingIsRaw, staleHeaderByte } = description;
  if (staleHeaderByte !== undefined) bytes.fill(staleHeaderByte, 64, headerSize * clusterSize);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  bytes.set([0x51, 0x45, 0x44, 0]);
  view.setUint32(4, clusterSize, true);
  view.setUint32(8, tableSize, true);
  view.setUint32(12, headerSize, true);
  const implied = (backingName === undefined ? 0n : 1n) | (backingIsRaw ? 4n : 0n);
  view.setBigUint64(16, implied | (description.features ?? 0n), true);
  view.setBigUint64(24, description.compatFeatures ?? 0n, true);
  view.setBigUint64(32, description.autoclearFeatures ?? 0n, true);
  view.setBigUint64(40, BigInt(l1Offset), true);
  view.setBigUint64(48, BigInt(virtualSize), true);
  if (backingName !== undefined) {
    const name = new TextEncoder().encode(backingName);
    const nameAt = description.backingNameAt ?? 64;
    view.setUint32(56, nameAt, true);
    view.setUint32(60, name.length, true);
    bytes.set(name, nameAt);
  }
}
