/** The conversion behind `convert`, `resume`, `rollback` and `setmap`: inspect, plan, switch, settle, report. */

import { openImage } from "../../formats/registry.ts";
import { layoutOf } from "../../image/file-layout.ts";
import type { Image } from "../../image/source.ts";
import { type ConversionJournal, Journal } from "../../journal/journal.ts";
import { journalNamesOf } from "../../journal/names.ts";
import type { Intent } from "../../journal/records.ts";
import type { SwitchPlan } from "../../plan/switch-plan.ts";
import { refuseWithoutSpace } from "../execute/space.ts";
import { OpenedBacking, refuseOtherGuest } from "../inspect/opened-backing.ts";
import { inspectSource, type Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { targetDriverOf } from "../options/target-options.ts";
import { type CrossCheckedGuest, CrossChecker } from "../proof/cross-check.ts";
import type { ConversionReport } from "../report/report.ts";
import { type Session, stopIfAsked } from "../session/session.ts";
import { Stopwatch } from "../session/stopwatch.ts";
import { finish } from "../switch/finish.ts";
import { performSwitch, type SwitchInput } from "../switch/switch.ts";
import { planConversion } from "../switch/switch-planning.ts";
import { afterFailure } from "../undo/after-failure.ts";
import { companionsOf } from "../undo/companions.ts";
import { plannedReport, unchangedReport } from "./planned-report.ts";

/** How a conversion begins: afresh, or in the place of an interrupted one's journal. */
export interface Beginning {
  readonly purpose: Intent["purpose"];
  readonly replacing?: Journal;
}

/** Converts the session's image. Throws with the image as it was, or with `journal` set in the error where that stands. */
export async function runConversion(
  session: Session,
  targetFormat: string,
  settings: Settings,
  beginning: Beginning = { purpose: "convert" },
): Promise<ConversionReport> {
  const watch = new Stopwatch(session.host.now);
  const source = await watch.time("inspect", async () => {
    return inspectSource(await openImage(session.storage, settings.sourceFormat, settings));
  });
  const plan = await watch.time("plan", () => planConversion(source, targetFormat, settings));
  const guest = await OpenedBacking.open(source.image, session.host.volume, settings);
  try {
    const digestBefore = await watch.time("checksum", () => digestSource(session, source, guest, settings));
    const secondOpinion = await watch.time("cross-check", () => askBefore(source.image, settings));
    if (plan === "unchanged") {
      await beginning.replacing?.remove();
      const report = unchangedReport(session.path, source, guest.covers, digestBefore, settings, watch);
      return { ...report, notes: [...session.allNotes, ...report.notes] };
    }
    const input = { session, settings, source, plan, guest, digestBefore };
    return await carryOut(input, beginning, watch, secondOpinion);
  } finally {
    await guest.close();
  }
}

/** From a proven plan to a finished image: journal, switch, settle, report. */
export async function carryOut(
  input: Omit<SwitchInput, "journal">,
  beginning: Beginning,
  watch: Stopwatch,
  secondOpinion?: CrossCheckedGuest,
): Promise<ConversionReport> {
  const { session, settings, source, plan, guest, digestBefore } = input;
  await refuseWithoutSpace(session, plan, settings);
  stopIfAsked(settings.signal, session.path, "before the first write to");
  await session.refuseChange();
  const journal = await openJournal(session, source, plan, settings, beginning, digestBefore);
  try {
    const { target, digestAfter } = await watch.time("write", () => performSwitch({ ...input, journal }));
    if (secondOpinion) {
      // Asked while the image can still be put back; what QED leaks is given back afterwards only.
      const leaksAllowed = !targetDriverOf(plan.draft.format).countsReferences;
      const opinion = () => secondOpinion.agree(plan.draft.format, leaksAllowed);
      session.notes.add(await watch.time("cross-check", opinion));
    }
    const { image, check, bytesSettled } = await watch.time("settle", () =>
      finish(session, journal, settings, settings.keepUndo, target),
    );
    const planned = plannedReport(session.path, source, plan, guest.covers, settings);
    return {
      ...planned,
      changed: true,
      bytesSettled,
      bytesWritten: session.volume.meter.bytesWritten,
      syncs: session.volume.meter.syncs,
      fileSizeAfter: await session.storage.size(),
      guestChecksum: checksumOf(settings, guest.covers, digestBefore, digestAfter),
      check: { before: settings.check ? source.check : null, after: check },
      milliseconds: watch.milliseconds,
      notes: [...session.allNotes, ...planned.notes],
      // What is done is done: a picture that can't be drawn fails nothing.
      ...(planned.layout && { layout: { ...planned.layout, after: await layoutOf(image).catch(() => null) } }),
    };
  } catch (error) {
    throw await afterFailure(session, journal, error);
  } finally {
    await journal.close();
  }
}

/** qemu-img's view of the source, where it is wished for and to be had. */
export async function askBefore(image: Image, settings: Settings): Promise<CrossCheckedGuest | undefined> {
  const { crossCheck, signal, check } = settings;
  if (crossCheck === "off" || image.check === undefined) return undefined;
  return (await CrossChecker.demand(crossCheck, signal))?.before(image, check);
}

async function digestSource(
  session: Session,
  source: Source,
  guest: OpenedBacking,
  settings: Settings,
): Promise<string | null> {
  const { checksum } = settings;
  const digest = checksum === "none" ? null : await guest.digest(source.image, checksum, "checksum");
  await refuseOtherGuest(session.path, source.image, guest, settings, digest);
  return digest;
}

async function openJournal(
  session: Session,
  source: Source,
  plan: SwitchPlan,
  settings: Settings,
  beginning: Beginning,
  guestDigest: string | null,
): Promise<ConversionJournal> {
  const intent: Intent = {
    record: "intent",
    version: 1,
    purpose: beginning.purpose,
    sourceFormat: source.image.format,
    targetFormat: plan.draft.format,
    options: settings.options,
    drop: settings.drop,
    keepLeaks: settings.keepLeaks,
    keepUndo: settings.keepUndo,
    verify: settings.verify,
    check: settings.check,
    checksum: settings.checksum,
    backingChain: settings.backingChain,
    guestDigest,
    alsoHolds: companionsOf(source.options),
    oldFileSize: plan.oldFileSize,
    sourceEnd: plan.sourceEnd,
    sourceOptions: textOf(source.options.creationOptions),
    metadataDigest: source.metadataDigest,
    fileSize: plan.draft.fileSize,
    savedLength: plan.header.length,
    ...(plan.commit.hostOffset > 0 && { commitHostOffset: plan.commit.hostOffset }),
    extras: plan.commit.extras.map(({ hostOffset, bytes }) => [hostOffset, bytes.length] as const),
  };
  await settings.onJournal(settings.journal ?? journalNamesOf(session.path).journal);
  return Journal.create(
    session.volume,
    session.path,
    intent,
    { sector: plan.commit.sector, extras: plan.commit.extras, savedHeader: plan.header },
    { elsewhere: settings.journal, replacing: beginning.replacing },
  );
}

function checksumOf(
  settings: Settings,
  covers: "guest" | "layer",
  before: string | null,
  after: string | null,
): ConversionReport["guestChecksum"] {
  return settings.checksum === "none" ? null : { algorithm: settings.checksum, covers, before, after };
}

function textOf(values: Readonly<Record<string, string | number | boolean>>): Record<string, string> {
  const text = (value: string | number | boolean) =>
    typeof value === "boolean" ? (value ? "on" : "off") : String(value);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, text(value)]));
}
