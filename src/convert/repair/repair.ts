/**
 * A repair, performed: planned and proven as values, journaled, then written step by step.
 *
 *   check | plan, proof | journal | additive | prepared | last look | step 1 | ... | step n | check anew | verified
 *                       ^ nothing was written                       ^ every byte that is overwritten has its old one in the journal
 */

import { SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, placeAt, say } from "../../bytes/sentence.ts";
import { isEmptyPlan, MAX_PATCHED_BYTES, planPatches, type RepairPlan } from "../../check/repair-plan.ts";
import { openImage } from "../../formats/registry.ts";
import type { CheckResult, FindingListener } from "../../image/finding.ts";
import type { Repair, RepairScope } from "../../image/repair.ts";
import type { Image } from "../../image/source.ts";
import { checkOf } from "../../image/source.ts";
import { Journal, type RepairJournal } from "../../journal/journal.ts";
import { journalNamesOf } from "../../journal/names.ts";
import { type PatchStep, patchRangesOf } from "../../journal/repair-work.ts";
import { OverlayStorage } from "../../storage/overlay.ts";
import { readExactly, readZeroFilled } from "../../storage/storage.ts";
import { executeEpoch, WriteRecorder } from "../execute/execute.ts";
import type { CheckOptions, CrossCheck } from "../options/options.ts";
import { CrossChecker } from "../proof/cross-check.ts";
import type { Session } from "../session/session.ts";
import { stopIfAsked } from "../session/stop.ts";
import { Stopwatch } from "../session/stopwatch.ts";
import { afterFailure } from "../undo/after-failure.ts";
import { metadataDigestOf } from "../undo/repair-undo.ts";
import {
  type BeforeRepair,
  digestsForUndo,
  mappingOf,
  proveGuest,
  proveRepair,
  proveSameCheck,
} from "./repair-proof.ts";
import { WithheldFlags } from "./withheld-flags.ts";

export interface RepairSettings {
  readonly scope: RepairScope;
  readonly allowDataLoss: boolean;
  readonly keepUndo: boolean;
  /** Where the journal's records go; beside the image where undefined. */
  readonly journal: string | undefined;
  readonly onJournal: NonNullable<CheckOptions["onJournal"]>;
  readonly onFinding: FindingListener;
  readonly onProgress: NonNullable<CheckOptions["onProgress"]>;
  readonly signal: AbortSignal | undefined;
  readonly crossCheck: CrossCheck;
}

/** What a repair came to. */
export interface Repaired {
  /** As opened after the repair. */
  readonly image: Image;
  readonly check: CheckResult;
  /** Undefined where the format has nothing that can be repaired. */
  readonly repair: Repair | undefined;
  readonly changed: boolean;
  readonly milliseconds: Readonly<Record<string, number>>;
}

/**
 * Mends the session's image. Throws with the image as it was, or with `journal` set in the error where that stands.
 * `replacing` is an interrupted repair's journal, whose place the new one takes.
 */
export async function runRepair(
  session: Session,
  format: string | undefined,
  settings: RepairSettings,
  replacing?: Journal,
): Promise<Repaired> {
  const watch = new Stopwatch(session.host.now);
  const image = await openImage(session.storage, format);
  const flags = new WithheldFlags(settings.onFinding);
  // Marks are there to be cleared, so that a mapping will be needed; the walk that makes it counts for the check too.
  const isMarked = image.getConversionOptions().unclean.length > 0;
  const mapped = isMarked ? await watch.time("check", () => mappingOf(image)) : undefined;
  const check = await watch.time("check", () => checkOf(image, (finding) => flags.hear(finding)));
  const repair = await watch.time("plan", async () => {
    return image.planRepair?.({ scope: settings.scope, allowDataLoss: settings.allowDataLoss });
  });
  const nothing = { image, check, repair, changed: false };
  const mapping = mapped ?? (repair && writes(repair) ? await mappingOf(image) : undefined);
  const before: BeforeRepair = { image, check, mapping };
  const plan = repair && writes(repair) ? await watch.time("plan", () => planOf(session, before, repair)) : undefined;
  if (plan === undefined || isEmptyPlan(plan)) {
    flags.tell();
    await replacing?.remove();
    await askQemu(session, image, check, settings);
    return { ...nothing, milliseconds: watch.milliseconds };
  }
  await refuseWithoutSpace(session, plan);
  // What is added may be larger than memory; then the proof waits until it lies past the old end, where nobody looks.
  const added = plan.added.total <= MAX_PATCHED_BYTES ? [...plan.repair.additiveWrites()] : undefined;
  const whole = added && new OverlayStorage(session.storage, added, { size: plan.repair.fileSize });
  const proven = whole && (await watch.time("verify", () => proveRepair(before, plan, whole)));
  const guestDigests = await watch.time("checksum", () => digestsForUndo(before, plan, whole));
  stopIfAsked(settings.signal, session.path, "before the first write to");
  const metadataDigest = await metadataDigestOf(image);
  await session.refuseInterference();
  const journal = await openJournal(session, before, plan, { metadataDigest, guestDigests }, settings, replacing);
  let stepsBegun = 0;
  try {
    await watch.time("write", () => writeAdditive(session, journal, plan, settings));
    const shall = proven ?? (await watch.time("verify", () => proveRepair(before, plan, session.storage)));
    await refuseChangedMetadata(session, image, metadataDigest);
    const onStep = (begun: number) => {
      stepsBegun = begun;
    };
    await watch.time("write", () => performSteps(session, plan.steps, { ...settings, onStep }));
    for (const finding of plan.repair.mended) settings.onFinding(finding);
    const mended = await watch.time("verify", () => verifyRepair(session, before, plan, shall, settings.onFinding));
    await askQemu(session, mended.image, mended.check, settings);
    await finishRepair(session, journal, settings.keepUndo && !journal.isUndo);
    return { ...mended, repair: plan.repair, changed: true, milliseconds: watch.milliseconds };
  } catch (error) {
    throw await afterFailure(session, journal, error, stepsBegun);
  } finally {
    await journal.close();
  }
}

/** Additive writes serve steps, so that without these there is nothing to do. */
function writes({ steps }: Repair): boolean {
  return steps.some((step) => step.writes.length > 0);
}

/** A second opinion, while the repair can still be taken back. */
async function askQemu(session: Session, image: Image, check: CheckResult, settings: RepairSettings): Promise<void> {
  for (const note of await CrossChecker.compare(image, check, settings)) session.notes.add(note);
}

async function planOf(session: Session, { image, mapping }: BeforeRepair, repair: Repair): Promise<RepairPlan> {
  const metadata = await image.getMetadataRanges();
  const { format, clusterSize, fileSize } = image;
  const subject = { path: session.path, format, clusterSize, fileSize, mapping, metadata };
  return planPatches(subject, repair, (hostOffset, length) =>
    readExactly(session.storage, hostOffset, length, "metadata"),
  );
}

async function openJournal(
  session: Session,
  { image }: BeforeRepair,
  { steps, repair, oldFileSize, added }: RepairPlan,
  digests: { readonly metadataDigest: string | null; readonly guestDigests: readonly string[] | undefined },
  settings: RepairSettings,
  replacing: Journal | undefined,
): Promise<RepairJournal> {
  const { scope, allowDataLoss, keepUndo } = settings;
  await settings.onJournal(settings.journal ?? journalNamesOf(session.path).journal);
  return Journal.createForRepair(
    session.volume,
    session.path,
    {
      record: "repair",
      version: 1,
      format: image.format,
      scope,
      allowDataLoss,
      keepUndo,
      oldFileSize,
      fileSize: repair.fileSize,
      metadataDigest: digests.metadataDigest,
      added: Array.from(added.each(), ({ start, end }) => [start, end] as const),
      ...(digests.guestDigests && { guestDigests: digests.guestDigests }),
      steps: patchRangesOf(steps),
    },
    steps,
    { elsewhere: settings.journal, replacing },
  );
}

/** All that nobody points at yet, and the record that it is durable. */
async function writeAdditive(
  session: Session,
  journal: Journal,
  { repair, oldFileSize, added }: RepairPlan,
  settings: RepairSettings,
): Promise<void> {
  const recorder = new WriteRecorder(session.storage, oldFileSize);
  if (repair.fileSize > oldFileSize) {
    await executeEpoch(
      recorder.storage,
      { purpose: "new metadata", writes: () => repair.additiveWrites(), fileSize: repair.fileSize },
      {
        onBytes: (done) => settings.onProgress({ stage: "write", done, total: added.total }),
        safePoint: () => stopIfAsked(settings.signal, session.path, "while writing new tables to"),
      },
    );
  }
  const { ranges, digest } = recorder.finish();
  await journal.append({
    record: "prepared",
    added: Array.from(ranges.each(), ({ start, end }) => [start, end] as const),
    addedDigest: digest,
  });
}

/** Whoever wrote to the image while new metadata was made for it would lose that by the first step. */
async function refuseChangedMetadata(session: Session, image: Image, expected: string | null): Promise<void> {
  if ((await metadataDigestOf(image)) === expected) return;
  throw new ImageError("changed-underneath", say`Cannot repair ${imageNamed(session.path)}`, {
    because: "its metadata changed while we worked on it",
    path: session.path,
    operation: "compare",
  });
}

/** Each sector that a step overwrites is as the steps before leave it; of one that was begun, as it leaves it or before. */
async function refuseChangedPatches(session: Session, { patches }: PatchStep, mayBeDone: boolean): Promise<void> {
  for (const { hostOffset, before, after } of patches) {
    const found = await readZeroFilled(session.storage, hostOffset, before.length);
    for (let at = 0; at < before.length; at += SECTOR_SIZE) {
      const is = (bytes: Uint8Array) =>
        Buffer.compare(found.subarray(at, at + SECTOR_SIZE), bytes.subarray(at, at + SECTOR_SIZE)) === 0;
      if (is(before) || (mayBeDone && is(after))) continue;
      throw new ImageError("changed-underneath", say`Cannot repair ${imageNamed(session.path)}`, {
        because: say`its metadata at host offset ${placeAt(hostOffset + at)} changed while we worked on it`,
        path: session.path,
        hostOffset: hostOffset + at,
        operation: "compare",
      });
    }
  }
}

/**
 * Overwrites metadata, one barrier a step; between two of them the image is whole, so that is where to stop.
 * `isResumed`: the first of them may have been done in part before. `onStep` hears how many have begun.
 */
export async function performSteps(
  session: Session,
  steps: readonly PatchStep[],
  settings: Pick<RepairSettings, "signal" | "onProgress"> & { readonly onStep?: (begun: number) => void },
  isResumed = false,
): Promise<void> {
  const total = steps.flatMap(({ patches }) => patches).reduce((sum, { after }) => sum + after.length, 0);
  let before = 0;
  for (const [at, step] of steps.entries()) {
    const { purpose, patches } = step;
    stopIfAsked(settings.signal, session.path, "while repairing");
    await refuseChangedPatches(session, step, isResumed && at === 0);
    await session.refuseInterference();
    settings.onStep?.(at + 1);
    const writes = patches.map(({ hostOffset, after }) => ({ hostOffset, bytes: after }));
    let done = 0;
    await executeEpoch(
      session.storage,
      { purpose, writes: () => writes },
      {
        onBytes: (bytes) => {
          done = bytes;
          settings.onProgress({ stage: "write", done: before + done, total });
        },
      },
    );
    before += done;
  }
}

/** The second check, through the file alone: what was proven in memory must be what is there. */
async function verifyRepair(
  session: Session,
  before: BeforeRepair,
  plan: RepairPlan,
  shall: CheckResult,
  onFinding: FindingListener,
): Promise<{ readonly image: Image; readonly check: CheckResult }> {
  const image = await openImage(session.storage, before.image.format);
  await proveGuest(before, image, plan.repair.givenUp.length > 0);
  const check = await checkOf(image, onFinding);
  proveSameCheck(image, shall, check);
  return { image, check };
}

/** With `keepUndo` the way back stays as `<image>.inplace-undo`. */
export async function finishRepair(session: Session, journal: Journal, keepUndo: boolean): Promise<void> {
  await session.refuseInterference();
  await journal.append({ record: "verified", undoGivenUp: !keepUndo });
  await (keepUndo ? journal.keepAsUndo() : journal.remove());
}

/** Facts and framing of a journal's records, generously, for each patch. */
const PATCH_FACTS_SIZE = 64;
const JOURNAL_FACTS_SIZE = 4096;

async function refuseWithoutSpace(session: Session, { patched, added, steps }: RepairPlan): Promise<void> {
  const patches = steps.flatMap((step) => step.patches);
  const bytes = patches.reduce((sum, { before }) => sum + 2 * before.length + PATCH_FACTS_SIZE, JOURNAL_FACTS_SIZE);
  // A copy-on-write file system needs the overwritten places anew.
  const needed = bytes + added.total + patched.total;
  const free = await session.volume.freeSpace(session.path);
  if (needed <= free) return;
  throw new ImageError("no-space", say`Cannot repair ${imageNamed(session.path)}`, {
    because: `it takes ${needed} bytes for a while, and only ${free} are free beside it`,
    state: "nothing was written",
    path: session.path,
    operation: "plan",
  });
}
