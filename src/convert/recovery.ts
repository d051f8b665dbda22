/**
 * `resume` and `rollback`: both believe the image, not the journal's memory of it, for someone may have booted it in
 * between (docs/how-it-works.md draws which state leads where).
 */

import { alignUp } from "../bytes/align.ts";
import { ImageError, UsageError } from "../bytes/image-error.ts";
import { openImage } from "../formats/registry.ts";
import { clearTornJournal, Journal } from "../journal/journal.ts";
import { journalNamesOf } from "../journal/names.ts";
import type { Intent } from "../journal/state.ts";
import type { WritableStorage } from "../storage/storage.ts";
import { behindCommit } from "./added.ts";
import { runConversion } from "./conversion.ts";
import { standing } from "./failure.ts";
import { finish } from "./finish.ts";
import { Guest } from "./guest.ts";
import { type Host, thisHost } from "./host.ts";
import type { OpenOptions, RecoveryReport } from "./report.ts";
import { Session } from "./session.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { commitStateOf, foreignWrite, mendHeader, restoreSource, sourceIsUntouched } from "./undo.ts";
import { verifyDigest, verifyMetadata } from "./verify.ts";

export type RecoveryOptions = Pick<OpenOptions, "onProgress" | "signal">;

/**
 * Finishes an interrupted conversion, or settles one whose undo was kept.
 *
 * @throws ImageError "Nothing to resume" where there is no journal; with `journal` set where it still stands
 */
export function resume(path: string, options: RecoveryOptions = {}, host: Host = thisHost()): Promise<RecoveryReport> {
  return recover(path, "resume", options, host);
}

/**
 * Puts the image back: byte for byte until the undo was given up, after that by converting to the old format again.
 *
 * @throws ImageError "Nothing to roll back" where there is no journal; with `journal` set where it still stands, also
 * when someone else wrote to the image since
 */
export function rollback(
  path: string,
  options: RecoveryOptions = {},
  host: Host = thisHost(),
): Promise<RecoveryReport> {
  return recover(path, "roll back", options, host);
}

type Wish = "resume" | "roll back";

async function recover(path: string, wish: Wish, options: RecoveryOptions, host: Host): Promise<RecoveryReport> {
  const session = await openSession(path, host);
  try {
    const journal = await findJournal(session, wish);
    try {
      const settings = settingsOfJournal(journal, options);
      // An interrupted way back is finished by either command: the last thing asked for was the old format.
      if (wish === "resume" || journal.state.intent.purpose === "roll-back")
        return await goOn(session, journal, settings);
      return await goBack(session, journal, settings);
    } catch (error) {
      // A nested conversion has said already what stands; a finished one left no journal.
      if (error instanceof ImageError && (error.journal !== undefined || error.rolledBack)) throw error;
      throw standing(path, journal, error);
    } finally {
      await journal.close();
    }
  } finally {
    await session.close();
  }
}

/** An image that can't be worked on now, by a lock or another user, still has its journal: the error says so. */
async function openSession(path: string, host: Host): Promise<Session> {
  try {
    return await Session.open(path, host);
  } catch (error) {
    const { journal, undo } = journalNamesOf(path);
    for (const standingJournal of [journal, undo]) {
      if (!(error instanceof ImageError) || !(await host.volume.facts(standingJournal))) continue;
      throw new ImageError(error.kind, `${error.message}; the journal stands, run the same command again then`, {
        ...error,
        journal: standingJournal,
        cause: error,
      });
    }
    throw error;
  }
}

/** Clears what proves that nothing is to be done, then says so. */
async function findJournal(session: Session, wish: Wish): Promise<Journal> {
  const found = await Journal.find(session.volume, session.path);
  if (typeof found === "object" && !found.state.rolledBack) return found;
  if (found === "torn") await clearTornJournal(session.volume, session.path);
  if (typeof found === "object") await found.remove();
  throw new ImageError("unsupported", `Nothing to ${wish}: no conversion of ${session.path} is open`, {
    path: session.path,
    operation: wish,
  });
}

async function goOn(session: Session, journal: Journal, settings: Settings): Promise<RecoveryReport> {
  const { storage, path } = session;
  const { intent } = journal.state;
  await mendHeader(storage, journal.state, "target");
  await session.noteState();
  if (!journal.state.undoGivenUp && !(await isCommitted(storage, journal))) {
    if (intent.purpose === "setmap") return goBack(session, journal, settings);
    await giveUpAdditive(storage, journal);
    await session.noteState();
    const beginning = { purpose: intent.purpose, replacing: journal };
    const keepUndo = settings.keepUndo && !journal.isUndo;
    await runConversion(
      session,
      intent.targetFormat,
      { ...settings, keepUndo, sourceFormat: intent.sourceFormat },
      beginning,
    );
    return report(path, intent.targetFormat, intent.purpose, "planned anew and finished");
  }
  const foreign = journal.state.undoGivenUp ? undefined : await foreignWrite(storage, journal.state);
  if (foreign || intent.purpose === "setmap") await trustAsFound(session, journal);
  else if (!journal.state.verified) await verifyOrRestore(session, journal, settings);
  await finish(session, journal, settings, intent.keepUndo && !journal.isUndo && foreign === undefined);
  return report(
    path,
    intent.targetFormat,
    intent.purpose,
    foreign ? `settled as found (${foreign})` : "verified and settled",
  );
}

async function goBack(session: Session, journal: Journal, settings: Settings): Promise<RecoveryReport> {
  const { storage, path } = session;
  const { intent } = journal.state;
  if (journal.state.undoGivenUp) {
    if (intent.purpose === "setmap") {
      throw new ImageError("unsupported", `Cannot put ${path} back: its old mapping was given up when the new was`, {
        path,
        operation: "roll back",
      });
    }
    await mendHeader(storage, journal.state, "target");
    await session.noteState();
    const convertBack = (options: Readonly<Record<string, string>>) =>
      runConversion(
        session,
        intent.sourceFormat,
        {
          ...settings,
          sourceFormat: intent.targetFormat,
          options,
          drop: [],
          keepUndo: false,
          keepLeaks: false,
        },
        { purpose: "roll-back", replacing: journal },
      );
    try {
      await convertBack(intent.sourceOptions);
    } catch (error) {
      // Some layouts are read but never written, such as QED's tables of one cluster: then the format's own choice.
      if (!(error instanceof UsageError)) throw error;
      await convertBack({});
    }
    return report(path, intent.sourceFormat, "roll-back", "converted back, since the undo had been given up");
  }
  await mendHeader(storage, journal.state, "source");
  const foreign = await foreignWrite(storage, journal.state);
  if (foreign) {
    throw new ImageError("changed-underneath", `Cannot put ${path} back: ${foreign} since; nothing was touched`, {
      path,
      operation: "roll back",
    });
  }
  await restoreSource(storage, journal);
  return report(path, intent.sourceFormat, "roll-back", "put back byte for byte");
}

/** True once the file is the target's. A header that someone rewrote since still says whose it is. */
async function isCommitted(storage: WritableStorage, journal: Journal): Promise<boolean> {
  const { intent } = journal.state;
  const commit = await commitStateOf(storage, journal.state);
  if (commit !== "rewritten") return commit === "after";
  const { format } = await openImage(storage);
  if (intent.sourceFormat !== intent.targetFormat && format === intent.targetFormat) return true;
  if (intent.sourceFormat !== intent.targetFormat && format === intent.sourceFormat) return false;
  throw new ImageError(
    "changed-underneath",
    `Cannot tell how far ${storage.path} came: its header was rewritten since`,
    {
      path: storage.path,
      operation: "resume",
    },
  );
}

/**
 * Before the commit the source is as good as it was, plus what a guest may have written since. Cuts off what nobody
 * points at; nothing below the old end is touched but header bytes that only we wrote.
 */
async function giveUpAdditive(storage: WritableStorage, journal: Journal): Promise<void> {
  const { intent, savedHeader, extras } = journal.state;
  let end = intent.oldFileSize;
  if (await sourceIsUntouched(storage, journal.state)) {
    for (const { hostOffset, bytes } of extras) {
      await storage.write(hostOffset, savedHeader.subarray(hostOffset, hostOffset + bytes.length));
    }
  } else {
    const image = await openImage(storage, intent.sourceFormat);
    const [mapping, metadata, check] = [await image.getMapping(), await image.getMetadataRanges(), await image.check()];
    // Where not all references can be trusted, nobody knows where the last of them ends.
    if (check.corruptions > 0 || check.checkErrors > 0) {
      throw new ImageError(
        "corrupt",
        `Cannot go on with ${storage.path}: it was written to since, and its check finds errors; ` +
          "repair it with qemu-img check -r all",
        { path: storage.path, format: intent.sourceFormat, operation: "check" },
      );
    }
    end = Math.max(end, metadata.end, check.imageEndOffset);
    for (let row = 0; row < mapping.count; row++) {
      const hostOffset = mapping.hostOffset[row] as number;
      if (hostOffset >= 0)
        end = Math.max(end, hostOffset + Math.max(mapping.length[row] as number, mapping.storedLength[row] as number));
    }
    end = alignUp(end, image.clusterSize);
  }
  if (end < (await storage.size())) await storage.resize(end);
  await storage.sync();
}

/** Someone used the target already: its guest can't be compared any more, but it must be a sound image. */
async function trustAsFound(session: Session, journal: Journal): Promise<void> {
  const { targetFormat } = journal.state.intent;
  const image = await openImage(session.storage, targetFormat);
  const { unclean } = image.getConversionOptions();
  const check = await image.check();
  const [first] = [
    ...unclean,
    ...check.findings.filter(({ severity }) => severity === "corruption").map(({ message }) => message),
  ];
  if (unclean.length === 0 && check.corruptions === 0 && check.checkErrors === 0) return;
  throw new ImageError(
    "corrupt",
    `Cannot settle ${session.path}: ${first ?? "it can't be read"}; repair it with qemu-img check -r all`,
    {
      path: session.path,
      format: targetFormat,
      operation: "check",
    },
  );
}

/** The commit was the last thing done: proves the target as `convert` would have, or puts the source back. */
async function verifyOrRestore(session: Session, journal: Journal, settings: Settings): Promise<void> {
  const { storage } = session;
  const { intent } = journal.state;
  try {
    const source = await openImage(behindCommit(storage, journal.state), intent.sourceFormat);
    const target = await openImage(storage, intent.targetFormat);
    const hasBacking = source.getConversionOptions().backing !== undefined;
    await verifyMetadata({
      source: { virtualSize: source.virtualSize, mapping: await source.getMapping(), hasBacking },
      target,
      planned: undefined,
      mustBeSettled: false,
      check: settings.check,
    });
    if (intent.guestDigest === null || settings.checksum === "none" || settings.verify === "mapping") return;
    const guest = await Guest.open(target, session.host.volume, settings);
    try {
      const found = await guest.digest(target, settings.checksum, "verify");
      // A guest that only wrote where its data lay changed what both sides show.
      if (found !== intent.guestDigest)
        verifyDigest(target, await guest.digest(source, settings.checksum, "verify"), found);
    } finally {
      await guest.close();
    }
  } catch (error) {
    if (!(error instanceof ImageError) || error.kind !== "verification-failed") throw error;
    // Verifying may have taken long: nobody may have used the target meanwhile.
    await session.refuseInterference();
    await restoreSource(storage, journal);
    throw new ImageError(error.kind, `${error.message}; the image was put back as it was`, {
      ...error,
      rolledBack: true,
      cause: error,
    });
  }
}

function settingsOfJournal({ path, state: { intent } }: Journal, options: RecoveryOptions): Settings {
  const { checksum, verify, check, keepUndo, keepLeaks, drop, backingChain } = intent;
  const settings = settingsOf({
    ...options,
    options: intent.options,
    checksum,
    verify,
    check,
    keepUndo,
    keepLeaks,
    drop,
    backingChain,
  });
  return { ...settings, journal: path };
}

function report(path: string, format: string, purpose: Intent["purpose"], how: string): RecoveryReport {
  const outcome = purpose === "roll-back" ? "rolled-back" : "resumed";
  return { image: path, format, outcome, message: `${path} is ${format}: ${how}` };
}
