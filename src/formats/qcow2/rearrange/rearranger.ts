/**
 * The rearranger of qcow2: every pointer is one word, every count one refcount (docs/interop/qcow2.txt).
 *
 *   recount     counts of places to come, equal to those of the places they come from; of places left, 0
 *   copy        by whoever asked, but for refcount blocks, which `recount` writes whole
 *   repoint     header, L1, L2, refcount table, snapshots, bitmaps: each word that points at what moved
 */

import { SECTOR_SIZE } from "../../../bytes/align.ts";
import type { Bitmap } from "../../../bytes/bitmap.ts";
import { hex, type ImageError } from "../../../bytes/image-error.ts";
import { RangeSet } from "../../../bytes/range-set.ts";
import { movingPieces, type PieceTable } from "../../../image/piece-table.ts";
import type { Moves, Pieces, Rearranger, TidyStep } from "../../../image/rearranger.ts";
import type { Write } from "../../../image/write.ts";
import { readZeroFilled, type Storage } from "../../../storage/storage.ts";
import { autoclearWrite } from "../header/autoclear-write.ts";
import type { Bitmap as DirtyBitmap } from "../tables/bitmap-directory.ts";
import type { WalkSource } from "../tables/table-walk.ts";
import { LiveCounts } from "./live-counts.ts";
import { makeBlocks } from "./new-blocks.ts";
import { cannotRearrange } from "./rearrange-error.ts";
import { repointingWrites } from "./repointing.ts";
import { type Survey, surveyImage } from "./survey.ts";
import { Tidying } from "./tidying.ts";

export class Qcow2Rearranger implements Rearranger {
  readonly unitSize: number;
  readonly used: Bitmap;
  readonly beforehand: readonly TidyStep[];
  readonly #storage: Storage;
  readonly #pieces: PieceTable;
  readonly #survey: Survey;
  readonly #clusterBits: number;
  readonly #refcountBits: number;
  readonly #counts: LiveCounts;
  #barred: RangeSet | undefined;

  private constructor(source: WalkSource, survey: Survey, beforehand: readonly TidyStep[]) {
    const { storage, header } = source;
    this.unitSize = header.clusterSize;
    this.used = survey.pieces.used;
    this.beforehand = beforehand;
    this.#storage = storage;
    this.#pieces = survey.pieces;
    this.#survey = survey;
    this.#clusterBits = header.clusterBits;
    this.#refcountBits = header.refcountBits;
    const { pieces, blocks } = survey;
    this.#counts = new LiveCounts({ storage, pieces, blocks, refcountBits: header.refcountBits });
  }

  /** Of an image whose check found nothing but leaks; `source.tally` has counted all of it. */
  static async open(source: WalkSource, bitmaps: readonly DirtyBitmap[]): Promise<Qcow2Rearranger> {
    return new Qcow2Rearranger(source, await surveyImage(source, bitmaps), await clearedAutoclear(source));
  }

  /** Places whose count lies in no block, and what lies behind all that the model reaches. */
  get barred(): RangeSet {
    if (this.#barred === undefined) {
      this.#barred = new RangeSet();
      for (const { start, end } of this.#counts.uncounted(this.#survey.placeCount)) {
        this.#barred.add(start * this.unitSize, end * this.unitSize);
      }
      this.#barred.add(this.#survey.placeCount * this.unitSize, Number.MAX_SAFE_INTEGER);
    }
    return this.#barred;
  }

  async unbar(endHostOffset: number): Promise<readonly TidyStep[]> {
    const { placeCount } = this.#survey;
    const endCluster = Math.min(placeCount, Math.ceil(endHostOffset / this.unitSize));
    const place = { storage: this.#storage, counts: this.#counts, refcountBits: this.#refcountBits };
    const steps = await makeBlocks({ ...place, ...this.#survey }, endCluster);
    this.#barred = undefined;
    return steps;
  }

  pieces(fromHostOffset = 0): Pieces {
    return this.#pieces.movable(Math.ceil(fromHostOffset / this.unitSize));
  }

  async recount(left: Moves | undefined, coming: Moves | undefined): Promise<readonly Write[]> {
    for (const [first, clusterCount] of left === undefined ? [] : this.#clusters(left, left.fromHostOffset)) {
      for (let cluster = first; cluster < first + clusterCount; cluster++) {
        const isFree = !this.used.has(cluster) && this.#counts.hasBlockFor(cluster);
        if (isFree) await this.#counts.set(cluster, 0);
      }
    }
    const moving = coming === undefined ? new Map<number, number>() : movingPieces(this.#pieces, coming);
    for (const [piece, toCluster] of moving) {
      const fromCluster = this.#pieces.clusterOf(piece);
      for (let turn = 0; turn < this.#pieces.lengthOf(piece); turn++) {
        const count = await this.#counts.get(fromCluster + turn);
        if (count === 0) throw this.#uncounted(fromCluster + turn);
        await this.#counts.set(toCluster + turn, count);
      }
    }
    return await this.#counts.takeWrites(moving);
  }

  repoint(moves: Moves): Promise<readonly Write[]> {
    const { pieces, words } = this.#survey;
    return repointingWrites(
      { storage: this.#storage, pieces, words, clusterBits: this.#clusterBits },
      movingPieces(this.#pieces, moves),
    );
  }

  follow(moves: Moves): void {
    for (const [piece, toCluster] of movingPieces(this.#pieces, moves)) this.#pieces.move(piece, toCluster);
  }

  async tidy(): Promise<readonly TidyStep[]> {
    const place = { storage: this.#storage, clusterBits: this.#clusterBits, counts: this.#counts };
    const steps = await new Tidying({ ...place, ...this.#survey }).steps();
    this.#barred = undefined;
    return steps;
  }

  *#clusters({ count, length }: Moves, hostOffset: Float64Array): Generator<[first: number, clusterCount: number]> {
    for (let row = 0; row < count; row++) {
      yield [(hostOffset[row] as number) / this.unitSize, (length[row] as number) / this.unitSize];
    }
  }

  #uncounted(cluster: number): ImageError {
    const hostOffset = cluster * this.unitSize;
    const because = `the refcount of what lies at host offset ${hex(hostOffset)} is 0 now`;
    return cannotRearrange("changed-underneath", this.#storage.path, because, { hostOffset });
  }
}

/** Autoclear bits that we don't know are promises that our writes may break: they go before the first of them. */
export async function clearedAutoclear({ storage, header }: WalkSource): Promise<readonly TidyStep[]> {
  const cleared = autoclearWrite(header.autoclear);
  if (cleared === undefined) return [];
  const bytes = await readZeroFilled(storage, 0, SECTOR_SIZE);
  bytes.set(cleared.bytes, cleared.hostOffset);
  return [{ purpose: "clear what a write breaks", repoints: true, writes: [{ hostOffset: 0, bytes }] }];
}
