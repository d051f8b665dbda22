/** One switch of a conversion, from its proven plan to the finished image: journal, switch, settle. */

import { targetDriverOf } from "../../formats/target-registry.ts";
import type { CheckResult } from "../../image/finding.ts";
import type { Image } from "../../image/source.ts";
import { type ConversionJournal, Journal } from "../../journal/journal.ts";
import { journalNamesOf } from "../../journal/names.ts";
import type { Intent, Journey, Wishes } from "../../journal/records.ts";
import type { SwitchPlan } from "../../plan/switch-plan.ts";
import { nameThatComes, refuseTakenText } from "../execute/name.ts";
import { refuseWithoutSpace } from "../execute/space.ts";
import type { Source } from "../inspect/source.ts";
import { keptSettings, type Settings } from "../options/settings.ts";
import type { CrossCheckedGuest } from "../proof/cross-check.ts";
import { stopIfAsked } from "../session/stop.ts";
import type { Stopwatch } from "../session/stopwatch.ts";
import { type Ending, finish } from "../switch/finish.ts";
import { performSwitch, type SwitchInput } from "../switch/switch.ts";
import { afterFailure } from "../undo/after-failure.ts";
import { companionsOf } from "../undo/companions.ts";
import { frontDigestOf } from "../undo/switch-undo.ts";
import { optionTextsOf } from "./wish.ts";

/** How a step begins: afresh, or in the place of the journal of the step before it or of an interrupted one. */
export interface Beginning {
  readonly purpose: Intent["purpose"];
  readonly replacing?: Journal | undefined;
  /** Where the step is one of several. */
  readonly journey?: Journey | undefined;
  /** Where it is all there is. */
  readonly wishes?: Wishes | undefined;
  /** Units of zeros were being given up in place, and their counts may still say that they are used. */
  readonly isEmptying?: boolean;
  /** The tables lie behind the disk already, and what will be moved is counted. */
  readonly isCleared?: boolean;
}

export interface StepDone {
  readonly image: Image;
  /** Null where none was made. */
  readonly check: CheckResult | null;
  readonly bytesSettled: number;
  readonly digestAfter: string | null;
  /** Stands where the step hands on to the next. */
  readonly journal: Journal;
}

export interface SwitchStep extends Omit<SwitchInput, "journal"> {
  readonly watch: Stopwatch;
  readonly ending: Ending;
  /** False where the next step makes use of what the old format left, or writes over it. */
  readonly settles: boolean;
  /** The switch that this one makes room for. */
  readonly behind?: SwitchPlan | undefined;
  readonly secondOpinion?: CrossCheckedGuest | undefined;
}

/** Throws with the image as it was, or with `journal` set in the error where that stands. */
export async function carryOut(step: SwitchStep, beginning: Beginning): Promise<StepDone> {
  const { session, settings, plan, watch, ending, secondOpinion } = step;
  await refuseWithoutSpace(session, step, settings, beginning.replacing === undefined);
  await refuseTakenText(session, nameThatComes(plan.commit));
  stopIfAsked(settings.signal, session.path, "before the first write to");
  await session.refuseChange();
  const journal = await openJournal(step, beginning);
  try {
    const { target, digestAfter } = await watch.time("write", () => performSwitch({ ...step, journal }));
    if (secondOpinion) {
      // Asked while the image can still be put back; what QED leaks is given back afterwards only.
      const leaksAllowed = !targetDriverOf(plan.draft.format).countsReferences;
      const opinion = () => secondOpinion.agree(plan.draft.format, leaksAllowed);
      session.notes.add(await watch.time("cross-check", opinion));
    }
    const finished = await watch.time("settle", () =>
      finish(session, journal, settings, { ending, settles: step.settles }, target),
    );
    return { ...finished, digestAfter, journal };
  } catch (error) {
    const failure = await afterFailure(session, journal, error);
    await journal.close().catch(() => {});
    throw failure;
  } finally {
    if (ending !== "handed on") await journal.close();
  }
}

async function openJournal(step: SwitchStep, beginning: Beginning): Promise<ConversionJournal> {
  const { session, settings, plan } = step;
  await settings.onJournal(settings.journal ?? journalNamesOf(session.path).journal);
  return Journal.create(
    session.volume,
    session.path,
    {
      ...intentOf(step.source, plan, settings, beginning, step.digestPlanned, session.sidecarName),
      ...(plan.source.linearBase !== undefined && {
        frontDigest: await frontDigestOf(session.storage, plan.oldFileSize),
      }),
    },
    { sector: plan.commit.sector, extras: plan.commit.extras, savedHeader: plan.header },
    { elsewhere: settings.journal, replacing: beginning.replacing },
  );
}

function intentOf(
  source: Source,
  plan: SwitchPlan,
  settings: Settings,
  { purpose, journey, wishes }: Beginning,
  guestDigest: string | null,
  sidecarNow: string | undefined,
): Intent {
  const { draft, commit } = plan;
  const sidecar = commit.named?.name ?? sidecarNow;
  return {
    record: "intent",
    version: 1,
    purpose,
    sourceFormat: source.image.format,
    targetFormat: draft.format,
    options: settings.options,
    ...keptSettings(settings),
    guestDigest,
    ...(journey && { journey }),
    ...(wishes && { wishes }),
    alsoHolds: companionsOf(source.options),
    oldFileSize: plan.oldFileSize,
    sourceEnd: plan.sourceEnd,
    ...(plan.source.anchor && { anchor: hexOf(plan.source.anchor) }),
    ...(plan.takenOver && plan.takenOver.total > 0 && { takesOver: true }),
    sourceOptions: optionTextsOf(source),
    sourceInOnePiece: plan.source.linearBase !== undefined,
    targetInOnePiece: draft.placement.linearBase !== undefined,
    metadataDigest: source.metadataDigest,
    fileSize: draft.fileSize,
    savedLength: plan.header.length,
    ...(draft.cutTo !== undefined && { cutTo: draft.cutTo }),
    ...(commit.kind !== "sector" && { commitKind: commit.kind }),
    ...(commit.named && { commitName: { ...commit.named, length: commit.sector.length } }),
    ...(sidecar !== undefined && { sidecar }),
    ...(commit.hostOffset > 0 && { commitHostOffset: commit.hostOffset }),
    extras: commit.extras.map(({ hostOffset, bytes }) => [hostOffset, bytes.length] as const),
  };
}

/** Of a sector, trailing zeros left out. */
function hexOf(sector: Uint8Array): string {
  const used = sector.findLastIndex((byte) => byte !== 0) + 1;
  return Buffer.from(sector.subarray(0, used)).toString("hex");
}
