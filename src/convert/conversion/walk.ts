/** The walk of a conversion: from an image as it stands to what was asked for, one step at a time. */

import { ImageError } from "../../bytes/image-error.ts";
import { isArchive, openImage, openOptionsOf, reopenImage } from "../../formats/registry.ts";
import { MAX_ZERO_UNIT } from "../../image/guest/zero-units.ts";
import type { Image } from "../../image/source.ts";
import { recordOfChange } from "../../journal/changed-disk.ts";
import type { Journal } from "../../journal/journal.ts";
import type { ChangedDisk, Journey } from "../../journal/records.ts";
import type { RearrangeGoal, Step } from "../../plan/path.ts";
import { refuseTakenText } from "../execute/name.ts";
import { keptBytes, type PlannedSwitches, peakExtraBytes } from "../execute/space.ts";
import { OpenedBacking } from "../inspect/opened-backing.ts";
import { refuseProbedGuest } from "../inspect/probed-guest.ts";
import { inspectSource, type Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { packFormOf } from "../options/target-options.ts";
import { askBefore } from "../proof/cross-check.ts";
import { openEncoder } from "../rearrange/encode.ts";
import { rearrange, type UnitsGoal } from "../rearrange/goals.ts";
import { isCleared } from "../rearrange/linear.ts";
import { relocate } from "../rearrange/relocate.ts";
import type { ConversionReport } from "../report/report.ts";
import { refusePart } from "../session/bundle.ts";
import { leavingJournal } from "../session/leaving-journal.ts";
import { refuseOtherTexts } from "../session/named-image.ts";
import type { Session } from "../session/session.ts";
import { Stopwatch } from "../session/stopwatch.ts";
import { oneWayNotes, refuseEmptyUndo } from "../session/way-back.ts";
import {
  goalSidecar,
  goalUnit,
  planSwitchTo,
  refuseGoal,
  refuseUnsound,
  type SwitchWish,
} from "../switch/switch-planning.ts";
import { dropUntold, saveCopy, savedNote } from "../undo/saved-copy.ts";
import { Account } from "./account.ts";
import { AS_ASKED, type DiskWish, diskWishOf, refuseLongDigest } from "./disk-wish.ts";
import { emptiesInPlace, runsOf } from "./emptied-units.ts";
import { finishedReport } from "./finished-report.ts";
import { type FirstLook, lookFirst } from "./first-look.ts";
import { giveZerosBack } from "./give-zeros-back.ts";
import { KnownGuest } from "./known-guest.ts";
import { type LastLook, lookLast } from "./last-look.ts";
import { planBehind } from "./plan-behind.ts";
import { unchangedReport } from "./report-base.ts";
import { needsCopy, readingOf, type Switching, stepsFrom, switchWishOf } from "./steps.ts";
import { type Beginning, carryOut } from "./switch-step.ts";
import { isGoalInOnePiece, journeyFrom, losesRawDisk, ownText } from "./wish.ts";

const SEVERAL = "it takes several steps";
const NOT_SHOWN = "Not shown to qemu-img: it is asked about conversions between formats that it can check";

type Opinion = Awaited<ReturnType<typeof askBefore>>;

export class Walk {
  readonly #session: Session;
  readonly #goal: string;
  readonly #settings: Settings;
  readonly #beginning: Beginning;
  readonly #watch: Stopwatch;
  readonly #account = new Account();
  /** Of the step before, for the next to take its place. */
  #journal: Journal | undefined;
  #isCleared: boolean;
  /** What is asked of the disk itself, by the image as it stands. */
  #wish = AS_ASKED;
  /** What became of it so far: what leads back. */
  #changed: ChangedDisk | undefined;
  #zeros: SwitchWish["zeros"];
  /** Of the first step, where nothing has been learned since that it was made without. */
  #firstPlan: PlannedSwitches | undefined;
  readonly #known: KnownGuest;
  /** The image as the last step left it, proven; absent behind a rearrangement. */
  #last: LastLook | undefined;

  constructor(session: Session, goal: string, settings: Settings, beginning: Beginning) {
    this.#session = session;
    this.#goal = goal;
    this.#settings = settings;
    this.#beginning = beginning;
    this.#journal = beginning.replacing;
    this.#isCleared = beginning.isCleared ?? false;
    this.#changed = beginning.journey?.changed;
    this.#known = new KnownGuest(session.path, settings);
    this.#watch = new Stopwatch(session.host.now);
  }

  async run(): Promise<ConversionReport> {
    const settings = this.#settings;
    const first = await this.#inspect(settings.sourceFormat);
    const journey = this.#beginning.journey ?? journeyFrom(first, this.#goal, settings);
    // Whether there is room for units that are packed, its own switch alone says.
    this.#isCleared &&= packFormOf(journey) === undefined && (await isCleared(first.image));
    let steps = await this.#steps(first, journey);
    const wish = this.#wish;
    for (const note of first.image.proven ?? []) this.#session.notes.add(note);
    if (this.#beginning.replacing === undefined) refuseLongDigest(first, wish, settings);
    // What nothing is to be done with is vouched for all the same.
    if (steps[0]?.step !== "switch") refuseUnsound(first, settings.check);
    if (steps.length > 1 && steps.some(({ step }) => step === "switch"))
      refuseGoal(first, journey, { ...settings, mayInflate: this.#isLeadingBack });
    if (steps.length > 0) {
      // What comes beside it on the way changes nothing of what it was.
      if (this.#beginning.replacing === undefined) await refusePart(this.#session, first.image.format);
      await refuseTakenText(this.#session, goalSidecar(first, journey));
      const own = ownText(first, this.#session.sidecarName);
      if (losesRawDisk(first, journey.goalFormat, own)) await refuseOtherTexts(this.#session, own);
    }
    const guest = await OpenedBacking.open(first.image, this.#session.host.volume, settings);
    try {
      const isFirst = this.#beginning.replacing === undefined;
      if (isFirst && isGoalInOnePiece(journey) && steps.length > 0 && !settings.allowProbedGuest)
        await refuseProbedGuest(await guest.view(first.image), this.#session.path, journey.goalFormat);
      // Reasons to refuse come before a byte of data is read.
      if (steps[0]?.step === "rearrange" && steps[0].goal === "encode") await openEncoder(first.image, settings);
      if (steps[0]?.step === "switch") this.#firstPlan = await this.#planned(first, steps[0], journey, guest);
      const look = await this.#watch.time("checksum", () =>
        lookFirst(this.#session.path, first, guest, settings, this.#zeroUnit(first, journey)),
      );
      if (look.zeros.total > 0) {
        this.#zeros = { found: look.zeros, leastRun: journey.wishes.sparseSize };
        this.#firstPlan = undefined;
        steps = await this.#steps(first, journey);
      }
      this.#known.know(look.digest, look.virtualSize);
      // Its ids come from the digest.
      if (journey.wishes.reproducible) this.#firstPlan = undefined;
      const { purpose } = this.#beginning;
      await this.#watch.time("checksum", () => this.#known.foretellChange(first, guest, wish, purpose));
      const opinion = await this.#watch.time("cross-check", () => askBefore(first.image, settings));
      const kept = await this.#withCopy(steps, first, journey);
      if (isFirst && purpose === "convert")
        for (const note of oneWayNotes(steps.length, kept)) this.#session.notes.add(note);
      await this.#take(steps, first, kept, guest, opinion);
      return await this.#report(first, look, guest, kept, wish);
    } catch (error) {
      if (this.#account.copyBytes !== undefined) await dropUntold(this.#session).catch(() => {});
      await this.#journal?.close().catch(() => {});
      throw error;
    } finally {
      await guest.close();
    }
  }

  /** Units in which zeros are looked for: the goal's, or parts of them. 0 where none are to be given back, or would show what lies below. */
  #zeroUnit(source: Source, journey: Journey): number {
    const isGone = journey.wishes.sparseSize === 0 || journey.stepsTaken > 0;
    if (isGone || source.options.backing !== undefined || isGoalInOnePiece(journey)) return 0;
    return Math.min(goalUnit(source, journey.goalFormat, this.#settings), MAX_ZERO_UNIT);
  }

  /** The journey with the old bytes beside the image, where they are to be kept and can be. */
  async #withCopy(steps: readonly Step[], first: Source, journey: Journey): Promise<Journey> {
    const { settings, session } = { settings: this.#settings, session: this.#session };
    const isBegun = this.#beginning.replacing !== undefined || this.#beginning.purpose !== "convert";
    if (!settings.keepUndo || isBegun || !needsCopy(steps, this.#wish)) {
      if (settings.keepUndo && !isBegun && steps.length > 1) refuseEmptyUndo(session.path, journey, SEVERAL);
      return journey;
    }
    // One rename brings the file back, and no text beside it.
    const hasText = session.sidecarName !== undefined || goalSidecar(first, journey) !== undefined;
    const saved = hasText
      ? { why: "a descriptor comes or goes with them" }
      : await this.#watch.time("write", () => saveCopy(session, first, settings));
    session.notes.add(`${savedNote(saved, session.path, first.image.format)}`);
    if (!("bytes" in saved)) {
      refuseEmptyUndo(session.path, journey, saved.why);
      return journey;
    }
    this.#account.copyBytes = saved.bytes;
    return { ...journey, hasCopy: true };
  }

  /** What fails behind the first step leaves its journal: the image is whole, in some format on the way. */
  async #take(
    steps: readonly Step[],
    first: Source,
    journey: Journey,
    guest: OpenedBacking,
    opinion: Opinion,
  ): Promise<void> {
    let source = first;
    try {
      for (let left = steps; left.length > 0; left = await this.#steps(source, journey)) {
        const [step] = left as [Step];
        const isLast = left.length === 1;
        const under = this.#under(journey);
        if (step.step === "switch") await this.#switch(source, step, under, guest, isLast, opinion);
        else if (step.goal === "relocate") await this.#relocate(source, under);
        else if (!(await this.#rearrange(source, step.goal, under))) {
          source = await this.#inspect(undefined, source.image.format);
          continue;
        }
        this.#taken.push(step);
        if (isLast) return;
        source = await this.#inspect(undefined, step.step === "switch" ? step.to : source.image.format);
      }
    } catch (error) {
      const isTold = error instanceof ImageError && (error.journal !== undefined || error.rolledBack);
      if (this.#journal === undefined || this.#taken.length === 0 || isTold) throw error;
      throw leavingJournal(this.#session.path, this.#journal, error);
    }
  }

  /** The journey as the next step's journal has it. */
  #under(journey: Journey): Journey {
    const { changed: _, ...rest } = journey;
    const stepsTaken = journey.stepsTaken + this.#taken.length;
    return { ...rest, stepsTaken, ...(this.#changed && { changed: this.#changed }) };
  }

  /** Each rearrangement that only gives back is made once. */
  async #steps(source: Source, journey: Journey): Promise<readonly Step[]> {
    const { purpose } = this.#beginning;
    this.#wish = await diskWishOf(source, this.#under(journey), purpose);
    const relocates = this.#wish.change !== undefined;
    if (this.#beginning.replacing !== undefined) for (const note of this.#wish.notes) this.#session.notes.add(note);
    // What has been put back is to be put back no more.
    if (purpose === "roll-back" && !relocates) this.#changed = undefined;
    // Zeros are given back by tables made anew, but where what else the image holds would be lost by that.
    const empties = this.#beginning.isEmptying || (this.#zeros !== undefined && emptiesInPlace(source, this.#settings));
    const steps = stepsFrom(source, journey, this.#wish, {
      isRemade: this.#zeros !== undefined && this.#taken.length === 0 && !empties,
      empties,
      standing:
        this.#wasRearranged("linear") || this.#wasRearranged("pack")
          ? "in place"
          : this.#isCleared
            ? "cleared"
            : "elsewhere",
    });
    // What is not free once it was cleared never will be: then the last switch says why.
    const isCleared = this.#taken.some((step) => step.step === "switch" && step.front !== undefined);
    return steps.filter((step) =>
      step.step === "switch" ? step.front === undefined || !isCleared : !this.#wasRearranged(step.goal),
    );
  }

  get #isLeadingBack(): boolean {
    return this.#beginning.purpose === "roll-back";
  }

  get #taken(): Step[] {
    return this.#account.taken;
  }

  #wasRearranged(goal: RearrangeGoal): boolean {
    return this.#taken.some((step) => step.step === "rearrange" && step.goal === goal);
  }

  #inspect(asSaid: string | undefined, known?: string): Promise<Source> {
    const { storage } = this.#session;
    return this.#watch.time("inspect", async () => {
      if (known !== undefined) return this.#inspected(await reopenImage(storage, known));
      // On the way what was said of the first source is said of no other.
      const isUnderWay = this.#beginning.replacing !== undefined && asSaid !== undefined;
      const options = isUnderWay ? openOptionsOf(asSaid, this.#settings.options) : this.#settings.options;
      return this.#inspected(await openImage(storage, asSaid, { ...this.#settings, options }));
    });
  }

  /** Some file systems have told of holes where data lay in memory alone: where holes are believed, it is on the disk first. */
  async #inspected(image: Image): Promise<Source> {
    if (image.getConversionOptions().linearBase !== undefined) await this.#session.storage.sync();
    return inspectSource(image, this.#settings);
  }

  /** With the switch behind it, whose refusals are this one's too. */
  #planned(source: Source, step: Switching, journey: Journey, guest: OpenedBacking): Promise<PlannedSwitches> {
    const wish = {
      mayInflate: this.#isLeadingBack,
      ...switchWishOf(step, journey, readingOf(source, guest)),
      zeros: this.#zeros,
      identity: journey.wishes.reproducible && this.#known.digest ? { seed: this.#known.digest } : undefined,
    };
    return this.#watch.time("plan", async () => {
      const plan = await planSwitchTo(source, wish, this.#settings);
      return { plan, behind: planBehind(plan, step, journey, this.#settings, this.#session.path) };
    });
  }

  async #switch(
    source: Source,
    step: Switching,
    journey: Journey,
    guest: OpenedBacking,
    isLast: boolean,
    opinion: Opinion,
  ): Promise<void> {
    const isAlone = isLast && journey.stepsTaken === 0;
    const session = this.#session;
    const settings = this.#settings;
    const { plan, behind } = this.#firstPlan ?? (await this.#planned(source, step, journey, guest));
    this.#firstPlan = undefined;
    const { mapping, draft } = plan;
    const grown = { mapping, virtualSize: draft.virtualSize };
    const isFirst = this.#taken.length === 0;
    const digestPlanned = await this.#watch.time("checksum", () => this.#known.digestOf(source, grown, guest, isFirst));
    const done = await carryOut(
      {
        session,
        settings,
        source,
        plan,
        guest,
        digestPlanned: isLast ? digestPlanned : null,
        isDigested: isLast,
        isCarrier: step.isCarrier,
        settles: !step.isCarrier && step.front === undefined,
        behind,
        ...(plan.takenOver && { takenOver: plan.takenOver }),
        watch: this.#watch,
        ending: !isLast ? "handed on" : settings.keepUndo ? "kept as undo" : "removed",
        secondOpinion: isAlone ? opinion : undefined,
      },
      {
        purpose: this.#beginning.purpose,
        replacing: this.#journal,
        ...(isAlone ? { wishes: journey.wishes } : { journey }),
      },
    );
    this.#journal = isLast ? undefined : done.journal;
    this.#isCleared = step.isCarrier;
    const settles = isLast && !settings.keepLeaks && !settings.keepUndo;
    this.#account.add({
      bytesMoved: plan.bytesMoved,
      bytesSettled: done.bytesSettled,
      peakExtraBytes: peakExtraBytes(plan, settles),
      ...(step.front !== undefined && { keptBytes: keptBytes(plan) }),
      dropped: draft.dropped,
    });
    this.#last = done;
    // The image is finished, with its space or without.
    if (isLast && source.options.linearBase !== undefined && this.#zeros)
      await giveZerosBack(session, plan, done.image, this.#zeros.found).catch(() => {});
    for (const note of draft.notes ?? []) session.notes.add(note);
  }

  /** The disk itself changed, or put back: from here on the guest is another, as it was asked for. */
  async #relocate(source: Source, journey: Journey): Promise<void> {
    const { change } = this.#wish;
    if (change === undefined) return;
    const { purpose } = this.#beginning;
    const isBack = purpose === "roll-back";
    if (!isBack) this.#changed = recordOfChange(change);
    this.#known.change();
    const { journal } = await this.#watch.time("settle", () =>
      relocate(
        {
          session: this.#session,
          settings: this.#settings,
          image: source.image,
          goal: "relocate",
          purpose: isBack ? purpose : "convert",
          guestDigest: this.#known.digest ?? null,
          journey: { ...journey, changed: recordOfChange(change) },
          replacing: this.#journal,
        },
        change,
      ),
    );
    this.#journal = journal;
    if (isBack) this.#changed = undefined;
    this.#last = undefined;
  }

  /** False where it has to go on from the image as it stands then. */
  async #rearrange(source: Source, goal: UnitsGoal, journey: Journey): Promise<boolean> {
    const done = await this.#watch.time("settle", () =>
      rearrange({
        session: this.#session,
        settings: this.#settings,
        image: source.image,
        goal,
        zeros: this.#zeros && runsOf(this.#zeros, source),
        purpose: this.#beginning.purpose === "roll-back" ? "roll-back" : "convert",
        guestDigest: this.#known.digest ?? null,
        journey,
        replacing: this.#journal,
      }),
    );
    this.#journal = done.journal ?? this.#journal;
    this.#account.add(done);
    this.#last = undefined;
    return done.isAll;
  }

  /** The last look at the image, and what there is to tell. */
  async #report(
    first: Source,
    { digest: digestBefore }: FirstLook,
    guest: OpenedBacking,
    journey: Journey,
    wish: DiskWish,
  ): Promise<ConversionReport> {
    const session = this.#session;
    const settings = this.#settings;
    // A rearrangement that finds nothing to do makes no journal.
    const isIdle = this.#journal === undefined && this.#taken.every(({ step }) => step === "rearrange");
    if (this.#taken.length === 0 || isIdle) {
      await this.#endIdle();
      const report = unchangedReport(session.path, first, guest.covers, digestBefore, settings, this.#watch);
      return { ...report, notes: [...session.allNotes, ...wish.notes, ...report.notes] };
    }
    const atEnd = { before: first, format: journey.goalFormat, journal: this.#journal };
    const look = () => this.#watch.time("verify", () => lookLast(session, atEnd, guest, this.#known, settings));
    // What only one switch leads to has been shown to qemu-img before its undo was given up.
    const isUnseen =
      this.#last !== undefined &&
      (this.#taken.length > 1 || first.image.check === undefined || isArchive(first.image.format));
    if (settings.crossCheck !== "off" && isUnseen) session.notes.add(NOT_SHOWN);
    const last = this.#last ?? (await look());
    const { covers } = guest;
    const told = { source: first, last, account: this.#account, wish, covers, digestBefore };
    const report = await finishedReport(session, told, settings);
    return { ...report, milliseconds: this.#watch.milliseconds };
  }

  /** Of a conversion that was cut off with all of it done: a changed disk still has its way back to be kept. */
  async #endIdle(): Promise<void> {
    const journal = this.#journal;
    const isKept = this.#settings.keepUndo && !journal?.isUndo;
    if (journal && isKept && (this.#changed || this.#beginning.journey?.hasCopy)) await journal.keepAsUndo();
    else await journal?.remove();
    if (this.#account.copyBytes !== undefined) await dropUntold(this.#session);
  }
}
