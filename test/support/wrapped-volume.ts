/** A volume and its open files, passed through call by call; what stands between storage and engine in tests extends it. */

import type { ImageError } from "../../src/bytes/image-error.ts";
import { RangeSet } from "../../src/bytes/range-set.ts";
import type { FileFacts, Look, OtherUsers, Storage, Volume, WritableStorage } from "../../src/storage/storage.ts";

/** Has no descriptor, so that nobody reads past the wrapper. */
export class WrappedStorage implements WritableStorage {
  readonly path: string;
  readonly inner: WritableStorage;

  constructor(inner: WritableStorage) {
    this.path = inner.path;
    this.inner = inner;
  }

  size(): Promise<number> {
    return this.inner.size();
  }

  read(hostOffset: number, into: Uint8Array): Promise<number> {
    return this.inner.read(hostOffset, into);
  }

  write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    return this.inner.write(hostOffset, bytes);
  }

  resize(size: number): Promise<void> {
    return this.inner.resize(size);
  }

  async dataRanges(): Promise<RangeSet | undefined> {
    return this.inner.dataRanges?.();
  }

  /** Where the inner one can't, nothing is given back. */
  async punch(ranges: RangeSet): Promise<RangeSet> {
    return (await this.inner.punch?.(ranges)) ?? RangeSet.of(...ranges.each());
  }

  sync(): Promise<void> {
    return this.inner.sync();
  }

  fingerprint(): Promise<string> {
    return this.inner.fingerprint();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

export class WrappedVolume implements Volume {
  readonly inner: Volume;

  constructor(inner: Volume) {
    this.inner = inner;
  }

  /** What callers get for a file that was just opened or made. */
  protected wrap(storage: WritableStorage): WrappedStorage {
    return new WrappedStorage(storage);
  }

  get notes(): readonly string[] {
    return this.inner.notes ?? [];
  }

  obstaclesToWriting(path: string): Promise<readonly ImageError[]> {
    return this.inner.obstaclesToWriting(path);
  }

  obstacleToCreating(path: string): Promise<ImageError | undefined> {
    return this.inner.obstacleToCreating(path);
  }

  async openForReading(path: string): Promise<Storage> {
    return this.wrap((await this.inner.openForReading(path)) as WritableStorage);
  }

  async openForWriting(path: string): Promise<WritableStorage> {
    return this.wrap(await this.inner.openForWriting(path));
  }

  async createExclusively(path: string, like?: string): Promise<WritableStorage | undefined> {
    const created = await this.inner.createExclusively(path, like);
    return created === undefined ? undefined : this.wrap(created);
  }

  async clone(storage: Storage, to: string): Promise<WritableStorage | undefined> {
    const copy = await this.inner.clone?.(unwrapped(storage), to);
    return copy && this.wrap(copy);
  }

  facts(path: string): Promise<FileFacts | undefined> {
    return this.inner.facts(path);
  }

  realPath(path: string): Promise<string> {
    return this.inner.realPath(path);
  }

  realFolderOf(path: string): Promise<string> {
    return this.inner.realFolderOf(path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.inner.rename(from, to);
  }

  link(from: string, to: string): Promise<boolean> {
    return this.inner.link(from, to);
  }

  namesBeside(path: string): Promise<readonly string[]> {
    return this.inner.namesBeside(path);
  }

  remove(path: string): Promise<void> {
    return this.inner.remove(path);
  }

  syncFolderOf(path: string): Promise<void> {
    return this.inner.syncFolderOf(path);
  }

  freeSpace(path: string): Promise<number> {
    return this.inner.freeSpace(path);
  }

  otherUsers(storage: Storage, look?: Look): Promise<OtherUsers> {
    return this.inner.otherUsers(unwrapped(storage), look);
  }

  isSameFile(path: string, storage: Storage): Promise<boolean> {
    return this.inner.isSameFile(path, unwrapped(storage));
  }
}

function unwrapped<T extends Storage>(storage: T): T {
  return storage instanceof WrappedStorage ? (storage.inner as Storage as T) : storage;
}
