/** Compares the refcounts that the image holds with the references that were counted, for every host cluster. */

import { hex } from "../../bytes/image-error.ts";
import {
  maxRefcount,
  NO_BLOCK,
  type RefcountBlocks,
  refcountAt,
  refcountsPerBlock,
  UNREADABLE_BLOCK,
} from "./refcount-table.ts";
import { PAGE_CLUSTERS } from "./reference-counts.ts";
import { readTables } from "./table-reader.ts";
import type { WalkSource } from "./table-walk.ts";

/** Clusters [first, end), all in one block and in one page of counts. */
interface Segment {
  readonly first: number;
  readonly end: number;
}

/** Reports mismatches to the tally; answers one past the highest cluster that is counted or referenced. */
export async function compareRefcounts(source: WalkSource, blocks: RefcountBlocks): Promise<number> {
  const comparison = new Comparison(source);
  await comparison.comparePresent(blocks);
  comparison.compareAbsent(blocks);
  return comparison.end;
}

class Comparison {
  end = 0;
  readonly #source: WalkSource;
  readonly #perBlock: number;
  readonly #bits: number;
  readonly #maxRefcount: number;
  /** Clusters to look at: those of the file, and one beyond where compressed data reaches into it. */
  readonly #clusterCount: number;

  constructor(source: WalkSource) {
    const { geometry, header, tally } = source;
    this.#source = source;
    this.#bits = header.refcountBits;
    this.#maxRefcount = maxRefcount(header.refcountBits);
    this.#perBlock = refcountsPerBlock(geometry.clusterSize, header.refcountBits);
    this.#clusterCount = geometry.hostClusterCount + (tally.all.get(geometry.hostClusterCount) > 0 ? 1 : 0);
  }

  /** Clusters whose refcount block lies in the file. */
  async comparePresent(blocks: RefcountBlocks): Promise<void> {
    const { storage, geometry } = this.#source;
    const indexes = Array.from(blocks.keys()).filter(
      (index) => (blocks[index] as number) > NO_BLOCK && index * this.#perBlock < this.#clusterCount,
    );
    const hostOffsets = Float64Array.from(indexes, (index) => blocks[index] as number);
    for await (const batch of readTables(storage, hostOffsets, geometry.clusterSize)) {
      for (let at = batch.first; at < batch.first + batch.count; at++) {
        const start = (hostOffsets[at] as number) - batch.hostOffset;
        const block = batch.bytes.subarray(start, start + geometry.clusterSize);
        const firstCluster = (indexes[at] as number) * this.#perBlock;
        for (const segment of this.#segments(firstCluster, firstCluster + this.#perBlock)) {
          this.#compareSegment(segment, block, firstCluster);
        }
      }
    }
  }

  /** Clusters without a refcount block: their refcount is 0, so only what is referenced needs a look. */
  compareAbsent(blocks: RefcountBlocks): void {
    const { tally } = this.#source;
    for (const pageIndex of tally.all.pageIndexes()) {
      if (!this.#lacksBlock(pageIndex, blocks)) continue;
      for (const { cluster, count } of tally.all.eachIn(pageIndex)) {
        if (cluster >= this.#clusterCount) break;
        const block = blocks[Math.floor(cluster / this.#perBlock)] ?? NO_BLOCK;
        if (block === NO_BLOCK) this.#compare(cluster, 0);
        else if (block === UNREADABLE_BLOCK && count > this.#maxRefcount) this.#reportOverflow(cluster, count);
      }
    }
    // What an unreadable block says is unknown, of every cluster it covers.
    for (let index = 0; index < blocks.length && index * this.#perBlock < this.#clusterCount; index++) {
      if (blocks[index] !== UNREADABLE_BLOCK) continue;
      const first = index * this.#perBlock;
      const count = Math.min(this.#perBlock, this.#clusterCount - first);
      tally.error(
        () => ({
          kind: "refcount-unreadable",
          structure: `refcount block ${index}`,
          message: `Refcounts of ${count} clusters from ${first} on can't be read: refcount block ${index} is not aligned`,
        }),
        count,
      );
    }
  }

  /** True where some cluster of the page has no block that could be read. */
  #lacksBlock(pageIndex: number, blocks: RefcountBlocks): boolean {
    const start = pageIndex * PAGE_CLUSTERS;
    for (let cluster = start; cluster < start + PAGE_CLUSTERS; cluster += this.#perBlock) {
      if ((blocks[Math.floor(cluster / this.#perBlock)] ?? NO_BLOCK) <= NO_BLOCK) return true;
    }
    return false;
  }

  *#segments(first: number, end: number): Generator<Segment> {
    const stop = Math.min(end, this.#clusterCount);
    const step = Math.min(this.#perBlock, PAGE_CLUSTERS);
    for (let start = first; start < stop; start += step) yield { first: start, end: Math.min(start + step, stop) };
  }

  #compareSegment({ first, end }: Segment, block: Uint8Array, firstOfBlock: number): void {
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    let cluster = this.#passAgreeing(first, end, view, firstOfBlock);
    for (; cluster < end; cluster++) this.#compare(cluster, refcountAt(view, cluster - firstOfBlock, this.#bits));
  }

  /**
   * The usual cases, eight clusters at a time: nothing counted and nothing referenced, or 16-bit refcounts of 0 and 1
   * as counted with no COPIED flag amiss. Compares what differs by the cluster; answers the first cluster that is
   * left to be looked at.
   */
  #passAgreeing(first: number, end: number, view: DataView, firstOfBlock: number): number {
    const { tally } = this.#source;
    const pageIndex = Math.floor(first / PAGE_CLUSTERS);
    const counted = tally.all.bitmapOf(pageIndex);
    const copied = tally.copied.bitmapOf(pageIndex);
    const uncopied = tally.uncopied.bitmapOf(pageIndex);
    if (counted === undefined || copied === undefined || uncopied === undefined) return first;
    const base = pageIndex * PAGE_CLUSTERS;
    const width = this.#bits;
    let cluster = first;
    for (; cluster + 8 <= end; cluster += 8) {
      const byte = (cluster - base) >>> 3;
      const bits = counted[byte] as number;
      const at = ((cluster - firstOfBlock) / 8) * width;
      const agrees = width === 16 ? agreesIn16Bits(view, at, bits) : bits === 0 && isZero(view, at, width);
      if (!agrees || uncopied[byte] !== 0) {
        for (let turn = cluster; turn < cluster + 8; turn++) {
          this.#compare(turn, refcountAt(view, turn - firstOfBlock, width));
        }
      } else if (bits !== 0) {
        this.end = Math.max(this.end, cluster + 32 - Math.clz32(bits));
      }
    }
    return cluster;
  }

  #compare(cluster: number, refcount: number): void {
    const { tally } = this.#source;
    const counted = tally.all.get(cluster);
    const references = Math.min(counted, this.#maxRefcount);
    if (counted > references) this.#reportOverflow(cluster, counted);
    if (refcount > 0 || references > 0) this.end = Math.max(this.end, cluster + 1);
    if (refcount !== references) this.#reportMismatch(cluster, refcount, references);
    if (references > 1 && refcount >= references && counted === references) this.#reportSharing(cluster, references);
    const wronglyFlagged = refcount === 1 ? tally.uncopied.get(cluster) : tally.copied.get(cluster);
    if (wronglyFlagged > 0) this.#reportCopiedFlag(cluster, refcount, wronglyFlagged);
  }

  #reportMismatch(cluster: number, refcount: number, references: number): void {
    const hostOffset = cluster * this.#source.geometry.clusterSize;
    const isLeak = refcount > references;
    const describe = () => ({
      kind: isLeak ? "leaked-cluster" : "refcount-mismatch",
      structure: `cluster ${cluster}`,
      hostOffset,
      refcount,
      references,
      message: `Cluster ${cluster} at host offset ${hex(hostOffset)} has refcount ${refcount}, but ${references} references`,
    });
    if (isLeak) this.#source.tally.leak(describe);
    else this.#source.tally.corruption(describe);
  }

  #reportOverflow(cluster: number, references: number): void {
    const hostOffset = cluster * this.#source.geometry.clusterSize;
    this.#source.tally.corruption(
      () => ({
        kind: "refcount-overflow",
        structure: `cluster ${cluster}`,
        hostOffset,
        references,
        message: `Cluster ${cluster} at host offset ${hex(hostOffset)} has ${references} references, more than ${this.#bits} bits can count`,
      }),
      references - this.#maxRefcount,
    );
  }

  /** Refcounts may agree with references that no sound image has; what shares a cluster then overwrites it. */
  #reportSharing(cluster: number, references: number): void {
    const { tally, geometry } = this.#source;
    const what = this.#wrongSharing(cluster, references);
    if (what === undefined) return;
    tally.corruption(() => ({
      kind: "overlap",
      structure: `cluster ${cluster}`,
      hostOffset: cluster * geometry.clusterSize,
      references,
      message: `Cluster ${cluster} at host offset ${hex(cluster * geometry.clusterSize)} is ${what}`,
    }));
  }

  #wrongSharing(cluster: number, references: number): string | undefined {
    const { tally } = this.#source;
    if (tally.sharedBlocks.get(cluster) > 0) return undefined;
    if (tally.metadata.get(cluster) > 0) return "metadata and something else at once";
    const activeTables = tally.activeL2Tables.get(cluster);
    const tables = activeTables + tally.inactiveL2Tables.get(cluster);
    if (tables > 0) {
      if (tables < references) return "an L2 table and data at once";
      return activeTables > 1 ? "an L2 table of several guest ranges" : undefined;
    }
    const compressed = tally.compressed.get(cluster);
    if (compressed > 0) return compressed < references ? "compressed and plain data at once" : undefined;
    const active = tally.copied.get(cluster) + tally.uncopied.get(cluster);
    return active > 1 ? "the data of several guest ranges" : undefined;
  }

  #reportCopiedFlag(cluster: number, refcount: number, times: number): void {
    const hostOffset = cluster * this.#source.geometry.clusterSize;
    this.#source.tally.corruption(
      () => ({
        kind: "copied-flag-mismatch",
        structure: `cluster ${cluster}`,
        hostOffset,
        refcount,
        message: `COPIED flag of the entry for host offset ${hex(hostOffset)} is ${refcount === 1 ? "clear" : "set"}, but the refcount is ${refcount}`,
      }),
      times,
    );
  }
}

/** Two 16-bit refcounts as one big-endian number, by the two bits that were counted. */
const PAIRS = [0x0000_0000, 0x0001_0000, 0x0000_0001, 0x0001_0001];

function agreesIn16Bits(view: DataView, at: number, bits: number): boolean {
  return (
    view.getUint32(at) === PAIRS[bits & 3] &&
    view.getUint32(at + 4) === PAIRS[(bits >>> 2) & 3] &&
    view.getUint32(at + 8) === PAIRS[(bits >>> 4) & 3] &&
    view.getUint32(at + 12) === PAIRS[bits >>> 6]
  );
}

function isZero(view: DataView, from: number, length: number): boolean {
  for (let at = from; at < from + length; at++) if (view.getUint8(at) !== 0) return false;
  return true;
}
