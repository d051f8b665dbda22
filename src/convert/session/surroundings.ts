/**
 * What keeps an image from being converted or repaired where it lies, whatever is in it: links, permissions, names, our
 * lock, other users, a journal. A plan asks the same functions as the run, and writes nothing.
 */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, type Sentence, say } from "../../bytes/sentence.ts";
import { clearTornJournal, Journal } from "../../journal/journal.ts";
import { Lock } from "../../journal/lock.ts";
import { journalNamesOf, refuseLongNames } from "../../journal/names.ts";
import { otherPlace } from "../../journal/place.ts";
import { codeOf } from "../../storage/host-error.ts";
import type { Look, Storage, Volume } from "../../storage/storage.ts";
import type { Host } from "./host.ts";
import { leavingJournal } from "./leaving-journal.ts";

/**
 * Who begins with an image takes what was seen of other processes within so many milliseconds, so that a thousand images
 * share a few looks (docs/decisions/which-look-is-shared.md).
 */
const RECENT_MS = 100;

export function recently(): Look {
  return { since: performance.now() - RECENT_MS };
}

/** What a command does, for messages. */
export type Verb = "convert" | "repair" | "set the mapping of" | "work on";

/** A writing command at work on one image, as far as messages need it. */
interface Command {
  readonly volume: Volume;
  readonly path: string;
  readonly verb: Verb;
}

/** All obstacles that can be told of without opening the image, in the order in which a run would meet them. */
export async function obstaclesTo(
  { volume, processes }: Pick<Host, "volume" | "processes">,
  path: string,
  journal?: string,
): Promise<readonly ImageError[]> {
  const found: ImageError[] = [];
  const meet = (obstacle: ImageError | undefined) => {
    if (obstacle !== undefined && !(found.length > 0 && isOfLongName(obstacle))) found.push(obstacle);
  };
  const tooLong = await caught(async () => refuseLongNames(path));
  meet(tooLong ?? (await volume.obstacleToCreating(journalNamesOf(path).lock)));
  meet(await caught(() => Lock.refuseHeld(volume, path, processes)));
  for (const obstacle of await volume.obstaclesToWriting(path)) meet(obstacle);
  let elsewhere: string | undefined;
  const obstacle = await caught(async () => {
    elsewhere = await otherPlace(volume, path, journal);
  });
  meet(obstacle ?? (elsewhere === undefined ? undefined : await volume.obstacleToCreating(elsewhere)));
  return found;
}

/** Throws the first of the obstacles, which then has all of them as its reasons. */
export function refuseObstacles(path: string, obstacles: readonly ImageError[]): void {
  const [first] = obstacles;
  if (first === undefined) return;
  const reasons = obstacles.flatMap((obstacle) => reasonsOf(obstacle, path));
  throw new ImageError(first.kind, first.what, {
    ...first.facts,
    ...first.words,
    reasons,
    cause: first.cause ?? first,
  });
}

/** Throws `in-use` where someone else has the image open; `notes` hears what could not be looked at. */
export async function refuseUsers(
  { volume, path, verb }: Command,
  storage: Storage,
  notes: Set<string>,
  look: Look = "anew",
): Promise<void> {
  const { found, blind } = await volume.otherUsers(storage, look);
  for (const note of blind) notes.add(note);
  if (found.length === 0) return;
  throw new ImageError("in-use", say`Cannot ${verb} ${imageNamed(path)}`, {
    because: found.join("; "),
    remedy: "close it there first",
    path,
    operation: "lock",
    reasons: found,
  });
}

/** An image with a journal or an undo beside it is not converted or repaired again; what a cut left before its first write is cleared. */
export async function refuseUnfinished({ volume, path, verb }: Command): Promise<void> {
  const found = await Journal.find(volume, path);
  if (found === "none") return;
  if (found === "torn") return clearTornJournal(volume, path);
  if (found.work.rolledBack) return found.remove();
  await found.close();
  throw unfinishedError(path, found, verb);
}

/** The same for a plan: what a run would clear stays, and is no obstacle. */
export async function refuseOpenJournal(volume: Volume, path: string, verb: Verb): Promise<void> {
  const found = await Journal.find(volume, path);
  if (typeof found === "string") return;
  await found.close();
  if (!found.work.rolledBack) throw unfinishedError(path, found, verb);
}

/** Why an error refuses, without the words that name the image: one reason or all that it has. */
export function reasonsOf(error: ImageError, path: string): readonly Sentence[] {
  if (error.refusals.length > 0) return error.refusals;
  // Of "Cannot create disk.raw.inplace-lock: ..." all must be said, for it is of another file.
  return [(error.what.namesImage(path) ? error.reason : undefined) ?? error.sentence];
}

function unfinishedError(path: string, found: Journal, verb: Verb): ImageError {
  const before = found.work.kind;
  const what = found.isUndo ? `the undo of a ${before} is kept beside it` : `a ${before} of it was interrupted`;
  return leavingJournal(
    path,
    found,
    new ImageError("interrupted", say`Cannot ${verb} ${imageNamed(path)}`, { because: what, operation: "plan" }),
  );
}

/** The system's own word for a name that is too long, which is said once and better. */
export function isOfLongName({ cause }: ImageError): boolean {
  return codeOf(cause) === "ENAMETOOLONG";
}

async function caught(look: () => Promise<unknown>): Promise<ImageError | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
}
