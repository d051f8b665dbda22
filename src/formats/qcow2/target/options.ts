/** Options of a qcow2 target, with qemu-img's names, and what is chosen where the user names nothing. */

import { isPowerOfTwo, MiB } from "../../../bytes/align.ts";
import { UsageError } from "../../../bytes/image-error.ts";
import type { CompressionMethod } from "../../../image/compression.ts";
import type { ConversionOptions } from "../../../image/source.ts";
import type { TargetOption, TargetOptionValues } from "../../../image/target-options.ts";
import { bytesPerL2Table } from "../header/header.ts";
import { MAX_L1_BYTES } from "../header/rules.ts";

export const QCOW2_OPTIONS: readonly TargetOption[] = [
  { name: "cluster_size", kind: "size", help: "Bytes of a cluster, a power of two from 512 to 2M" },
  { name: "compat", kind: "choice", choices: ["0.10", "1.1"], help: "Version of the format: 0.10 or 1.1 (default)" },
  { name: "refcount_bits", kind: "number", help: "Width of a refcount, a power of two from 1 to 64 (default 16)" },
  {
    name: "compression_type",
    kind: "choice",
    choices: ["zlib", "zstd"],
    help: "How clusters are compressed: zlib (default), or zstd, which QEMU reads from 5.1 on",
  },
  { name: "lazy_refcounts", kind: "boolean", help: "Let QEMU postpone refcount updates (default off)" },
  {
    name: "extended_l2",
    kind: "boolean",
    neverMade: true,
    help: "Subclusters: off (default); on is read, not written",
  },
];

const MIN_CLUSTER_SIZE = 512;
const MAX_CLUSTER_SIZE = 2 * MiB;
/** QEMU's own default, for sources whose unit says nothing about clusters. */
const USUAL_CLUSTER_SIZE = 65_536;
const USUAL_REFCOUNT_BITS = 16;
const MAX_REFCOUNT_BITS = 64;

export interface Qcow2Settings {
  readonly clusterSize: number;
  readonly compat: "0.10" | "1.1";
  readonly refcountBits: number;
  readonly lazyRefcounts: boolean;
  readonly compression: CompressionMethod;
  /** Asked for: it is read, and refused where it would have to be written. */
  readonly extendedL2: boolean;
}

/**
 * Chooses what `options` leaves open: as it is in `inherited` (the source's values, where it has some by these names) as far as the named ones
 * allow, else QEMU's default. Throws UsageError for values that no source could use.
 */
export function chooseSettings(
  source: Pick<ConversionOptions, "clusterSize" | "virtualSize"> & Partial<Pick<ConversionOptions, "compression">>,
  options: TargetOptionValues,
  inherited: TargetOptionValues = {},
): Qcow2Settings {
  for (const name of Object.keys(options)) {
    if (!QCOW2_OPTIONS.some((option) => option.name === name)) {
      const known = QCOW2_OPTIONS.map((option) => option.name).join(", ");
      throw new UsageError(`Cannot use option ${name} for qcow2: it knows ${known}`);
    }
  }
  const needsVersion3 =
    (options.refcount_bits ?? USUAL_REFCOUNT_BITS) !== USUAL_REFCOUNT_BITS ||
    options.lazy_refcounts ||
    options.compression_type === "zstd";
  const compat = options.compat ?? (needsVersion3 ? "1.1" : (inherited.compat ?? "1.1"));
  if (compat !== "0.10" && compat !== "1.1") throw unusable("compat", compat, "0.10 or 1.1");
  const usual = compat === "1.1" ? inherited : {};

  const clusterSize = options.cluster_size ?? defaultClusterSize(source);
  if (!isPowerWithin(clusterSize, MIN_CLUSTER_SIZE, MAX_CLUSTER_SIZE)) {
    throw unusable("cluster_size", clusterSize, "a power of two from 512 to 2M");
  }
  const refcountBits = options.refcount_bits ?? usual.refcount_bits ?? USUAL_REFCOUNT_BITS;
  if (!isPowerWithin(refcountBits, 1, MAX_REFCOUNT_BITS)) {
    throw unusable("refcount_bits", refcountBits, "a power of two from 1 to 64");
  }
  const lazyRefcounts = options.lazy_refcounts ?? usual.lazy_refcounts ?? false;
  if (typeof lazyRefcounts !== "boolean") throw unusable("lazy_refcounts", lazyRefcounts, "on or off");
  if (compat === "0.10" && refcountBits !== USUAL_REFCOUNT_BITS) {
    throw unusable("refcount_bits", refcountBits, "16 with compat=0.10");
  }
  if (compat === "0.10" && lazyRefcounts) throw unusable("lazy_refcounts", "on", "off with compat=0.10");
  const compression = options.compression_type ?? (compat === "1.1" ? source.compression : undefined) ?? "zlib";
  if (compression !== "zlib" && compression !== "zstd") throw unusable("compression_type", compression, "zlib or zstd");
  if (compat === "0.10" && compression === "zstd") throw unusable("compression_type", "zstd", "zlib with compat=0.10");
  const extendedL2 = options.extended_l2 ?? false;
  if (typeof extendedL2 !== "boolean") throw unusable("extended_l2", extendedL2, "on or off");
  return { clusterSize, compat, refcountBits, lazyRefcounts, compression, extendedL2 };
}

function unusable(name: string, value: string | number | boolean, expected: string): UsageError {
  return new UsageError(`Cannot use ${name}=${value}: expected ${expected}`);
}

/** The settings as `-o` would name them. */
export function optionValues(settings: Qcow2Settings): TargetOptionValues {
  return {
    cluster_size: settings.clusterSize,
    compat: settings.compat,
    refcount_bits: settings.refcountBits,
    lazy_refcounts: settings.lazyRefcounts,
    compression_type: settings.compression,
    extended_l2: settings.extendedL2,
  };
}

/** Entries that the L1 table of a disk needs. */
export function l1EntriesFor(virtualSize: number, clusterSize: number): number {
  return Math.ceil(virtualSize / bytesPerL2Table(clusterSize));
}

export function fitsL1(virtualSize: number, clusterSize: number): boolean {
  return l1EntriesFor(virtualSize, clusterSize) * 8 <= MAX_L1_BYTES;
}

/** The source's cluster size if qcow2 allows it, else the nearest; larger where the disk would not fit. */
function defaultClusterSize(source: { readonly clusterSize: number; readonly virtualSize: number }): number {
  const isUsable = isPowerOfTwo(source.clusterSize) && source.clusterSize >= MIN_CLUSTER_SIZE;
  let clusterSize = isUsable ? Math.min(source.clusterSize, MAX_CLUSTER_SIZE) : USUAL_CLUSTER_SIZE;
  while (clusterSize < MAX_CLUSTER_SIZE && !fitsL1(source.virtualSize, clusterSize)) clusterSize *= 2;
  return clusterSize;
}

function isPowerWithin(value: unknown, low: number, high: number): value is number {
  return typeof value === "number" && isPowerOfTwo(value) && value >= low && value <= high;
}
