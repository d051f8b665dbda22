/** What a qcow2 header must fulfil before any other byte is believed (docs/interop/qcow2.txt, "Header"). */

import { ceilDiv, isAligned, MiB } from "../../../bytes/align.ts";
import { hex, ImageError, type ImageErrorKind } from "../../../bytes/image-error.ts";
import { placeAt, say } from "../../../bytes/sentence.ts";
import { hasFlag, setBits } from "../../../bytes/struct.ts";
import { featureName, type HeaderExtensions } from "./extensions.ts";
import {
  AutoclearBit,
  type FeaturePart,
  type FixedPart,
  IncompatibleBit,
  MAX_BACKING_NAME,
  Qcow2HeaderV2,
} from "./fields.ts";

export const MAX_L1_BYTES = 32 * MiB;
export const MAX_REFCOUNT_TABLE_BYTES = 8 * MiB;
export const MIN_CLUSTER_BITS = 9;
export const MAX_CLUSTER_BITS = 21;
const MIN_SUBCLUSTER_CLUSTER_BITS = 14;
const MAX_SNAPSHOTS = 65_535;
const MAX_REFCOUNT_ORDER = 6;
const MIN_V3_HEADER_LENGTH = 104;
const COMPRESSION_TYPES = 2;

/** What QEMU of today refuses as well. */
const NEWER = "a QEMU as new as the image may know it: make a copy without it with that one's qemu-img convert";
/** QEMU opens such a header neither, so that its rebase is of no use; without a name an image stands for itself. */
const NO_NAME =
  "restore the header from a backup, or, in a copy, write 8 bytes of zeros at host offset 0x8: no backing file";

/** Where a rule is applied; for messages and bounds. */
interface Place {
  readonly path: string | undefined;
  readonly clusterSize: number;
}

/** Version, cluster size, disk size, encryption method. */
export function proveFixedPart(fixed: FixedPart, path: string | undefined): void {
  if (fixed.version !== 2 && fixed.version !== 3) {
    refuse("unsupported", "version", 4, `version ${fixed.version} is neither 2 nor 3`, path, NEWER);
  }
  if (fixed.clusterBits < MIN_CLUSTER_BITS || fixed.clusterBits > MAX_CLUSTER_BITS) {
    refuse("corrupt", "cluster_bits", 20, `${fixed.clusterBits} lies outside 9 to 21`, path);
  }
  if (!isAligned(fixed.size, 512)) {
    refuse(
      "unsupported",
      "size",
      24,
      `${fixed.size} is no multiple of 512`,
      path,
      "resize the disk with qemu-img first",
    );
  }
  if (fixed.cryptMethod > 2) {
    refuse("unsupported", "crypt_method", 32, `method ${fixed.cryptMethod} is not known`, path, NEWER);
  }
}

/** The name must lie in the first cluster, behind the header; `available` is how much of that cluster the file has. */
export function proveBackingName(fixed: FixedPart, headerLength: number, available: number, place: Place): void {
  const { backingFileOffset: hostOffset, backingFileSize: length } = fixed;
  if (hostOffset === 0) return;
  if (length > MAX_BACKING_NAME) {
    refuse(
      "corrupt",
      "backing_file_size",
      16,
      `${length} bytes, at most ${MAX_BACKING_NAME} are allowed`,
      place.path,
      NO_NAME,
    );
  }
  if (hostOffset < Math.max(headerLength, Qcow2HeaderV2.size)) {
    refuse(
      "corrupt",
      "backing_file_offset",
      8,
      `the name at ${hex(hostOffset)} lies inside the header`,
      place.path,
      NO_NAME,
    );
  }
  if (hostOffset + length > available) {
    refuse(
      "corrupt",
      "backing_file_offset",
      8,
      `the name at ${hex(hostOffset)} ends outside the first cluster of ${place.clusterSize} bytes`,
      place.path,
      NO_NAME,
    );
  }
}

/** Feature bits, header length, refcount order; names of unknown bits come from the image's own table. */
export function proveFeatures(
  fixed: FixedPart,
  features: FeaturePart,
  extensions: HeaderExtensions,
  { path, clusterSize }: Place,
): void {
  if (fixed.version === 2) return;
  const { headerLength, refcountOrder, incompatibleFeatures } = features;
  if (headerLength < MIN_V3_HEADER_LENGTH || headerLength > clusterSize || !isAligned(headerLength, 8)) {
    refuse("corrupt", "header_length", 100, `${headerLength} is no multiple of 8 from 104 to ${clusterSize}`, path);
  }
  const known: readonly number[] = Object.values(IncompatibleBit);
  const unknown = setBits(incompatibleFeatures).filter((bit) => !known.includes(bit));
  if (unknown.length > 0) {
    const names = unknown.map((bit) => {
      const name = featureName(extensions.featureNames, "incompatible", bit);
      return name === undefined ? `bit ${bit}` : `bit ${bit} (${name})`;
    });
    refuse("unsupported", "incompatible_features", 72, `unknown ${names.join(", ")}`, path, NEWER);
  }
  const isRaw = hasFlag(features.autoclearFeatures, AutoclearBit.rawDataFile);
  if (isRaw && !hasFlag(incompatibleFeatures, IncompatibleBit.dataFile)) {
    refuse("corrupt", "autoclear_features", 88, "the bit for a raw data file is set, but there is no data file", path);
  }
  if (refcountOrder > MAX_REFCOUNT_ORDER) {
    refuse("corrupt", "refcount_order", 96, `${refcountOrder} is more than ${MAX_REFCOUNT_ORDER}`, path);
  }
  const hasSubclusters = hasFlag(incompatibleFeatures, IncompatibleBit.extendedL2);
  if (hasSubclusters && fixed.clusterBits < MIN_SUBCLUSTER_CLUSTER_BITS) {
    refuse("corrupt", "cluster_bits", 20, `${fixed.clusterBits} lies outside 14 to 21 for extended L2 entries`, path);
  }
}

/** The incompatible bit and the compression type must agree. */
export function proveCompression(
  features: FeaturePart,
  hasField: boolean,
  compressionType: number,
  path: string | undefined,
): void {
  const hasBit = hasFlag(features.incompatibleFeatures, IncompatibleBit.compression);
  if (hasBit && !hasField) {
    refuse(
      "corrupt",
      "incompatible_features",
      72,
      "the compression bit is set, but the header has no such field",
      path,
    );
  }
  if (compressionType >= COMPRESSION_TYPES) {
    refuse("unsupported", "compression_type", 104, `type ${compressionType} is not known`, path);
  }
  if (hasBit !== compressionType > 0) {
    refuse("corrupt", "compression_type", 104, `type ${compressionType} contradicts the incompatible bit`, path);
  }
}

/**
 * Sizes and places of L1, refcount table and snapshot table; `bytesPerTable` is what one L2 table maps. That places
 * lie below 2^56 goes without saying: the fields' table refuses more than 2^53.
 */
export function proveTables(fixed: FixedPart, bytesPerTable: number, { path, clusterSize }: Place): void {
  const tableOffset = (name: string, fieldOffset: number, hostOffset: number) => {
    if (!isAligned(hostOffset, clusterSize)) {
      refuse("corrupt", name, fieldOffset, `${hex(hostOffset)} is no multiple of the cluster size`, path);
    }
  };
  if (fixed.l1Size * 8 > MAX_L1_BYTES) {
    refuse("unsupported", "l1_size", 36, `${fixed.l1Size} entries are more than 32 MiB`, path);
  }
  const needed = ceilDiv(fixed.size, bytesPerTable);
  if (fixed.l1Size < needed) {
    refuse("corrupt", "l1_size", 36, `${fixed.l1Size} entries are too few, the disk needs ${needed}`, path);
  }
  tableOffset("l1_table_offset", 40, fixed.l1TableOffset);

  if (fixed.refcountTableClusters === 0) {
    refuse("corrupt", "refcount_table_clusters", 56, "the image has no refcount table", path);
  }
  if (fixed.refcountTableClusters * clusterSize > MAX_REFCOUNT_TABLE_BYTES) {
    refuse("unsupported", "refcount_table_clusters", 56, `${fixed.refcountTableClusters} are more than 8 MiB`, path);
  }
  if (fixed.refcountTableOffset === 0) {
    refuse("corrupt", "refcount_table_offset", 48, "the refcount table lies on the header", path);
  }
  tableOffset("refcount_table_offset", 48, fixed.refcountTableOffset);

  if (fixed.snapshotCount > MAX_SNAPSHOTS) {
    refuse("unsupported", "nb_snapshots", 60, `${fixed.snapshotCount} are more than ${MAX_SNAPSHOTS}`, path);
  }
  if (fixed.snapshotCount > 0) tableOffset("snapshots_offset", 64, fixed.snapshotsOffset);
}

function refuse(
  kind: ImageErrorKind,
  field: string,
  hostOffset: number,
  because: string,
  path: string | undefined,
  remedy?: string,
): never {
  throw new ImageError(kind, say`Cannot use ${field} at host offset ${placeAt(hostOffset)}`, {
    because,
    remedy,
    format: "qcow2",
    path,
    structure: `header field ${field}`,
    hostOffset,
  });
}
