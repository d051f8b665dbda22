/** The way on from an interrupted conversion: from before the commit planned anew, from after it verified and settled. */

import { alignUp } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { reopenImage } from "../../formats/registry.ts";
import { grownMapping } from "../../image/grown-mapping.ts";
import { checkOf } from "../../image/source.ts";
import type { ConversionJournal } from "../../journal/journal.ts";
import { endUnitOf } from "../../plan/source-end.ts";
import { readZeroFilled, type WritableStorage } from "../../storage/storage.ts";
import { runConversion } from "../conversion/conversion.ts";
import { OpenedBacking } from "../inspect/opened-backing.ts";
import type { Settings } from "../options/settings.ts";
import { verifyDigest, verifyMetadata } from "../proof/verify.ts";
import type { RecoveryReport } from "../report/report.ts";
import { PUT_BACK } from "../session/leaving-journal.ts";
import type { Session } from "../session/session.ts";
import { finish } from "../switch/finish.ts";
import { settleHeader } from "../undo/commit-block.ts";
import { proveCompanions } from "../undo/companions.ts";
import { lengthToKeep } from "../undo/grown-tail.ts";
import { behindCommit, cutAt } from "../undo/overlays.ts";
import { isTargetsHeader } from "../undo/rewritten-header.ts";
import {
  commitStateOf,
  foreignWrite,
  isFrontAsItWas,
  liftAnchor,
  restoreSource,
  rewriteMetadata,
  sameBytes,
  sourceIsUntouched,
  sourceOptionsOf,
  takeExtrasBack,
} from "../undo/switch-undo.ts";
import { becomesOnePiece, wasInOnePiece } from "../undo/told-format.ts";
import { recoveryReport } from "./direction.ts";
import { rollBackConversion } from "./roll-back.ts";

/** Finishes what was begun, from wherever the image stands. */
export async function resumeConversion(
  session: Session,
  journal: ConversionJournal,
  settings: Settings,
): Promise<RecoveryReport> {
  const { storage, path } = session;
  const { intent } = journal.work;
  await settleHeader(storage, journal, "target");
  if (!journal.work.undoGivenUp && !(await isCommitted(storage, journal))) {
    if (intent.purpose === "setmap") return rollBackConversion(session, journal, settings);
    const { allowMarkedRaw } = await giveUpAdditive(session, journal);
    const goal = intent.journey?.goalFormat ?? intent.targetFormat;
    const keepUndo = settings.keepUndo && !journal.isUndo;
    await runConversion(
      session,
      goal,
      { ...settings, keepUndo, sourceFormat: intent.sourceFormat, allowMarkedRaw },
      { purpose: intent.purpose, replacing: journal, journey: intent.journey },
    );
    return recoveryReport(path, goal, intent.purpose, "planned anew and finished");
  }
  const isGivenUp = journal.work.undoGivenUp;
  // Settling re-points: how far it came is told by tables that a failed sync may have left in the cache alone.
  if (isGivenUp) await rewriteMetadata(storage, await reopenImage(cutAt(storage, intent.cutTo), intent.targetFormat));
  const foreign = isGivenUp ? undefined : await foreignWrite(storage, journal.work);
  if (foreign || isGivenUp || intent.purpose === "setmap") await trustAsFound(session, journal);
  else if (!journal.work.verified) await verifyOrRestore(session, journal, settings);
  const keepsUndo = intent.keepUndo && !journal.isUndo && foreign === undefined;
  const { journey } = intent;
  const isGoal = journey === undefined || intent.targetFormat === journey.goalFormat;
  const ending = journey ? "handed on" : keepsUndo ? "kept as undo" : "removed";
  await finish(session, journal, settings, { ending, settles: isGoal });
  if (journey) {
    const isCleared = !isGoal && !becomesOnePiece(intent);
    await runConversion(
      session,
      journey.goalFormat,
      { ...settings, keepUndo: keepsUndo, sourceFormat: intent.targetFormat, allowMarkedRaw: true },
      {
        purpose: intent.purpose,
        replacing: journal,
        journey: { ...journey, stepsTaken: journey.stepsTaken + 1 },
        isCleared,
      },
    );
    return recoveryReport(path, journey.goalFormat, intent.purpose, "verified, and the rest of the way gone");
  }
  return recoveryReport(
    path,
    intent.targetFormat,
    intent.purpose,
    foreign ? `settled as found (${foreign})` : "verified and settled",
  );
}

/** True once the file is the target's. A header that someone rewrote since still says whose it is. */
async function isCommitted(storage: WritableStorage, journal: ConversionJournal): Promise<boolean> {
  const commit = await commitStateOf(storage, journal.work);
  if (commit !== "rewritten") return commit === "after";
  const isTarget = await isTargetsHeader(storage, journal.work);
  if (isTarget !== undefined) return isTarget;
  throw new ImageError("changed-underneath", say`Cannot tell how far ${imageNamed(storage.path)} came`, {
    because: "its header was rewritten since",
    path: storage.path,
    operation: "resume",
  });
}

/**
 * Before the commit the source is as good as it was, plus what a guest may have written since. Cuts off what nobody
 * points at; nothing below the old end is touched but header bytes that only we wrote. What nobody points at is told by
 * reading, which may take long: who has the image open by then is looked for anew.
 */
async function giveUpAdditive(
  session: Session,
  journal: ConversionJournal,
): Promise<{ readonly allowMarkedRaw: boolean }> {
  const { storage } = session;
  const { intent } = journal.work;
  if (wasInOnePiece(intent)) {
    // Where the disk's first bytes changed somebody may have used it as long as it is now, and made a partition larger.
    const isUnchanged = await isFrontAsItWas(storage, journal.work);
    await session.refuseInterference();
    if (isUnchanged && intent.oldFileSize < (await storage.size())) await storage.resize(intent.oldFileSize);
    await storage.sync();
    return { allowMarkedRaw: isUnchanged };
  }
  let end = await lengthToKeep(storage, intent.oldFileSize, intent.sourceEnd);
  let footer: Uint8Array | undefined;
  // A header that was rewritten since may have come to use the bytes where the extras lie.
  const hasOldHeader = (await commitStateOf(storage, journal.work)) === "before";
  const isUntouched = hasOldHeader && (await sourceIsUntouched(storage, journal.work));
  if (!isUntouched) {
    const image = await reopenImage(storage, intent.sourceFormat);
    const [mapping, metadata, check] = [
      await image.getMapping(),
      await image.getMetadataRanges(),
      await checkOf(image),
    ];
    // Where not all references can be trusted, nobody knows where the last of them ends.
    if (check.corruptions > 0 || check.checkErrors > 0) {
      throw new ImageError("corrupt", say`Cannot go on with ${imageNamed(storage.path)}`, {
        because: "it was written to since, and its check finds errors",
        remedy: "repair it with qemu-img check -r all",
        path: storage.path,
        format: intent.sourceFormat,
        operation: "check",
      });
    }
    end = Math.max(end, metadata.end, check.imageEndOffset);
    for (let row = 0; row < mapping.count; row++) {
      const hostOffset = mapping.hostOffset[row] as number;
      if (hostOffset >= 0)
        end = Math.max(end, hostOffset + Math.max(mapping.length[row] as number, mapping.storedLength[row] as number));
    }
    const options = image.getConversionOptions();
    end = alignUp(end, endUnitOf(options));
    footer = options.footer;
  }
  await session.refuseInterference();
  if (isUntouched) await takeExtrasBack(storage, journal.work);
  // An earlier cut may be in the cache alone, and what is found at the end must be there before the anchor goes.
  const isAnchored = isUntouched && journal.work.anchor !== undefined;
  if (end < (await storage.size()) || isAnchored) await storage.resize(end);
  if (footer) await putFooter(storage, end, footer);
  await storage.sync();
  if (isUntouched) await liftAnchor(storage, journal.work);
  return { allowMarkedRaw: true };
}

/** What a guest's program put behind the old end has no end of its own any more, where new tables lay behind it. */
async function putFooter(storage: WritableStorage, end: number, footer: Uint8Array): Promise<void> {
  const last = await readZeroFilled(storage, end - footer.length, footer.length);
  if (!sameBytes(last, footer)) await storage.write(end, footer);
}

/** Someone used the target already: its guest can't be compared any more, but it must be a sound image. */
async function trustAsFound(session: Session, journal: ConversionJournal): Promise<void> {
  const { targetFormat } = journal.work.intent;
  const image = await reopenImage(cutAt(session.storage, journal.work.intent.cutTo), targetFormat);
  const { unclean } = image.getConversionOptions();
  const check = await checkOf(image);
  const [first] = [
    ...unclean,
    ...check.findings.filter(({ severity }) => severity === "corruption").map(({ message }) => message),
  ];
  if (unclean.length === 0 && check.corruptions === 0 && check.checkErrors === 0) return;
  throw new ImageError("corrupt", say`Cannot settle ${imageNamed(session.path)}`, {
    because: first ?? "it can't be read",
    remedy: "repair it with qemu-img check -r all",
    path: session.path,
    format: targetFormat,
    operation: "check",
  });
}

/** The commit was the last thing done: proves the target as `convert` would have, or puts the source back. */
async function verifyOrRestore(session: Session, journal: ConversionJournal, settings: Settings): Promise<void> {
  const { storage } = session;
  const { intent } = journal.work;
  try {
    const asItWas = behindCommit(storage, journal.work);
    const source = await reopenImage(asItWas, intent.sourceFormat, sourceOptionsOf(journal.work));
    const target = await reopenImage(cutAt(storage, intent.cutTo), intent.targetFormat);
    const { backing } = source.getConversionOptions();
    const isInOnePiece = wasInOnePiece(intent) || becomesOnePiece(intent);
    const virtualSize = isInOnePiece ? target.virtualSize : source.getConversionOptions().virtualSize;
    const mapping = grownMapping(await source.getMapping(), virtualSize);
    await verifyMetadata({
      source: { virtualSize, mapping, backing },
      target,
      planned: undefined,
      // A disk in one piece has no states that could be lost.
      isInOnePiece,
      fillsUnit: settings.backingChain ? target.clusterSize : undefined,
      mustBeSettled: false,
      check: settings.check,
    });
    if (intent.guestDigest === null || settings.checksum === "none" || settings.verify === "mapping") return;
    const { checksum } = settings;
    const guest = await OpenedBacking.open(target, session.host.volume, settings);
    const expected = () => guest.digestGrown(source, { mapping, virtualSize }, checksum, "verify");
    try {
      const found = await guest.digest(target, settings.checksum, "verify");
      // A guest that only wrote where its data lay changed what both sides show.
      if (found !== intent.guestDigest) verifyDigest(target.format, session.path, await expected(), found);
    } finally {
      await guest.close();
    }
  } catch (error) {
    if (!(error instanceof ImageError) || error.kind !== "verification-failed") throw error;
    await proveCompanions(session, journal.work, settings);
    await restoreSource(session, journal);
    throw error.leaving(PUT_BACK, { rolledBack: true });
  }
}
