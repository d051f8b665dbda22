/** The only place that writes to an image: performs one epoch's values and makes them durable. */

import { MiB } from "../../bytes/align.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import type { GuestReader } from "../../image/guest/reader.ts";
import { type Chunk, type Epoch, freshChunk, type HostCopy, type Write } from "../../image/write.ts";
import { crypto } from "../../storage/built-ins.ts";
import { inBatches } from "../../storage/copies.ts";
import { readZeroFilled, type Storage, type WritableStorage } from "../../storage/storage.ts";
import { areZeros, stretchesOf } from "../../storage/zeros.ts";

/** Read and written before the next safe point. */
export const COPY_STEP = MiB;
/** So many bytes are given back without a question which of them are there: that takes as long. */
const FEW_ZEROS = 64 * MiB;
/** So many bytes of copies are on their way to the medium while the next are made. */
const FLUSH_STEP = 4 * MiB;

/** What an epoch wrote. */
export interface Written {
  readonly ranges: RangeSet;
  /** SHA-256 over the written bytes in file order, hex. */
  readonly digest: string;
}

export interface ExecuteOptions {
  /** Reads the guest through the source; needed where an epoch has guest copies. */
  readonly reader?: GuestReader;
  readonly onBytes?: (done: number) => void;
  /** Called between writes; throws to stop. */
  readonly safePoint?: () => void;
  /** What is read meanwhile, once all is written and not durable yet: nothing of what the epoch cuts off. */
  readonly meanwhile?: () => Promise<void>;
  /** Where there are many epochs: one of writes alone leaves times to the last sync. */
  readonly isOneOfMany?: boolean;
}

/**
 * Performs `epoch` and syncs. A failed sync or write throws and leaves the rest undone; nothing is retried.
 * Small neighbouring writes are gathered, so that tables reach the file in large pieces.
 */
export async function executeEpoch(
  storage: WritableStorage,
  epoch: Epoch,
  options: ExecuteOptions = {},
): Promise<void> {
  const { reader, onBytes, meanwhile, safePoint, isOneOfMany } = options;
  let done = 0;
  let flushed = 0;
  const perform = async (write: () => Promise<number>): Promise<void> => {
    safePoint?.();
    done += await write();
    onBytes?.(done);
  };
  const write = (hostOffset: number, bytes: Uint8Array) =>
    perform(async () => {
      await storage.write(hostOffset, bytes);
      return bytes.length;
    });
  const oldSize = epoch.fileSize === undefined ? undefined : await storage.size();
  if (epoch.fileSize !== undefined && epoch.fileSize > Number(oldSize)) await storage.resize(epoch.fileSize);
  if (epoch.zeros) await clear(storage, epoch.zeros, write);
  const empty = new RangeSet();
  for (const batch of inBatches(epoch.hostCopies ?? [], COPY_STEP)) {
    await perform(async () => {
      const zeros = await (storage.copy?.(batch) ?? copyFromOutside(storage, batch));
      for (const { start, end } of zeros.each()) empty.add(start, end);
      return batch.reduce((sum, { length }) => sum + length, 0) - zeros.total;
    });
    if (done - flushed < FLUSH_STEP) continue;
    flushed = done;
    storage.flush?.();
    // Copies are made without a pause, in which alone it is known that the flush before has come to its end.
    await pause();
  }
  if (empty.total > 0) {
    // What was a hole, or nothing at all, stays one: a copy takes no more of the disk than what it is made of.
    if (empty.end > (await storage.size())) await storage.resize(empty.end);
    await clear(storage, empty, write);
  }
  for (const { guestOffset, hostOffset, length } of epoch.guestCopies ?? []) {
    for (const [skip, step] of steps(length)) {
      const bytes = new Uint8Array(step);
      await (reader as GuestReader).read(guestOffset + skip, bytes);
      await write(hostOffset + skip, bytes);
    }
  }
  for (const { hostOffset, bytes } of gathered(epoch)) await write(hostOffset, bytes);
  const reading = meanwhile?.();
  // What it finds is told below, once nothing is under way any more.
  reading?.catch(() => {});
  try {
    if (epoch.fileSize !== undefined && epoch.fileSize < (await storage.size())) await storage.resize(epoch.fileSize);
    const isOfWrites = epoch.fileSize === oldSize && epoch.zeros === undefined;
    await ((isOneOfMany && isOfWrites ? storage.syncData?.() : undefined) ?? storage.sync());
  } finally {
    await Promise.allSettled([reading]);
  }
  await reading;
}

/** Lets what is under way on other threads go on. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function copyFromOutside(storage: WritableStorage, copies: readonly HostCopy[]): Promise<RangeSet> {
  const zeros = new RangeSet();
  for (const { fromHostOffset, toHostOffset, length } of copies) {
    const bytes = await readZeroFilled(storage, fromHostOffset, length);
    for (const { start, end, isZeros } of stretchesOf(bytes)) {
      if (isZeros) zeros.add(toHostOffset + start, toHostOffset + end);
      else await storage.write(toHostOffset + start, bytes.subarray(start, end));
    }
  }
  return zeros;
}

/** Given back where the host takes it; of the rest only what is no zero yet is written to, so that what was a hole stays one. */
async function clear(
  storage: WritableStorage,
  zeros: RangeSet,
  write: (hostOffset: number, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const bytes = Buffer.allocUnsafe(COPY_STEP);
  const isFew = storage.punch !== undefined && zeros.total <= FEW_ZEROS;
  const inFile = isFew ? zeros.clippedTo(0, await storage.size()) : await storedParts(storage, zeros);
  const left = storage.punch ? await storage.punch(inFile) : inFile;
  for (const { start, end } of left.each()) {
    for (const [skip, step] of steps(end - start)) {
      const piece = bytes.subarray(0, await storage.read(start + skip, bytes.subarray(0, step)));
      if (!areZeros(piece)) await write(start + skip, new Uint8Array(piece.length));
    }
  }
}

/** The parts of the ranges that the file has: a hole, where the host tells of it, reads as zeros. */
export async function storedParts(storage: Storage, ranges: RangeSet): Promise<RangeSet> {
  const parts = new RangeSet();
  const size = await storage.size();
  const data = await storage.dataRanges?.();
  if (data === undefined) return ranges.clippedTo(0, size);
  for (const { start, end } of ranges.each())
    for (const part of data.within(start, Math.min(end, size))) parts.add(part.start, part.end);
  return parts;
}

/** Passes writes through to `storage` and remembers where they went and what they were, from `floor` on. */
export class WriteRecorder {
  readonly storage: WritableStorage;
  readonly #ranges = new RangeSet();
  readonly #hash = crypto().createHash("sha256");

  /** Writes at or past `floor` must come in ascending order, as plans produce them. */
  constructor(storage: WritableStorage, floor: number) {
    this.storage = {
      path: storage.path,
      size: () => storage.size(),
      read: (hostOffset, into) => storage.read(hostOffset, into),
      resize: (size) => storage.resize(size),
      sync: () => storage.sync(),
      fingerprint: () => storage.fingerprint(),
      close: () => storage.close(),
      // What is given back lies below the floor.
      ...(storage.punch && { punch: storage.punch.bind(storage) }),
      write: async (hostOffset, bytes) => {
        if (hostOffset >= floor) {
          if (hostOffset < this.#ranges.end) throw new RangeError("Cannot record writes that go back");
          this.#ranges.add(hostOffset, hostOffset + bytes.length);
          this.#hash.update(bytes);
        }
        await storage.write(hostOffset, bytes);
      },
    };
  }

  finish(): Written {
    return { ranges: this.#ranges, digest: this.#hash.digest("hex") };
  }
}

export function* steps(length: number): Generator<[skip: number, step: number]> {
  for (let skip = 0; skip < length; skip += COPY_STEP) yield [skip, Math.min(COPY_STEP, length - skip)];
}

/**
 * Memory for tables of hundreds of MiB, which would leave as much behind before any of it is collected. What is as long as
 * a step is joined with nothing, so that when it is asked for again only the one before is still to be handed on.
 */
function chunksByTurns(): Chunk {
  const two: Uint8Array[] = [];
  let turn = 0;
  return (length) => {
    if (length !== COPY_STEP) return freshChunk(length);
    turn = 1 - turn;
    two[turn] ??= new Uint8Array(COPY_STEP);
    return (two[turn] as Uint8Array).fill(0);
  };
}

/** Joins writes that touch, up to COPY_STEP. The bytes of one are good until the next is asked for. */
export function* gathered({ writes }: Epoch): Generator<Write> {
  let start = 0;
  let end = 0;
  let parts: Uint8Array[] = [];
  const joined = (): Write => ({
    hostOffset: start,
    bytes: parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts),
  });
  for (const { hostOffset, bytes } of writes?.(chunksByTurns()) ?? []) {
    if (bytes.length === 0) continue;
    if (parts.length > 0 && (hostOffset !== end || end - start + bytes.length > COPY_STEP)) {
      yield joined();
      parts = [];
    }
    if (parts.length === 0) start = hostOffset;
    parts.push(bytes);
    end = hostOffset + bytes.length;
  }
  if (parts.length > 0) yield joined();
}
