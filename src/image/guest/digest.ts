/**
 * Digests of what the guest sees.
 *
 * - `sha256`: SHA-256 of the guest's bytes, what `sha256sum` says of the raw disk.
 * - `blkhash-sha256`: what `blksum -d sha256` of the blkhash project prints: SHA-256 over the SHA-256 of each 64 KiB
 *   block (the last may be shorter) in order, followed by the disk's length as 64-bit little-endian. Zeros cost next
 *   to nothing, and blocks are hashed on several threads.
 */

import type { Hash } from "node:crypto";
import { MiB } from "../../bytes/align.ts";
import { crypto } from "../../storage/built-ins.ts";
import { DIGEST_SIZE, digestOfZeros } from "./block-hash.ts";
import { type PassOptions, passOverBlocks } from "./block-pass.ts";
import { BLOCK_SIZE } from "./block-work.ts";
import { readAhead, Turns } from "./read-ahead.ts";
import { GuestReader } from "./reader.ts";
import { type GuestTable, type GuestView, readsAsZeros } from "./view.ts";
import { digestOfZeroDisk } from "./zero-disks.ts";
import { ZeroFinder, type ZeroUnits, zeroPieces } from "./zero-units.ts";

export type DigestAlgorithm = "blkhash-sha256" | "sha256";

export interface DigestOptions extends PassOptions {
  /** Is given, while the disk is read, the units that read as zeros. */
  readonly zeroUnits?: ZeroUnits | undefined;
}

const CHUNK_SIZE = MiB;
const CHUNKS_AHEAD = 4;
const ZEROS = Buffer.alloc(CHUNK_SIZE);

/** The digest in lower-case hex. Throws ImageError `io`, `corrupt` (a cluster that does not inflate) or `interrupted`. */
export function digestGuest(view: GuestView, algorithm: DigestAlgorithm, options: DigestOptions = {}): Promise<string> {
  return algorithm === "sha256" ? digestWhole(view, options) : digestBlocks(view, options);
}

async function digestBlocks(view: GuestView, options: DigestOptions): Promise<string> {
  const turns = new Turns(options.signal, purpose(view));
  const finder = options.zeroUnits && new ZeroFinder(options.zeroUnits);
  const hash = new OuterHash();
  const task = finder ? { zeroGrain: finder.grain } : {};
  await passOverBlocks(view, task, turns, options, async ({ runs }, { digests, zeros = [] }) => {
    let taken = 0;
    for (const { zeroLength, storedLength } of runs) {
      await hash.addZeros(zeroLength, turns);
      const size = Math.ceil(storedLength / BLOCK_SIZE) * DIGEST_SIZE;
      if (size > 0) await hash.add(digests.subarray(taken, taken + size), turns);
      taken += size;
    }
    finder?.addOfRuns(runs, zeros);
  });
  finder?.finish(view);
  return await hash.finish(view.virtualSize, turns);
}

let shortRun: Buffer | undefined;

/** The digests of so many zero blocks as small disks have. */
function shortRunOfZeros(): Buffer {
  shortRun ??= Buffer.alloc(256 * DIGEST_SIZE, digestOfZeros(BLOCK_SIZE));
  return shortRun;
}

/** The digest over the block digests; those of zeros are fed many at a time, and not before they have to be. */
class OuterHash {
  readonly #hash: Hash = crypto().createHash("sha256");
  #longRun: Buffer | undefined;
  /** Bytes of guest before the first block that is stored, all of them zeros; undefined once there is one. */
  #leadingZeros: number | undefined = 0;

  async add(digests: Uint8Array, turns: Turns): Promise<void> {
    await this.#feedLeadingZeros(turns);
    this.#hash.update(digests);
  }

  /** `length` bytes of guest from a block's start; only the disk's last block is short. */
  async addZeros(length: number, turns: Turns): Promise<void> {
    if (this.#leadingZeros === undefined) await this.#feedZeros(length, turns);
    else this.#leadingZeros += length;
  }

  async finish(virtualSize: number, turns: Turns): Promise<string> {
    const known = this.#leadingZeros === virtualSize ? digestOfZeroDisk(virtualSize) : undefined;
    if (known !== undefined) return known;
    await this.#feedLeadingZeros(turns);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(virtualSize));
    return this.#hash.update(length).digest("hex");
  }

  async #feedLeadingZeros(turns: Turns): Promise<void> {
    const length = this.#leadingZeros ?? 0;
    this.#leadingZeros = undefined;
    await this.#feedZeros(length, turns);
  }

  async #feedZeros(length: number, turns: Turns): Promise<void> {
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
}

async function digestWhole(view: GuestView, options: DigestOptions): Promise<string> {
  const hash = crypto().createHash("sha256");
  const turns = new Turns(options.signal, purpose(view));
  const reader = new GuestReader(view);
  const finder = options.zeroUnits && new ZeroFinder(options.zeroUnits);
  const chunks = readAhead(planChunks(view.table), CHUNKS_AHEAD, async ({ guestOffset, length, isZero }) => {
    if (isZero) return ZEROS.subarray(0, length);
    const bytes = Buffer.allocUnsafe(length);
    await reader.read(guestOffset, bytes);
    return bytes;
  });
  for await (const { job, result } of chunks) {
    hash.update(result);
    if (finder && !job.isZero) finder.addPieces(zeroPieces(result, finder.grain, job.guestOffset));
    options.onProgress?.(job.guestOffset + job.length, view.virtualSize);
    await turns.yield();
  }
  finder?.finish(view);
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
