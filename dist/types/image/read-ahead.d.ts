/** Keeps a few jobs under way and gives their results in order. */
/** Lets the event loop run now and then inside a long computation. */
export declare class Turns {
    #private;
    /** `what` completes "Cannot ...", e.g. `compute the checksum of disk.qcow2`. */
    constructor(signal: AbortSignal | undefined, what: string);
    /** Throws kind `interrupted` once the signal is aborted. */
    yield(): Promise<void>;
}
/**
 * Starts up to `depth` jobs ahead of the one whose result is awaited. When the caller stops early or a job throws,
 * those under way are awaited first, so that their buffers and descriptors are free again.
 */
export declare function readAhead<Job, Result>(jobs: Iterable<Job>, depth: number, start: (job: Job) => Promise<Result>): AsyncGenerator<{
    readonly job: Job;
    readonly result: Result;
}>;
