/** What a QED target takes, chooses and refuses, from the source's facts and the user's options. */

import { isAligned, isPowerOfTwo, KiB, MiB, SECTOR_SIZE } from "../../../bytes/align.ts";
import { UsageError } from "../../../bytes/image-error.ts";
import type { Words } from "../../../bytes/sentence.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { TargetOption, TargetOptionValues } from "../../../image/target-options.ts";
import { judgeUnkept } from "../../../image/unkept.ts";
import { MAX_BACKING_NAME_SIZE, MIN_CLUSTER_SIZE, maxVirtualSize } from "../header/header.ts";

export const QED_TARGET_OPTIONS: readonly TargetOption[] = [
  { name: "cluster_size", kind: "size", help: "Cluster size, a power of two from 4k to 4M" },
  { name: "table_size", kind: "number", help: "Clusters of the L1 table and of each L2 table: 2, 4, 8 or 16" },
];

/** The specification allows 64 MiB, but QEMU computes the tables' limit in 64 bits and opens none above 4 MiB. */
const MAX_OPENABLE_CLUSTER_SIZE = 4 * MiB;
const DEFAULT_CLUSTER_SIZE = 64 * KiB;

/** In order of preference: QEMU's default, then whatever holds more, then what 4 MiB clusters need. */
const TABLE_SIZES: readonly number[] = [4, 8, 16, 2];

/** QEMU 7.2 refuses an image whose tables could map 2^64 bytes or more: the limit overflows. */
const OPENABLE_LIMIT = 2 ** 64;

export interface QedGeometry {
  readonly clusterSize: number;
  readonly tableSize: number;
}

/** Throws UsageError for values that no source could use. */
export function chooseGeometry(source: ConversionOptions, options: TargetOptionValues): QedGeometry {
  const named = namedNumber(options, "cluster_size");
  if (named !== undefined && !isOpenableClusterSize(named)) {
    throw new UsageError(`Cannot use cluster_size=${named}: QED needs a power of two from 4096 to 4194304`);
  }
  const clusterSize = named ?? nearestClusterSize(source.clusterSize);
  const openable = TABLE_SIZES.filter((tableSize) => maxVirtualSize(clusterSize, tableSize) < OPENABLE_LIMIT);
  const tableSize = namedNumber(options, "table_size");
  if (tableSize === undefined) {
    const kept = source.creationOptions.table_size;
    const preferred = openable.toSorted((a, b) => Number(b === kept) - Number(a === kept));
    const holding = preferred.find((size) => source.virtualSize <= maxVirtualSize(clusterSize, size));
    return { clusterSize, tableSize: holding ?? (openable.at(0) as number) };
  }
  if (tableSize === 1)
    throw new UsageError("Cannot use table_size=1: QEMU can't open such an image; use 2, 4, 8 or 16");
  if (!TABLE_SIZES.includes(tableSize)) {
    throw new UsageError(`Cannot use table_size=${tableSize}: QED tables have 2, 4, 8 or 16 clusters`);
  }
  if (!openable.includes(tableSize)) {
    const usable = openable.toSorted((a, b) => a - b).join(", ");
    throw new UsageError(
      `Cannot use table_size=${tableSize} with cluster_size=${clusterSize}: QEMU can't open such an image; use ${usable}`,
    );
  }
  return { clusterSize, tableSize };
}

/** All reasons why QED can't hold the source, and what is left behind by the user's word. */
export function judgeSource(
  source: ConversionOptions,
  { clusterSize, tableSize }: QedGeometry,
  drop: ReadonlySet<string>,
): { readonly refusals: readonly Words[]; readonly dropped: readonly string[] } {
  const unkept = judgeUnkept(source, { hasNone: "QED has none", name: "QED" }, drop);
  const refusals: Words[] = [...unkept.refusals];
  refusals.push(...judgeBacking(source));
  const { virtualSize } = source;
  if (!isAligned(virtualSize, SECTOR_SIZE)) {
    refusals.push(`Cannot keep the virtual size ${virtualSize}: QED needs a multiple of 512; resize the image first`);
  }
  const limit = maxVirtualSize(clusterSize, tableSize);
  if (virtualSize > limit) {
    refusals.push(
      `Cannot map ${virtualSize} bytes: QED with cluster_size=${clusterSize} and table_size=${tableSize} ends at ${limit}; use larger ones`,
    );
  }
  return { refusals, dropped: unkept.dropped };
}

function judgeBacking({ backing }: ConversionOptions): string[] {
  if (backing === undefined) return [];
  const reasons: string[] = [];
  if (backing.format !== undefined && backing.format !== "raw") {
    reasons.push(
      `Cannot name the backing format ${backing.format}: QED knows raw and probed ones only; rebase the image without a format first`,
    );
  }
  if (backing.nameBytes.length > MAX_BACKING_NAME_SIZE) {
    reasons.push(
      `Cannot keep the backing name of ${backing.nameBytes.length} bytes: QEMU reads ${MAX_BACKING_NAME_SIZE} at most; rebase to a shorter one`,
    );
  }
  return reasons;
}

function namedNumber(options: TargetOptionValues, name: string): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw new UsageError(`Cannot use ${name}=${value}: it needs a number`);
  return value;
}

function isOpenableClusterSize(size: number): boolean {
  return isPowerOfTwo(size) && size >= MIN_CLUSTER_SIZE && size <= MAX_OPENABLE_CLUSTER_SIZE;
}

function nearestClusterSize(size: number): number {
  if (isOpenableClusterSize(size)) return size;
  if (!isPowerOfTwo(size)) return DEFAULT_CLUSTER_SIZE;
  return size < MIN_CLUSTER_SIZE ? MIN_CLUSTER_SIZE : MAX_OPENABLE_CLUSTER_SIZE;
}
