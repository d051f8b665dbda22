/** From lines of paths and globs to image files: a literal path wins over a glob, and no file comes twice. */

import { lstat } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import { counted } from "../bytes/count-text.ts";

export interface NamedImage {
  /** A path, a glob, or `!` and a glob whose images are left out of the other globs. Relative to the working folder. */
  readonly name: string;
  /** What the guest's disk must be before anything is written. */
  readonly guestChecksum: { readonly algorithm: "blkhash-sha256" | "sha256"; readonly hex: string } | undefined;
}

export interface LocatedImage {
  /** As named: relative where the line was. */
  readonly path: string;
  readonly guestChecksum: NamedImage["guestChecksum"];
}

export interface LocatedImages {
  /** In the order of the lines; those of one glob by name. */
  readonly images: readonly LocatedImage[];
  /** One sentence for each line that can't be used. */
  readonly mistakes: readonly string[];
  /** One sentence for each line that nothing is called by. */
  readonly missing: readonly string[];
}

/** Absolute paths of the files that match `pattern` and none of `excluded`; throws an Error for what is no glob. */
export type ExpandGlob = (pattern: string, excluded: readonly string[]) => Promise<readonly string[]>;

/** What our own commands put beside an image. */
const BESIDE_IMAGES = /\.inplace-(?:journal(?:-new)?|undo|draft|text|old|lock(?:-[^/\\]*)?)$/;

/** As programs call the disk of a flat VMDK: where its descriptor matches too, that is the image. */
const EXTENT = /-flat\.vmdk$/i;

/** Looks at names only; no file is opened. Throws where a folder can't be read. */
export async function locate(named: readonly NamedImage[], expand: ExpandGlob): Promise<LocatedImages> {
  const found = new Map<string, LocatedImage>();
  const mistakes: string[] = [];
  const missing: string[] = [];
  const take = (path: string, { name, guestChecksum }: NamedImage) => {
    const key = resolve(path);
    const before = found.get(key);
    if (before?.guestChecksum && guestChecksum && !isSameDigest(before.guestChecksum, guestChecksum)) {
      mistakes.push(`Cannot use the image line "${name}": another line expects another digest of ${path}`);
    }
    found.set(key, { path: before?.path ?? path, guestChecksum: guestChecksum ?? before?.guestChecksum });
  };

  const { literals, globs, excluded } = await sorted(named);
  for (const image of named) {
    const kind = literals.get(image);
    if (kind === "file") take(image.name, image);
    else if (kind === "folder")
      mistakes.push(`Cannot use ${image.name} as an image: it is a folder; name ${image.name}/* or its images`);
    else if (globs.has(image)) {
      const matches = await matchesOf(image, excluded, expand);
      if (typeof matches === "string") mistakes.push(matches);
      else if (matches.length === 0) missing.push(`Cannot find an image: nothing matches ${image.name}`);
      else for (const match of matches) take(match, image);
    } else if (!excluded.includes(image.name.slice(1)))
      missing.push(`Cannot find ${image.name}: there is no such file`);
  }
  if (found.size === 0 && mistakes.length + missing.length === 0)
    missing.push("Cannot find any image: all lines only leave images out");
  return { images: [...found.values()], mistakes, missing };
}

async function sorted(named: readonly NamedImage[]) {
  const literals = new Map<NamedImage, "file" | "folder">();
  const globs = new Set<NamedImage>();
  const excluded: string[] = [];
  for (const image of named) {
    const kind = await kindOf(image.name);
    if (kind !== undefined) literals.set(image, kind);
    else if (image.name.startsWith("!")) excluded.push(image.name.slice(1));
    else if (/[*?[]/.test(image.name)) globs.add(image);
  }
  return { literals, globs, excluded };
}

/** Paths as the glob was named; a sentence where it can't be used. */
async function matchesOf(
  { name, guestChecksum }: NamedImage,
  excluded: readonly string[],
  expand: ExpandGlob,
): Promise<readonly string[] | string> {
  let matches: readonly string[];
  try {
    matches = await expand(name, excluded);
  } catch (error) {
    return `Cannot use ${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
  const all = new Set(matches);
  const images = matches
    .filter((path) => !BESIDE_IMAGES.test(path) && !(EXTENT.test(path) && all.has(path.replace(EXTENT, ".vmdk"))))
    .sort();
  if (guestChecksum && images.length > 1)
    return `Cannot expect one digest of the ${counted(images.length, "image")} that match ${name}`;
  return images.map((path) => (isAbsolute(name) ? path : relative("", path)));
}

/** Everything that has a name and is no folder counts as a file: opening it tells what else is wrong. */
async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    return (await lstat(path)).isDirectory() ? "folder" : "file";
  } catch {
    return undefined;
  }
}

function isSameDigest(
  a: NonNullable<NamedImage["guestChecksum"]>,
  b: NonNullable<NamedImage["guestChecksum"]>,
): boolean {
  return a.algorithm === b.algorithm && a.hex === b.hex;
}
