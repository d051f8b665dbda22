/** Worker threads that read and hash batches of blocks; two independent ones beat a reader that hands buffers over. */

import type { Worker } from "node:worker_threads";
import { ImageError, type ImageErrorDetails, type ImageErrorKind } from "../../bytes/image-error.ts";
import { workerThreads } from "../../storage/built-ins.ts";
import { isFileThere } from "../../storage/file/is-file-there.ts";
import { type SharedFile, sharedFileOf } from "../../storage/shared-file.ts";
import type { CompressionMethod } from "../compression.ts";
import type { BlockWork } from "./block-work.ts";
import type { GuestLayer } from "./view.ts";

/** What is wanted of blocks. */
export interface BlockTask {
  /** In what pieces zeros are looked for, a power of two up to a block; absent where they are not. */
  readonly zeroGrain?: number;
  /** True where zeros are all that is wanted. */
  readonly isWithoutDigest?: boolean;
}

/** What was seen of the stored blocks of a piece of work. */
export interface Seen {
  /** One after the other. */
  readonly digests: Uint8Array;
  /** Pairs of start and length, in bytes from the first block's first: pieces that are zeros. */
  readonly zeros?: Float64Array<ArrayBuffer>;
}

/** What a worker is told once. Descriptors belong to the process, so all threads read the very same open files. */
export interface WorkerSetup extends BlockTask {
  readonly files: readonly (SharedFile & {
    readonly clusterSize: number;
    readonly compression: CompressionMethod | undefined;
    readonly tailLength: number | undefined;
  })[];
  /** In bytes. */
  readonly maxBatchLength: number;
}

export interface BatchRequest {
  /** Number of the batch, given back with its result. */
  readonly batch: number;
  readonly length: number;
  readonly parts: Float64Array<ArrayBuffer>;
}

export interface BatchResult extends Seen {
  readonly batch: number;
}

export interface BatchFailure {
  readonly batch: number;
  readonly failure: {
    readonly kind: ImageErrorKind;
    readonly message: string;
    readonly details?: ImageErrorDetails;
  };
}

interface Member {
  readonly worker: Worker;
  readonly waiting: Map<number, { resolve(seen: Seen): void; reject(error: Error): void }>;
}

/** Undefined in a bundle that somebody made CommonJS of. */
const here = import.meta.url as string | undefined;
/** In the sources a TypeScript file; in dist a bundle of its own beside whatever bundle this module is in. */
const WORKER_URL =
  here === undefined ? undefined : new URL(here.endsWith(".ts") ? "./hash-worker.ts" : "./hash-worker.mjs", here);

/** Where threads begin, or undefined where a bundler took the library in and left that file behind. */
export function workerFile(): URL | undefined {
  return WORKER_URL !== undefined && isFileThere(WORKER_URL) ? WORKER_URL : undefined;
}

/** What workers need of the layers, or undefined where a layer is no file that threads could share. */
export function sharedFiles(layers: readonly GuestLayer[]): WorkerSetup["files"] | undefined {
  const files = [];
  for (const { storage, clusterSize, compression, tailLength } of layers) {
    const shared = sharedFileOf(storage);
    if (shared === undefined) return undefined;
    files.push({ ...shared, clusterSize, compression, tailLength });
  }
  return files;
}

export class HashPool {
  readonly #members: readonly Member[];
  #nextBatch = 0;
  #failure: ImageError | undefined;

  constructor(workerCount: number, setup: WorkerSetup, workerUrl: URL) {
    this.#members = Array.from({ length: workerCount }, () => this.#startMember(setup, workerUrl));
  }

  /** What is seen of the work's stored blocks; takes its parts along. Rejects with the ImageError that the worker met, or `io` where it died. */
  hash({ length, parts }: BlockWork): Promise<Seen> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const number = this.#nextBatch++;
      const member = this.#members.reduce((idler, other) => (other.waiting.size < idler.waiting.size ? other : idler));
      member.waiting.set(number, { resolve, reject });
      member.worker.postMessage({ batch: number, length, parts } satisfies BatchRequest, [parts.buffer]);
    });
  }

  /** Rejects all batches, under way and to come. */
  fail(error: ImageError): void {
    this.#failure ??= error;
    for (const { waiting } of this.#members) {
      for (const { reject } of waiting.values()) reject(this.#failure);
      waiting.clear();
    }
  }

  /** Ends the threads; once this returns none of them reads any more, so that the files may be closed. */
  async close(): Promise<void> {
    this.fail(new ImageError("io", "Cannot hash a batch: the workers are gone"));
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()));
  }

  #startMember(setup: WorkerSetup, workerUrl: URL): Member {
    // Flags of the parent, such as --input-type or a test runner's loaders, are none of the worker's.
    const { Worker } = workerThreads();
    const worker = new Worker(workerUrl, { workerData: setup, execArgv: [] });
    const member: Member = { worker, waiting: new Map() };
    worker.on("message", (answer: BatchResult | BatchFailure) => {
      const waiting = member.waiting.get(answer.batch);
      member.waiting.delete(answer.batch);
      if ("digests" in answer) waiting?.resolve(answer);
      else waiting?.reject(new ImageError(answer.failure.kind, answer.failure.message, answer.failure.details));
    });
    worker.on("error", (cause) => this.fail(workerError(cause)));
    worker.on("messageerror", (cause) => this.fail(workerError(cause)));
    worker.on("exit", (code) => this.fail(workerError(new Error(`it ended with code ${code}`))));
    return member;
  }
}

function workerError(cause: Error): ImageError {
  return new ImageError("io", `Cannot hash the guest on a worker thread: ${cause.message}`, {
    operation: "hash",
    cause,
  });
}
