/**
 * A switch, performed: additive writes, sync, the target verified through an overlay, one sector, sync.
 *
 *   journal | anchor | additive | verify | prepared | last look | commit | verify anew | verified
 *             ^ where the source is known by its file's end                ^ the file is the target's
 *                               ^ nothing of the source is overwritten
 */

import { MiB } from "../../bytes/align.ts";
import { hex, ImageError } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { imageNamed, say } from "../../bytes/sentence.ts";
import { reopenImage } from "../../formats/registry.ts";
import { targetOf } from "../../formats/target-registry.ts";
import { GuestReader } from "../../image/guest/reader.ts";
import type { Image } from "../../image/source.ts";
import type { Commit } from "../../image/target.ts";
import type { ConversionJournal } from "../../journal/journal.ts";
import type { Prepared } from "../../journal/records.ts";
import type { SwitchPlan } from "../../plan/switch-plan.ts";
import { readZeroFilled, type Storage } from "../../storage/storage.ts";
import { executeEpoch, WriteRecorder, type Written } from "../execute/execute.ts";
import { addText, removeText } from "../execute/name.ts";
import { refuseWrongBytes } from "../execute/written.ts";
import type { OpenedBacking } from "../inspect/opened-backing.ts";
import { digestRanges, type Source } from "../inspect/source.ts";
import { progressOf, type Settings } from "../options/settings.ts";
import { verifyDigest, verifyMetadata } from "../proof/verify.ts";
import type { Session } from "../session/session.ts";
import { stopIfAsked } from "../session/stop.ts";
import { behindCommit, beyondCommit, cutAt } from "../undo/overlays.ts";
import { commitStateOf } from "../undo/switch-undo.ts";

export interface SwitchInput {
  readonly session: Session;
  readonly settings: Settings;
  readonly source: Source;
  readonly plan: SwitchPlan;
  readonly guest: OpenedBacking;
  readonly journal: ConversionJournal;
  /** Of the guest as planned (the source's, grown where the disk is), where digests are compared. */
  readonly digestPlanned: string | null;
  /** False where a later step's digest stands for this one's; tables and copies are proven all the same. */
  readonly isDigested?: boolean;
  /** Units will be moved to places that the target counts already: leaks, until they are. */
  readonly isCarrier?: boolean;
  /** Places below the old end that the target shows and the source does not, where a guest's write must not be hidden. */
  readonly takenOver?: RangeSet;
}

/** The target as opened from the file after the commit, and its guest's digest, where one was taken. */
export interface Switched {
  readonly target: Image;
  readonly digestAfter: string | null;
  /** When it was durable, by `performance.now()`. */
  readonly committedAt: number;
}

/** Leaves the file the target's, verified and not yet settled. */
export async function performSwitch(input: SwitchInput): Promise<Switched> {
  const { session, settings, source, plan, guest, journal, digestPlanned } = input;
  const { storage } = session;
  const { named } = plan.commit;
  if (named) session.takeSidecar(named.name);
  await anchorSource(session, journal);
  if (writesBelowOldEnd(plan)) await session.refuseInterference();
  const recorder = new WriteRecorder(storage, plan.oldFileSize);
  const report = progressOf(settings, "write");
  await executeEpoch(recorder.storage, plan.additive, {
    reader: new GuestReader(await guest.view(source.image)),
    onBytes: (done) => report(done, plan.bytesMoved + plan.draft.metadataBytes),
    safePoint: () => stopIfAsked(settings.signal, session.path, "while writing new tables to"),
  });
  const written = recorder.finish();
  // New tables and header extras, also where no reader of the image looks.
  await refuseWrongBytes(storage, plan.additive, say`Cannot trust ${imageNamed(session.path)}`);

  const digestAfter = await verifyTarget(input, beyondCommit(storage, plan.commit, plan.draft.cutTo));
  if (digestPlanned !== null && digestAfter !== null)
    verifyDigest(plan.draft.format, session.path, digestPlanned, digestAfter);
  stopIfAsked(settings.signal, session.path, "before the commit of");
  await journal.append(await preparedOf(input, written));

  await refuseChangedSource(input);
  await refuseStaleCopies(input);
  await session.refuseInterference();
  if (named) await commitName(session, named, plan.commit.sector);
  else if (plan.commit.kind === "length") await storage.resize(plan.commit.hostOffset);
  else await storage.write(plan.commit.hostOffset, plan.commit.sector);
  await storage.sync();
  const committedAt = performance.now();
  await refuseOtherCommit(input);

  return { target: await verifyOpened(input, cutAt(storage, plan.draft.cutTo)), digestAfter, committedAt };
}

/** Where nothing is to the source, though its own driver may put something there for whoever has it open. */
function writesBelowOldEnd({ commit, draft, takenOver }: SwitchPlan): boolean {
  return commit.extras.length > 0 || (draft.placement.leadIn ?? 0) > 0 || (takenOver?.total ?? 0) > 0;
}

/** From here on the source is whole whatever lies behind its end, and so it is on the way back. */
async function anchorSource(session: Session, journal: ConversionJournal): Promise<void> {
  const { storage } = session;
  const { anchor } = journal.work;
  if (anchor === undefined) return;
  await session.refuseInterference();
  await storage.write(0, anchor);
  await storage.sync();
  if ((await commitStateOf(storage, journal.work)) !== "before") throw wrongHeader(session, journal);
}

/** The text has been compared with what the plan read of it right before (`refuseChangedSource`). */
async function commitName(
  session: Session,
  { name, comes }: NonNullable<Commit["named"]>,
  bytes: Uint8Array,
): Promise<void> {
  if (comes) await addText(session, { name, bytes });
  else await removeText(session, name);
}

/** What the target alone shows, so that the way back over it is told by these bytes to be open. */
async function preparedOf({ session, takenOver }: SwitchInput, { ranges, digest }: Written): Promise<Prepared> {
  const added = takenOver ?? new RangeSet();
  added.addAll(ranges);
  return {
    record: "prepared",
    added: Array.from(added.each(), ({ start, end }) => [start, end] as const),
    addedDigest: takenOver ? await digestRanges(session.storage, added) : digest,
  };
}

/** The last look before the commit: the header and every metadata byte that the plan read are still the same. */
async function refuseChangedSource({ session, source, journal }: SwitchInput): Promise<void> {
  const { storage } = session;
  const view = behindCommit(storage, journal.work);
  const isSame =
    (await commitStateOf(storage, journal.work)) === "before" &&
    (await digestRanges(view, source.metadata)) === source.metadataDigest;
  if (isSame) return;
  throw new ImageError("changed-underneath", say`Cannot commit ${imageNamed(session.path)}`, {
    because: "its metadata changed while we worked on it",
    path: session.path,
    operation: "commit",
  });
}

/**
 * Whoever wrote to the source in place since a unit was copied changed no metadata, and would lose it: what moved is
 * read again at both places.
 */
async function refuseStaleCopies({ session, settings, source, plan, guest }: SwitchInput): Promise<void> {
  if (settings.verify !== "full" || plan.copies.length === 0) return;
  const reader = new GuestReader(await guest.view(source.image));
  for (const { guestOffset, hostOffset, length } of plan.copies) {
    for (let skip = 0; skip < length; skip += MiB) {
      stopIfAsked(settings.signal, session.path, "while looking at the copies in");
      const old = Buffer.allocUnsafe(Math.min(MiB, length - skip));
      await reader.read(guestOffset + skip, old);
      const copy = await readZeroFilled(session.storage, hostOffset + skip, old.length);
      if (old.equals(copy)) continue;
      throw new ImageError("changed-underneath", say`Cannot commit ${imageNamed(session.path)}`, {
        because: `what was copied from guest offset ${hex(guestOffset + skip)} on differs from it now`,
        path: session.path,
        guestOffset: guestOffset + skip,
        hostOffset: hostOffset + skip,
        operation: "commit",
      });
    }
  }
}

/** The sector is what decides whose image it is: it has to read as it was written, bit by bit. */
async function refuseOtherCommit({ session, journal }: SwitchInput): Promise<void> {
  if ((await commitStateOf(session.storage, journal.work)) !== "after") throw wrongHeader(session, journal);
}

function wrongHeader(session: Session, journal: ConversionJournal): ImageError {
  return new ImageError("verification-failed", say`Cannot trust ${imageNamed(session.path)}`, {
    because: "its new header does not read as written",
    path: session.path,
    hostOffset: journal.work.commitHostOffset,
    operation: "commit",
  });
}

/** Before the commit: tables, check and, with full verification, every byte of the guest. */
async function verifyTarget(input: SwitchInput, storage: Storage): Promise<string | null> {
  const { settings, guest } = input;
  const target = await verifyOpened(input, storage);
  if (settings.checksum === "none" || settings.verify === "mapping" || input.isDigested === false) return null;
  return guest.digest(target, settings.checksum, "verify");
}

async function verifyOpened({ settings, source, plan, isCarrier }: SwitchInput, storage: Storage): Promise<Image> {
  const target = await reopenImage(storage, plan.draft.format);
  const { backing } = source.options;
  await verifyMetadata({
    source: { virtualSize: plan.draft.virtualSize, mapping: plan.mapping, backing },
    target,
    planned: plan.draft.extents,
    fillsUnit: plan.bytesFilled > 0 ? plan.draft.placement.unitSize : undefined,
    isInOnePiece: plan.draft.placement.linearBase !== undefined,
    mustBeSettled: !isCarrier && (targetOf(plan.draft.format)?.countsReferences ?? false),
    check: settings.check,
  });
  return target;
}
