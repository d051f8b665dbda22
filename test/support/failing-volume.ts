/** A volume whose n-th call of a kind fails, as a disk that breaks or fills up does. */

import { RangeSet } from "../../src/bytes/range-set.ts";
import { hostError } from "../../src/storage/host-error.ts";
import type { Storage, Volume, WritableStorage } from "../../src/storage/storage.ts";
import { RecordingStorage, recordingUnder } from "./recording-volume.ts";
import { WrappedStorage, WrappedVolume } from "./wrapped-volume.ts";

export type CallKind =
  | "open"
  | "read"
  | "write"
  | "resize"
  | "punch"
  | "sync"
  | "create"
  | "rename"
  | "link"
  | "remove"
  | "syncFolder";

export interface Failure {
  readonly kind: CallKind;
  /** From 1. */
  readonly nth: number;
  readonly code: "EIO" | "ENOSPC" | "EDQUOT" | "EACCES";
  /** All later calls of the kind fail too, as on a disk that stays full. */
  readonly isLasting?: boolean;
  /**
   * `nothing` (default): the call does nothing. `half`: a write leaves its first half, a punch that of its ranges. `all`: it is done and only
   * the answer is an error. A failed sync always leaves the crash model in doubt.
   */
  readonly leaves?: "nothing" | "half" | "all";
}

/** Decides each call's fate and counts. */
class FailurePlan {
  readonly failures: readonly Failure[];
  readonly counts = new Map<CallKind, number>();
  readonly struck: Failure[] = [];

  constructor(failures: readonly Failure[]) {
    this.failures = failures;
  }

  next(kind: CallKind): Failure | undefined {
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    const failure = this.failures.find(
      (one) => one.kind === kind && (one.nth === count || (one.isLasting === true && one.nth < count)),
    );
    if (failure !== undefined) this.struck.push(failure);
    return failure;
  }

  /** Performs the call or fails it. `verb` as in the messages of files on disk. */
  async around<T>(
    kind: CallKind,
    verb: string,
    path: string,
    perform: () => Promise<T>,
    hostOffset?: number,
  ): Promise<T> {
    const failure = this.next(kind);
    if (failure === undefined) return perform();
    if (failure.leaves === "all") await perform();
    throw errorOf(failure, verb, path, hostOffset);
  }
}

class FailingStorage extends WrappedStorage {
  readonly #plan: FailurePlan;
  #failedSync: Error | undefined;
  readonly #onRetriedSync: () => void;

  constructor(inner: WritableStorage, plan: FailurePlan, onRetriedSync: () => void) {
    super(inner);
    this.#plan = plan;
    this.#onRetriedSync = onRetriedSync;
  }

  override read(hostOffset: number, into: Uint8Array): Promise<number> {
    return this.#plan.around("read", "read", this.path, () => super.read(hostOffset, into), hostOffset);
  }

  override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    const failure = this.#plan.next("write");
    if (failure === undefined) return super.write(hostOffset, bytes);
    if (failure.leaves === "half") await super.write(hostOffset, bytes.subarray(0, Math.floor(bytes.length / 2)));
    if (failure.leaves === "all") await super.write(hostOffset, bytes);
    throw errorOf(failure, "write to", this.path, hostOffset);
  }

  override resize(size: number): Promise<void> {
    return this.#plan.around("resize", "resize", this.path, () => super.resize(size));
  }

  override async punch(ranges: RangeSet): Promise<RangeSet> {
    const failure = this.#plan.next("punch");
    if (failure === undefined) return super.punch(ranges);
    const all = [...ranges.each()];
    if (failure.leaves === "half") await super.punch(RangeSet.of(...all.slice(0, Math.floor(all.length / 2))));
    if (failure.leaves === "all") await super.punch(ranges);
    throw errorOf(failure, "punch holes into", this.path);
  }

  override async sync(): Promise<void> {
    if (this.#failedSync !== undefined) {
      this.#onRetriedSync();
      throw this.#failedSync;
    }
    const failure = this.#plan.next("sync");
    if (failure === undefined) return super.sync();
    if (this.inner instanceof RecordingStorage) this.inner.failSync();
    this.#failedSync = errorOf(failure, "sync", this.path);
    throw this.#failedSync;
  }
}

export class FailingVolume extends WrappedVolume {
  readonly #plan: FailurePlan;
  /** Syncs asked for of a file whose sync had failed: a defect of the caller. */
  retriedSyncCount = 0;

  /** Without failures it only counts calls. */
  constructor(inner: Volume, ...failures: readonly Failure[]) {
    super(inner);
    this.#plan = new FailurePlan(failures);
  }

  /** Calls so far, failed ones included. */
  count(kind: CallKind): number {
    return this.#plan.counts.get(kind) ?? 0;
  }

  /** The failures that happened, in order. */
  get struck(): readonly Failure[] {
    return this.#plan.struck;
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    return new FailingStorage(storage, this.#plan, () => {
      this.retriedSyncCount++;
    });
  }

  override openForReading(path: string): Promise<Storage> {
    return this.#plan.around("open", "open", path, () => super.openForReading(path));
  }

  override openForWriting(path: string): Promise<WritableStorage> {
    return this.#plan.around("open", "open", path, () => super.openForWriting(path));
  }

  override createExclusively(path: string, like?: string): Promise<WritableStorage | undefined> {
    return this.#plan.around("create", "create", path, () => super.createExclusively(path, like));
  }

  override link(from: string, to: string): Promise<boolean> {
    return this.#plan.around("link", "link", from, () => super.link(from, to));
  }

  override rename(from: string, to: string): Promise<void> {
    return this.#plan.around("rename", "rename", from, () => super.rename(from, to));
  }

  override remove(path: string): Promise<void> {
    return this.#plan.around("remove", "remove", path, () => super.remove(path));
  }

  override async syncFolderOf(path: string): Promise<void> {
    const failure = this.#plan.next("syncFolder");
    if (failure === undefined) return super.syncFolderOf(path);
    recordingUnder(this.inner)?.failFolderSync(path);
    throw errorOf(failure, "sync the folder", path);
  }
}

function errorOf({ code }: Failure, verb: string, path: string, hostOffset?: number): Error {
  const cause = Object.assign(new Error(`${code}: injected by a test`), { code });
  return hostError(cause, verb, path, hostOffset);
}
