/** Which clusters of an image are pieces: one each, but for what must lie in one run (docs/interop/qcow2.txt). */

import { ceilDiv } from "../../../bytes/align.ts";
import { Bitmap, MAX_BITS } from "../../../bytes/bitmap.ts";
import { PieceTable } from "../../../image/piece-table.ts";
import type { Bitmap as DirtyBitmap } from "../tables/bitmap-directory.ts";
import { compressedHostOffset, compressedLength, L2Mask } from "../tables/l2-entry.ts";
import { refcountsPerBlock } from "../tables/refcount.ts";
import type { Snapshot } from "../tables/snapshot-table.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { eachL2Table } from "./l2-visits.ts";
import { cannotRearrange } from "./rearrange-error.ts";

/** Some 20 bytes of memory each; 2 TiB of 64 KiB clusters. */
const MAX_PIECES = 2 ** 25;

/** What the header names beside L1 and refcount table. */
export interface NamedTables {
  readonly snapshots: readonly Snapshot[];
  /** In bytes; 0 where there is none. */
  readonly snapshotTableLength: number;
  readonly bitmaps: readonly DirtyBitmap[];
}

export async function collectPieces(source: WalkSource, tables: NamedTables): Promise<PieceTable> {
  const collector = new PieceCollector(source, tables);
  return await collector.collect();
}

/** Places that the model reaches: the file's, and what blocks could count right behind its end. */
export function placeCountOf({ header, geometry, storage }: WalkSource): number {
  const { clusterSize, hostClusterCount } = geometry;
  const perBlock = refcountsPerBlock(clusterSize, header.refcountBits);
  const count = (ceilDiv(hostClusterCount + 1, perBlock) + 1) * perBlock;
  if (count >= MAX_BITS) throw cannotRearrange("unsupported", storage.path, "its file is too long for its clusters");
  return count;
}

class PieceCollector {
  readonly #source: WalkSource;
  readonly #tables: NamedTables;
  /** Clusters that must lie right behind the one before them. */
  readonly #joined: Bitmap;

  constructor(source: WalkSource, tables: NamedTables) {
    this.#source = source;
    this.#tables = tables;
    this.#joined = new Bitmap(placeCountOf(source));
  }

  async collect(): Promise<PieceTable> {
    const { compressed } = this.#source.tally;
    this.#joinTables();
    if (compressed.pageIndexes().length > 0) await eachL2Table(this.#source, (table) => this.#joinStreams(table));
    return this.#collectPieces();
  }

  #joinTables(): void {
    const { header } = this.#source;
    this.#join(header.l1TableHostOffset, header.l1EntryCount * 8);
    this.#join(header.refcountTableHostOffset, header.refcountTableClusterCount * header.clusterSize);
    if (header.snapshotCount > 0) this.#join(header.snapshotTableHostOffset, this.#tables.snapshotTableLength);
    for (const { l1HostOffset, l1EntryCount } of this.#tables.snapshots) this.#join(l1HostOffset, l1EntryCount * 8);
    const directory = header.extensions.bitmaps;
    if (directory === undefined || this.#tables.bitmaps.length === 0) return;
    this.#join(directory.directoryHostOffset, directory.directorySize);
    for (const { tableHostOffset, tableEntryCount } of this.#tables.bitmaps)
      this.#join(tableHostOffset, tableEntryCount * 8);
  }

  #joinStreams(table: DataView): void {
    const { clusterBits, l2EntrySize } = this.#source.geometry;
    for (let at = 0; at < table.byteLength; at += l2EntrySize) {
      const high = table.getInt32(at);
      if ((high & L2Mask.compressedHigh) === 0) continue;
      const low = table.getInt32(at + 4);
      this.#join(compressedHostOffset(high, low, clusterBits), compressedLength(high, low, clusterBits));
    }
  }

  #join(hostOffset: number, length: number): void {
    const { clusterSize } = this.#source.geometry;
    const first = Math.floor(hostOffset / clusterSize);
    const count = length <= 0 ? 0 : Math.floor((hostOffset + length - 1) / clusterSize) - first;
    if (count > 0) this.#joined.mark(first + 1, count);
  }

  #collectPieces(): PieceTable {
    const { geometry, storage, tally } = this.#source;
    const fixed = this.#fixedClusters();
    const isPiece = (cluster: number) => !this.#joined.has(cluster) && !fixed.has(cluster);
    let count = 0;
    let longCount = 0;
    for (const { cluster } of tally.all.each()) {
      if (isPiece(cluster)) count++;
      else if (this.#joined.has(cluster) && !this.#joined.has(cluster - 1)) longCount++;
    }
    if (count > MAX_PIECES)
      throw cannotRearrange("unsupported", storage.path, `it has more than ${MAX_PIECES} clusters`);
    const used = new Bitmap(placeCountOf(this.#source));
    const place = new Uint32Array(count);
    const long = { piece: new Uint32Array(longCount), length: new Uint32Array(longCount) };
    let piece = 0;
    let longPiece = -1;
    for (const { cluster } of tally.all.each()) {
      used.mark(cluster, 1);
      if (isPiece(cluster)) place[piece++] = cluster;
      if (!this.#joined.has(cluster)) continue;
      if (!this.#joined.has(cluster - 1)) {
        long.piece[++longPiece] = piece - 1;
        long.length[longPiece] = 1;
      }
      long.length[longPiece] = (long.length[longPiece] as number) + 1;
    }
    return new PieceTable(place, long, used, geometry.clusterSize);
  }

  /** What the model has no words for. */
  #fixedClusters(): ReadonlySet<number> {
    const { header, geometry } = this.#source;
    const { encryptionHeader } = header.extensions;
    const fixed = new Set<number>();
    if (encryptionHeader === undefined) return fixed;
    const { hostOffset, length } = encryptionHeader;
    const end = ceilDiv(hostOffset + length, geometry.clusterSize);
    for (let cluster = Math.floor(hostOffset / geometry.clusterSize); cluster < end; cluster++) fixed.add(cluster);
    return fixed;
  }
}
