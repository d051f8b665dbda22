/** A header that somebody rewrote between two commands: whose it is, the source's or the target's. */

import { ImageError } from "../../bytes/image-error.ts";
import { reopenImage } from "../../formats/registry.ts";
import type { ConversionWork } from "../../journal/conversion-work.ts";
import type { Storage } from "../../storage/storage.ts";
import { behindCommit, beyondCommit } from "./overlays.ts";
import { addedIsUntouched, sourceIsUntouched } from "./switch-undo.ts";
import { toldFormat } from "./told-format.ts";

/** By its format where the two differ, else by its layout, else by whose tables changed. Undefined where none tells. */
export async function isTargetsHeader(storage: Storage, state: ConversionWork): Promise<boolean | undefined> {
  const { intent, prepared, sector, commitHostOffset: hostOffset } = state;
  const format = await toldFormat(storage, intent);
  if (format === undefined) return undefined;
  if (intent.sourceFormat !== intent.targetFormat) return format === intent.targetFormat;
  if (!prepared) return false;
  const found = await layoutOf(storage, format);
  const source = await layoutOf(behindCommit(storage, state), format);
  const target = await layoutOf(beyondCommit(storage, { kind: "sector", hostOffset, sector }), format);
  if (source !== target && found === target) return true;
  if (source !== target && found === source) return false;
  const isSourceChanged = !(await sourceIsUntouched(storage, state));
  const isTargetChanged = !(await addedIsUntouched(storage, prepared));
  return isSourceChanged === isTargetChanged ? undefined : isTargetChanged;
}

/** The options that make its layout again; undefined where it can't be opened. */
async function layoutOf(storage: Storage, format: string): Promise<string | undefined> {
  try {
    return JSON.stringify((await reopenImage(storage, format)).getConversionOptions().creationOptions);
  } catch (error) {
    if (error instanceof ImageError && error.kind !== "io") return undefined;
    throw error;
  }
}
