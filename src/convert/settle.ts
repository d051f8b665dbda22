/** Settling, performed: what the old format left in the file is given up, epoch by epoch. */

import { SECTOR_SIZE } from "../bytes/align.ts";
import type { Image } from "../image/driver.ts";
import type { Epoch } from "../image/write.ts";
import type { Journal } from "../journal/journal.ts";
import { executeEpoch } from "./execute.ts";
import { type Session, stopIfAsked } from "./session.ts";
import { progressOf, type Settings } from "./settings.ts";

/** What settling did; an epoch may write nothing and cut the file. */
export interface Settled {
  readonly bytesWritten: number;
  readonly epochCount: number;
}

/**
 * The undo has been given up; each state in between is a whole image, so a cut only asks to plan anew.
 */
export async function settle(
  session: Session,
  image: Image,
  journal: Journal,
  settings: Pick<Settings, "signal" | "onProgress">,
): Promise<Settled> {
  const settling = await image.planSettling?.();
  const total = settling ? settling.bytesMoved + settling.bytesWritten : 0;
  const report = progressOf(settings, "settle");
  let before = 0;
  let epochCount = 0;
  for (const epoch of settling?.epochs ?? []) {
    stopIfAsked(settings.signal, session.path, "while settling");
    const sector = sectorZeroOf(epoch);
    await (sector ? session.refuseInterference() : session.refuseChange());
    if (sector) await journal.append({ record: "new-header" }, sector);
    let done = 0;
    await executeEpoch(session.storage, epoch, {
      onBytes: (bytes) => {
        done = bytes;
        report(before + done, total);
      },
    });
    before += done;
    epochCount++;
    await session.noteState();
  }
  return { bytesWritten: before, epochCount };
}

/** The sector 0 that an epoch writes, if that is what it does. */
function sectorZeroOf(epoch: Epoch): Uint8Array | undefined {
  for (const { hostOffset, bytes } of epoch.writes?.() ?? []) {
    return hostOffset === 0 ? bytes.subarray(0, SECTOR_SIZE) : undefined;
  }
  return undefined;
}
