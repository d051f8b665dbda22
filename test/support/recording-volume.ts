/** A volume in memory that keeps every change as a value, in order, for the crash model to replay. */

import { dirname } from "node:path";
import type { Range, RangeSet } from "../../src/bytes/range-set.ts";
import { MemoryVolume } from "../../src/storage/memory.ts";
import type { Storage, Volume, WritableStorage } from "../../src/storage/storage.ts";
import { WrappedStorage, WrappedVolume } from "./wrapped-volume.ts";

/** A file apart from its name: the n-th of the initial files, then one more for each that is made. */
export type FileId = number;

export type Operation =
  | { readonly kind: "open"; readonly path: string; readonly file: FileId; readonly access: "reading" | "writing" }
  | { readonly kind: "create"; readonly path: string; readonly file: FileId }
  /** A file that was there gets a second name. */
  | { readonly kind: "link"; readonly path: string; readonly file: FileId }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "remove"; readonly path: string }
  | {
      readonly kind: "write";
      readonly path: string;
      readonly file: FileId;
      readonly hostOffset: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "resize"; readonly path: string; readonly file: FileId; readonly size: number }
  /** Ranges whose space was given back. */
  | { readonly kind: "punch"; readonly path: string; readonly file: FileId; readonly ranges: readonly Range[] }
  /** A failed sync is no barrier: any part of what came before it may be lost for good. */
  | { readonly kind: "sync"; readonly path: string; readonly file: FileId; readonly isFailed: boolean }
  | { readonly kind: "syncFolder"; readonly folder: string; readonly isFailed: boolean };

/** What happened, from which files; everything the crash model needs. */
export interface OperationLog {
  /** All durable when the recording begins. */
  readonly initial: Readonly<Record<string, Uint8Array>>;
  readonly operations: readonly Operation[];
}

export class RecordingStorage extends WrappedStorage {
  readonly file: FileId;
  readonly #record: (operation: Operation) => void;

  constructor(inner: WritableStorage, file: FileId, record: (operation: Operation) => void) {
    super(inner);
    this.file = file;
    this.#record = record;
  }

  override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    // Copied: the caller may use its buffer again.
    const copy = bytes.slice();
    await super.write(hostOffset, copy);
    this.#record({ kind: "write", path: this.path, file: this.file, hostOffset, bytes: copy });
  }

  override async resize(size: number): Promise<void> {
    await super.resize(size);
    this.#record({ kind: "resize", path: this.path, file: this.file, size });
  }

  override async punch(ranges: RangeSet): Promise<RangeSet> {
    const left = await super.punch(ranges);
    const punched = [...ranges.each()].flatMap(({ start, end }) => [...left.gapsIn(start, end)]);
    if (punched.length > 0) this.#record({ kind: "punch", path: this.path, file: this.file, ranges: punched });
    return left;
  }

  override async sync(): Promise<void> {
    await super.sync();
    this.#record({ kind: "sync", path: this.path, file: this.file, isFailed: false });
  }

  /** Records that a sync was tried and failed; the caller throws. */
  failSync(): void {
    this.#record({ kind: "sync", path: this.path, file: this.file, isFailed: true });
  }
}

export class RecordingVolume extends WrappedVolume {
  readonly initial: Readonly<Record<string, Uint8Array>>;
  readonly operations: Operation[] = [];
  readonly memory: MemoryVolume;
  readonly #fileOf = new Map<string, FileId>();
  #nextFile = 0;

  constructor(files: Readonly<Record<string, Uint8Array>> = {}) {
    const memory = new MemoryVolume(files);
    super(memory);
    this.memory = memory;
    this.initial = memory.snapshots();
    for (const path of Object.keys(this.initial)) this.#fileOf.set(path, this.#nextFile++);
  }

  /** The log so far; it goes on growing. */
  get log(): OperationLog {
    return { initial: this.initial, operations: this.operations };
  }

  /** Syncs of files that succeeded. */
  get syncCount(): number {
    return this.operations.filter((operation) => operation.kind === "sync" && !operation.isFailed).length;
  }

  get folderSyncCount(): number {
    return this.operations.filter((operation) => operation.kind === "syncFolder" && !operation.isFailed).length;
  }

  /** Bytes written to all files, or to the one that has the name `path` in the operation. */
  bytesWritten(path?: string): number {
    let sum = 0;
    for (const operation of this.operations) {
      if (operation.kind === "write" && (path === undefined || operation.path === path)) sum += operation.bytes.length;
    }
    return sum;
  }

  override async openForReading(path: string): Promise<Storage> {
    return this.#opened(await this.memory.openForReading(path), path, "reading");
  }

  override async openForWriting(path: string): Promise<WritableStorage> {
    return this.#opened(await this.memory.openForWriting(path), path, "writing");
  }

  override async createExclusively(path: string): Promise<WritableStorage | undefined> {
    const created = await this.memory.createExclusively(path);
    if (created === undefined) return undefined;
    const file = this.#nextFile++;
    this.#fileOf.set(path, file);
    this.#record({ kind: "create", path, file });
    return new RecordingStorage(created, file, this.#record);
  }

  /** As a new file with all of the bytes in it, none of them durable yet. */
  override async clone(storage: Storage, to: string): Promise<WritableStorage | undefined> {
    if (!this.memory.canClone) return undefined;
    const bytes = this.memory.snapshot(storage.path);
    const copy = await this.createExclusively(to);
    await copy?.write(0, bytes);
    return copy;
  }

  override async rename(from: string, to: string): Promise<void> {
    await super.rename(from, to);
    this.#fileOf.set(to, this.#fileOf.get(from) as FileId);
    this.#fileOf.delete(from);
    this.#record({ kind: "rename", from, to });
  }

  override async link(from: string, to: string): Promise<boolean> {
    const isDone = await super.link(from, to);
    if (!isDone) return false;
    const file = this.#fileOf.get(from) as FileId;
    this.#fileOf.set(to, file);
    this.#record({ kind: "link", path: to, file });
    return true;
  }

  override async remove(path: string): Promise<void> {
    await super.remove(path);
    // Removing what isn't there changes nothing.
    if (this.#fileOf.delete(path)) this.#record({ kind: "remove", path });
  }

  override async syncFolderOf(path: string): Promise<void> {
    await super.syncFolderOf(path);
    this.#record({ kind: "syncFolder", folder: dirname(path), isFailed: false });
  }

  /** Records that syncing the folder of `path` was tried and failed; the caller throws. */
  failFolderSync(path: string): void {
    this.#record({ kind: "syncFolder", folder: dirname(path), isFailed: true });
  }

  #opened(inner: Storage, path: string, access: "reading" | "writing"): RecordingStorage {
    const file = this.#fileOf.get(path) as FileId;
    this.#record({ kind: "open", path, file, access });
    return new RecordingStorage(inner as WritableStorage, file, this.#record);
  }

  readonly #record = (operation: Operation): void => {
    this.operations.push(operation);
  };
}

/** The recording volume at the bottom of any wrappers, or undefined. */
export function recordingUnder(volume: Volume): RecordingVolume | undefined {
  let at: Volume | undefined = volume;
  while (at instanceof WrappedVolume && !(at instanceof RecordingVolume)) at = at.inner;
  return at instanceof RecordingVolume ? at : undefined;
}
