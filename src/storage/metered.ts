/** A volume that counts what passes through it: bytes written and syncs, of all files together. */

import type { ImageError } from "../bytes/image-error.ts";
import type { RangeSet } from "../bytes/range-set.ts";
import type { FileCopy, FileFacts, OtherUsers, Storage, Volume, WritableStorage } from "./storage.ts";

/** Totals so far. `syncs` counts files and folders. */
export interface Meter {
  bytesWritten: number;
  syncs: number;
}

export class MeteredVolume implements Volume {
  readonly meter: Meter = { bytesWritten: 0, syncs: 0 };
  readonly #volume: Volume;

  constructor(volume: Volume) {
    this.#volume = volume;
  }

  get notes(): readonly string[] {
    return this.#volume.notes ?? [];
  }

  obstaclesToWriting(path: string): Promise<readonly ImageError[]> {
    return this.#volume.obstaclesToWriting(path);
  }

  obstacleToCreating(path: string): Promise<ImageError | undefined> {
    return this.#volume.obstacleToCreating(path);
  }

  openForReading(path: string): Promise<Storage> {
    return this.#volume.openForReading(path);
  }

  async openForWriting(path: string): Promise<WritableStorage> {
    return new MeteredStorage(await this.#volume.openForWriting(path), this.meter);
  }

  async createExclusively(path: string, like?: string): Promise<WritableStorage | undefined> {
    const storage = await this.#volume.createExclusively(path, like);
    return storage && new MeteredStorage(storage, this.meter);
  }

  async clone(storage: Storage, to: string): Promise<WritableStorage | undefined> {
    const copy = await this.#volume.clone?.(inner(storage), to);
    return copy && new MeteredStorage(copy, this.meter);
  }

  facts(path: string): Promise<FileFacts | undefined> {
    return this.#volume.facts(path);
  }

  realPath(path: string): Promise<string> {
    return this.#volume.realPath(path);
  }

  realFolderOf(path: string): Promise<string> {
    return this.#volume.realFolderOf(path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#volume.rename(from, to);
  }

  link(from: string, to: string): Promise<boolean> {
    return this.#volume.link(from, to);
  }

  namesBeside(path: string): Promise<readonly string[]> {
    return this.#volume.namesBeside(path);
  }

  remove(path: string): Promise<void> {
    return this.#volume.remove(path);
  }

  async syncFolderOf(path: string): Promise<void> {
    this.meter.syncs++;
    await this.#volume.syncFolderOf(path);
  }

  freeSpace(path: string): Promise<number> {
    return this.#volume.freeSpace(path);
  }

  otherUsers(storage: Storage, locksAlone = false): Promise<OtherUsers> {
    return this.#volume.otherUsers(inner(storage), locksAlone);
  }

  isSameFile(path: string, storage: Storage): Promise<boolean> {
    return this.#volume.isSameFile(path, inner(storage));
  }
}

class MeteredStorage implements WritableStorage {
  readonly path: string;
  readonly descriptor?: number;
  readonly readAtOnce?: (hostOffset: number, into: Uint8Array) => number;
  readonly dataRanges?: () => Promise<RangeSet | undefined>;
  /** Writes no byte. */
  readonly punch?: (ranges: RangeSet) => Promise<RangeSet>;
  readonly copy?: (copies: readonly FileCopy[]) => Promise<RangeSet>;
  readonly syncData?: () => Promise<void>;
  /** No barrier, and not counted as one. */
  readonly flush?: () => void;
  readonly hasLateFingerprint?: boolean;
  readonly inner: WritableStorage;
  readonly #meter: Meter;

  constructor(storage: WritableStorage, meter: Meter) {
    this.path = storage.path;
    if (storage.descriptor !== undefined) this.descriptor = storage.descriptor;
    if (storage.readAtOnce) this.readAtOnce = storage.readAtOnce.bind(storage);
    if (storage.dataRanges) this.dataRanges = storage.dataRanges.bind(storage);
    if (storage.punch) this.punch = storage.punch.bind(storage);
    const copy = storage.copy?.bind(storage);
    if (copy)
      this.copy = async (copies) => {
        const zeros = await copy(copies);
        for (const { length } of copies) meter.bytesWritten += length;
        meter.bytesWritten -= zeros.total;
        return zeros;
      };
    if (storage.flush) this.flush = storage.flush.bind(storage);
    const syncData = storage.syncData?.bind(storage);
    if (syncData)
      this.syncData = async () => {
        meter.syncs++;
        await syncData();
      };
    if (storage.hasLateFingerprint) this.hasLateFingerprint = true;
    this.inner = storage;
    this.#meter = meter;
  }

  size(): Promise<number> {
    return this.inner.size();
  }

  read(hostOffset: number, into: Uint8Array): Promise<number> {
    return this.inner.read(hostOffset, into);
  }

  async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    await this.inner.write(hostOffset, bytes);
    this.#meter.bytesWritten += bytes.length;
  }

  resize(size: number): Promise<void> {
    return this.inner.resize(size);
  }

  async sync(): Promise<void> {
    this.#meter.syncs++;
    await this.inner.sync();
  }

  fingerprint(): Promise<string> {
    return this.inner.fingerprint();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

function inner<S extends Storage>(storage: S): S {
  return storage instanceof MeteredStorage ? (storage.inner as unknown as S) : storage;
}
