/**
 * The picture of an image's file: where header, tables and guest data lie, in a bounded number of runs whatever its size.
 *
 *   | header | tables | data          | free | compressed | data |
 */

import type { RangeSet } from "../bytes/range-set.ts";
import { ExtentState, type ExtentTable, isStored } from "./extent.ts";
import type { Image } from "./source.ts";

/** `free` is all that holds neither metadata nor anything of the disk as it is: holes, leaks, what snapshots alone keep. */
export const LAYOUT_KINDS = ["header", "tables", "data", "compressed", "free"] as const;
export type LayoutKind = (typeof LAYOUT_KINDS)[number];

/** In bytes of the file. */
export interface LayoutRun {
  readonly start: number;
  readonly length: number;
  readonly kind: LayoutKind;
}

export interface FileLayout {
  readonly fileSize: number;
  /** Sums over all runs. */
  readonly bytes: Readonly<Record<LayoutKind, number>>;
  /** False where runs stand for stretches of the file: what a stretch holds is right, the order inside it is not. */
  readonly isExact: boolean;
  /** At most MAX_RUNS, in order, without a gap from 0 to `fileSize`. */
  readonly runs: readonly LayoutRun[];
}

export interface LayoutFacts {
  readonly mapping: ExtentTable;
  readonly metadata: RangeSet;
  readonly clusterSize: number;
  readonly fileSize: number;
}

/** More would be narrower than a pixel. */
export const MAX_RUNS = 256;
/** Up to so many pieces are sorted and drawn as they lie; more are only added up. */
const MAX_PIECES = 1024;

/** Reads no more than mapping and metadata ranges do; throws as they do. */
export async function layoutOf(image: Image): Promise<FileLayout> {
  const { clusterSize, fileSize } = image;
  return fileLayout({
    mapping: await image.getMapping(),
    metadata: await image.getMetadataRanges(),
    clusterSize,
    fileSize,
  });
}

export function fileLayout(facts: LayoutFacts): FileLayout {
  const exact = facts.mapping.count > MAX_PIECES ? undefined : exactRuns(facts);
  const runs = exact ?? addedUp(facts);
  const bytes = { header: 0, tables: 0, data: 0, compressed: 0, free: 0 };
  for (const { kind, length } of runs) bytes[kind] += length;
  return { fileSize: facts.fileSize, bytes, isExact: exact !== undefined, runs };
}

/** Every piece as it lies; undefined where there are too many. */
function exactRuns(facts: LayoutFacts): LayoutRun[] | undefined {
  const pieces: LayoutRun[] = [];
  eachPiece(facts, (start, end, kind) => {
    if (pieces.length <= MAX_PIECES) pieces.push({ start, length: end - start, kind });
    return pieces.length <= MAX_PIECES;
  });
  if (pieces.length > MAX_PIECES) return undefined;
  pieces.sort((a, b) => a.start - b.start);
  const runs = new RunList();
  for (const { start, length, kind } of pieces) {
    // Compressed clusters share sectors, and a broken image anything: what comes first is drawn.
    runs.add(start - runs.end, "free");
    runs.add(start + length - runs.end, kind);
  }
  runs.add(facts.fileSize - runs.end, "free");
  return runs.list.length <= MAX_RUNS ? runs.list : undefined;
}

/** The file cut into equal stretches; of each only how much of what it holds. */
function addedUp(facts: LayoutFacts): LayoutRun[] {
  const { fileSize } = facts;
  const width = fileSize / MAX_RUNS;
  const edge = (stretch: number) => (stretch >= MAX_RUNS ? fileSize : Math.floor(stretch * width));
  const sums = Object.fromEntries(LAYOUT_KINDS.map((kind) => [kind, new Float64Array(MAX_RUNS)])) as Sums;
  eachPiece(facts, (start, end, kind) => {
    let stretch = Math.min(MAX_RUNS - 1, Math.floor(start / width));
    // The division above may round to a neighbour.
    while (start < edge(stretch)) stretch--;
    while (start >= edge(stretch + 1)) stretch++;
    const sum = sums[kind];
    for (let from = start; from < end; stretch++) {
      const to = Math.min(end, edge(stretch + 1));
      sum[stretch] = (sum[stretch] as number) + to - from;
      from = to;
    }
    return true;
  });
  for (let stretch = 0; stretch < MAX_RUNS; stretch++) {
    let room = edge(stretch + 1) - edge(stretch);
    for (const kind of LAYOUT_KINDS) {
      const sum = sums[kind];
      sum[stretch] = kind === "free" ? room : Math.min(room, sum[stretch] as number);
      room -= sum[stretch] as number;
    }
  }
  // Fewer and wider stretches until few enough runs are left.
  for (let step = 1; ; step *= 2) {
    const runs = runsOf(sums, step);
    if (runs.length <= MAX_RUNS) return runs;
  }
}

type Sums = Readonly<Record<LayoutKind, Float64Array>>;

/** Every other stretch is told backwards, so that neighbours touch with what both hold. */
function runsOf(sums: Sums, step: number): LayoutRun[] {
  const runs = new RunList();
  for (let first = 0; first < MAX_RUNS; first += step) {
    const isForward = (first / step) % 2 === 0;
    for (const kind of isForward ? LAYOUT_KINDS : LAYOUT_KINDS.toReversed()) {
      let total = 0;
      for (let stretch = first; stretch < first + step; stretch++) total += sums[kind][stretch] as number;
      runs.add(total, kind);
    }
  }
  return runs.list;
}

/** Calls `use` for everything that is not free, clipped to the file, until it answers false. */
function eachPiece(
  { mapping, metadata, clusterSize, fileSize }: LayoutFacts,
  use: (start: number, end: number, kind: LayoutKind) => boolean,
): void {
  const clipped = (start: number, end: number, kind: LayoutKind) =>
    start >= Math.min(end, fileSize) || use(start, Math.min(end, fileSize), kind);
  for (const { start, end } of metadata.each()) {
    if (start < clusterSize && !clipped(start, Math.min(end, clusterSize), "header")) return;
    if (!clipped(Math.max(start, clusterSize), end, "tables")) return;
  }
  const { count, hostOffset, length, state, storedLength } = mapping;
  for (let row = 0; row < count; row++) {
    const start = hostOffset[row] as number;
    // Zeros that have a place hold nothing: a hole of a raw disk, a preallocated cluster.
    if (start < 0 || !isStored(state[row])) continue;
    const isCompressed = state[row] === ExtentState.compressed;
    const size = (isCompressed ? storedLength[row] : length[row]) as number;
    if (!clipped(start, start + size, isCompressed ? "compressed" : "data")) return;
  }
}

/** Runs from 0 on; equal neighbours become one, empty ones are passed over. */
class RunList {
  readonly list: LayoutRun[] = [];
  end = 0;

  add(length: number, kind: LayoutKind): void {
    if (length <= 0) return;
    const last = this.list.at(-1);
    if (last?.kind === kind) this.list[this.list.length - 1] = { ...last, length: last.length + length };
    else this.list.push({ start: this.end, length, kind });
    this.end += length;
  }
}
