/**
 * A judge of everything that was done to a file while it was a qcow2: it replays the recorded operations, reads at each barrier
 * what is live with a reader of its own, and refuses
 *
 *   a write, a cut or a punch that touches a block of 4 KiB in which live data lies
 *   a changed entry whose old and new places do not hold the same, both of them durable
 *   a count that is lower, in any mixture of old and new sectors, than what points there
 *   any other change of a table that is live
 *
 * Between two barriers each sector may be old or new by itself. Entries are judged one by one, so that all mixtures are.
 */

import { readOvaNaively } from "../formats/ova/naive-reader.ts";
import {
  clustersOf,
  contentOf,
  isQcow2,
  type LiveEntry,
  type LiveImage,
  type LiveTable,
  readLive as readLiveAnew,
} from "../formats/qcow2/live-reader.ts";
import { readSparseNaively } from "../formats/vmdk/sparse/naive-reader.ts";
import type { Operation, OperationLog } from "./recording-volume.ts";

const BLOCK = 4096;
const SECTOR = 512;
const NONE: LiveEntry = { word: 0n, start: 0, end: 0, kind: "none" };

/** What one epoch leaves the next begins with. */
const read = new WeakMap<Uint8Array, LiveImage>();

function readLive(file: Uint8Array): LiveImage {
  const live = read.get(file) ?? readLiveAnew(file);
  read.set(file, live);
  return live;
}

interface Touched {
  readonly what: string;
  readonly start: number;
  readonly end: number;
}

export interface JudgedTally {
  /** Barriers behind which the file was a qcow2. */
  epochs: number;
  /** Entries that were pointed elsewhere. */
  repointed: number;
}

/** Throws at the first thing that no cut may find; `guest` is what the image shows at each barrier. */
export function judgeLive(log: OperationLog, path: string, guest: Uint8Array, tally: JudgedTally): void {
  let before: Uint8Array = (log.initial[path] as Uint8Array).slice();
  let epoch: Operation[] = [];
  for (const operation of log.operations) {
    if (!("path" in operation) || operation.path !== path) continue;
    if (operation.kind !== "sync") {
      if (operation.kind === "write" || operation.kind === "resize" || operation.kind === "punch")
        epoch.push(operation);
      continue;
    }
    const after = performed(before, epoch);
    if (isQcow2(before)) {
      tally.epochs++;
      tally.repointed += judgeEpoch(before, after, [...touchedBy(before, epoch)]);
    }
    if (Buffer.compare(before.subarray(0, SECTOR), after.subarray(0, SECTOR)) !== 0 || !isQcow2(after))
      judgeGuest(after, guest);
    before = after;
    epoch = [];
  }
  if (epoch.length > 0) throw new Error(`${epoch.length} operations have no barrier behind them`);
}

function judgeGuest(file: Uint8Array, guest: Uint8Array): void {
  const isOf = (mark: string, at = 0) => Buffer.from(file.subarray(at, at + mark.length)).toString("latin1") === mark;
  const shown = isQcow2(file)
    ? guestOf(file)
    : isOf("KDMV")
      ? readSparseNaively(file)
      : isOf("ustar", 257)
        ? readOvaNaively(file)
        : file.subarray(0, guest.length);
  if (Buffer.compare(shown, guest) !== 0) throw new Error("the guest is another one");
}

function guestOf(file: Uint8Array): Uint8Array {
  const { clusterSize, entries } = readLive(file);
  const size = Number(Buffer.from(file.subarray(24, 32)).readBigUInt64BE());
  const guest = new Uint8Array(Math.ceil(size / clusterSize) * clusterSize);
  for (const [guestCluster, entry] of entries)
    guest.set(contentOf(file, entry, clusterSize), guestCluster * clusterSize);
  return guest.subarray(0, size);
}

function performed(before: Uint8Array, epoch: readonly Operation[]): Uint8Array {
  let file = before.slice();
  const resized = (size: number) => {
    const other = new Uint8Array(size);
    other.set(file.subarray(0, size));
    return other;
  };
  for (const each of epoch) {
    if (each.kind === "resize") file = resized(each.size);
    if (each.kind === "write") {
      if (each.hostOffset + each.bytes.length > file.length) file = resized(each.hostOffset + each.bytes.length);
      file.set(each.bytes, each.hostOffset);
    }
    if (each.kind === "punch") for (const { start, end } of each.ranges) file.fill(0, start, end);
  }
  return file;
}

function* touchedBy(before: Uint8Array, epoch: readonly Operation[]): Generator<Touched> {
  for (const each of epoch) {
    if (each.kind === "write")
      yield { what: "a write", start: each.hostOffset, end: each.hostOffset + each.bytes.length };
    if (each.kind === "punch") for (const range of each.ranges) yield { what: "a punch", ...range };
    if (each.kind === "resize" && each.size < before.length)
      yield { what: "a cut", start: each.size, end: before.length };
  }
}

function judgeEpoch(before: Uint8Array, after: Uint8Array, touched: readonly Touched[]): number {
  const live = readLive(before);
  const isSwitch = Buffer.compare(before.subarray(0, SECTOR), after.subarray(0, SECTOR)) !== 0;
  if (isSwitch && isQcow2(after)) refuseNewcomers(readLive(after), before, after);
  const isTouched = new Set<number>();
  for (const { what, start, end } of touched) {
    // What lies in the same block as live data may be lost with it; tables are judged by what they say.
    const [from, to] = [Math.floor(start / SECTOR) * SECTOR, Math.ceil(end / SECTOR) * SECTOR];
    for (let at = from; at < to; at += SECTOR) isTouched.add(at / SECTOR);
    const table = live.tables.find((each) => from < each.end && each.start < to);
    if (table === undefined) refuseLiveData(live, what, start, end);
    else if (what !== "a write") throw new Error(`${what} at ${start} takes the ${table.kind} at ${table.start}`);
    else refuseLiveSectors(live, start, end);
  }
  // Other tables from then on, all of which are durable.
  if (isSwitch) return 0;
  const changed = changedEntries(live, before, after);
  for (const { guestCluster, from, to } of changed) {
    const where = `guest cluster ${guestCluster}, from ${from.start} to ${to.start}`;
    for (let at = Math.floor(to.start / SECTOR); at * SECTOR < to.end; at++)
      if (isTouched.has(at)) throw new Error(`${where}: what it is pointed at is not durable yet`);
    const [old, now] = [from, to].map((each) => contentOf(before, each, live.clusterSize)) as [Uint8Array, Uint8Array];
    if (Buffer.compare(old, now) !== 0) throw new Error(`${where}: both do not hold the same`);
  }
  judgeCounts(live, after, changed);
  return changed.length;
}

/** All that the new header tells of is durable before it comes. */
function refuseNewcomers({ tables, entries }: LiveImage, before: Uint8Array, after: Uint8Array): void {
  for (const { kind, start, end } of [...tables, ...entries.values()])
    if (kind !== "header" && Buffer.compare(before.subarray(start, end), after.subarray(start, end)) !== 0)
      throw new Error(`the ${kind} at ${start} is written together with the header that tells of it`);
}

function refuseLiveData(live: LiveImage, what: string, start: number, end: number): void {
  const [from, to] = [Math.floor(start / BLOCK) * BLOCK, Math.ceil(end / BLOCK) * BLOCK];
  for (const [guestCluster, entry] of live.entries)
    if (entry.start < to && from < entry.end)
      throw new Error(`${what} of ${start} to ${end} touches guest cluster ${guestCluster}, live at ${entry.start}`);
}

/** Of a write to tables: clusters of 4 KiB and more have whole blocks of their own. */
function refuseLiveSectors(live: LiveImage, start: number, end: number): void {
  for (const entry of live.entries.values())
    if (entry.start < end && start < entry.end) throw new Error(`a write of ${start} to ${end} goes on over live data`);
}

interface Changed {
  readonly guestCluster: number;
  readonly from: LiveEntry;
  readonly to: LiveEntry;
}

/** All that is different in live tables; throws where that is neither an entry of L2 nor a count, nor a new block's. */
function changedEntries(live: LiveImage, before: Uint8Array, after: Uint8Array): Changed[] {
  const now = readLive(after);
  const changed: Changed[] = [];
  for (const table of live.tables) {
    if (Buffer.compare(before.subarray(table.start, table.end), after.subarray(table.start, table.end)) === 0) continue;
    if (table.kind === "refcount block") continue;
    if (table.kind === "l2") changed.push(...changedIn(table, live, now));
    else refuseOtherTable(table, before, after);
  }
  return changed;
}

function* changedIn({ first }: LiveTable, live: LiveImage, now: LiveImage): Generator<Changed> {
  for (let guestCluster = first; guestCluster < first + live.clusterSize / 8; guestCluster++) {
    const from = live.entries.get(guestCluster) ?? NONE;
    const to = now.entries.get(guestCluster) ?? NONE;
    if (from.word !== to.word) yield { guestCluster, from, to };
  }
}

/** Blocks that are new to the refcount table are all that else may change. */
function refuseOtherTable({ kind, start, end }: LiveTable, before: Uint8Array, after: Uint8Array): void {
  const [old, now] = [before, after].map((file) => Buffer.from(file.subarray(start, end))) as [Buffer, Buffer];
  for (let at = 0; kind === "refcount table" && at < old.length; at += 8)
    if (old.readBigUInt64BE(at) !== 0n && old.readBigUInt64BE(at) !== now.readBigUInt64BE(at))
      throw new Error(`the block of entry ${at / 8} of the refcount table is another's now`);
  if (kind !== "refcount table") throw new Error(`the ${kind} has changed`);
}

/** Each count is old or new, and so is each entry, by itself. */
function judgeCounts(live: LiveImage, after: Uint8Array, changed: readonly Changed[]): void {
  const now = readLive(after);
  const references = new Map<number, number>();
  const refer = (entry: LiveEntry, also?: LiveEntry) => {
    const clusters = new Set(clustersOf(entry, live.clusterSize));
    if (also) for (const cluster of clustersOf(also, live.clusterSize)) clusters.add(cluster);
    for (const cluster of clusters) references.set(cluster, (references.get(cluster) ?? 0) + 1);
  };
  const moved = new Map(changed.map((each) => [each.guestCluster, each]));
  for (const [guestCluster, entry] of live.entries) refer(entry, moved.get(guestCluster)?.to);
  for (const { start, end } of live.tables)
    for (let at = start; at < end; at += live.clusterSize) refer({ ...NONE, start: at, end: at + 1 });
  for (const [cluster, count] of references) {
    const least = Math.min(live.counts.get(cluster) ?? 0, now.counts.get(cluster) ?? 0);
    if (least < count) throw new Error(`host cluster ${cluster} is counted ${least} times, and ${count} point there`);
  }
  const entries = [...live.entries.values(), ...changed.map(({ to }) => to)];
  for (const { kind, word, start } of entries) {
    if (kind !== "plain" || word >> 63n === 0n) continue;
    const cluster = start / live.clusterSize;
    const most = Math.max(live.counts.get(cluster) ?? 0, now.counts.get(cluster) ?? 0);
    if (most !== 1) throw new Error(`host cluster ${cluster} is said to be one's alone, and is counted ${most} times`);
  }
}
