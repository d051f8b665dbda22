/** The images whose journals this step opened, saved to the step's state so that `post` finds them after any end. */

import { resolve } from "node:path";
import { getState, saveState } from "@actions/core";

const STATE = "open-journals";

interface OpenJournal {
  /** Absolute. */
  readonly image: string;
  readonly journal: string;
}

export class OpenJournals {
  readonly #open = new Map<string, OpenJournal>();

  /** To be called before the journal is made: what is saved twice counts once, what is not saved is never found. */
  open(imagePath: string, journalPath: string): void {
    const image = resolve(imagePath);
    this.#open.set(image, { image, journal: resolve(journalPath) });
    this.#save();
  }

  /** The journal is gone; `post` must not touch what someone may do to the image afterwards. */
  close(imagePath: string): void {
    if (this.#open.delete(resolve(imagePath))) this.#save();
  }

  /** A runner keeps the last value of a name. */
  #save(): void {
    saveState(STATE, JSON.stringify([...this.#open.values()]));
  }
}

/** What `main` left open, for `post`. */
export function journalsLeftOpen(): readonly OpenJournal[] {
  const text = getState(STATE);
  return text === "" ? [] : (JSON.parse(text) as OpenJournal[]);
}
