/**
 * Refcount table and blocks of a qcow2 target: every used cluster counts exactly, they themselves included
 * (docs/interop/qcow2.txt, "Host cluster management").
 */

import { ceilDiv } from "../../../bytes/align.ts";
import { hex, ImageError } from "../../../bytes/image-error.ts";
import { type Chunk, freshChunk, type Write } from "../../../image/write.ts";
import { MAX_REFCOUNT_TABLE_BYTES } from "../header/rules.ts";
import { refcountsPerBlock, setRefcount } from "../tables/refcount.ts";
import { PAGE_CLUSTERS } from "../tables/reference-counts.ts";
import type { ClusterUsage } from "./cluster-usage.ts";

/** Tables are streamed in writes of at most this many bytes. */
export const CHUNK_SIZE = 1_048_576;

/** What a refcount structure is made from: how often each cluster is used. `own` counts the structure itself. */
export type CountedClusters = Pick<ClusterUsage, "clusterSize" | "own" | "countOf" | "pageIndexes" | "bitmapOf">;

export interface RefcountLayout {
  readonly refcountBits: number;
  readonly clustersPerBlock: number;
  /** The entries of the refcount table that have a block, ascending; all others stay 0. */
  readonly blockIndexes: readonly number[];
  readonly blocksHostOffset: number;
  readonly tableHostOffset: number;
  readonly tableClusterCount: number;
  /** One past the table's last cluster. */
  readonly end: number;
}

/**
 * Finds room for blocks and table from `hostOffset` on, and counts them and what lies between `tablesHostOffset` and
 * `hostOffset` in `usage`. More blocks can need more blocks, so it repeats until nothing grows.
 * @throws ImageError `out-of-bounds` when the table would be larger than 8 MiB.
 */
export function layOutRefcounts(
  usage: CountedClusters,
  refcountBits: number,
  tablesHostOffset: number,
  hostOffset: number,
): RefcountLayout {
  const { clusterSize } = usage;
  const clustersPerBlock = refcountsPerBlock(clusterSize, refcountBits);
  const firstCluster = tablesHostOffset / clusterSize;
  const firstBlock = Math.floor(firstCluster / clustersPerBlock);
  const below = usedBlocks(usage, clustersPerBlock).filter((block) => block < firstBlock);
  const fixedClusterCount = (hostOffset - tablesHostOffset) / clusterSize;

  let blockCount = 0;
  let tableClusterCount = 0;
  let lastBlock = firstBlock;
  for (;;) {
    const clusterCount = fixedClusterCount + blockCount + tableClusterCount;
    lastBlock = Math.floor((firstCluster + Math.max(clusterCount, 1) - 1) / clustersPerBlock);
    const neededBlocks = below.length + lastBlock - firstBlock + 1;
    const neededTable = ceilDiv((lastBlock + 1) * 8, clusterSize);
    if (neededBlocks === blockCount && neededTable === tableClusterCount) break;
    blockCount = neededBlocks;
    tableClusterCount = neededTable;
    refuseLargeTable(tableClusterCount * clusterSize, refcountBits, clusterSize, hostOffset);
  }
  const blockIndexes = below;
  for (let block = firstBlock; block <= lastBlock; block++) blockIndexes.push(block);
  usage.own(firstCluster, fixedClusterCount + blockCount + tableClusterCount);
  const tableHostOffset = hostOffset + blockCount * clusterSize;
  return {
    refcountBits,
    clustersPerBlock,
    blockIndexes,
    blocksHostOffset: hostOffset,
    tableHostOffset,
    tableClusterCount,
    end: tableHostOffset + tableClusterCount * clusterSize,
  };
}

/** The blocks, then the table, in ascending order. */
export function* refcountWrites(
  layout: RefcountLayout,
  usage: CountedClusters,
  newChunk: Chunk = freshChunk,
): Generator<Write> {
  yield* blockWrites(layout, usage, newChunk);
  yield* tableWrites(layout, usage.clusterSize);
}

function* blockWrites(layout: RefcountLayout, usage: CountedClusters, newChunk: Chunk): Generator<Write> {
  const { blockIndexes, clustersPerBlock, refcountBits, blocksHostOffset } = layout;
  const pieceSize = Math.min(usage.clusterSize, CHUNK_SIZE);
  const clustersPerPiece = refcountsPerBlock(pieceSize, refcountBits);
  const end = blocksHostOffset + blockIndexes.length * usage.clusterSize;
  let chunk: Uint8Array | undefined;
  let filled = 0;
  let hostOffset = blocksHostOffset;
  for (const block of blockIndexes) {
    const lastCluster = (block + 1) * clustersPerBlock;
    for (let cluster = block * clustersPerBlock; cluster < lastCluster; cluster += clustersPerPiece) {
      chunk ??= newChunk(Math.min(CHUNK_SIZE, end - hostOffset));
      encodeRefcounts(chunk.subarray(filled, filled + pieceSize), cluster, clustersPerPiece, refcountBits, usage);
      filled += pieceSize;
      if (filled < chunk.length) continue;
      yield { hostOffset, bytes: chunk };
      hostOffset += filled;
      filled = 0;
      chunk = undefined;
    }
  }
}

function* tableWrites(layout: RefcountLayout, clusterSize: number): Generator<Write> {
  const { blockIndexes, blocksHostOffset, tableHostOffset, end } = layout;
  const entriesPerChunk = CHUNK_SIZE / 8;
  let row = 0;
  for (let hostOffset = tableHostOffset, first = 0; hostOffset < end; first += entriesPerChunk) {
    const chunk = new Uint8Array(Math.min(CHUNK_SIZE, end - hostOffset));
    const view = new DataView(chunk.buffer);
    for (; row < blockIndexes.length && (blockIndexes[row] as number) < first + entriesPerChunk; row++) {
      const blockHostOffset = blocksHostOffset + row * clusterSize;
      const at = ((blockIndexes[row] as number) - first) * 8;
      view.setUint32(at, Math.floor(blockHostOffset / 2 ** 32));
      view.setUint32(at + 4, blockHostOffset % 2 ** 32);
    }
    yield { hostOffset, bytes: chunk };
    hostOffset += chunk.length;
  }
}

/** Writes the counts of `clusterCount` clusters into zeroed bytes. Both numbers of clusters are multiples of 8. */
function encodeRefcounts(
  into: Uint8Array,
  firstCluster: number,
  clusterCount: number,
  refcountBits: number,
  usage: CountedClusters,
): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const end = firstCluster + clusterCount;
  for (let cluster = firstCluster; cluster < end; ) {
    const page = Math.floor(cluster / PAGE_CLUSTERS);
    const pageStart = page * PAGE_CLUSTERS;
    const stop = Math.min(end, pageStart + PAGE_CLUSTERS);
    const bitmap = usage.bitmapOf(page);
    for (; cluster < stop; cluster += 8) {
      const bits = bitmap === undefined ? 0xff : (bitmap[(cluster - pageStart) >>> 3] as number);
      for (let bit = 0; bits >>> bit > 0; bit++) {
        if (((bits >>> bit) & 1) === 0) continue;
        const count = bitmap === undefined ? usage.countOf(cluster + bit) : 1;
        if (count > 0) setRefcount(view, cluster + bit - firstCluster, refcountBits, count);
      }
    }
  }
}

/** Blocks in which a cluster is used, ascending. */
function usedBlocks(usage: CountedClusters, clustersPerBlock: number): number[] {
  const blocks: number[] = [];
  for (const page of usage.pageIndexes()) {
    const bitmap = usage.bitmapOf(page);
    const pageStart = page * PAGE_CLUSTERS;
    const step = Math.min(clustersPerBlock, PAGE_CLUSTERS);
    for (let cluster = pageStart; cluster < pageStart + PAGE_CLUSTERS; cluster += step) {
      const block = Math.floor(cluster / clustersPerBlock);
      if (blocks.at(-1) === block) continue;
      if (hasUsed(usage, bitmap, cluster, step)) blocks.push(block);
    }
  }
  return blocks;
}

function hasUsed(
  usage: CountedClusters,
  bitmap: Uint8Array | undefined,
  firstCluster: number,
  clusterCount: number,
): boolean {
  const slot = firstCluster % PAGE_CLUSTERS;
  if (bitmap !== undefined) return bitmap.subarray(slot >>> 3, (slot + clusterCount) >>> 3).some((bits) => bits !== 0);
  for (let cluster = firstCluster; cluster < firstCluster + clusterCount; cluster++) {
    if (usage.countOf(cluster) > 0) return true;
  }
  return false;
}

function refuseLargeTable(tableBytes: number, refcountBits: number, clusterSize: number, hostOffset: number): void {
  if (tableBytes <= MAX_REFCOUNT_TABLE_BYTES) return;
  throw new ImageError(
    "out-of-bounds",
    `Cannot map to qcow2: a file of more than ${hex(hostOffset)} bytes needs a refcount table beyond 8 MiB with clusters ` +
      `of ${clusterSize} bytes and refcounts of ${refcountBits} bits; choose a larger cluster_size or fewer refcount_bits`,
    { format: "qcow2", structure: "refcount table", hostOffset },
  );
}
