/** What the records of a journal say, typed: how far the conversion came and what leads back. */

import { SECTOR_SIZE } from "../bytes/align.ts";
import { ImageError } from "../bytes/image-error.ts";
import type { JournalRecord } from "./record.ts";
import type { RepairIntent } from "./repair-state.ts";

/** The first record; synced, with its folder, before the image's first write. Offsets and sizes in bytes. */
export interface Intent {
  readonly record: "intent";
  readonly version: 1;
  /** `setmap` changes the guest on purpose: before the commit it is put back, never planned anew. */
  readonly purpose: "convert" | "roll-back" | "setmap";
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
  /** What the source holds beside its active guest that the target does not keep up: `2 snapshots`, `bitmap b0`, autoclear bits. */
  readonly alsoHolds?: readonly string[];
  readonly oldFileSize: number;
  /**
   * End of the last cluster that the source points at, past `oldFileSize` where the file ends inside it; absent in old
   * journals, where it is `oldFileSize`. Nothing of ours lies below.
   */
  readonly sourceEnd?: number;
  /** `-o` that would make the source's layout again. */
  readonly sourceOptions: Readonly<Record<string, string>>;
  /** SHA-256 over every metadata byte of the source, in file order. */
  readonly metadataDigest: string;
  /** The file's length once everything additive is there. */
  readonly fileSize: number;
  /** The saved header area is [0, savedLength); trailing zeros are not stored. */
  readonly savedLength: number;
  /** Writes to bytes of the header area that the source does not use: [hostOffset, length]. */
  readonly extras: readonly (readonly [hostOffset: number, length: number])[];
}

/** What lies behind the intent's facts: the commit's sector, the extras' bytes, the saved header area. */
export interface IntentParts {
  /** The target's 512 bytes for host offset 0. */
  readonly sector: Uint8Array;
  readonly extras: readonly { readonly hostOffset: number; readonly bytes: Uint8Array }[];
  /** The source's header area, `savedLength` bytes. */
  readonly savedHeader: Uint8Array;
}

/** Everything additive is durable; the commit, or the first step of a repair, may follow. */
export interface Prepared {
  readonly record: "prepared";
  /** Host ranges written past the old end, ascending. */
  readonly added: readonly (readonly [start: number, end: number])[];
  /** SHA-256 over the bytes of `added`. */
  readonly addedDigest: string;
}

/** The committed target, or the repaired image, was opened anew and is right. */
export interface Verified {
  readonly record: "verified";
  /** False while `--keep-undo` holds the way back open. */
  readonly undoGivenUp: boolean;
}

/** Settling is about to write this sector 0 (512 bytes in the blob); all that it points at is durable. */
export interface NewHeader {
  readonly record: "new-header";
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

export type Facts = Intent | RepairIntent | Prepared | Verified | NewHeader | RolledBack | Pointer;

export interface JournalState extends IntentParts {
  readonly intent: Intent;
  readonly prepared: Prepared | undefined;
  readonly verified: boolean;
  readonly undoGivenUp: boolean;
  /** The last sector 0 that was written or about to be; `sector` until settling writes others. */
  readonly lastSector: Uint8Array;
  /** The sector 0 before that. */
  readonly previousSector: Uint8Array;
  readonly rolledBack: boolean;
}

/** The blob of an intent; trailing zeros of the saved header are left out. */
export function encodeIntentParts({ sector, extras, savedHeader }: IntentParts): Uint8Array {
  let used = savedHeader.length;
  while (used > 0 && savedHeader[used - 1] === 0) used--;
  return Buffer.concat([sector, ...extras.map(({ bytes }) => bytes), savedHeader.subarray(0, used)]);
}

/** Reads a journal's records into its state. */
export function stateOf(records: readonly JournalRecord[], path: string): JournalState {
  const [first, ...rest] = records;
  const intent = first?.facts as Intent | undefined;
  if (first === undefined || intent?.record !== "intent" || intent.version !== 1) {
    throw new ImageError(
      "unsupported",
      `Cannot read the journal ${path}: it was made by another version; use that version`,
      {
        path,
        structure: "journal record 0",
        journal: path,
      },
    );
  }
  const parts = decodeIntentParts(intent, first.blob);
  let state: JournalState = {
    intent,
    ...parts,
    lastSector: parts.sector,
    previousSector: parts.savedHeader.subarray(0, SECTOR_SIZE),
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
    case "prepared":
      return { ...state, prepared: facts };
    case "verified":
      return { ...state, verified: true, undoGivenUp: state.undoGivenUp || facts.undoGivenUp };
    case "new-header":
      return { ...state, lastSector: blob, previousSector: state.lastSector };
    case "rolled-back":
      return { ...state, rolledBack: true };
    default:
      return state;
  }
}

function decodeIntentParts(intent: Intent, blob: Uint8Array): IntentParts {
  let taken = SECTOR_SIZE;
  const extras = intent.extras.map(([hostOffset, length]) => {
    const bytes = blob.subarray(taken, taken + length);
    taken += length;
    return { hostOffset, bytes };
  });
  const savedHeader = new Uint8Array(intent.savedLength);
  savedHeader.set(blob.subarray(taken));
  return { sector: blob.subarray(0, SECTOR_SIZE), extras, savedHeader };
}
