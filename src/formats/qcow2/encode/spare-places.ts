/**
 * The first places for streams: free clusters of the file or behind its end, as far as refcount blocks count them. Where
 * there are none, a block of its own is made for those behind the end (docs/interop/qcow2.txt, "Host cluster management").
 *
 *   beforehand: block | entry of the refcount table        each bar a barrier
 */

import { Bitmap, MAX_BITS } from "../../../bytes/bitmap.ts";
import { NO_PIECE, PieceTable } from "../../../image/piece-table.ts";
import type { TidyStep } from "../../../image/rearranger.ts";
import type { Write } from "../../../image/write.ts";
import { cannotRearrange } from "../rearrange/rearrange-error.ts";
import { refcountsPerBlock, setRefcount } from "../tables/refcount.ts";
import type { RefcountBlocks } from "../tables/refcount-table.ts";
import type { WalkSource } from "../tables/table-walk.ts";

export interface SparePlaces {
  /** What may be taken at first. */
  readonly available: Bitmap;
  /** Clusters that the model reaches. */
  readonly placeCount: number;
  /** The refcount blocks as pieces, and which entry lists which. */
  readonly pieces: PieceTable;
  readonly blocks: Int32Array;
  readonly beforehand: readonly TidyStep[];
  /** One past the last cluster once they are done. */
  readonly end: number;
}

/** At most `count` spares. Throws ImageError `no-space` where no place can be counted, or not one is allowed. */
export function sparePlaces(source: WalkSource, blockPlaces: RefcountBlocks, count: number): SparePlaces {
  const { storage, header, geometry } = source;
  const { clusterSize } = geometry;
  const perBlock = refcountsPerBlock(clusterSize, header.refcountBits);
  const refuse = (because: string) => cannotRearrange("no-space", storage.path, because);
  if (count < 1) throw refuse(`a cluster of ${clusterSize} bytes is more than may be taken for a while`);
  const places = Float64Array.from(blockPlaces);
  const beforehand: TidyStep[] = [];
  const { hostClusterCount } = geometry;
  let placeCount = countedEnd(source, places, perBlock, count);
  let available = firstFree(source, places, perBlock, { end: placeCount, count });
  if (available.markedCount === 0) {
    const made = newBlock(source, places, perBlock);
    if (made === undefined) throw refuse("nothing is free in it, and its refcount table is full");
    beforehand.push(...made);
    placeCount = countedEnd(source, places, perBlock, count);
    available = firstFree(source, places, perBlock, { end: placeCount, count });
  }
  const end = places.reduce((most, place) => Math.max(most, place / clusterSize + 1), hostClusterCount);
  return { available, placeCount, beforehand, end, ...piecesOf(places, clusterSize) };
}

/** One past the last cluster that is looked at: counted, and no farther behind the end than spares are wanted. */
function countedEnd({ geometry, storage }: WalkSource, places: Float64Array, perBlock: number, count: number): number {
  const { hostClusterCount } = geometry;
  let end = (Math.floor(hostClusterCount / perBlock) + 1) * perBlock;
  while (places[end / perBlock] && end < hostClusterCount + count) end += perBlock;
  if (end >= MAX_BITS) throw cannotRearrange("unsupported", storage.path, "its file is too long for its clusters");
  return end;
}

function firstFree(
  { geometry, tally }: WalkSource,
  places: Float64Array,
  perBlock: number,
  { end, count }: { readonly end: number; readonly count: number },
): Bitmap {
  const available = new Bitmap(end);
  const own = new Set(places);
  for (let first = 0; first < end; first += perBlock) {
    if (!places[first / perBlock]) continue;
    for (let cluster = Math.max(1, first); cluster < first + perBlock; cluster++) {
      if (available.markedCount >= count) return available;
      const isNew = cluster >= geometry.hostClusterCount && own.has(cluster * geometry.clusterSize);
      if (tally.all.get(cluster) === 0 && !isNew) available.mark(cluster, 1);
    }
  }
  return available;
}

/** A block that counts itself and what lies behind it; undefined where the refcount table has no entry for it. */
function newBlock(source: WalkSource, places: Float64Array, perBlock: number): TidyStep[] | undefined {
  const { header, geometry, tally } = source;
  const { clusterSize } = geometry;
  let cluster = geometry.hostClusterCount;
  while (tally.all.get(cluster) > 0) cluster++;
  const index = Math.floor(cluster / perBlock);
  if (index >= places.length || places[index]) return undefined;
  const bytes = new Uint8Array(clusterSize);
  setRefcount(new DataView(bytes.buffer), cluster % perBlock, header.refcountBits, 1);
  const hostOffset = cluster * clusterSize;
  places[index] = hostOffset;
  const entry = new Uint8Array(8);
  new DataView(entry.buffer).setBigUint64(0, BigInt(hostOffset));
  const entryWrite: Write = { hostOffset: header.refcountTableHostOffset + index * 8, bytes: entry };
  return [
    { purpose: "make a refcount block", repoints: false, writes: [{ hostOffset, bytes }] },
    { purpose: "list the refcount block", repoints: true, writes: [entryWrite] },
  ];
}

function piecesOf(places: Float64Array, clusterSize: number) {
  const sorted = [...new Set([0, ...places])].filter((place) => place >= 0).sort((a, b) => a - b);
  const pieceAt = new Map(sorted.map((place, piece) => [place, piece]));
  const none = { piece: new Uint32Array(0), length: new Uint32Array(0) };
  const clusters = Uint32Array.from(sorted, (place) => place / clusterSize);
  const pieces = new PieceTable(clusters, none, new Bitmap(0), clusterSize);
  const blocks = Int32Array.from(places, (place) => (place > 0 ? (pieceAt.get(place) as number) : NO_PIECE));
  return { pieces, blocks };
}
