/** The report of a conversion that was carried out. */

import { layoutOf } from "../../image/file-layout.ts";
import type { Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import type { ConversionReport } from "../report/report.ts";
import type { Session } from "../session/session.ts";
import type { Account } from "./account.ts";
import type { DiskWish } from "./disk-wish.ts";
import type { LastLook } from "./last-look.ts";
import { baseReport, type Covers, checksumOf, layouts, lossesOf, pathStep } from "./report-base.ts";

export interface Finished {
  readonly source: Source;
  readonly last: LastLook;
  readonly account: Account;
  readonly wish: DiskWish;
  readonly covers: Covers;
  readonly digestBefore: string | null;
}

/** All but how long it took. */
export async function finishedReport(
  { path, storage, volume, allNotes }: Session,
  { source, last, account, wish, covers, digestBefore }: Finished,
  settings: Settings,
): Promise<ConversionReport> {
  const { image, check, digestAfter } = last;
  const base = baseReport(path, source, settings);
  const { notes, ...losses } = lossesOf(path, source, image.format, settings, account.dropped);
  // What is done is done: a picture that can't be drawn fails nothing.
  const after = settings.layout ? await layoutOf(image).catch(() => null) : null;
  return {
    ...base,
    targetFormat: image.format,
    changed: true,
    virtualSize: image.virtualSize,
    clusterSize: image.clusterSize,
    bytesWritten: volume.meter.bytesWritten,
    bytesMoved: account.bytesMoved,
    bytesSettled: account.bytesSettled,
    peakExtraBytes: account.peakExtraBytes + (account.copyBytes ?? 0),
    syncs: volume.meter.syncs,
    fileSizeAfter: await storage.size(),
    ...(wish.told.length > 0 && { guestChanges: wish.told }),
    guestChecksum: checksumOf(settings, covers, digestBefore, digestAfter),
    check: { before: base.check.before, after: check },
    path: account.taken.map(pathStep),
    ...losses,
    notes: [...allNotes, ...wish.notes, ...notes],
    ...layouts(settings, source, () => after),
  };
}
