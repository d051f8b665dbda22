/** A new file that is written from its start to its end; pages of zeros become holes. */

import { type FileHandle, open } from "node:fs/promises";
import { formatSize, ImageError } from "../../index.ts";

export interface SparseLimits {
  /** Of the file's length, holes included, in bytes. */
  readonly length: number;
  /** Of the bytes that take space. */
  readonly allocated: number;
  /** What bounds them, in words; the free space where it is left out. */
  readonly bound?: string;
}

/** The smallest hole that file systems keep. */
const PAGE = 4096;
const ZEROS = Buffer.alloc(PAGE);

export class SparseFile {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #limits: SparseLimits;
  #length = 0;
  #allocated = 0;

  constructor(path: string, file: FileHandle, limits: SparseLimits) {
    this.path = path;
    this.#file = file;
    this.#limits = limits;
  }

  /** Fails where the path exists. */
  static async create(path: string, limits: SparseLimits): Promise<SparseFile> {
    try {
      return new SparseFile(path, await open(path, "wx"), limits);
    } catch (error) {
      throw writeError(path, error);
    }
  }

  get length(): number {
    return this.#length;
  }

  get allocated(): number {
    return this.#allocated;
  }

  /** @throws ImageError `out-of-bounds` or `no-space` beyond the limits, before anything beyond them is written */
  async write(chunk: Uint8Array): Promise<void> {
    const from = this.#length;
    if (from + chunk.length > this.#limits.length) {
      const most = formatSize(this.#limits.length);
      throw new ImageError("out-of-bounds", `Cannot write ${this.path}: it would become larger than ${most}`, {
        path: this.path,
        operation: "write",
      });
    }
    for (const [start, end] of dataRuns(chunk, from % PAGE)) {
      this.#allocated += end - start;
      if (this.#allocated > this.#limits.allocated) {
        const { allocated, bound } = this.#limits;
        const why = bound ?? `only ${formatSize(allocated)} are free; free some and try again`;
        throw new ImageError("no-space", `Cannot write ${this.path}: ${why}`, {
          path: this.path,
          operation: "write",
        });
      }
      await this.#writeAt(chunk.subarray(start, end), from + start);
    }
    this.#length = from + chunk.length;
  }

  /** Sets the length that holes at the end need, and makes all of it durable. */
  async finish(): Promise<void> {
    try {
      await this.#file.truncate(this.#length);
      await this.#file.sync();
      await this.#file.close();
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  /** Closes one that failed, and does nothing to one that is finished; the file stays. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => {});
  }

  async #writeAt(bytes: Uint8Array, position: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw writeError(this.path, error);
    }
  }
}

/** The runs of `chunk` that aren't zeros, as [start, end); pages are counted from `phase` bytes before the chunk. */
function dataRuns(chunk: Uint8Array, phase: number): [number, number][] {
  const runs: [number, number][] = [];
  for (let start = 0; start < chunk.length; ) {
    const end = Math.min(chunk.length, start + PAGE - ((phase + start) % PAGE));
    const last = runs.at(-1);
    if (isZero(chunk, start, end)) {
      // Nothing is written where the new file reads as zeros already.
    } else if (last?.[1] === start) last[1] = end;
    else runs.push([start, end]);
    start = end;
  }
  return runs;
}

function isZero(chunk: Uint8Array, start: number, end: number): boolean {
  return chunk[start] === 0 && Buffer.compare(chunk.subarray(start, end), ZEROS.subarray(0, end - start)) === 0;
}

function writeError(path: string, cause: unknown): ImageError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "EEXIST")
    return new ImageError("in-use", `Cannot write ${path}: it exists; move it away first`, { path });
  const kind = code === "ENOSPC" || code === "EDQUOT" ? "no-space" : "io";
  return new ImageError(kind, `Cannot write ${path}: ${message}`, { path, operation: "write", cause });
}
