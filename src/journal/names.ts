/** The files beside an image that a conversion or repair makes, and whether their names can be made at all. */

import { basename } from "node:path";
import { ImageError } from "../bytes/image-error.ts";
import { imageNamed, option, say, type Words } from "../bytes/sentence.ts";

export interface JournalNames {
  readonly journal: string;
  readonly undo: string;
  readonly lock: string;
  /** A journal being written that shall replace an older one by a rename. */
  readonly draft: string;
  /** The image as it was, sharing its space, where `--keep-undo` keeps that. */
  readonly copy: string;
  /** A text beside the image, on its way to its own name. */
  readonly text: string;
  /** Where a dead owner's lock goes for a moment; one name, so that a cut in between leaves nothing that piles up. */
  readonly aside: string;
}

/**
 * The first three are the contract's. The journal's is the longest: where that could be made, no name that is needed
 * later can be too long.
 */
const SUFFIXES: JournalNames = {
  journal: ".inplace-journal",
  undo: ".inplace-undo",
  lock: ".inplace-lock",
  draft: ".inplace-draft",
  copy: ".inplace-copy",
  text: ".inplace-text",
  aside: ".inplace-old",
};

export function journalNamesOf(imagePath: string): JournalNames {
  return {
    journal: imagePath + SUFFIXES.journal,
    undo: imagePath + SUFFIXES.undo,
    lock: imagePath + SUFFIXES.lock,
    draft: imagePath + SUFFIXES.draft,
    copy: imagePath + SUFFIXES.copy,
    text: imagePath + SUFFIXES.text,
    aside: imagePath + SUFFIXES.aside,
  };
}

/** True for a name that some image's journal, undo or lock has, or would have. */
export function isJournalName(path: string): boolean {
  const name = sameNameKey(path);
  return Object.values(SUFFIXES).some((suffix) => name.endsWith(suffix));
}

/** A name in the folder that a path lies in, written as the path is. */
export function besidePath(path: string, name: string): string {
  return path.slice(0, path.length - basename(path).length) + name;
}

/** The image whose journal or undo bears the name; undefined for any other name. */
export function imageOfJournal(name: string): string | undefined {
  const suffix = [SUFFIXES.journal, SUFFIXES.undo].find((each) => name.endsWith(each));
  return suffix === undefined || suffix === name ? undefined : name.slice(0, -suffix.length);
}

/** Equal for names that are one on some file system: many take no notice of case, or of how an accent is put together. */
export function sameNameKey(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

/** The draft of a journal that lies elsewhere than beside its image. */
export function draftElsewhere(journalPath: string): string {
  return journalPath + SUFFIXES.draft;
}

/** What one name, and a whole path, may hold at most; in bytes, but on Windows, which counts UTF-16 units. */
export interface NameLimits {
  readonly name: number;
  readonly path: number;
  readonly unit: "bytes" | "UTF-16 units";
}

const LIMITS: Partial<Record<NodeJS.Platform, NameLimits>> = {
  darwin: { name: 255, path: 1023, unit: "bytes" },
  win32: { name: 255, path: 32_766, unit: "UTF-16 units" },
};
const LINUX_LIMITS: NameLimits = { name: 255, path: 4095, unit: "bytes" };

/**
 * Throws `unsupported` where a name that may be needed, now or by a recovery, is longer than file systems take.
 * `elsewhere` is another place for the journal's records.
 */
export function refuseLongNames(
  imagePath: string,
  elsewhere?: string,
  limits: NameLimits = LIMITS[process.platform] ?? LINUX_LIMITS,
): void {
  const refuse = (because: string, remedy: Words) => {
    throw new ImageError("unsupported", say`Cannot work on ${imageNamed(imagePath)}`, {
      because,
      remedy,
      state: "nothing was written",
      path: imagePath,
      operation: "plan",
    });
  };
  const lengthOf = (text: string) => (limits.unit === "bytes" ? Buffer.byteLength(text) : text.length);
  const longest = SUFFIXES.journal;
  if (lengthOf(basename(imagePath)) + longest.length > limits.name) {
    refuse(
      `its name is too long for a journal beside it, whose name is longer by ${longest}`,
      `give it one of ${limits.name - longest.length} ${limits.unit} at most`,
    );
  }
  if (lengthOf(imagePath) + longest.length > limits.path) {
    refuse("its path is too long for a journal beside it", "use a shorter one, such as from inside its folder");
  }
  if (elsewhere === undefined) return;
  const draft = draftElsewhere(elsewhere);
  if (lengthOf(basename(draft)) > limits.name || lengthOf(draft) > limits.path) {
    const most = limits.name - SUFFIXES.draft.length;
    refuse(
      `${elsewhere} is too long for a journal's name`,
      say`name one of ${most} ${limits.unit} at most with ${option("journal")}, in a folder that is not as deep`,
    );
  }
}
