/** The images whose journals this step opened, saved to the step's state so that `post` finds them after any end. */

import { resolve } from "node:path";
import { saveState } from "@actions/core";

/** Each image has a state of its own: all of them in one would outgrow what one environment variable may hold. */
const STATE = "open-journal-";

export interface OpenJournal {
  /** Absolute. */
  readonly image: string;
  readonly journal: string;
  /** The undo of a repair is kept by the step for itself; that of a conversion only where the user wants it. */
  readonly of: "conversion" | "repair";
}

export class OpenJournals {
  readonly #names = new Map<string, string>();
  readonly #open = new Map<string, OpenJournal>();

  /** To be called before the journal is made: what is saved twice counts once, what is not saved is never found. */
  open(imagePath: string, journalPath: string, of: OpenJournal["of"] = "conversion"): void {
    const image = resolve(imagePath);
    const journal: OpenJournal = { image, journal: resolve(journalPath), of };
    this.#open.set(image, journal);
    saveState(this.#nameOf(image), JSON.stringify(journal));
  }

  /** The journal is gone; `post` must not touch what someone may do to the image afterwards. */
  close(imagePath: string): void {
    const image = resolve(imagePath);
    // A runner keeps the last value of a name.
    if (this.#open.delete(image)) saveState(this.#nameOf(image), "");
  }

  /** The images whose repair can still be undone. */
  get repaired(): readonly string[] {
    return [...this.#open.values()].filter(({ of }) => of === "repair").map(({ image }) => image);
  }

  #nameOf(image: string): string {
    const name = this.#names.get(image) ?? `${STATE}${this.#names.size + 1}`;
    this.#names.set(image, name);
    return name;
  }
}

/** What `main` left open, for `post`. */
export function journalsLeftOpen(environment: NodeJS.ProcessEnv = process.env): readonly OpenJournal[] {
  const saved = Object.entries(environment).filter(([name]) => name.startsWith(`STATE_${STATE}`));
  return saved.flatMap(([, text]) => (text ? [JSON.parse(text) as OpenJournal] : []));
}
