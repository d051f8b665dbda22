/**
 * One plain cluster to its stream: raw deflate (RFC 1951) with the window of 4 KiB that qcow2 gives its readers, or a
 * zstd frame (RFC 8878). Computed on the threads of the process's own pool, a few clusters at a time.
 */

import { availableParallelism } from "node:os";
import { zlib } from "../../storage/built-ins.ts";
import type { CompressionMethod } from "../compression.ts";

const WINDOW_BITS = 12;
const MIN_CHUNK = 64;
/** The pool has four threads, and one of them is left to those who read and write. */
const MAX_AT_ONCE = 3;

/** Whether this Node can. */
export function canDeflate(method: CompressionMethod): boolean {
  return method === "zlib" || typeof zlib().zstdCompress === "function";
}

export function missingMethod(method: CompressionMethod): string {
  return `Node ${process.versions.node} has no ${method}; run it with Node 24, or with compression_type=zlib`;
}

/** Rejects only where the library itself fails. */
export function deflateCluster(method: CompressionMethod, plain: Uint8Array): Promise<Uint8Array> {
  const chunkSize = Math.max(MIN_CHUNK, plain.length);
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, stream: Uint8Array) => (error ? reject(error) : resolve(stream));
    if (method === "zstd") zlib().zstdCompress(plain, { chunkSize, pledgedSrcSize: plain.length }, done);
    else zlib().deflateRaw(plain, { level: 6, memLevel: 9, windowBits: WINDOW_BITS, chunkSize }, done);
  });
}

/** The same in zlib's wrapping (RFC 1950) taken apart: the raw stream, and the Adler-32 of what it gives. */
export function zlibOf(plain: Uint8Array): Promise<{ readonly raw: Uint8Array; readonly checksum: number }> {
  const chunkSize = Math.max(MIN_CHUNK, plain.length);
  return new Promise((resolve, reject) => {
    zlib().deflate(plain, { level: 6, memLevel: 9, windowBits: WINDOW_BITS, chunkSize }, (error, stream) => {
      if (error) reject(error);
      else resolve({ raw: stream.subarray(2, -4), checksum: stream.readUInt32BE(stream.length - 4) });
    });
  });
}

/** What a raw deflate stream gives, at most `length` bytes, and how long it is itself: what `stored` has behind it is none of it. */
export function inflateWhole(
  stored: Uint8Array,
  length: number,
): Promise<{ readonly plain: Uint8Array; readonly streamLength: number }> {
  const limits = { maxOutputLength: length, chunkSize: Math.max(MIN_CHUNK, length), info: true };
  return new Promise((resolve, reject) => {
    zlib().inflateRaw(stored, limits, (error, result) => {
      if (error) return reject(error);
      const { buffer, engine } = result as unknown as InflatedWithInfo;
      resolve({ plain: buffer, streamLength: engine.bytesWritten });
    });
  });
}

/** With `info` Node gives the engine too, whose `bytesWritten` is what it has taken of its input. */
interface InflatedWithInfo {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

/** What a stream of ours gives, on the same threads; at most `length` bytes. */
export function inflateStream(method: CompressionMethod, stream: Uint8Array, length: number): Promise<Uint8Array> {
  const limits = { maxOutputLength: length, chunkSize: Math.max(MIN_CHUNK, length) };
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, plain: Uint8Array) => (error ? reject(error) : resolve(plain));
    if (method === "zstd") zlib().zstdDecompress(stream, limits, done);
    else zlib().inflateRaw(stream, limits, done);
  });
}

/** Lets as many go on at once as there are processors for them. */
export class DeflateTurns {
  #free = Math.min(availableParallelism(), MAX_AT_ONCE);
  readonly #waiting: (() => void)[] = [];

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
