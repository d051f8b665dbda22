/** `check`: what is wrong inside an image, in qemu-img's words; with `repair`, mended and checked again. */

import { checkOf } from "../image/source.ts";
import { journalNamesOf } from "../journal/names.ts";
import { refuseMisplacedJournal } from "../journal/place.ts";
import { diskFileOf, openWithDisk } from "./inspect/opened-chain.ts";
import { checkRules, optionsOf } from "./options/option-rules.ts";
import type { CheckOptions } from "./options/options.ts";
import { CrossChecker } from "./proof/cross-check.ts";
import { pictureOf, reportOf } from "./report/check-report.ts";
import type { CheckReport } from "./report/report.ts";
import { type Host, thisHost } from "./session/host.ts";
import { stopIfAsked } from "./session/stop.ts";
import { Stopwatch } from "./session/stopwatch.ts";
import { watchedStorage } from "./session/watched-storage.ts";
import { refuseWriters } from "./session/writers.ts";

/**
 * Checks the image at `path`, writing nothing unless `repair` is asked for.
 *
 * @throws ImageError where the image can't be opened or read, `in-use` where QEMU has it open for writing (but with
 * `forceShare`), and of a repair with `journal` set where that stands and `resume` or `rollback` goes on; what is
 * wrong inside the image is in the report
 * @throws UsageError for options of the wrong kind; nothing was opened
 */
export async function check(path: string, options: CheckOptions = {}, host: Host = thisHost()): Promise<CheckReport> {
  const given = optionsOf("check", path, checkRules, options);
  await refuseMisplacedJournal(host.volume, path, given.journal);
  const { repair } = given;
  // Nothing but these two words is consent to write.
  return repair === "leaks" || repair === "all"
    ? (await import("./repair/check-and-repair.ts")).checkAndRepair(path, repair, given, host)
    : checkOnly(path, given, host);
}

async function checkOnly(path: string, options: CheckOptions, host: Host): Promise<CheckReport> {
  const storage = await host.volume.openForReading(path);
  const opened = [storage];
  try {
    if (!options.forceShare) await refuseWriters(storage, host.volume, "check");
    const watch = new Stopwatch(host.now);
    const watched = watchedStorage(storage, options);
    const image = await openWithDisk(host.volume, storage, watched, options, "check");
    if (image.storage !== watched) opened.push(image.storage);
    const result = await watch.time("check", () => checkOf(image, options.onFinding));
    stopIfAsked(options.signal, path, "while checking");
    return {
      ...reportOf(path, image, result, { leaksFixed: 0, corruptionsFixed: 0 }),
      ...(await pictureOf(image, options)),
      milliseconds: watch.milliseconds,
      notes: [
        ...(image.proven ?? []),
        ...(await unfinishedNotes(path, host)),
        ...(await CrossChecker.compare(image, result, options)),
      ],
    };
  } finally {
    for (const each of opened) await each.close();
  }
}

/** An image that is checked in the middle of something is whole, but whoever looks should know. */
async function unfinishedNotes(path: string, { volume }: Host): Promise<string[]> {
  const { journal, undo } = journalNamesOf(await diskFileOf(volume, path));
  for (const beside of [journal, undo]) {
    if ((await volume.facts(beside)) === undefined) continue;
    return [`a conversion or repair is open (${beside}): resume finishes it, rollback puts the image back`];
  }
  return [];
}
