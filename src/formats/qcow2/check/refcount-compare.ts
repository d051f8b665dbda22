/** Compares the refcounts that the image holds with the references that were counted, for every host cluster. */

import { counted } from "../../../bytes/count-text.ts";
import { hex } from "../../../bytes/image-error.ts";
import { readTables } from "../../../image/table-reader.ts";
import { exactRefcountAt, maxRefcount, refcountAt, refcountsPerBlock } from "../tables/refcount.ts";
import { amissIn, judge, lastUsed } from "../tables/refcount-agreement.ts";
import {
  countedClusterCount,
  NO_BLOCK,
  type RefcountBlocks,
  UNREADABLE_BLOCK,
  unalignedWords,
} from "../tables/refcount-table.ts";
import { PAGE_CLUSTERS } from "../tables/reference-counts.ts";
import { overflowFinding } from "../tables/reference-tally.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { reportSharing } from "./cluster-sharing.ts";

/** Wrong COPIED flags are told one by one as long as there are no more findings than this. */
export const MAX_TOLD = 2 ** 20;

/** Clusters [first, end), all in one block and in one page of counts. */
interface Segment {
  readonly first: number;
  readonly end: number;
}

/** Reports mismatches to the tally, clusters ascending; answers one past the highest that is counted or referenced. */
export async function compareRefcounts(source: WalkSource, blocks: RefcountBlocks): Promise<number> {
  const comparison = new Comparison(source, blocks);
  await comparison.compare();
  return comparison.end;
}

class Comparison {
  end = 0;
  readonly #source: WalkSource;
  readonly #blocks: RefcountBlocks;
  readonly #perBlock: number;
  readonly #bits: number;
  readonly #maxRefcount: number;
  readonly #clusterCount: number;
  /** Pages of references, ascending. */
  readonly #pages: readonly number[];

  constructor(source: WalkSource, blocks: RefcountBlocks) {
    const { geometry, header, tally } = source;
    this.#source = source;
    this.#blocks = blocks;
    this.#bits = header.refcountBits;
    this.#maxRefcount = maxRefcount(header.refcountBits);
    this.#perBlock = refcountsPerBlock(geometry.clusterSize, header.refcountBits);
    this.#clusterCount = countedClusterCount(source);
    this.#pages = tally.all.pageIndexes();
  }

  async compare(): Promise<void> {
    const { storage, geometry } = this.#source;
    const indexes: number[] = [];
    const indexEnd = Math.min(this.#blocks.length, Math.ceil(this.#clusterCount / this.#perBlock));
    for (let index = 0; index < indexEnd; index++) if ((this.#blocks[index] as number) > NO_BLOCK) indexes.push(index);
    const hostOffsets = Float64Array.from(indexes, (index) => this.#blocks[index] as number);
    let next = 0;
    for await (const batch of readTables(storage, hostOffsets, geometry.clusterSize)) {
      for (let at = batch.first; at < batch.first + batch.count; at++) {
        const start = (hostOffsets[at] as number) - batch.hostOffset;
        const block = batch.bytes.subarray(start, start + geometry.clusterSize);
        this.#compareWithoutBlocks(next, indexes[at] as number);
        next = (indexes[at] as number) + 1;
        const firstCluster = (next - 1) * this.#perBlock;
        for (const segment of this.#segments(firstCluster, firstCluster + this.#perBlock)) {
          this.#compareSegment(segment, block, firstCluster);
        }
      }
    }
    this.#compareWithoutBlocks(next, Math.ceil(this.#clusterCount / this.#perBlock));
  }

  /** The clusters of blocks [first, end), none of which can be read. */
  #compareWithoutBlocks(first: number, end: number): void {
    const blockAt = (index: number) => this.#blocks[index] ?? NO_BLOCK;
    for (let index = first; index < end; ) {
      const isUnreadable = blockAt(index) === UNREADABLE_BLOCK;
      let next = index + 1;
      // Past the table's end there is nothing to look at but references.
      while (next < Math.min(end, this.#blocks.length) && (blockAt(next) === UNREADABLE_BLOCK) === isUnreadable) next++;
      if (next >= this.#blocks.length && !isUnreadable) next = end;
      const firstCluster = index * this.#perBlock;
      const endCluster = Math.min(next * this.#perBlock, this.#clusterCount);
      if (isUnreadable) this.#reportUnreadable(firstCluster, endCluster);
      else this.#compareAbsent(firstCluster, endCluster, (cluster) => this.#compare(cluster, 0));
      index = next;
    }
  }

  /** Clusters without a refcount block: their refcount is 0, so only what is referenced needs a look. */
  #compareAbsent(first: number, end: number, look: (cluster: number, count: number) => void): void {
    const { tally } = this.#source;
    for (const page of this.#pages) {
      const from = Math.max(first, page * PAGE_CLUSTERS);
      const to = Math.min(end, (page + 1) * PAGE_CLUSTERS);
      for (let cluster = from; cluster < to; cluster++) {
        const count = tally.all.get(cluster);
        if (count > 0) look(cluster, count);
      }
    }
  }

  /** What an unreadable block says is unknown, of every cluster it covers. */
  #reportUnreadable(first: number, end: number): void {
    const { tally } = this.#source;
    if (tally.detailed === undefined) {
      this.#compareAbsent(first, end, (cluster, count) => {
        this.#reportOverflow(cluster, count);
        if (count > 1) reportSharing(this.#source, tally, cluster, count);
      });
      tally.error(() => this.#unreadable(first), end - first);
      return;
    }
    for (let cluster = first; cluster < end; cluster++) tally.error(() => this.#unreadable(cluster));
  }

  #unreadable(cluster: number) {
    const index = Math.floor(cluster / this.#perBlock);
    const { tally } = this.#source;
    const { unalignedBlock } = tally;
    const isFirst = unalignedBlock?.index === index && !tally.hasSaidUnaligned;
    if (isFirst) tally.hasSaidUnaligned = true;
    return {
      kind: "refcount-unreadable",
      structure: `refcount block ${index}`,
      message: `Refcount of cluster ${cluster} can't be read: refcount block ${index} does not lie where one can`,
      line: `${isFirst ? `${unalignedWords(index, unalignedBlock.place)}\n` : ""}Can't get refcount for cluster ${cluster}: Input/output error`,
    };
  }

  *#segments(first: number, end: number): Generator<Segment> {
    const stop = Math.min(end, this.#clusterCount);
    const step = Math.min(this.#perBlock, PAGE_CLUSTERS);
    for (let start = first; start < stop; start += step) yield { first: start, end: Math.min(start + step, stop) };
  }

  #compareSegment({ first, end }: Segment, block: Uint8Array, firstOfBlock: number): void {
    const { all, uncopied } = this.#source.tally;
    const page = Math.floor(first / PAGE_CLUSTERS);
    const used = all.usedOf(page);
    const amiss = used && amissIn(page, all, uncopied);
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    const compareEach = (from: number, to: number) => {
      for (let cluster = from; cluster < to; cluster++) this.#compareStored(cluster, view, firstOfBlock);
    };
    if (used === undefined || amiss === undefined) {
      compareEach(first, end);
      return;
    }
    for (const judged of judge({ block, refcountBits: this.#bits, firstOfBlock, first, end, used, amiss })) {
      if (!judged.agrees) compareEach(judged.first, judged.end);
      else this.end = Math.max(this.end, lastUsed(used, page * PAGE_CLUSTERS, judged.first, judged.end) + 1);
    }
  }

  #compareStored(cluster: number, view: DataView, firstOfBlock: number): void {
    const refcount = refcountAt(view, cluster - firstOfBlock, this.#bits);
    if (Number.isSafeInteger(refcount)) this.#compare(cluster, refcount);
    else this.#compare(cluster, refcount, exactRefcountAt(view, cluster - firstOfBlock, this.#bits));
  }

  #compare(cluster: number, refcount: number, exact: number | bigint = refcount): void {
    const { tally } = this.#source;
    const counted = tally.all.get(cluster);
    const references = Math.min(counted, this.#maxRefcount);
    if (counted > references) this.#reportOverflow(cluster, counted);
    if (refcount > 0 || references > 0) this.end = Math.max(this.end, cluster + 1);
    if (refcount !== references) this.#reportMismatch(cluster, refcount, references, exact);
    if (tally.detailed !== undefined) return;
    if (counted > 1) reportSharing(this.#source, tally, cluster, counted);
    const wronglyFlagged = refcount === 1 ? tally.uncopied.get(cluster) : tally.copiedOf(cluster);
    if (wronglyFlagged > 0) this.#reportCopiedFlag(cluster, refcount, exact, wronglyFlagged);
  }

  #reportMismatch(cluster: number, refcount: number, references: number, exact: number | bigint): void {
    const hostOffset = cluster * this.#source.geometry.clusterSize;
    const isLeak = refcount > references;
    const describe = () => ({
      kind: isLeak ? "leaked-cluster" : "refcount-mismatch",
      structure: `cluster ${cluster}`,
      hostOffset,
      refcount,
      references,
      message: `Cluster ${cluster} at host offset ${hex(hostOffset)} has refcount ${exact}, but ${counted(references, "reference")}`,
      line: `${isLeak ? "Leaked" : "ERROR"} cluster ${cluster} refcount=${exact} reference=${references}`,
    });
    if (isLeak) this.#source.tally.leak(describe);
    else this.#source.tally.corruption(describe);
  }

  /** A detailed walk has said so when it met the references. */
  #reportOverflow(cluster: number, references: number): void {
    const { tally, geometry } = this.#source;
    if (references <= this.#maxRefcount || tally.detailed !== undefined) return;
    tally.hasOverflow = true;
    tally.corruption(() => overflowFinding(cluster, geometry.clusterSize, references), references - this.#maxRefcount);
  }

  #reportCopiedFlag(cluster: number, refcount: number, exact: number | bigint, times: number): void {
    const { tally, geometry } = this.#source;
    const hostOffset = cluster * geometry.clusterSize;
    if (tally.misflagged.size < MAX_TOLD) tally.misflagged.set(cluster, exact);
    tally.corruption(
      () => ({
        kind: "copied-flag-mismatch",
        structure: `cluster ${cluster}`,
        hostOffset,
        refcount,
        message: `COPIED flag of the entry for host offset ${hex(hostOffset)} is ${refcount === 1 ? "clear" : "set"}, but the refcount is ${exact}`,
      }),
      times,
    );
  }
}
