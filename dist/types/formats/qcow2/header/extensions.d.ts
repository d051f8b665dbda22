/** Header extensions of qcow2: type, length, data padded to 8 bytes (docs/interop/qcow2.txt, "Header extensions"). */
export declare const ExtensionType: {
    readonly end: 0;
    readonly backingFormat: 3799591626;
    readonly featureNames: 1745090647;
    readonly bitmaps: 595929205;
    readonly encryption: 87539319;
    readonly dataFileName: 1145132097;
};
export declare const BitmapsExtension: import("../../../bytes/struct.ts").Struct<{
    bitmapCount: import("../../../bytes/struct.ts").Field<number>;
    reserved: import("../../../bytes/struct.ts").Field<number>;
    directorySize: import("../../../bytes/struct.ts").Field<number>;
    directoryOffset: import("../../../bytes/struct.ts").Field<number>;
}>;
export declare const EncryptionExtension: import("../../../bytes/struct.ts").Struct<{
    headerOffset: import("../../../bytes/struct.ts").Field<number>;
    headerLength: import("../../../bytes/struct.ts").Field<number>;
}>;
export type FeatureKind = "incompatible" | "compatible" | "autoclear";
export interface FeatureName {
    readonly kind: FeatureKind;
    readonly bit: number;
    readonly name: string;
}
/** One extension as stored; `hostOffset` is that of its data. */
export interface RawExtension {
    readonly type: number;
    readonly hostOffset: number;
    readonly data: Uint8Array;
}
export interface HeaderExtensions {
    readonly backingFormat: string | undefined;
    readonly featureNames: readonly FeatureName[];
    readonly bitmaps: {
        readonly bitmapCount: number;
        readonly directorySize: number;
        readonly directoryHostOffset: number;
    } | undefined;
    readonly encryptionHeader: {
        readonly hostOffset: number;
        readonly length: number;
    } | undefined;
    readonly dataFileName: string | undefined;
    /** Types that the specification does not know (yet). */
    readonly unknown: readonly RawExtension[];
    /** Every extension in its order, known or not. */
    readonly all: readonly RawExtension[];
    /** One past the last byte of the extensions, their end mark included. */
    readonly end: number;
}
export declare const NO_EXTENSIONS: HeaderExtensions;
/**
 * Parses what lies in [start, end) of the header cluster.
 * @throws ImageError `corrupt` where an extension is longer than its room or than its type allows.
 */
export declare function parseHeaderExtensions(cluster: Uint8Array, start: number, end: number, path?: string): HeaderExtensions;
/** Encodes extensions and the end mark; each padded with zeros to 8 bytes. */
export declare function encodeHeaderExtensions(extensions: readonly {
    readonly type: number;
    readonly data: Uint8Array;
}[]): Uint8Array;
/** The name that the image itself gives to a feature bit, if it gives one. */
export declare function featureName(names: readonly FeatureName[], kind: FeatureKind, bit: number): string | undefined;
/** Data of a feature name table. Names are cut at 46 bytes. */
export declare function encodeFeatureNames(names: readonly FeatureName[]): Uint8Array;
