/**
 * A rearrangement, performed: units copied to free places, then pointed at anew, epoch by epoch.
 *
 *   counts raised, copies | pointers | counts lowered with the next epoch's ...
 *                         |          ^ sync: the old places are free
 *                         ^ sync, and the copies compared with the old places meanwhile
 *
 * Each state is a whole image with the same guest, so that a cut only asks to plan anew.
 */

import { ImageError } from "../../bytes/image-error.ts";
import type { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, placeAt, say } from "../../bytes/sentence.ts";
import { copiesOf, type Moves, type Rearranger } from "../../image/rearranger.ts";
import type { Image } from "../../image/source.ts";
import type { Epoch, HostCopy } from "../../image/write.ts";
import type { RearrangementJournal } from "../../journal/journal.ts";
import type { Schedule } from "../../plan/schedule.ts";
import { firstOtherCopy } from "../execute/written.ts";
import { progressOf, type Settings } from "../options/settings.ts";
import type { Session } from "../session/session.ts";
import { Epochs } from "./epochs.ts";

type RearrangeSettings = Pick<Settings, "signal" | "onProgress" | "verify">;

/** Throws ImageError `unsupported` where units of the format can't be moved. */
export async function rearrangerOf(image: Image, alignment?: number): Promise<Rearranger> {
  const rearranger = await image.openRearranger?.(alignment);
  if (rearranger !== undefined) return rearranger;
  const { format } = image;
  const { path } = image.storage;
  throw new ImageError("unsupported", say`Cannot rearrange ${imageNamed(path)}`, {
    because: `units of ${format} can't be moved`,
    path,
    format,
    operation: "plan",
  });
}

export interface GivingBack {
  readonly cuts?: boolean;
  /** What to empty with the epoch that is the `at`-th, or behind the last: `left` are the moves of the one before. */
  readonly emptied?: (at: number, left: Moves | undefined) => RangeSet;
}

/** One journaled rearrangement at work. */
export class Rearranging {
  readonly #session: Session;
  readonly #settings: RearrangeSettings;
  readonly #rearranger: Rearranger;
  readonly #epochs: Epochs;
  /** Whose old places are free since the last barrier, and are still counted. */
  #moved: Moves | undefined;
  bytesMoved = 0;

  constructor(session: Session, journal: RearrangementJournal, rearranger: Rearranger, settings: RearrangeSettings) {
    this.#session = session;
    this.#rearranger = rearranger;
    this.#settings = settings;
    this.#epochs = new Epochs(session, journal, settings);
  }

  get bytesWritten(): number {
    return this.#epochs.bytesWritten;
  }

  /**
   * What has to be durable before anything else is written: a file that ends inside its last piece is filled up, and what
   * lies before `barredEnd` may be moved to.
   */
  async prepare(barredEnd: number): Promise<void> {
    const { used, unitSize, beforehand = [] } = this.#rearranger;
    const fileSize = used.markedEnd * unitSize;
    if ((await this.#session.storage.size()) < fileSize)
      await this.#epochs.perform({ purpose: "fill the last unit up", fileSize });
    for (const step of beforehand) await this.#epochs.tidy(step);
    for (const step of (await this.#rearranger.unbar?.(barredEnd)) ?? []) await this.#epochs.tidy(step);
  }

  /** Old places are given back as they are left: `cuts` what lies behind all that is used, else what is to be emptied. */
  async perform(schedule: Schedule, { cuts = false, emptied }: GivingBack): Promise<void> {
    const report = progressOf(this.#settings, "settle");
    let at = 0;
    const given = (): { readonly zeros?: RangeSet } => {
      const zeros = emptied?.(at++, this.#moved);
      return zeros && zeros.total > 0 ? { zeros } : {};
    };
    for (const moves of schedule.epochs()) {
      const counts = await this.#rearranger.recount(this.#moved, moves);
      const copies = copiesOf(moves, counts);
      const compare = () => this.#refuseOtherCopies(copies);
      // Where the clock tells of a writer, what comes after the comparison is known all the same.
      const isEarly = !this.#session.storage.hasLateFingerprint;
      const epoch: Epoch = {
        purpose: "copy units to free places",
        hostCopies: copies,
        writes: () => counts,
        ...(cuts && this.#end(moves)),
        ...given(),
      };
      await this.#epochs.perform(epoch, undefined, isEarly ? compare : undefined);
      if (!isEarly) {
        this.#epochs.look();
        await compare();
      }
      await this.#epochs.repoint("point at the copies", await this.#rearranger.repoint(moves));
      this.#rearranger.follow(moves);
      this.#moved = moves;
      this.bytesMoved += moves.length.reduce((sum, length) => sum + length, 0);
      report(this.bytesMoved, schedule.bytesMoved);
    }
    if (this.#moved !== undefined || cuts) {
      const counts = await this.#rearranger.recount(this.#moved, undefined);
      await this.#epochs.perform({
        purpose: "give the old places up",
        writes: () => counts,
        ...(cuts && this.#end(undefined)),
        ...given(),
      });
    }
    this.#moved = undefined;
  }

  /** What has become needless; true where anything had. */
  async tidy(): Promise<boolean> {
    const steps = await this.#rearranger.tidy();
    for (const step of steps) await this.#epochs.tidy(step);
    return steps.length > 0;
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

  /** What moved is read at both places before the old one is given up. */
  async #refuseOtherCopies(copies: readonly HostCopy[]): Promise<void> {
    if (this.#settings.verify !== "full") return;
    const { storage, path } = this.#session;
    const hostOffset = await firstOtherCopy(storage, copies);
    if (hostOffset < 0) return;
    throw new ImageError("verification-failed", say`Cannot rearrange ${imageNamed(path)}`, {
      because: say`the copy at host offset ${placeAt(hostOffset)} differs from what it was made of`,
      path,
      hostOffset,
      operation: "verify",
    });
  }
}
