/** The header area of a QED file as settling leaves it: header, backing name, zeros. */
import { RangeSet } from "../../bytes/range-set.ts";
import type { Write } from "../../image/write.ts";
import { type Storage } from "../../storage/storage.ts";
import { type QedHeader } from "./header.ts";
export interface CleanHeader {
    /** Sector 0 with its unused bytes zeroed and unknown autoclear bits cleared, as a writer must. */
    readonly sector: Uint8Array;
    /** Whether sector 0 on disk differs from `sector`. */
    readonly sectorIsStale: boolean;
    /** Sectors of the header area past sector 0 with stale bytes, merged; in bytes. */
    readonly staleRanges: RangeSet;
    /** The backing name and where it lies; empty without one. */
    readonly name: {
        readonly start: number;
        readonly end: number;
        readonly bytes: Uint8Array;
    };
}
/** Reads the whole header area, piece by piece. */
export declare function readCleanHeader(storage: Storage, header: QedHeader): Promise<CleanHeader>;
/** Sector 0 of the same image with its L1 table elsewhere. */
export declare function withL1Offset(sector: Uint8Array, l1TableOffset: number): Uint8Array;
export declare function cleaningWrites({ sector, sectorIsStale, staleRanges, name }: CleanHeader): Generator<Write>;
