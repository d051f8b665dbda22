/** The QED header: its field table, its feature bits, and every rule it must keep (QED specification, "Header"). */
import { type StructValues } from "../../../bytes/struct.ts";
import { type Storage } from "../../../storage/storage.ts";
export declare const QED_MAGIC: Uint8Array<ArrayBuffer>;
export declare const QedHeaderFields: import("../../../bytes/struct.ts").Struct<{
    magic: import("../../../bytes/struct.ts").Field<Uint8Array<ArrayBufferLike>>;
    clusterSize: import("../../../bytes/struct.ts").Field<number>;
    /** Of the L1 table and of each L2 table, in clusters. */
    tableSize: import("../../../bytes/struct.ts").Field<number>;
    /** In clusters. */
    headerSize: import("../../../bytes/struct.ts").Field<number>;
    features: import("../../../bytes/struct.ts").Field<import("../../../bytes/struct.ts").Flags64>;
    compatibleFeatures: import("../../../bytes/struct.ts").Field<import("../../../bytes/struct.ts").Flags64>;
    autoclearFeatures: import("../../../bytes/struct.ts").Field<import("../../../bytes/struct.ts").Flags64>;
    l1TableOffset: import("../../../bytes/struct.ts").Field<number>;
    /** The guest's disk, in bytes. */
    imageSize: import("../../../bytes/struct.ts").Field<number>;
    backingNameOffset: import("../../../bytes/struct.ts").Field<number>;
    backingNameSize: import("../../../bytes/struct.ts").Field<number>;
}>;
export type QedHeaderValues = StructValues<typeof QedHeaderFields.fields>;
/** Bit numbers of `features`. */
export declare const QedFeature: {
    readonly backingFile: 0;
    readonly needCheck: 1;
    readonly backingFormatNoProbe: 2;
};
export declare const MIN_CLUSTER_SIZE: number;
export declare const MAX_CLUSTER_SIZE: number;
export declare const MAX_TABLE_SIZE = 16;
export declare const ENTRY_SIZE = 8;
/** QEMU cuts longer names off in silence, so that they would name another file. */
export declare const MAX_BACKING_NAME_SIZE = 1023;
/** One bit each is kept of a file's clusters; a longer file is mostly leaks, since no QED table reaches that far. */
export declare const MAX_CLUSTER_COUNT: number;
/** A header that keeps all rules, with what follows from it. Offsets and sizes in bytes. */
export interface QedHeader {
    readonly values: QedHeaderValues;
    readonly virtualSize: number;
    readonly clusterSize: number;
    /** Of the L1 table and of each L2 table. */
    readonly tableBytes: number;
    /** Entries of one table. */
    readonly entryCount: number;
    readonly headerBytes: number;
    readonly l1Offset: number;
    readonly fileSize: number;
    /** Whole clusters of the file; readers round its length down, so a part of one doesn't count. */
    readonly clusterCount: number;
    /** As stored; undefined without a backing file. An empty name means none, as QEMU reads it. */
    readonly backingName: Uint8Array | undefined;
}
/** The largest disk that tables of `tableSize` clusters can map, in bytes; beyond 2^53 it is only nearly exact. */
export declare function maxVirtualSize(clusterSize: number, tableSize: number): number;
export declare function isQed(head: Uint8Array): boolean;
/** Reads and validates the header and the backing name; throws ImageError for the first rule that is broken. */
export declare function readQedHeader(storage: Storage): Promise<QedHeader>;
