/** What the records of a journal say, typed: how far the conversion came and what leads back. */

import { ImageError } from "../bytes/image-error.ts";
import type { JournalRecord } from "./record.ts";

/** The first record; synced, with its folder, before the image's first write. Offsets and sizes in bytes. */
export interface Intent {
  readonly record: "intent";
  readonly version: 1;
  readonly purpose: "convert" | "roll-back";
  readonly sourceFormat: string;
  readonly targetFormat: string;
  /** `-o` as the user wrote it, to plan anew. */
  readonly options: Readonly<Record<string, string>>;
  readonly drop: readonly string[];
  readonly keepLeaks: boolean;
  readonly keepUndo: boolean;
  readonly verify: "full" | "mapping";
  readonly check: boolean;
  readonly checksum: "blkhash-sha256" | "sha256" | "none";
  readonly backingChain: boolean;
  /** Of the guest view before the first write; null where no digest was asked for. */
  readonly guestDigest: string | null;
  readonly oldFileSize: number;
  /** `-o` that would make the source's layout again. */
  readonly sourceOptions: Readonly<Record<string, string>>;
  /** SHA-256 over every metadata byte of the source, in file order. */
  readonly metadataDigest: string;
  /** The saved header area is [0, savedLength); trailing zeros are not stored. */
  readonly savedLength: number;
}

/** Everything additive is durable; the commit may follow. */
export interface Prepared {
  readonly record: "prepared";
  readonly fileSize: number;
  /** Host ranges written past the old end, ascending. */
  readonly added: readonly (readonly [start: number, end: number])[];
  /** SHA-256 over the bytes of `added`. */
  readonly addedDigest: string;
  /** Writes to unused bytes of the header area: [hostOffset, length], their bytes behind the sector in the blob. */
  readonly extras: readonly (readonly [hostOffset: number, length: number])[];
}

/** The committed target was opened anew and is right. */
export interface Verified {
  readonly record: "verified";
  /** False while `--keep-undo` holds the way back open. */
  readonly undoGivenUp: boolean;
}

/** The image is as it was; only the journal's own removal was left. */
export interface RolledBack {
  readonly record: "rolled-back";
}

/** The only record of a journal that lies elsewhere (`--journal`). `path` is relative to the image's folder. */
export interface Pointer {
  readonly record: "pointer";
  readonly path: string;
}

export type Facts = Intent | Prepared | Verified | RolledBack | Pointer;

export interface JournalState {
  readonly intent: Intent;
  /** The source's header area, `savedLength` bytes. */
  readonly savedHeader: Uint8Array;
  readonly prepared: (Prepared & { readonly sector: Uint8Array; readonly extraBytes: readonly Uint8Array[] }) | undefined;
  readonly verified: boolean;
  readonly undoGivenUp: boolean;
  readonly rolledBack: boolean;
}

/** Reads a journal's records into its state. */
export function stateOf(records: readonly JournalRecord[], path: string): JournalState {
  const [first, ...rest] = records;
  const intent = first?.facts as Intent | undefined;
  if (first === undefined || intent?.record !== "intent" || intent.version !== 1) {
    throw new ImageError("unsupported", `Cannot read the journal ${path}: it was made by another version; use that version`, {
      path,
      structure: "journal record 0",
    });
  }
  const savedHeader = new Uint8Array(intent.savedLength);
  savedHeader.set(first.blob);
  let state: JournalState = {
    intent,
    savedHeader,
    prepared: undefined,
    verified: false,
    undoGivenUp: false,
    rolledBack: false,
  };
  for (const { facts, blob } of rest) state = withRecord(state, facts as Facts, blob);
  return state;
}

export function withRecord(state: JournalState, facts: Facts, blob: Uint8Array): JournalState {
  switch (facts.record) {
    case "prepared": {
      let taken = 512;
      const extraBytes = facts.extras.map(([, length]) => blob.subarray(taken, (taken += length)));
      return { ...state, prepared: { ...facts, sector: blob.subarray(0, 512), extraBytes } };
    }
    case "verified":
      return { ...state, verified: true, undoGivenUp: state.undoGivenUp || facts.undoGivenUp };
    case "rolled-back":
      return { ...state, rolledBack: true };
    default:
      return state;
  }
}
