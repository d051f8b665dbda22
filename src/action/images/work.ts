/** What every image's work needs: the inputs, the journals it opens, the signal that ends it, a voice. */

import type { LocatedImage } from "../../acquire/locate.ts";
import { type ConvertOptions, ImageError } from "../../index.ts";
import type { Inputs } from "../inputs/inputs.ts";
import type { OpenJournals } from "./open-journals.ts";

export interface Work {
  readonly inputs: Inputs;
  readonly journals: OpenJournals;
  readonly signal: AbortSignal;
  /** One line for people. */
  readonly log: (line: string) => void;
}

/** A name and its place are both settled before the image is touched. */
export interface ImageToDo extends LocatedImage {
  readonly newPath: string;
  /** Why nothing can be done with it, found before. */
  readonly refusal: Error | undefined;
  /** What a download has left of the input's. */
  readonly maxExtraSpace?: number;
  /** Whether the page or the summary will draw its file. */
  readonly isDrawn?: boolean;
}

/** Between two lines about one image's progress. */
const LINE_EVERY_MS = 10_000;

export function progressLines(path: string, { log }: Work): NonNullable<ConvertOptions["onProgress"]> {
  let last = performance.now();
  return ({ stage, done, total }) => {
    if (performance.now() - last < LINE_EVERY_MS) return;
    last = performance.now();
    const amount = total > 0 ? `: ${Math.min(100, Math.floor((100 * done) / total))} %` : "";
    log(`${path}: ${stage}${amount}`);
  };
}

/** Forgets the journal unless it stands. */
export async function closing<T>(path: string, journals: OpenJournals, perform: () => Promise<T>): Promise<T> {
  try {
    const value = await perform();
    journals.close(path);
    return value;
  } catch (error) {
    if (error instanceof ImageError && error.journal === undefined) journals.close(path);
    throw error;
  }
}

export function interrupted(path: string, why: string): ImageError {
  return new ImageError("interrupted", `Cannot work on ${path}: ${why}`, { path, operation: "open" });
}

export function refuseCancelled(path: string, { signal }: Work): void {
  if (signal.aborted) throw interrupted(path, "the job was cancelled before its turn");
}
