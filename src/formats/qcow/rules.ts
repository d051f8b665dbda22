/** What a qcow target takes, chooses and refuses, from the source's facts and the user's options. */

import { ceilDiv, isAligned, isPowerOfTwo, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { UsageError } from "../../bytes/image-error.ts";
import type { Words } from "../../bytes/sentence.ts";
import type { ConversionOptions } from "../../image/source.ts";
import type { TargetOption, TargetOptionValues } from "../../image/target-options.ts";
import { judgeUnkept } from "../../image/unkept.ts";
import {
  ENTRY_SIZE,
  MAX_BACKING_NAME,
  MAX_CLUSTER_BITS,
  MAX_L2_BITS,
  MIN_CLUSTER_BITS,
  MIN_L2_BITS,
} from "./header.ts";

export const QCOW_OPTIONS: readonly TargetOption[] = [
  { name: "cluster_size", kind: "size", help: "Bytes of a cluster, a power of two from 512 to 64k" },
  { name: "l2_bits", kind: "number", isInternal: true, help: "Entries of an L2 table, as a power of two from 6 to 13" },
];

const MIN_CLUSTER_SIZE = 2 ** MIN_CLUSTER_BITS;
const MAX_CLUSTER_SIZE = 2 ** MAX_CLUSTER_BITS;
/** QEMU opens more, but all of it is read at each opening. */
const MAX_L1_BYTES = 32 * MiB;
/** Where L1 tables would get longer, L2 tables do. */
const USUAL_L1_BYTES = MiB;
/** Of the guest, below one L2 table: libqcow 20201213 opens no image with more. */
const USUAL_TABLE_BITS = 27;

export interface QcowGeometry {
  readonly clusterSize: number;
  readonly l2Bits: number;
}

export function l1EntriesFor(virtualSize: number, { clusterSize, l2Bits }: QcowGeometry): number {
  return ceilDiv(virtualSize, clusterSize * 2 ** l2Bits);
}

/** Throws UsageError for values that no source could use. */
export function chooseGeometry(
  source: Pick<ConversionOptions, "clusterSize" | "virtualSize"> & Partial<Pick<ConversionOptions, "backing">>,
  options: TargetOptionValues,
  inherited: TargetOptionValues = {},
): QcowGeometry {
  const usual = source.backing ? MIN_CLUSTER_SIZE : nearestClusterSize(source.clusterSize);
  const { cluster_size: clusterSize = usual } = options;
  if (typeof clusterSize !== "number" || !isClusterSize(clusterSize)) {
    throw new UsageError(`Cannot use cluster_size=${clusterSize}: expected a power of two from 512 to 64k`);
  }
  const kept = inherited.cluster_size === clusterSize ? inherited.l2_bits : undefined;
  const l2Bits = options.l2_bits ?? kept ?? usualL2Bits(source.virtualSize, clusterSize);
  if (typeof l2Bits !== "number" || l2Bits < MIN_L2_BITS || l2Bits > MAX_L2_BITS) {
    throw new UsageError(`Cannot use l2_bits=${l2Bits}: expected a number from ${MIN_L2_BITS} to ${MAX_L2_BITS}`);
  }
  return { clusterSize, l2Bits };
}

/** All reasons why a qcow can't hold the source, and what is left behind by the user's word. */
export function judgeSource(
  source: ConversionOptions,
  geometry: QcowGeometry,
  drop: ReadonlySet<string>,
): { readonly refusals: readonly Words[]; readonly dropped: readonly string[] } {
  const { virtualSize, backing } = source;
  const { refusals, dropped } = judgeUnkept(source, { hasNone: "a converted qcow has none", name: "qcow" }, drop);
  const reasons = [...refusals];
  if (virtualSize === 0) reasons.push("Cannot keep a disk of no bytes: QEMU opens no such qcow");
  if (!isAligned(virtualSize, SECTOR_SIZE)) {
    reasons.push(`Cannot keep the virtual size ${virtualSize}: qcow needs a multiple of 512; resize the image first`);
  }
  if (l1EntriesFor(virtualSize, geometry) * ENTRY_SIZE > MAX_L1_BYTES) {
    const { clusterSize } = geometry;
    reasons.push(
      `Cannot map ${virtualSize} bytes: with cluster_size=${clusterSize} the L1 table would be longer than 32 MiB` +
        (clusterSize < MAX_CLUSTER_SIZE ? "; choose a larger one" : ""),
    );
  }
  if (backing !== undefined && geometry.clusterSize > MIN_CLUSTER_SIZE) {
    reasons.push(
      `Cannot keep the backing file with cluster_size=${geometry.clusterSize}: where a guest writes a part of a cluster, ` +
        `QEMU's qcow loses what shows in the rest; use cluster_size=${MIN_CLUSTER_SIZE}`,
    );
  }
  if (backing?.format !== undefined) {
    reasons.push(
      `Cannot name the backing format ${backing.format}: qcow knows probed ones only; rebase the image without a format first`,
    );
  }
  if (backing !== undefined && backing.nameBytes.length > MAX_BACKING_NAME) {
    const { length } = backing.nameBytes;
    reasons.push(`Cannot keep the backing name of ${length} bytes: QEMU reads ${MAX_BACKING_NAME} at most`);
  }
  return { refusals: reasons, dropped };
}

function usualL2Bits(virtualSize: number, clusterSize: number): number {
  const clusterBits = Math.log2(clusterSize);
  // A table of one cluster, as most formats have it.
  let l2Bits = Math.min(clusterBits - Math.log2(ENTRY_SIZE), USUAL_TABLE_BITS - clusterBits);
  while (l2Bits < MAX_L2_BITS && l1EntriesFor(virtualSize, { clusterSize, l2Bits }) * ENTRY_SIZE > USUAL_L1_BYTES) {
    l2Bits++;
  }
  return l2Bits;
}

function isClusterSize(size: number): boolean {
  return isPowerOfTwo(size) && size >= MIN_CLUSTER_SIZE && size <= MAX_CLUSTER_SIZE;
}

function nearestClusterSize(size: number): number {
  if (!isPowerOfTwo(size)) return MAX_CLUSTER_SIZE;
  return Math.min(Math.max(size, MIN_CLUSTER_SIZE), MAX_CLUSTER_SIZE);
}
