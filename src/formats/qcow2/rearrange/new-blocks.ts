/**
 * Refcount blocks for places that none counts yet, so that something can go there: each lies in the first of the places
 * that it counts, all of which are free, and counts itself. First they are written, then the refcount table lists them.
 */

import { hex } from "../../../bytes/image-error.ts";
import { NO_PIECE, type PieceTable } from "../../../image/piece-table.ts";
import type { TidyStep } from "../../../image/rearranger.ts";
import type { Write } from "../../../image/write.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import { setRefcount } from "../tables/refcount.ts";
import type { LiveCounts } from "./live-counts.ts";
import type { PointerWords } from "./pointer-words.ts";
import { cannotRearrange } from "./rearrange-error.ts";
import { joinedWrites } from "./repointing.ts";

export interface NewBlocksPlace {
  readonly storage: Storage;
  readonly pieces: PieceTable;
  readonly words: PointerWords;
  readonly counts: LiveCounts;
  readonly refcountTable: number;
  readonly blocks: Int32Array;
  readonly refcountBits: number;
}

/** For all clusters below `endCluster` that the refcount table reaches; the model is as if it were performed. */
export async function makeBlocks(place: NewBlocksPlace, endCluster: number): Promise<readonly TidyStep[]> {
  const { storage, pieces, words, counts, refcountTable, blocks } = place;
  const written: Write[] = [];
  const listed: Write[] = [];
  for (let index = 0; index < blocks.length && index * counts.perBlock < endCluster; index++) {
    if (blocks[index] !== NO_PIECE) continue;
    const cluster = index * counts.perBlock;
    const hostOffset = cluster * pieces.clusterSize;
    const entryHostOffset = pieces.hostOffsetOf(refcountTable) + index * 8;
    const entry = await readZeroFilled(storage, entryHostOffset, 8);
    if (pieces.used.has(cluster) || entry.some((byte) => byte !== 0)) {
      const because = `the refcount table lists a block at host offset ${hex(entryHostOffset)} now`;
      throw cannotRearrange("changed-underneath", storage.path, because, { hostOffset: entryHostOffset });
    }
    const bytes = new Uint8Array(pieces.clusterSize);
    setRefcount(new DataView(bytes.buffer), 0, place.refcountBits, 1);
    written.push({ hostOffset, bytes });
    new DataView(entry.buffer).setUint32(0, Math.floor(hostOffset / 2 ** 32));
    new DataView(entry.buffer).setUint32(4, hostOffset % 2 ** 32);
    listed.push({ hostOffset: entryHostOffset, bytes: entry });
    const piece = pieces.add(cluster);
    words.add(piece, refcountTable, index * 8);
    counts.putIn(index, piece);
  }
  if (written.length === 0) return [];
  return [
    { purpose: "write refcount blocks for places to come", repoints: false, writes: written },
    { purpose: "list these refcount blocks", repoints: true, writes: joinedWrites(listed) },
  ];
}
