/** The epochs of a rearrangement, one by one: each durable, read back, and a new header first said in the journal. */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import type { TidyStep } from "../../image/rearranger.ts";
import type { Epoch, Write } from "../../image/write.ts";
import type { RearrangementJournal } from "../../journal/journal.ts";
import { readZeroFilled } from "../../storage/storage.ts";
import { executeEpoch } from "../execute/execute.ts";
import { mendWrongBytes } from "../execute/written.ts";
import type { Settings } from "../options/settings.ts";
import type { Session } from "../session/session.ts";
import { stopIfAsked } from "../session/stop.ts";

/** The block around a header that a medium may lose when it is cut while writing it. */
export const HEADER_BLOCK = 4096;

/**
 * Who else has the image open takes long to find out: looked for when so many milliseconds have passed. A change of the
 * file, and QEMU's locks, which are asked for while a sync is waited for, are looked for at each epoch: an image that is
 * opened between two has pointers in its memory that the next makes stale.
 */
const LOOK_AFTER = 1000;

export class Epochs {
  readonly #session: Session;
  readonly #journal: RearrangementJournal;
  readonly #settings: Pick<Settings, "signal">;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Under way; known before the next write. */
  #look: Promise<void> | undefined;
  bytesWritten = 0;

  constructor(session: Session, journal: RearrangementJournal, settings: Pick<Settings, "signal">) {
    this.#session = session;
    this.#journal = journal;
    this.#settings = settings;
  }

  async tidy({ purpose, repoints, writes }: TidyStep): Promise<void> {
    if (repoints) await this.repoint(purpose, writes);
    else await this.perform({ purpose, writes: () => writes });
  }

  async repoint(purpose: string, writes: readonly Write[]): Promise<void> {
    await this.perform({ purpose, repoints: true, writes: () => writes }, await this.#newHeader(writes));
  }

  /** Asks for locks anew, while the caller has something else to wait for. */
  look(): void {
    this.#look = this.#session.refuseLocks();
    this.#look.catch(() => {});
  }

  async #refuseOthers(): Promise<void> {
    await this.#look;
    this.#look = undefined;
    const now = this.#session.host.now();
    if (now - this.#lookedAt < LOOK_AFTER) return this.#session.refuseChange();
    await this.#session.refuseInterference();
    this.#lookedAt = this.#session.host.now();
  }

  /** The file's first sector as the writes leave it, where they touch it. */
  async #newHeader(writes: readonly Write[]): Promise<Uint8Array | undefined> {
    const touching = writes.filter(({ hostOffset }) => hostOffset < SECTOR_SIZE);
    if (touching.length === 0) return undefined;
    const sector = await readZeroFilled(this.#session.storage, 0, SECTOR_SIZE);
    for (const { hostOffset, bytes } of touching) sector.set(bytes.subarray(0, SECTOR_SIZE - hostOffset), hostOffset);
    return sector;
  }

  /** `meanwhile` reads while the medium is waited for. */
  async perform(epoch: Epoch, newHeader?: Uint8Array, meanwhile?: () => Promise<void>): Promise<void> {
    const { storage, path } = this.#session;
    if (touchesHeaderBlock(epoch)) {
      // What lies in the block may have moved there since, and is nowhere else should the medium lose it.
      await this.#journal.append({ record: "found-header" }, await readZeroFilled(storage, 0, HEADER_BLOCK));
      if (newHeader) await this.#journal.append({ record: "new-header" }, newHeader);
    }
    stopIfAsked(this.#settings.signal, path, "while rearranging");
    await this.#refuseOthers();
    let done = 0;
    await executeEpoch(storage, epoch, {
      isOneOfMany: true,
      meanwhile: async () => {
        this.look();
        await meanwhile?.();
      },
      onBytes: (bytes) => {
        done = bytes;
      },
    });
    this.bytesWritten += done;
    // Pointers and counts have no other version; copies are compared by whom they concern.
    const tables: Epoch = { purpose: epoch.purpose, ...(epoch.writes && { writes: epoch.writes }) };
    await mendWrongBytes(storage, tables, say`Cannot rearrange ${imageNamed(path)}`);
  }
}

/** Where clusters are small, others than the header lie in its block. */
function touchesHeaderBlock({ hostCopies = [], writes, zeros }: Epoch): boolean {
  for (const { toHostOffset } of hostCopies) if (toHostOffset < HEADER_BLOCK) return true;
  for (const { hostOffset } of writes?.() ?? []) if (hostOffset < HEADER_BLOCK) return true;
  return zeros?.intersects(0, HEADER_BLOCK) ?? false;
}
