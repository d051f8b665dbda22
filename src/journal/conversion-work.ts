/** A conversion (or what is made like one) as its journal says it: how far it came and what leads back. */

import { alignUp, isPowerOfTwo, SECTOR_SIZE } from "../bytes/align.ts";
import { ImageError } from "../bytes/image-error.ts";
import { withoutTrailingZeros } from "../storage/zeros.ts";
import type { JournalRecord } from "./record.ts";
import type { Facts, Intent, Prepared, Restoring } from "./records.ts";

/** What lies behind the intent's facts: the commit's sector, the extras' bytes, the saved header area. */
export interface IntentParts {
  /** The target's 512 bytes of the commit; of a name the text that comes or goes. */
  readonly sector: Uint8Array;
  readonly extras: readonly { readonly hostOffset: number; readonly bytes: Uint8Array }[];
  /** The source's header area, `savedLength` bytes. */
  readonly savedHeader: Uint8Array;
}

export interface ConversionWork extends IntentParts {
  readonly kind: "conversion";
  readonly intent: Intent;
  readonly prepared: Prepared | undefined;
  readonly verified: boolean;
  readonly undoGivenUp: boolean;
  /** Of a name: which, and whether it comes; undefined for any other commit. */
  readonly named: Intent["commitName"];
  /** Where the commit's sector lies: what leads back over it is in the saved header area. */
  readonly commitHostOffset: number;
  /** What the source had in its place; zeros where the file ended before it. */
  readonly oldSector: Uint8Array;
  /** The source's own where its file may be longer: what stands there from before the first additive write until the commit. */
  readonly anchor: Uint8Array | undefined;
  /** What was last written there or about to be; `sector` until settling writes others. */
  readonly lastSector: Uint8Array;
  /** What was there before that. */
  readonly previousSector: Uint8Array;
  /** The block around the commit as the last recovery found it, where it was another than the intent's. */
  readonly foundHeader: Uint8Array | undefined;
  readonly rolledBack: boolean;
  /** The copy of the origin was about to take the image's name. */
  readonly restoring: Restoring | undefined;
}

/** The blob of an intent; trailing zeros of the saved header are left out. */
export function encodeIntentParts({ sector, extras, savedHeader }: IntentParts): Uint8Array {
  return Buffer.concat([sector, ...extras.map(({ bytes }) => bytes), withoutTrailingZeros(savedHeader)]);
}

/** Reads a journal's records into the state of its work. */
export function conversionWorkOf(records: readonly JournalRecord[], path: string): ConversionWork {
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
  const commitHostOffset = intent.commitHostOffset ?? 0;
  const isFooter = commitHostOffset + SECTOR_SIZE > parts.savedHeader.length;
  // A footer that comes had nothing in its place; of one that goes the sector is what was there.
  const absent = new Uint8Array(SECTOR_SIZE);
  const footer = intent.commitKind === "length" ? parts.sector : absent;
  const oldSector = isFooter ? footer : parts.savedHeader.subarray(commitHostOffset, commitHostOffset + SECTOR_SIZE);
  let state: ConversionWork = {
    kind: "conversion",
    intent: { ...intent, sourceEnd: sourceEndOf(intent) },
    ...parts,
    named: intent.commitName,
    commitHostOffset,
    oldSector,
    anchor: anchorOf(intent),
    lastSector: parts.sector,
    previousSector: anchorOf(intent) ?? oldSector,
    foundHeader: undefined,
    prepared: undefined,
    verified: false,
    undoGivenUp: false,
    rolledBack: false,
    restoring: undefined,
  };
  for (const { facts, blob } of rest) state = withConversionRecord(state, facts as Facts, blob);
  return state;
}

function anchorOf({ anchor }: Intent): Uint8Array | undefined {
  if (anchor === undefined) return undefined;
  const sector = new Uint8Array(SECTOR_SIZE);
  sector.set(Buffer.from(anchor, "hex"));
  return sector;
}

/** Old versions too began behind the whole cluster that the file ends inside; they only did not say so. */
function sourceEndOf({ sourceEnd, oldFileSize, sourceOptions }: Intent): number {
  const clusterSize = Number(sourceOptions.cluster_size);
  if (sourceEnd !== undefined || !isPowerOfTwo(clusterSize)) return sourceEnd ?? oldFileSize;
  return alignUp(oldFileSize, clusterSize);
}

export function withConversionRecord(state: ConversionWork, facts: Facts, blob: Uint8Array): ConversionWork {
  switch (facts.record) {
    case "prepared":
      return { ...state, prepared: facts };
    case "verified":
      return { ...state, verified: true, undoGivenUp: state.undoGivenUp || facts.undoGivenUp };
    case "new-header":
      return { ...state, lastSector: blob, previousSector: state.lastSector };
    case "found-header":
      return { ...state, foundHeader: blob };
    case "rolled-back":
      return { ...state, rolledBack: true };
    case "restoring":
      return { ...state, restoring: facts };
    default:
      return state;
  }
}

function decodeIntentParts(intent: Intent, blob: Uint8Array): IntentParts {
  const sectorLength = intent.commitName?.length ?? SECTOR_SIZE;
  let taken = sectorLength;
  const extras = intent.extras.map(([hostOffset, length]) => {
    const bytes = blob.subarray(taken, taken + length);
    taken += length;
    return { hostOffset, bytes };
  });
  const savedHeader = new Uint8Array(intent.savedLength);
  savedHeader.set(blob.subarray(taken));
  return { sector: blob.subarray(0, sectorLength), extras, savedHeader };
}
