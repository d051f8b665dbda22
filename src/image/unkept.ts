/** What a source holds beside its guest and a target has no place for: refused in one wording, or given up by the user's word. */

import { counted } from "../bytes/count-text.ts";
import { option, say, type Words } from "../bytes/sentence.ts";
import type { ConversionOptions } from "./source.ts";

/** How a target speaks of itself. */
export interface TargetWords {
  /** Why it has no snapshots, bitmaps or encryption, e.g. `QED has none`. */
  readonly hasNone: string;
  /** Its name as the subject of a sentence. */
  readonly name: string;
}

/** All that would be lost: a refusal for each, or a phrase for each that `drop` gives up, after what may always be forgotten. */
export function judgeUnkept(
  { snapshotCount, bitmapNames, encryption, hasDataFile, forgettable }: ConversionOptions,
  { hasNone, name }: TargetWords,
  drop: ReadonlySet<string>,
): { readonly refusals: readonly Words[]; readonly dropped: readonly string[] } {
  const refusals: Words[] = [];
  const dropped = [...forgettable];
  if (snapshotCount > 0) {
    const snapshots = counted(snapshotCount, "snapshot");
    if (drop.has("snapshots")) dropped.push(snapshots);
    else refusals.push(say`Cannot keep ${snapshots}: ${hasNone}; delete them or use ${option("drop", "snapshots")}`);
  }
  if (bitmapNames.length > 0) {
    if (drop.has("bitmaps")) dropped.push(...bitmapNames.map((bitmap) => `bitmap ${bitmap}`));
    else {
      const names = bitmapNames.join(", ");
      refusals.push(say`Cannot keep the bitmaps ${names}: ${hasNone}; remove them or use ${option("drop", "bitmaps")}`);
    }
  }
  if (encryption !== undefined) {
    refusals.push(
      `Cannot keep the ${encryption} encryption: ${hasNone}; decrypt the image with qemu-img convert first`,
    );
  }
  if (hasDataFile) {
    refusals.push(
      `Cannot point at an external data file: ${name} keeps its data in the image; convert it with qemu-img first`,
    );
  }
  return { refusals, dropped };
}
