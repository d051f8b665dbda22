/** The qcow2 header as field tables, feature bits and limits (docs/interop/qcow2.txt, "Header"). */

import { bytes, flags64, type StructValues, struct, u8, u32, u64 } from "../../../bytes/struct.ts";

export const QCOW2_MAGIC = 0x514649fb;

export const Qcow2HeaderV2 = struct(
  "qcow2 header",
  "be",
  { at: 0, size: 72 },
  {
    magic: u32(0),
    version: u32(4),
    backingFileOffset: u64(8),
    backingFileSize: u32(16),
    clusterBits: u32(20),
    size: u64(24),
    cryptMethod: u32(32),
    l1Size: u32(36),
    l1TableOffset: u64(40),
    refcountTableOffset: u64(48),
    refcountTableClusters: u32(56),
    snapshotCount: u32(60),
    snapshotsOffset: u64(64),
  },
);

export const Qcow2HeaderV3 = struct(
  "qcow2 v3 header",
  "be",
  { at: 72, size: 32 },
  {
    incompatibleFeatures: flags64(72),
    compatibleFeatures: flags64(80),
    autoclearFeatures: flags64(88),
    refcountOrder: u32(96),
    headerLength: u32(100),
  },
);

/** The one additional field that the specification has so far; there where the header length says so. */
export const Qcow2CompressionField = struct(
  "qcow2 compression type",
  "be",
  { at: 104, size: 8 },
  {
    compressionType: u8(104),
    padding: bytes(105, 7),
  },
);

/** Header length of a version 3 header with the compression type. */
export const V3_HEADER_LENGTH = Qcow2CompressionField.at + Qcow2CompressionField.size;

export const IncompatibleBit = { dirty: 0, corrupt: 1, dataFile: 2, compression: 3, extendedL2: 4 } as const;
export const CompatibleBit = { lazyRefcounts: 0 } as const;
export const AutoclearBit = { bitmaps: 0, rawDataFile: 1 } as const;

/** Longest backing file name, in bytes. */
export const MAX_BACKING_NAME = 1023;

export type FixedPart = StructValues<typeof Qcow2HeaderV2.fields>;
export type FeaturePart = StructValues<typeof Qcow2HeaderV3.fields>;
