/** `check` where it may write: the session, the repair, and the report of both. */

import type { RepairScope } from "../../image/repair.ts";
import type { CheckOptions } from "../options/options.ts";
import { pictureOf, reportOf } from "../report/check-report.ts";
import type { CheckReport } from "../report/report.ts";
import type { Host } from "../session/host.ts";
import { namedImage } from "../session/named-image.ts";
import { Session } from "../session/session.ts";
import { refuseUnfinished } from "../session/surroundings.ts";
import { runRepair } from "./repair.ts";

/** As `check`. */
export async function checkAndRepair(
  path: string,
  scope: RepairScope,
  options: CheckOptions,
  host: Host,
): Promise<CheckReport> {
  const session = await Session.open(
    await namedImage(host.volume, path, options.format),
    host,
    "repair",
    options.journal,
  );
  try {
    await refuseUnfinished(session);
    const { image, check, repair, changed, milliseconds } = await runRepair(session, options.format, {
      scope,
      allowDataLoss: options.allowDataLoss ?? false,
      keepUndo: options.keepUndo ?? false,
      journal: options.journal,
      onJournal: options.onJournal ?? (() => {}),
      onFinding: options.onFinding ?? (() => {}),
      onProgress: options.onProgress ?? (() => {}),
      signal: options.signal,
      crossCheck: options.crossCheck ?? "off",
    });
    const fixed = {
      leaksFixed: changed && repair ? repair.leaksFixed : 0,
      corruptionsFixed: changed && repair ? repair.corruptionsFixed : 0,
    };
    const { bytesWritten, syncs } = session.volume.meter;
    const report = reportOf(path, image, check, fixed);
    const losses = repair?.losses ?? [];
    const givenUp = changed && repair ? repair.givenUp : [];
    return {
      ...report,
      ...(await pictureOf(image, options)),
      json: { ...report.json, changed, losses, "given-up": givenUp },
      changed,
      losses,
      ...(repair?.beyondRepair && { beyondRepair: repair.beyondRepair }),
      givenUp,
      ...(changed ? { bytesWritten, syncs } : {}),
      milliseconds,
      notes: session.allNotes,
    };
  } finally {
    await session.close();
  }
}
