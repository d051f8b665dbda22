/** What a qcow2 header must fulfil before any other byte is believed (docs/interop/qcow2.txt, "Header"). */
import { type HeaderExtensions } from "./header-extensions.ts";
import { type FeaturePart, type FixedPart } from "./header-fields.ts";
export declare const MAX_L1_BYTES: number;
export declare const MAX_REFCOUNT_TABLE_BYTES: number;
export declare const MIN_CLUSTER_BITS = 9;
export declare const MAX_CLUSTER_BITS = 21;
/** Where a rule is applied; for messages and bounds. */
interface Place {
    readonly path: string | undefined;
    readonly clusterSize: number;
}
/** Version, cluster size, disk size, encryption method. */
export declare function proveFixedPart(fixed: FixedPart, path: string | undefined): void;
/** The name must lie in the first cluster, behind the header; `available` is how much of that cluster the file has. */
export declare function proveBackingName(fixed: FixedPart, headerLength: number, available: number, place: Place): void;
/** Feature bits, header length, refcount order; names of unknown bits come from the image's own table. */
export declare function proveFeatures(fixed: FixedPart, features: FeaturePart, extensions: HeaderExtensions, { path, clusterSize }: Place): void;
/** The incompatible bit and the compression type must agree. */
export declare function proveCompression(features: FeaturePart, hasField: boolean, compressionType: number, path: string | undefined): void;
/**
 * Sizes and places of L1, refcount table and snapshot table; `bytesPerTable` is what one L2 table maps. That places
 * lie below 2^56 goes without saying: the fields' table refuses more than 2^53.
 */
export declare function proveTables(fixed: FixedPart, bytesPerTable: number, { path, clusterSize }: Place): void;
export {};
