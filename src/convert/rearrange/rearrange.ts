/**
 * A rearrangement, performed: units copied to free places, then pointed at anew, epoch by epoch.
 *
 *   counts raised, copies | compared with the old places | pointers | counts lowered with the next epoch's ...
 *                         ^ sync                                    ^ sync: the old places are free
 *
 * Each state is a whole image with the same guest, so that a cut only asks to plan anew.
 */

import { MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, placeAt, say } from "../../bytes/sentence.ts";
import { copiesOf, type Moves, type Rearranger, type TidyStep } from "../../image/rearranger.ts";
import type { Epoch, HostCopy, Write } from "../../image/write.ts";
import type { RearrangementJournal } from "../../journal/journal.ts";
import type { Schedule } from "../../plan/schedule.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import { executeEpoch, firstWrongByte } from "../execute/execute.ts";
import { progressOf, type Settings } from "../options/settings.ts";
import { type Session, stopIfAsked } from "../session/session.ts";

/** The block around a header that a medium may lose when it is cut while writing it. */
export const HEADER_BLOCK = 4096;

type RearrangeSettings = Pick<Settings, "signal" | "onProgress" | "verify">;

const NO_MOVES: Moves = {
  count: 0,
  fromHostOffset: new Float64Array(0),
  toHostOffset: new Float64Array(0),
  length: new Float64Array(0),
};

export interface GivingBack {
  readonly cuts?: boolean;
  readonly empties?: { readonly kept: RangeSet };
}

/** Who else has the image open takes long to find out: looked for once in so many epochs, a change of the file at each. */
const EPOCHS_PER_LOOK = 16;

/** One journaled rearrangement at work. */
export class Rearranging {
  readonly #session: Session;
  readonly #journal: RearrangementJournal;
  readonly #settings: RearrangeSettings;
  readonly #rearranger: Rearranger;
  /** Whose old places are free since the last barrier, and are still counted. */
  #moved: Moves | undefined;
  #epochCount = 0;
  bytesMoved = 0;
  bytesWritten = 0;

  constructor(session: Session, journal: RearrangementJournal, rearranger: Rearranger, settings: RearrangeSettings) {
    this.#session = session;
    this.#journal = journal;
    this.#rearranger = rearranger;
    this.#settings = settings;
  }

  /**
   * What has to be durable before anything else is written: a file that ends inside its last piece is filled up, and what
   * lies before `barredEnd` may be moved to.
   */
  async prepare(barredEnd: number): Promise<void> {
    const { used, unitSize, beforehand = [] } = this.#rearranger;
    const fileSize = used.markedEnd * unitSize;
    if ((await this.#session.storage.size()) < fileSize)
      await this.#epoch({ purpose: "fill the last unit up", fileSize });
    for (const step of beforehand) await this.#tidyStep(step);
    for (const step of (await this.#rearranger.unbar?.(barredEnd)) ?? []) await this.#tidyStep(step);
  }

  /** Old places are given back as they are left: `cuts` what lies behind all that is used, `empties` all but what it keeps. */
  async perform(schedule: Schedule, { cuts = false, empties }: GivingBack): Promise<void> {
    const report = progressOf(this.#settings, "settle");
    for (const moves of schedule.epochs()) {
      const counts = await this.#rearranger.recount(this.#moved, moves);
      const copies = copiesOf(moves, counts);
      await this.#epoch({
        purpose: "copy units to free places",
        hostCopies: copies,
        writes: () => counts,
        ...(cuts && this.#end(moves)),
        ...(empties && { zeros: this.#emptied(empties) }),
      });
      await this.#refuseOtherCopies(copies);
      await this.#repoint("point at the copies", await this.#rearranger.repoint(moves));
      this.#rearranger.follow(moves);
      this.#moved = moves;
      this.bytesMoved += moves.length.reduce((sum, length) => sum + length, 0);
      report(this.bytesMoved, schedule.bytesMoved);
    }
    if (this.#moved !== undefined || cuts) {
      const counts = await this.#rearranger.recount(this.#moved, undefined);
      await this.#epoch({
        purpose: "give the old places up",
        writes: () => counts,
        ...(cuts && this.#end(undefined)),
        ...(empties && { zeros: this.#emptied(empties) }),
      });
    }
    this.#moved = undefined;
  }

  /** What has become needless; true where anything had. */
  async tidy(): Promise<boolean> {
    const steps = await this.#rearranger.tidy();
    for (const step of steps) await this.#tidyStep(step);
    return steps.length > 0;
  }

  /** What a repair asks for, before anything moves. */
  mend(step: TidyStep): Promise<void> {
    return this.#tidyStep(step);
  }

  async #tidyStep({ purpose, repoints, writes }: TidyStep): Promise<void> {
    if (repoints) await this.#repoint(purpose, writes);
    else await this.#epoch({ purpose, writes: () => writes });
  }

  /** What the last epoch has left, and nothing will come to. */
  #emptied({ kept }: { readonly kept: RangeSet }): RangeSet {
    const emptied = new RangeSet();
    const { count, fromHostOffset, length } = this.#moved ?? NO_MOVES;
    for (let row = 0; row < count; row++) {
      const start = fromHostOffset[row] as number;
      for (const gap of kept.gapsIn(start, start + (length[row] as number))) emptied.add(gap.start, gap.end);
    }
    return emptied;
  }

  /** The file's length once nothing lies behind what is used or about to be. */
  #end(next: Moves | undefined): { readonly fileSize: number } {
    const { used, unitSize } = this.#rearranger;
    let end = used.markedEnd * unitSize;
    for (let row = 0; row < (next?.count ?? 0); row++) {
      end = Math.max(end, (next?.toHostOffset[row] as number) + (next?.length[row] as number));
    }
    return { fileSize: end };
  }

  async #repoint(purpose: string, writes: readonly Write[]): Promise<void> {
    await this.#epoch({ purpose, repoints: true, writes: () => writes }, await this.#newHeader(writes));
  }

  /** The file's first sector as the writes leave it, where they touch it. */
  async #newHeader(writes: readonly Write[]): Promise<Uint8Array | undefined> {
    const touching = writes.filter(({ hostOffset }) => hostOffset < SECTOR_SIZE);
    if (touching.length === 0) return undefined;
    const sector = await readZeroFilled(this.#session.storage, 0, SECTOR_SIZE);
    for (const { hostOffset, bytes } of touching) sector.set(bytes.subarray(0, SECTOR_SIZE - hostOffset), hostOffset);
    return sector;
  }

  async #epoch(epoch: Epoch, newHeader?: Uint8Array): Promise<void> {
    const { storage, path } = this.#session;
    if (touchesHeaderBlock(epoch)) {
      // What lies in the block may have moved there since, and is nowhere else should the medium lose it.
      await this.#journal.append({ record: "found-header" }, await readZeroFilled(storage, 0, HEADER_BLOCK));
      if (newHeader) await this.#journal.append({ record: "new-header" }, newHeader);
    }
    stopIfAsked(this.#settings.signal, path, "while rearranging");
    if (this.#epochCount++ % EPOCHS_PER_LOOK === 0) await this.#session.refuseInterference();
    else await this.#session.refuseChange();
    let done = 0;
    await executeEpoch(storage, epoch, {
      onBytes: (bytes) => {
        done = bytes;
      },
    });
    this.bytesWritten += done;
    await this.#refuseWrongBytes(epoch);
  }

  /** What moved is read at both places before the old one is given up. */
  async #refuseOtherCopies(copies: readonly HostCopy[]): Promise<void> {
    if (this.#settings.verify !== "full") return;
    const { storage, path } = this.#session;
    for (const { fromHostOffset, toHostOffset, length } of copies) {
      for (let skip = 0; skip < length; skip += MiB) {
        const step = Math.min(MiB, length - skip);
        const old = await readZeroFilled(storage, fromHostOffset + skip, step);
        const copy = await readZeroFilled(storage, toHostOffset + skip, step);
        if (Buffer.compare(old, copy) === 0) continue;
        throw new ImageError("verification-failed", say`Cannot rearrange ${imageNamed(path)}`, {
          because: say`the copy at host offset ${placeAt(toHostOffset + skip)} differs from what it was made of`,
          path,
          hostOffset: toHostOffset + skip,
          operation: "verify",
        });
      }
    }
  }

  /** Pointers and counts have no other version: what does not read as written is written once more, if nobody else was there. */
  async #refuseWrongBytes(epoch: Epoch): Promise<void> {
    const { storage, path } = this.#session;
    const tables: Epoch = { purpose: epoch.purpose, ...(epoch.writes && { writes: epoch.writes }) };
    let hostOffset = await firstWrongByte(storage, tables);
    if (hostOffset >= 0 && !storage.hasLateFingerprint) {
      await executeEpoch(storage, tables);
      hostOffset = await firstWrongByte(storage, tables);
    }
    if (hostOffset < 0) return;
    throw new ImageError("verification-failed", say`Cannot rearrange ${imageNamed(path)}`, {
      because: say`host offset ${placeAt(hostOffset)} does not read as it was written`,
      path,
      hostOffset,
      operation: "verify",
    });
  }
}

/** Where clusters are small, others than the header lie in its block. */
function touchesHeaderBlock({ hostCopies = [], writes, zeros }: Epoch): boolean {
  for (const { toHostOffset } of hostCopies) if (toHostOffset < HEADER_BLOCK) return true;
  for (const { hostOffset } of writes?.() ?? []) if (hostOffset < HEADER_BLOCK) return true;
  return zeros?.intersects(0, HEADER_BLOCK) ?? false;
}
