/** One open file on disk: whole reads and writes over the short ones of the operating system. */

import { type BigIntStats, fstatSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { KiB, MiB } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import type { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { hostError } from "../host-error.ts";
import { QuickReader } from "../quick-reader.ts";
import { type FileCopy, type FileIdentity, SYNC, type WritableStorage } from "../storage.ts";
import { Copier } from "./copier.ts";
import { readDescriptor } from "./descriptor.ts";
import { dataRangesOf } from "./holes.ts";
import { Puncher } from "./punching.ts";
import { SYSTEM_TOOLS, type ToolHost } from "./tool-process.ts";

/** Bytes handed to the kernel at once, so that one huge request holds no thread for long and Ctrl-C is heard. */
const MAX_TRANSFER = 16 * MiB;

/** Up to here a read that comes from memory takes less than handing it to another thread. */
const SHORT_READ = 256 * KiB;

/** What an open file has to know of the machine it lies on. */
export interface FileHost {
  readonly hasLateFingerprint?: boolean;
  readonly tools?: ToolHost;
  /** Hears what could not be done. */
  readonly note?: (text: string) => void;
}

export class FileStorage implements WritableStorage {
  readonly path: string;
  readonly hasLateFingerprint: boolean;
  readonly #handle: FileHandle;
  readonly #tools: ToolHost;
  readonly #note: (text: string) => void;
  readonly #quick = new QuickReader({
    readAtOnce: (hostOffset, into) => this.readAtOnce(hostOffset, into),
    read: (hostOffset, into) => this.#readAside(hostOffset, into),
  });
  #identity: FileIdentity | undefined;
  #failedSync: ImageError | undefined;
  #flush: Promise<void> | undefined;
  #copier: Copier | undefined;
  #puncher: Puncher | undefined;

  constructor(path: string, handle: FileHandle, { hasLateFingerprint = false, tools, note }: FileHost = {}) {
    this.path = path;
    this.hasLateFingerprint = hasLateFingerprint;
    this.#handle = handle;
    this.#tools = tools ?? SYSTEM_TOOLS;
    this.#note = note ?? (() => {});
  }

  /** The process-wide descriptor; -1 once closed, so that a late reader fails instead of reading another file. */
  get descriptor(): number {
    return this.#handle.fd;
  }

  async size(): Promise<number> {
    const { size } = this.#facts("read the size of");
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new ImageError("unsupported", say`Cannot use ${imageNamed(this.path)}`, {
        because: "it is longer than 2^53 bytes",
        path: this.path,
      });
    }
    return Number(size);
  }

  async read(hostOffset: number, into: Uint8Array): Promise<number> {
    if (into.length <= SHORT_READ && this.#quick.isDue) return this.#quick.read(hostOffset, into);
    this.#quick.pass();
    return this.#readAside(hostOffset, into);
  }

  /** By other threads. */
  async #readAside(hostOffset: number, into: Uint8Array): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const length = Math.min(into.length - done, MAX_TRANSFER);
      const at = hostOffset + done;
      const { bytesRead } = await this.#try("read", at, () => this.#handle.read(into, done, length, at));
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  readAtOnce(hostOffset: number, into: Uint8Array): number {
    return readDescriptor(this.descriptor, hostOffset, into, this.path);
  }

  async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const length = Math.min(bytes.length - done, MAX_TRANSFER);
      const at = hostOffset + done;
      const { bytesWritten } = await this.#try("write to", at, () => this.#handle.write(bytes, done, length, at));
      if (bytesWritten === 0) throw hostError(new Error("no byte was taken"), "write to", this.path, at);
      done += bytesWritten;
    }
  }

  async copy(copies: readonly FileCopy[]): Promise<RangeSet> {
    this.#copier ??= new Copier(this);
    return this.#copier.copy(copies);
  }

  async resize(size: number): Promise<void> {
    await this.#try("resize", undefined, () => this.#handle.truncate(size));
  }

  async dataRanges(): Promise<RangeSet | undefined> {
    const ranges = await dataRangesOf(this.descriptor, this.path, await this.size(), this.#tools);
    if (ranges === undefined) this.#note("holes are read: nothing here tells where they are");
    return ranges;
  }

  async punch(ranges: RangeSet): Promise<RangeSet> {
    this.#puncher ??= new Puncher(this.descriptor, this.path, this.#tools);
    const left = await this.#puncher.punch(await this.size(), ranges);
    if (left.end > 0) this.#note("not all space could be given back: nothing here punches holes into this file");
    return left;
  }

  /**
   * A sync after a failed one would succeed without the lost bytes (the kernel tells of a failure once), so each
   * later sync throws the first one's error again.
   */
  sync(): Promise<void> {
    return this.#synced(() => this.#handle.sync());
  }

  syncData(): Promise<void> {
    return this.#synced(() => this.#handle.datasync());
  }

  /** One at a time: where the medium is slower than the writer, the next has to wait for more anyway. */
  flush(): void {
    if (this.#flush !== undefined || this.#failedSync !== undefined) return;
    this.#flush = this.#handle
      .datasync()
      .catch((error: unknown) => {
        this.#failedSync = hostError(error, SYNC.file, this.path);
      })
      .finally(() => {
        this.#flush = undefined;
      });
  }

  async #synced(perform: () => Promise<void>): Promise<void> {
    // The kernel tells of a failed write once: whoever is told keeps it for the sync that waits for the same bytes.
    await this.#flush;
    if (this.#failedSync !== undefined) throw this.#failedSync;
    try {
      await perform();
    } catch (error) {
      this.#failedSync = hostError(error, SYNC.file, this.path);
      throw this.#failedSync;
    }
  }

  async fingerprint(): Promise<string> {
    const { size, mtimeNs, ctimeNs } = this.#facts("look at");
    return `${size}:${mtimeNs}:${ctimeNs}`;
  }

  /** That of an open file stays. */
  async identity(): Promise<FileIdentity> {
    if (this.#identity === undefined) {
      const { dev: device, ino: inode } = this.#facts("look at");
      this.#identity = { device, inode };
    }
    return this.#identity;
  }

  /** Blocking, since it is asked before and after each write and takes microseconds (docs/decisions/looks-that-block.md). */
  #facts(operation: string): BigIntStats {
    try {
      return fstatSync(this.descriptor, { bigint: true });
    } catch (error) {
      throw hostError(error, operation, this.path);
    }
  }

  /** Ends what works on the file on our behalf; it is started anew where it is needed. */
  async restTools(): Promise<void> {
    await this.#puncher?.close();
  }

  async close(): Promise<void> {
    await this.restTools();
    await this.#flush;
    await this.#try("close", undefined, () => this.#handle.close());
  }

  async #try<T>(operation: string, hostOffset: number | undefined, perform: () => Promise<T>): Promise<T> {
    try {
      return await perform();
    } catch (error) {
      throw hostError(error, operation, this.path, hostOffset);
    }
  }
}
