/** Why an OVA can't be opened: one wording for what is wrong with the archive, one for what is wrong with the disk in it. */

import { ImageError, type ImageErrorKind } from "../../bytes/image-error.ts";
import { imageNamed, placeAt, type Sentence, say, type Words } from "../../bytes/sentence.ts";

export type Refuse = (kind: ImageErrorKind, because: Words, hostOffset: number, remedy?: Words) => ImageError;

export const TAKE_OUT = "take it out of the archive, with tar -xf";
export const FETCH_AGAIN = "download it again, or restore it from a backup";

/** Where nothing better is known; of a file of another format whoever knows that says what to do. */
const REMEDIES: Partial<Record<ImageErrorKind, string>> = {
  unsupported: TAKE_OUT,
  corrupt: FETCH_AGAIN,
  "out-of-bounds": FETCH_AGAIN,
};

/** `structure` is what the refusals are of. */
export function refusalsOf(path: string, structure: string): Refuse {
  return (kind, because, hostOffset, remedy = REMEDIES[kind]) =>
    new ImageError(kind, say`Cannot open ${imageNamed(path)}`, {
      because: say`${because} (at host offset ${placeAt(hostOffset)})`,
      remedy,
      format: "ova",
      path,
      structure,
      hostOffset,
    });
}

/** What the disk's own format throws counts from where the disk begins, and advises what an archive's can't do. */
export function ofDisk(
  error: unknown,
  path: string,
  { name, start }: { readonly name: string; readonly start: number },
) {
  if (!(error instanceof ImageError) || error.kind === "io" || error.kind === "interrupted") return error;
  const { kind, facts, words, what, problem, hostOffset } = error;
  const doing = words.because === undefined ? say`Cannot open ${imageNamed(path)}` : what;
  return new ImageError(kind, doing, {
    ...facts,
    because: say`its disk ${named(name)}: ${shifted(problem, start)}`,
    remedy: kind === "unsupported" || kind === "not-this-format" ? TAKE_OUT : FETCH_AGAIN,
    format: "ova",
    path,
    hostOffset: hostOffset === undefined ? start : start + hostOffset,
    cause: error,
  });
}

/** For messages: some tools leave it empty, and a text may name anything. */
export function named(name: string): string {
  return name === "" ? '""' : name.slice(0, MAX_NAME);
}

const MAX_NAME = 300;

/** With its places as the archive's. */
function shifted(sentence: Sentence, by: number): Sentence {
  return sentence.mapped((part) =>
    typeof part === "object" && part.ref === "place" ? { ...part, hostOffset: part.hostOffset + by } : part,
  );
}
