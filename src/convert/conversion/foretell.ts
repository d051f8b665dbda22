/** A plan: all that a conversion would do, or every reason why it would refuse, by the run's own functions. Writes nothing. */

import { ImageError } from "../../bytes/image-error.ts";
import type { Sentence } from "../../bytes/sentence.ts";
import { openImage, reopenImage } from "../../formats/registry.ts";
import { openGuestView } from "../../image/guest/view.ts";
import { besidePath } from "../../journal/names.ts";
import type { Journey } from "../../journal/records.ts";
import type { Step } from "../../plan/path.ts";
import { type PlanOutcome, planText } from "../../plan/plan-text.ts";
import type { SwitchPlan } from "../../plan/switch-plan.ts";
import { OverlayStorage } from "../../storage/overlay.ts";
import type { Storage } from "../../storage/storage.ts";
import { refuseTakenText } from "../execute/name.ts";
import { refuseWithoutSpace } from "../execute/space.ts";
import { OpenedBacking, refuseOtherGuest } from "../inspect/opened-backing.ts";
import { refuseProbedGuest } from "../inspect/probed-guest.ts";
import { inspectSource, type Source } from "../inspect/source.ts";
import type { Settings } from "../options/settings.ts";
import { askBefore } from "../proof/cross-check.ts";
import { openEncoder } from "../rearrange/encode.ts";
import type { ConversionReport, Foretold } from "../report/report.ts";
import { refusePart } from "../session/bundle.ts";
import type { Host } from "../session/host.ts";
import { type NamedImage, namedImage, readText, refuseOtherTexts, refuseOwnName } from "../session/named-image.ts";
import { stopIfAsked } from "../session/stop.ts";
import { Stopwatch } from "../session/stopwatch.ts";
import { isOfLongName, obstaclesTo, reasonsOf, refuseOpenJournal, refuseUsers } from "../session/surroundings.ts";
import { goalSidecar, planSwitchTo, refuseGoal, refuseUnsound } from "../switch/switch-planning.ts";
import { AS_ASKED, type DiskWish, diskWishOf, refuseLongDigest } from "./disk-wish.ts";
import { planBehind } from "./plan-behind.ts";
import { plannedReport, refusedReport } from "./planned-report.ts";
import { unchangedReport } from "./report-base.ts";
import { readingOf, stepsFrom, switchWishOf } from "./steps.ts";
import { isGoalInOnePiece, journeyFrom, losesRawDisk, ownText } from "./wish.ts";

export async function foretell(path: string, targetFormat: string, settings: Settings, host: Host): Promise<Foretold> {
  const { volume } = host;
  const named = await namedImage(volume, path, settings.sourceFormat);
  const storage = await volume.openForReading(named.path);
  try {
    return await foretellFrom(withSidecar(storage, volume, named), path, targetFormat, settings, host);
  } finally {
    await storage.close();
  }
}

/** The file with the text that speaks for it, where there is one. */
function withSidecar(storage: Storage, volume: Host["volume"], { path, sidecar }: NamedImage): Storage {
  return sidecar === undefined ? storage : Object.assign(storage, { sidecar: () => readText(volume, path, sidecar) });
}

async function foretellFrom(
  storage: Storage,
  asNamed: string,
  targetFormat: string,
  settings: Settings,
  host: Host,
): Promise<Foretold> {
  const { volume } = host;
  const { path } = storage;
  const blind = new Set<string>();
  const reasons = new Reasons(path);
  for (const obstacle of await obstaclesTo(host, path, settings.journal)) reasons.add(obstacle);
  const users = new Reasons(path);
  await (settings.forceShare ? users : reasons).ask(() =>
    refuseUsers({ volume, path, verb: "convert" }, storage, blind),
  );
  if (!settings.ignoreUnfinished) await reasons.ask(() => refuseOpenJournal(volume, path, "convert"));
  const source = await inspected(storage, settings, reasons);
  const guest = await reasons.ask(() => OpenedBacking.open(source.image, volume, settings));
  const journey = journeyFrom(source, targetFormat, settings);
  const wish = (await reasons.ask(() => diskWishOf(source, journey, "convert"))) ?? AS_ASKED;
  await reasons.ask(async () => refuseLongDigest(source, wish, settings));
  const steps = stepsFrom(source, journey, wish);
  const own = (await storage.sidecar?.())?.name;
  await reasons.ask(async () => refuseOwnName(path, own));
  if (guest && steps.length > 0 && !settings.allowProbedGuest && isGoalInOnePiece(journey))
    await reasons.ask(async () => refuseProbedGuest(await guest.view(source.image), path, targetFormat));
  const sidecar = (await reasons.ask(async () => ({ name: goalSidecar(source, journey) })))?.name;
  if (steps.length > 0) {
    await reasons.ask(() => refusePart({ volume, path }, source.image.format));
    await reasons.ask(() => refuseTakenText({ volume, path }, sidecar));
    if (losesRawDisk(source, targetFormat, ownText(source, own))) {
      const isItself = (each: string) => volume.isSameFile(each, storage);
      await reasons.ask(() => refuseOtherTexts({ volume, path, isItself }, ownText(source, own)));
    }
  }
  const planned = guest && (await reasons.ask(() => planFirst(source, steps, journey, settings, guest, wish)));
  try {
    // What lies below is looked through even where no byte of it is to be read.
    if (guest !== undefined && source.options.backing) await reasons.ask(() => guest.view(source.image));
    if (guest !== undefined) await reasons.ask(() => refuseOtherGuest(path, source.image, guest, settings, null));
    await reasons.ask(() => askBefore(source.image, settings));
  } finally {
    await guest?.close();
  }
  if (planned?.plan !== undefined)
    await reasons.ask(() => refuseWithoutSpace({ volume, path }, planned as { readonly plan: SwitchPlan }, settings));
  stopIfAsked(settings.signal, path, "while planning for");
  const covers = guest?.covers ?? "layer";
  const [outcome, report] =
    planned === undefined || reasons.all.length > 0
      ? (["refused", refusedReport(path, source, targetFormat, reasons.all.map(String), settings)] as const)
      : whatWouldBe(path, source, planned, covers, settings, host);
  const inUse = users.all.map((each) => `A conversion would be refused now: ${each}`);
  const found = [...inUse, ...blind, ...(volume.notes ?? []), ...(source.image.proven ?? [])];
  const notes = [...found, ...(outcome === "refused" ? [] : wish.notes), ...report.notes];
  const facts = await volume.facts(path);
  const after = sidecar === undefined ? path : besidePath(path, sidecar);
  const told = {
    ...report,
    image: asNamed,
    ...(steps.length > 0 && after !== asNamed && { imageAfter: after }),
    ...(facts?.allocatedSize !== undefined && { actualSizeBefore: facts.allocatedSize }),
    notes,
  };
  const hasClusters = !isGoalInOnePiece(journey);
  const text = planText(outcome, { ...told, clusterSize: hasClusters ? report.clusterSize : undefined });
  return { report: told, text, refusals: reasons.all };
}

/** The first step for good, and what all of them come to. */
interface Planned {
  readonly steps: readonly Step[];
  /** Absent where the first step is no switch. */
  readonly plan: SwitchPlan | undefined;
  /** The second, where the first clears the file's front for it. */
  readonly behind?: SwitchPlan | undefined;
  readonly wish: DiskWish;
}

async function planFirst(
  source: Source,
  steps: readonly Step[],
  journey: Journey,
  settings: Settings,
  guest: OpenedBacking,
  wishOfDisk: DiskWish,
): Promise<Planned> {
  const [first] = steps;
  const last = steps.findLast((step) => step.step === "switch");
  if (first?.step !== "switch") {
    refuseUnsound(source, settings.check);
    if (first?.goal === "encode") await openEncoder(source.image, settings);
    if (last !== undefined) refuseGoal(source, journey, settings);
    const next = await behindRelocation(source, steps, wishOfDisk);
    const seen = next && switchWishOf(next.step, journey, { view: () => openGuestView([next.source.image]) });
    const plan = seen && (await planSwitchTo(next.source, seen, settings));
    return { steps, plan, wish: wishOfDisk };
  }
  const wish = switchWishOf(first, journey, readingOf(source, guest));
  const plan = await planSwitchTo(source, wish, settings);
  // What the goal refuses is refused now, not when its turn comes.
  if (last !== undefined && last !== first) refuseGoal(source, journey, settings);
  return {
    steps,
    plan,
    behind: planBehind(plan, first, journey, settings, source.image.storage.path),
    wish: wishOfDisk,
  };
}

/** The image as the switch behind a change of its disk will find it; undefined where there is none. */
async function behindRelocation({ image }: Source, [, step]: readonly Step[], { change }: DiskWish) {
  if (change === undefined || step?.step !== "switch") return undefined;
  const writes = change.steps.flat().map(({ guestOffset, after }) => ({ hostOffset: guestOffset, bytes: after }));
  const changed = new OverlayStorage(image.storage, writes, { size: change.fileSize });
  return { step, source: await inspectSource(await reopenImage(changed, image.format)) };
}

function whatWouldBe(
  path: string,
  source: Source,
  { steps, ...planned }: Planned,
  covers: "guest" | "layer",
  settings: Settings,
  host: Host,
): readonly [PlanOutcome, ConversionReport] {
  if (steps.length > 0) return ["planned", plannedReport(path, source, planned, steps, covers, settings)];
  return ["unchanged", unchangedReport(path, source, covers, null, settings, new Stopwatch(host.now))];
}

/** Without an image that can be followed there is nothing to report of: what is known by then goes with the error. */
async function inspected(storage: Storage, settings: Settings, reasons: Reasons): Promise<Source> {
  try {
    return await inspectSource(await openImage(storage, settings.sourceFormat, settings), settings);
  } catch (error) {
    if (!(error instanceof ImageError) || error.kind === "io" || error.kind === "interrupted") throw error;
    reasons.add(error);
    throw new ImageError(error.kind, error.what, {
      ...error.facts,
      ...error.words,
      reasons: reasons.all,
      cause: error,
    });
  }
}

/** Reasons of a refusal, each once, in the order found. */
class Reasons {
  readonly #path: string;
  /** By what they say. */
  readonly #found = new Map<string, Sentence>();

  constructor(path: string) {
    this.#path = path;
  }

  get all(): readonly Sentence[] {
    return [...this.#found.values()];
  }

  add(error: ImageError): void {
    if (this.#found.size > 0 && isOfLongName(error)) return;
    for (const reason of reasonsOf(error, this.#path)) {
      if (!this.#found.has(`${reason}`)) this.#found.set(`${reason}`, reason);
    }
  }

  /** What `look` answers; undefined where it refuses. That we were asked to stop says nothing of the image. */
  async ask<T>(look: () => Promise<T>): Promise<T | undefined> {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof ImageError) || error.operation === "interrupt") throw error;
      this.add(error);
      return undefined;
    }
  }
}
