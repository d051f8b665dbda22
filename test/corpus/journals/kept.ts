/** The situations that are kept, read from their bytes. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";

/** What an image looks like from outside. */
export interface Looks {
  readonly format: string;
  /** blkhash-sha256; null where the guest can't be read: over a backing file, or behind a broken entry. */
  readonly guestDigest: string | null;
  readonly isClean: boolean;
}

/** What the build that made the journal made of it. */
export interface Recovered extends Looks {
  readonly outcome: "done" | "nothing" | "refused";
  /** The image is the source byte for byte. */
  readonly isSource: boolean;
  /** Files left beside the image. */
  readonly left: readonly string[];
}

/** What `situation.json` says. Images are base64 of zlib. */
export interface KeptFacts {
  readonly commands: readonly string[];
  readonly source: Looks & { readonly bytes: string };
  readonly image: string;
  /** Beside this file, as bytes. */
  readonly files: readonly string[];
  readonly resume: Recovered;
  readonly rollback: Recovered;
}

export interface KeptSituation {
  readonly name: string;
  readonly facts: KeptFacts;
  readonly source: Uint8Array;
  readonly image: Uint8Array;
  /** By name, relative to the image's folder. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

export function keptSituations(): KeptSituation[] {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => keptSituation(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function keptSituation(name: string): KeptSituation {
  const folder = join(import.meta.dirname, name);
  const facts: KeptFacts = JSON.parse(readFileSync(join(folder, "situation.json"), "utf8"));
  const files = Object.fromEntries(facts.files.map((file) => [file, new Uint8Array(readFileSync(join(folder, file)))]));
  return { name, facts, source: unpacked(facts.source.bytes), image: unpacked(facts.image), files };
}

function unpacked(text: string): Uint8Array {
  return new Uint8Array(inflateSync(Buffer.from(text, "base64")));
}
