/** The qcow2 header as field tables, feature bits and limits (docs/interop/qcow2.txt, "Header"). */
import { type StructValues } from "../../../bytes/struct.ts";
export declare const QCOW2_MAGIC = 1363560955;
export declare const Qcow2HeaderV2: import("../../../bytes/struct.ts").Struct<{
    magic: import("../../../bytes/struct.ts").Field<number>;
    version: import("../../../bytes/struct.ts").Field<number>;
    backingFileOffset: import("../../../bytes/struct.ts").Field<number>;
    backingFileSize: import("../../../bytes/struct.ts").Field<number>;
    clusterBits: import("../../../bytes/struct.ts").Field<number>;
    size: import("../../../bytes/struct.ts").Field<number>;
    cryptMethod: import("../../../bytes/struct.ts").Field<number>;
    l1Size: import("../../../bytes/struct.ts").Field<number>;
    l1TableOffset: import("../../../bytes/struct.ts").Field<number>;
    refcountTableOffset: import("../../../bytes/struct.ts").Field<number>;
    refcountTableClusters: import("../../../bytes/struct.ts").Field<number>;
    snapshotCount: import("../../../bytes/struct.ts").Field<number>;
    snapshotsOffset: import("../../../bytes/struct.ts").Field<number>;
}>;
export declare const Qcow2HeaderV3: import("../../../bytes/struct.ts").Struct<{
    incompatibleFeatures: import("../../../bytes/struct.ts").Field<import("../../../bytes/struct.ts").Flags64>;
    compatibleFeatures: import("../../../bytes/struct.ts").Field<import("../../../bytes/struct.ts").Flags64>;
    autoclearFeatures: import("../../../bytes/struct.ts").Field<import("../../../bytes/struct.ts").Flags64>;
    refcountOrder: import("../../../bytes/struct.ts").Field<number>;
    headerLength: import("../../../bytes/struct.ts").Field<number>;
}>;
/** The one additional field that the specification has so far; there where the header length says so. */
export declare const Qcow2CompressionField: import("../../../bytes/struct.ts").Struct<{
    compressionType: import("../../../bytes/struct.ts").Field<number>;
    padding: import("../../../bytes/struct.ts").Field<Uint8Array<ArrayBufferLike>>;
}>;
/** Header length of a version 3 header with the compression type. */
export declare const V3_HEADER_LENGTH: number;
export declare const IncompatibleBit: {
    readonly dirty: 0;
    readonly corrupt: 1;
    readonly dataFile: 2;
    readonly compression: 3;
    readonly extendedL2: 4;
};
export declare const CompatibleBit: {
    readonly lazyRefcounts: 0;
};
export declare const AutoclearBit: {
    readonly bitmaps: 0;
    readonly rawDataFile: 1;
};
/** Longest backing file name, in bytes. */
export declare const MAX_BACKING_NAME = 1023;
export type FixedPart = StructValues<typeof Qcow2HeaderV2.fields>;
export type FeaturePart = StructValues<typeof Qcow2HeaderV3.fields>;
