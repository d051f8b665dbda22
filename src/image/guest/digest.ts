/**
 * Digests of what the guest sees.
 *
 * - `sha256`: SHA-256 of the guest's bytes, what `sha256sum` says of the raw disk.
 * - `blkhash-sha256`: what `blksum -d sha256` of the blkhash project prints: SHA-256 over the SHA-256 of each 64 KiB
 *   block (the last may be shorter) in order, followed by the disk's length as 64-bit little-endian. Zeros cost next
 *   to nothing, and blocks are hashed on several threads.
 */

import type { Hash } from "node:crypto";
import { availableParallelism } from "node:os";
import { MiB } from "../../bytes/align.ts";
import { crypto } from "../../storage/built-ins.ts";
import { storedGuestBytes } from "../extent.ts";
import { DIGEST_SIZE, digestOfZeros, hashBlocks } from "./block-hash.ts";
import { BLOCK_SIZE, type BlockWork, planBlockWork } from "./block-work.ts";
import { HashPool, sharedFiles } from "./hash-pool.ts";
import { readAhead, Turns } from "./read-ahead.ts";
import { GuestReader } from "./reader.ts";
import { type GuestTable, type GuestView, readsAsZeros } from "./view.ts";

export type DigestAlgorithm = "blkhash-sha256" | "sha256";

export interface DigestOptions {
  /** In bytes: of the disk for `sha256`, of what has to be read for `blkhash-sha256`. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Ends the computation within a fraction of a second, with an ImageError of kind `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** Threads to hash blocks on; by default one for each core, at most 4. Below 2 all is done on this thread. */
  readonly workerCount?: number | undefined;
}

/** More threads than this wait for memory rather than compute. */
const MAX_WORKERS = 4;
/** Starting threads takes as long as hashing this much. */
const MIN_BYTES_FOR_WORKERS = 64 * MiB;
/** A batch is long enough that handing it over costs nothing, and short enough to stay in a core's cache. */
const BATCH_BLOCKS = 16;
const BATCHES_AHEAD = 4;
const CHUNK_SIZE = MiB;
const CHUNKS_AHEAD = 4;
const ZEROS = Buffer.alloc(CHUNK_SIZE);

/** The digest in lower-case hex. Throws ImageError `io`, `corrupt` (a cluster that does not inflate) or `interrupted`. */
export function digestGuest(view: GuestView, algorithm: DigestAlgorithm, options: DigestOptions = {}): Promise<string> {
  return algorithm === "sha256" ? digestWhole(view, options) : digestBlocks(view, options);
}

async function digestBlocks(view: GuestView, options: DigestOptions): Promise<string> {
  const { table, virtualSize } = view;
  const total = storedGuestBytes(table);
  const turns = new Turns(options.signal, purpose(view));
  const hasher = openBlockHasher(view, total, options);
  const hash = new OuterHash();
  let done = 0;
  try {
    await turns.yield();
    const work = readAhead(planBlockWork(table, virtualSize, BATCH_BLOCKS), hasher.depth, hasher.start);
    for await (const { job, result } of work) {
      let taken = 0;
      for (const { zeroLength, storedLength } of job.runs) {
        await hash.addZeros(zeroLength, turns);
        const size = Math.ceil(storedLength / BLOCK_SIZE) * DIGEST_SIZE;
        hash.add(result.subarray(taken, taken + size));
        taken += size;
      }
      // A block that is stored in part counts whole, so that the sum may run a little ahead.
      done = Math.min(total, done + job.length);
      options.onProgress?.(done, total);
      await turns.yield();
    }
  } finally {
    await hasher.close();
  }
  return hash.finish(virtualSize);
}

interface BlockHasher {
  /** Pieces of work to keep under way. */
  readonly depth: number;
  start(work: BlockWork): Promise<Uint8Array>;
  close(): Promise<void>;
}

const NO_DIGESTS = new Uint8Array(0);

function openBlockHasher(view: GuestView, total: number, options: DigestOptions): BlockHasher {
  const workerCount = options.workerCount ?? Math.min(availableParallelism(), MAX_WORKERS);
  const files = sharedFiles(view.layers);
  const isWorthIt = options.workerCount !== undefined || total >= MIN_BYTES_FOR_WORKERS;
  if (files === undefined || workerCount < 2 || !isWorthIt) return blockHasherHere(view);

  const pool = new HashPool(workerCount, { files, maxBatchLength: BATCH_BLOCKS * BLOCK_SIZE });
  return {
    depth: workerCount * BATCHES_AHEAD,
    start: async (work) => (work.length === 0 ? NO_DIGESTS : pool.hash(work)),
    close: () => pool.close(),
  };
}

/** For small disks, and for storages without a descriptor. */
function blockHasherHere(view: GuestView): BlockHasher {
  const reader = new GuestReader(view);
  return {
    depth: BATCHES_AHEAD,
    async start(work) {
      const bytes = Buffer.allocUnsafe(work.length);
      let filled = 0;
      for (const { guestOffset, storedLength } of work.runs) {
        await reader.read(guestOffset, bytes.subarray(filled, filled + storedLength));
        filled += storedLength;
      }
      return hashBlocks(bytes);
    },
    close: async () => {},
  };
}

let shortRun: Buffer | undefined;

/** The digests of so many zero blocks as small disks have. */
function shortRunOfZeros(): Buffer {
  shortRun ??= Buffer.alloc(256 * DIGEST_SIZE, digestOfZeros(BLOCK_SIZE));
  return shortRun;
}

/** The digest over the block digests; those of zeros are fed many at a time. */
class OuterHash {
  readonly #hash: Hash = crypto().createHash("sha256");
  #longRun: Buffer | undefined;

  add(digests: Uint8Array): void {
    this.#hash.update(digests);
  }

  /** `length` bytes of guest from a block's start; only the disk's last block is short. */
  async addZeros(length: number, turns: Turns): Promise<void> {
    let blocks = Math.floor(length / BLOCK_SIZE);
    const atOnce = MiB / DIGEST_SIZE;
    while (blocks > 0) {
      // Only many of them are worth the long run's memory.
      if (blocks >= atOnce) this.#longRun ??= Buffer.alloc(MiB, digestOfZeros(BLOCK_SIZE));
      const run = this.#longRun ?? shortRunOfZeros();
      const count = Math.min(blocks, run.length / DIGEST_SIZE);
      this.#hash.update(run.subarray(0, count * DIGEST_SIZE));
      blocks -= count;
      if (run === this.#longRun) await turns.yield();
    }
    if (length % BLOCK_SIZE > 0) this.#hash.update(digestOfZeros(length % BLOCK_SIZE));
  }

  finish(virtualSize: number): string {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(virtualSize));
    return this.#hash.update(length).digest("hex");
  }
}

async function digestWhole(view: GuestView, options: DigestOptions): Promise<string> {
  const hash = crypto().createHash("sha256");
  const turns = new Turns(options.signal, purpose(view));
  const reader = new GuestReader(view);
  const chunks = readAhead(planChunks(view.table), CHUNKS_AHEAD, async ({ guestOffset, length, isZero }) => {
    if (isZero) return ZEROS.subarray(0, length);
    const bytes = Buffer.allocUnsafe(length);
    await reader.read(guestOffset, bytes);
    return bytes;
  });
  for await (const { job, result } of chunks) {
    hash.update(result);
    options.onProgress?.(job.guestOffset + job.length, view.virtualSize);
    await turns.yield();
  }
  return hash.digest("hex");
}

interface Chunk {
  readonly guestOffset: number;
  readonly length: number;
  readonly isZero: boolean;
}

/** The whole disk in order, in chunks that are known to be zeros or have to be read. */
function* planChunks(table: GuestTable): Generator<Chunk> {
  for (let row = 0; row < table.count; ) {
    const start = table.guestOffset[row] as number;
    const isZero = readsAsZeros(table, row);
    let end = start;
    // Short extents are read together; a chunk's worth of zeros is worth a chunk of its own.
    do end += table.length[row++] as number;
    while (
      row < table.count &&
      (readsAsZeros(table, row) === isZero || (!isZero && (table.length[row] as number) < CHUNK_SIZE))
    );
    for (let next = start; next < end; next += CHUNK_SIZE) {
      yield { guestOffset: next, length: Math.min(CHUNK_SIZE, end - next), isZero };
    }
  }
}

function purpose(view: GuestView): string {
  return `compute the checksum of ${view.layers[0]?.storage.path}`;
}
