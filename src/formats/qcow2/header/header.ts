/** The qcow2 header, versions 2 and 3: parsing and validation (docs/interop/qcow2.txt, "Header"). */

import { ImageError } from "../../../bytes/image-error.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { type Flags64, hasFlag, NO_FLAGS } from "../../../bytes/struct.ts";
import type { BackingFile } from "../../../image/source.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import { type HeaderExtensions, NO_EXTENSIONS, parseHeaderExtensions } from "./extensions.ts";
import {
  type FeaturePart,
  type FixedPart,
  IncompatibleBit,
  QCOW2_MAGIC,
  Qcow2CompressionField,
  Qcow2HeaderV2,
  Qcow2HeaderV3,
  V3_HEADER_LENGTH,
} from "./fields.ts";
import { proveBackingName, proveCompression, proveFeatures, proveFixedPart, proveTables } from "./rules.ts";

export * from "./fields.ts";

/** A header that has passed every rule. Sizes and offsets in bytes. */
export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  readonly clusterSize: number;
  readonly virtualSize: number;
  readonly encryption: "aes" | "luks" | undefined;
  readonly l1EntryCount: number;
  readonly l1TableHostOffset: number;
  readonly refcountTableHostOffset: number;
  readonly refcountTableClusterCount: number;
  /** Width of a refcount: 1, 2, 4, ..., 64. */
  readonly refcountBits: number;
  readonly snapshotCount: number;
  readonly snapshotTableHostOffset: number;
  readonly incompatible: Flags64;
  readonly compatible: Flags64;
  readonly autoclear: Flags64;
  readonly hasSubclusters: boolean;
  readonly hasDataFile: boolean;
  readonly compression: "zlib" | "zstd";
  /** 72 for version 2. */
  readonly headerLength: number;
  readonly extensions: HeaderExtensions;
  readonly backing: BackingFile | undefined;
  /** Bytes of the header cluster that mean something: header, extensions, backing name. */
  readonly usedRanges: RangeSet;
}

/** Bytes of an L2 entry: 16 with subclusters. */
export function l2EntrySize(hasSubclusters: boolean): number {
  return hasSubclusters ? 16 : 8;
}

/** Bytes of guest that one L2 table maps. */
export function bytesPerL2Table(clusterSize: number, hasSubclusters = false): number {
  return (clusterSize / l2EntrySize(hasSubclusters)) * clusterSize;
}

export function isQcow2(head: Uint8Array): boolean {
  return head.length >= 4 && new DataView(head.buffer, head.byteOffset, 4).getUint32(0) === QCOW2_MAGIC;
}

/**
 * Reads and validates the header cluster.
 * @throws ImageError `not-this-format`, `unsupported` or `corrupt`, each naming the field's host offset.
 */
export async function readHeader(storage: Storage): Promise<Qcow2Header> {
  const fileSize = await storage.size();
  const head = await readZeroFilled(storage, 0, Math.min(fileSize, 512));
  const { clusterBits } = parseFixedPart(head, storage.path);
  const clusterSize = 2 ** clusterBits;
  const cluster = clusterSize <= head.length ? head : await readZeroFilled(storage, 0, Math.min(fileSize, clusterSize));
  return parseHeader(cluster, storage.path);
}

/** Parses the header from the file's first cluster, `cluster`, shorter only where the file is. */
export function parseHeader(cluster: Uint8Array, path?: string): Qcow2Header {
  const fixed = parseFixedPart(cluster, path);
  const clusterSize = 2 ** fixed.clusterBits;
  const place = { path, clusterSize };
  const features = fixed.version === 2 ? VERSION_2_FEATURES : Qcow2HeaderV3.parse(cluster);
  const headerCluster = cluster.subarray(0, clusterSize);
  proveBackingName(fixed, features.headerLength, headerCluster.length, place);

  const extensionsEnd = fixed.backingFileOffset === 0 ? headerCluster.length : fixed.backingFileOffset;
  // The length is proved with the features, but those want the names that the extensions hold.
  const extensions =
    features.headerLength <= extensionsEnd
      ? parseHeaderExtensions(headerCluster, features.headerLength, extensionsEnd, path)
      : NO_EXTENSIONS;
  proveFeatures(fixed, features, extensions, place);
  const hasSubclusters = hasFlag(features.incompatibleFeatures, IncompatibleBit.extendedL2);
  proveTables(fixed, bytesPerL2Table(clusterSize, hasSubclusters), place);

  const backing = backingFileOf(fixed, headerCluster, extensions);
  const usedRanges = RangeSet.of({ start: 0, end: Math.max(features.headerLength, extensions.end) });
  if (backing !== undefined) usedRanges.add(backing.hostOffset, backing.hostOffset + backing.nameBytes.length);
  return {
    version: fixed.version === 2 ? 2 : 3,
    clusterBits: fixed.clusterBits,
    clusterSize,
    virtualSize: fixed.size,
    encryption: ([undefined, "aes", "luks"] as const)[fixed.cryptMethod],
    l1EntryCount: fixed.l1Size,
    l1TableHostOffset: fixed.l1TableOffset,
    refcountTableHostOffset: fixed.refcountTableOffset,
    refcountTableClusterCount: fixed.refcountTableClusters,
    refcountBits: 2 ** features.refcountOrder,
    snapshotCount: fixed.snapshotCount,
    snapshotTableHostOffset: fixed.snapshotsOffset,
    incompatible: features.incompatibleFeatures,
    compatible: features.compatibleFeatures,
    autoclear: features.autoclearFeatures,
    hasSubclusters,
    hasDataFile: hasFlag(features.incompatibleFeatures, IncompatibleBit.dataFile),
    compression: compressionOf(features, headerCluster, path),
    headerLength: features.headerLength,
    extensions,
    backing,
    usedRanges,
  };
}

const VERSION_2_FEATURES: FeaturePart = {
  incompatibleFeatures: NO_FLAGS,
  compatibleFeatures: NO_FLAGS,
  autoclearFeatures: NO_FLAGS,
  refcountOrder: 4,
  headerLength: Qcow2HeaderV2.size,
};

function parseFixedPart(head: Uint8Array, path: string | undefined): FixedPart {
  if (!isQcow2(head)) {
    throw new ImageError("not-this-format", "Cannot open as qcow2: the file does not begin with its magic QFI\\xfb", {
      format: "qcow2",
      path,
      structure: "header",
      hostOffset: 0,
    });
  }
  const fixed = Qcow2HeaderV2.parse(head);
  proveFixedPart(fixed, path);
  return fixed;
}

function compressionOf(features: FeaturePart, cluster: Uint8Array, path: string | undefined): "zlib" | "zstd" {
  const hasField = features.headerLength >= V3_HEADER_LENGTH;
  const compressionType = hasField ? Qcow2CompressionField.parse(cluster).compressionType : 0;
  proveCompression(features, hasField, compressionType, path);
  return compressionType === 1 ? "zstd" : "zlib";
}

function backingFileOf(fixed: FixedPart, cluster: Uint8Array, extensions: HeaderExtensions): BackingFile | undefined {
  const { backingFileOffset: hostOffset, backingFileSize: length } = fixed;
  if (hostOffset === 0 || length === 0) return undefined;
  const nameBytes = cluster.slice(hostOffset, hostOffset + length);
  return { nameBytes, name: new TextDecoder().decode(nameBytes), format: extensions.backingFormat, hostOffset };
}
