/** Worker threads that read and hash batches of blocks; two independent ones beat a reader that hands buffers over. */
import { ImageError, type ImageErrorDetails, type ImageErrorKind } from "../bytes/image-error.ts";
import type { BlockWork } from "./block-work.ts";
import type { GuestLayer } from "./guest-view.ts";
import type { CompressionMethod } from "./inflate.ts";
/** What a worker is told once. Descriptors belong to the process, so all threads read the very same open files. */
export interface WorkerSetup {
    readonly files: readonly {
        readonly descriptor: number;
        readonly path: string;
        readonly clusterSize: number;
        readonly compression: CompressionMethod;
    }[];
    /** In bytes. */
    readonly maxBatchLength: number;
}
export interface BatchRequest {
    /** Number of the batch, given back with its result. */
    readonly batch: number;
    readonly length: number;
    readonly parts: Float64Array<ArrayBuffer>;
}
export interface BatchResult {
    readonly batch: number;
    readonly digests: Uint8Array<ArrayBuffer>;
}
export interface BatchFailure {
    readonly batch: number;
    readonly failure: {
        readonly kind: ImageErrorKind;
        readonly message: string;
        readonly details?: ImageErrorDetails;
    };
}
/** What workers need of the layers, or undefined where a layer has no descriptor that threads could share. */
export declare function sharedFiles(layers: readonly GuestLayer[]): WorkerSetup["files"] | undefined;
export declare class HashPool {
    #private;
    constructor(workerCount: number, setup: WorkerSetup, workerUrl?: URL);
    /** The digests of the work's stored blocks; takes its parts along. Rejects with the ImageError that the worker met, or `io` where it died. */
    hash({ length, parts }: BlockWork): Promise<Uint8Array>;
    /** Rejects all batches, under way and to come. */
    fail(error: ImageError): void;
    /** Ends the threads; once this returns none of them reads any more, so that the files may be closed. */
    close(): Promise<void>;
}
