/** `check`: what is wrong inside an image, in qemu-img's words; with `repair`, mended and checked again. */

import { checkJson } from "../check/check-json.ts";
import { fixedText, resultText } from "../check/check-text.ts";
import { CheckExit, checkExitCode, verdictOf } from "../check/verdict.ts";
import { layoutOf } from "../image/file-layout.ts";
import type { CheckResult } from "../image/finding.ts";
import type { RepairScope } from "../image/repair.ts";
import type { Image } from "../image/source.ts";
import { checkOf } from "../image/source.ts";
import { journalNamesOf } from "../journal/names.ts";
import { refuseMisplacedJournal } from "../journal/place.ts";
import { diskFileOf, openWithDisk } from "./inspect/opened-chain.ts";
import { checkRules, optionsOf } from "./options/option-rules.ts";
import type { CheckOptions } from "./options/options.ts";
import { CrossChecker } from "./proof/cross-check.ts";
import { runRepair } from "./repair/repair.ts";
import type { CheckReport } from "./report/report.ts";
import { type Host, thisHost } from "./session/host.ts";
import { namedImage } from "./session/named-image.ts";
import { Session, stopIfAsked } from "./session/session.ts";
import { Stopwatch } from "./session/stopwatch.ts";
import { recently, refuseUnfinished } from "./session/surroundings.ts";
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
    ? checkAndRepair(path, repair, given, host)
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

async function checkAndRepair(
  path: string,
  scope: RepairScope,
  options: CheckOptions,
  host: Host,
): Promise<CheckReport> {
  const session = await Session.open(await namedImage(host.volume, path, options.format), host, "repair", {
    journal: options.journal,
    look: recently(),
  });
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

/** What is wrong with the image is in the findings already. */
async function pictureOf(image: Image, { layout }: CheckOptions): Promise<Pick<CheckReport, "layout">> {
  const drawn = layout ? await layoutOf(image).catch(() => undefined) : undefined;
  return drawn ? { layout: drawn } : {};
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

function reportOf(
  path: string,
  image: Image,
  result: CheckResult,
  fixed: { readonly leaksFixed: number; readonly corruptionsFixed: number },
): CheckReport {
  const isSupported = image.check !== undefined;
  const facts = { ...result, ...fixed, image: path, format: image.format };
  return {
    ...facts,
    verdict: isSupported ? verdictOf(result) : "unsupported",
    exitCode: isSupported ? checkExitCode(result) : CheckExit.unsupported,
    changed: false,
    losses: [],
    givenUp: [],
    bytesWritten: 0,
    syncs: 0,
    milliseconds: {},
    json: checkJson(facts),
    fixedText: fixedText(fixed),
    text: resultText(result),
    notes: [],
  };
}
