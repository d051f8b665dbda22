/** Reads many tables of one size: neighbours in one read, several reads in flight, results in the order asked for. */
import type { Storage } from "../../storage/storage.ts";
/** Some tables in one buffer, valid until the next batch is asked for. */
export interface TableBatch {
    /** Index of the batch's first table in the list that was asked for. */
    readonly first: number;
    readonly count: number;
    readonly bytes: Uint8Array;
    /** Host offset of `bytes[0]`. */
    readonly hostOffset: number;
}
/**
 * Yields the tables at `hostOffsets` (any order) in that order. What lies past the end of file reads as zeros, so
 * callers check bounds beforehand.
 */
export declare function readTables(storage: Storage, hostOffsets: Float64Array, tableSize: number): AsyncGenerator<TableBatch>;
