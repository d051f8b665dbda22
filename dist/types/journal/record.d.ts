/**
 * The journal's records on disk.
 *
 *   512 x n bytes each:  magic | journal id | sequence | sizes | CRC-32 | facts (JSON) | blob | zeros
 *
 * Every record is written with one write at a sector boundary and synced before the next, so a cut leaves a whole
 * prefix and at most one torn record after it.
 */
export interface JournalRecord {
    readonly facts: unknown;
    readonly blob: Uint8Array;
}
export declare function encodeRecord(journalId: Uint8Array, sequence: number, facts: unknown, blob: Uint8Array): Uint8Array;
/** What a journal file holds: its whole records, and where the next one goes. */
export interface Scan {
    readonly journalId: Uint8Array | undefined;
    readonly records: readonly JournalRecord[];
    readonly end: number;
}
/**
 * Reads the whole prefix of records. A torn tail is ignored; a valid record behind a broken one is damage that no cut
 * can make, and throws `corrupt`.
 */
export declare function scanRecords(file: Uint8Array, path: string): Scan;
