/**
 * A file whose zeros are left out, and the lengths that put them back: what goes into a cache, whose tar knows no holes.
 */

import { type FileHandle, open } from "node:fs/promises";

/** Shorter runs of zeros stay: each run costs an entry. */
const BLOCK = 2 ** 16;
const ZEROS = Buffer.alloc(BLOCK);
const READ_LENGTH = 2 ** 18;

/** Lengths of runs by turns: data, zeros, data, … in bytes. */
export type Runs = readonly number[];

export class PackedWriter {
  readonly #file: FileHandle;
  readonly #runs: number[] = [];
  #written = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string): Promise<PackedWriter> {
    return new PackedWriter(await open(path, "wx"));
  }

  /** Bytes that take space. */
  get written(): number {
    return this.#written;
  }

  async write(chunk: Uint8Array): Promise<void> {
    let dataStart = 0;
    for (let start = 0; start < chunk.length; start += BLOCK) {
      const end = Math.min(chunk.length, start + BLOCK);
      if (Buffer.compare(chunk.subarray(start, end), ZEROS.subarray(0, end - start)) !== 0) {
        this.#add(0, end - start);
        continue;
      }
      await this.#append(chunk.subarray(dataStart, start));
      this.#add(1, end - start);
      dataStart = end;
    }
    await this.#append(chunk.subarray(dataStart));
  }

  async finish(): Promise<Runs> {
    await this.#file.close();
    return this.#runs;
  }

  #add(parity: 0 | 1, length: number): void {
    const last = this.#runs.length - 1;
    if (last >= 0 && last % 2 === parity) this.#runs[last] = (this.#runs[last] as number) + length;
    else {
      if (last < 0 && parity === 1) this.#runs.push(0);
      this.#runs.push(length);
    }
  }

  async #append(data: Uint8Array): Promise<void> {
    for (let done = 0; done < data.length; ) {
      const { bytesWritten } = await this.#file.write(data, done, data.length - done, this.#written);
      done += bytesWritten;
      this.#written += bytesWritten;
    }
  }
}

/** The bytes as they were; throws where the file is shorter than its runs. */
export async function* packedBytes(path: string, runs: Runs): AsyncGenerator<Buffer> {
  const file = await open(path, "r");
  try {
    let at = 0;
    for (const [index, length] of runs.entries()) {
      for (let left = length; left > 0; ) {
        const count = Math.min(left, index % 2 === 1 ? BLOCK : READ_LENGTH);
        left -= count;
        if (index % 2 === 1) yield ZEROS.subarray(0, count);
        else {
          const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(count), 0, count, at);
          if (bytesRead !== count) throw new Error(`Cannot read ${path}: it ends at byte ${at + bytesRead}`);
          at += count;
          yield buffer;
        }
      }
    }
  } finally {
    await file.close();
  }
}
