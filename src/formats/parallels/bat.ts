/**
 * One walk over the BAT that feeds both the mapping and the check, which says what `qemu-img check` says (learned by
 * running it on damaged images), and what that lets pass (Parallels specification, "BAT").
 */

import { alignUp, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { hex } from "../../bytes/image-error.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../image/extent.ts";
import { type Finding, FindingList, type FindingListener } from "../../image/finding.ts";
import { readExactly, type Storage } from "../../storage/storage.ts";
import { EMPTY_FLAG, ENTRY_SIZE, InUse, type ParallelsHeader, ParallelsHeaderFields } from "./header.ts";

const PIECE_SIZE = MiB;
/** Findings beyond these are counted, not told. */
const MAX_TOLD = 100_000;
const { fields, name: HEADER, size: BAT_OFFSET } = ParallelsHeaderFields;

export interface BatScan {
  /** Undefined where an entry can't be followed; `broken` then says which. */
  readonly mapping: ExtentTable | undefined;
  readonly broken: Finding | undefined;
  readonly findings: FindingList;
  readonly allocatedCount: number;
  readonly fragmentedCount: number;
  /** One past the last track that an entry names, as qemu-img tells it: one track where none does. */
  readonly imageEnd: number;
  /** Whether a track lies on the header or the BAT. */
  readonly isOnMetadata: boolean;
  /** Bytes of the file behind the BAT that no entry names: leaks, and what an extension has. */
  readonly unusedBytes: number;
}

/** Reads every entry once; wrong ones become findings, which `listener` hears. */
export async function scanBat(storage: Storage, header: ParallelsHeader, listener?: FindingListener): Promise<BatScan> {
  const walk = new BatWalk(header, listener);
  for await (const { index, entry } of eachEntry(storage, header)) walk.visit(index, entry);
  return walk.finish();
}

/** Every entry that is not 0. */
export async function* eachEntry(
  storage: Storage,
  { batEnd }: ParallelsHeader,
): AsyncGenerator<{ readonly index: number; readonly entry: number }> {
  for (let at = BAT_OFFSET; at < batEnd; at += PIECE_SIZE) {
    const piece = await readExactly(storage, at, Math.min(PIECE_SIZE, batEnd - at), "BAT");
    const view = new DataView(piece.buffer);
    for (let from = 0; from < piece.length; from += ENTRY_SIZE) {
      const entry = view.getUint32(from, true);
      if (entry !== 0) yield { index: (at + from - BAT_OFFSET) / ENTRY_SIZE, entry };
    }
  }
}

/** Whether qemu-img says that an entry leads out of the file: one that names its very end does not. */
export function isOutside({ fileSize, entryUnit }: ParallelsHeader, entry: number): boolean {
  return entry * entryUnit > alignUp(fileSize, SECTOR_SIZE);
}

class BatWalk {
  readonly #header: ParallelsHeader;
  readonly #mapping = new ExtentTableBuilder();
  readonly #findings: FindingList;
  #broken: Finding | undefined;
  #told = 0;
  /** Where tracks inside the file begin, as many as entries were stored. */
  readonly #places: number[] = [];
  #allocatedCount = 0;
  #fragmentedCount = 0;
  #highest = 0;
  #lastIndex = -1;
  #lastOffset = 0;
  #isOnMetadata = false;

  constructor(header: ParallelsHeader, listener?: FindingListener) {
    this.#header = header;
    this.#findings = new FindingList(listener);
    const { inUse, flags } = header.values;
    if (inUse === InUse.open) {
      this.#findings.add({
        severity: "corruption",
        kind: "in-use",
        structure: HEADER,
        hostOffset: fields.inUse.at,
        message: "The image is marked as in use: its last writer did not close it",
        line: "ERROR image was not closed correctly",
      });
    } else if (inUse !== InUse.closed && inUse !== InUse.never) {
      this.#warnOfHeader(
        "in-use-unknown",
        fields.inUse.at,
        `${hex(inUse)} says neither that it is in use nor that it is closed`,
      );
    }
    this.#isSaidEmpty = (flags & EMPTY_FLAG) !== 0;
  }

  readonly #isSaidEmpty: boolean;

  visit(index: number, entry: number): void {
    const { entryUnit, trackSize, virtualSize, batEnd, fileSize } = this.#header;
    const hostOffset = entry * entryUnit;
    const guestOffset = index * trackSize;
    const follows = this.#lastIndex === index - 1 && this.#lastOffset !== 0;
    if (follows && hostOffset !== this.#lastOffset + trackSize) this.#fragmentedCount++;
    [this.#lastIndex, this.#lastOffset] = [index, hostOffset];
    this.#allocatedCount++;
    this.#highest = Math.max(this.#highest, hostOffset);
    const length = Math.max(0, Math.min(trackSize, virtualSize - guestOffset));
    if (isOutside(this.#header, entry)) {
      this.#find(true, "corruption", { guestOffset, hostOffset }, () => ({
        kind: "entry-out-of-bounds",
        message: `Entry ${index} of the BAT names host offset ${hex(hostOffset)}, outside the file of ${fileSize} bytes`,
        line: `ERROR cluster ${index} is outside image`,
      }));
      return;
    }
    this.#places.push(hostOffset);
    if (hostOffset < batEnd) {
      this.#isOnMetadata = true;
      this.#find(false, "warning", { guestOffset, hostOffset }, () => ({
        kind: "track-on-metadata",
        message: `Entry ${index} of the BAT names host offset ${hex(hostOffset)}, on the header or the BAT`,
      }));
    }
    if (hostOffset + length > fileSize) {
      this.#find(true, "warning", { guestOffset, hostOffset }, () => ({
        kind: "track-out-of-bounds",
        message: `Entry ${index} of the BAT names host offset ${hex(hostOffset)}, and that track ends outside the file of ${fileSize} bytes`,
      }));
    }
    if (length === 0 || this.#broken !== undefined) return;
    this.#mapping.append(guestOffset - this.#mapping.end, ExtentState.unallocated);
    this.#mapping.append(length, ExtentState.data, hostOffset);
  }

  finish(): BatScan {
    const { trackSize, virtualSize } = this.#header;
    const imageEnd = this.#highest + trackSize;
    this.#findLeaks(imageEnd);
    const usedBytes = this.#findOverlaps();
    if (this.#isSaidEmpty && this.#allocatedCount > 0) {
      this.#warnOfHeader(
        "empty-flag",
        fields.flags.at,
        `It is said to be empty, and its BAT names ${counted(this.#allocatedCount, "track")}`,
      );
    }
    if (this.#broken === undefined) this.#mapping.append(virtualSize - this.#mapping.end, ExtentState.unallocated);
    return {
      mapping: this.#broken === undefined ? this.#mapping.finish(virtualSize) : undefined,
      broken: this.#broken,
      findings: this.#findings,
      allocatedCount: this.#allocatedCount,
      fragmentedCount: this.#fragmentedCount,
      imageEnd,
      isOnMetadata: this.#isOnMetadata,
      unusedBytes: Math.max(0, this.#header.fileSize - this.#header.dataStart - usedBytes),
    };
  }

  /** What lies behind the last track is nobody's, unless an extension may have put its bitmaps there. */
  #findLeaks(imageEnd: number): void {
    const { fileSize, trackSize, dataStart, extension } = this.#header;
    const hostOffset = Math.max(imageEnd, dataStart);
    const bytes = alignUp(fileSize, SECTOR_SIZE) - hostOffset;
    if (bytes <= 0 || extension !== undefined) return;
    const message = `${bytes} leaked bytes from host offset ${hex(hostOffset)} to the end of the file: nothing refers there`;
    const line = `ERROR space leaked at the end of the image ${bytes}`;
    const what = { severity: "leak", kind: "leaked-clusters", structure: "data", hostOffset, message, line } as const;
    this.#findings.add(what, Math.ceil(bytes / trackSize));
  }

  /** Answers how many bytes of the file the tracks have. */
  #findOverlaps(): number {
    const { trackSize, fileSize } = this.#header;
    const places = Float64Array.from(this.#places).sort();
    const used = new RangeSet();
    for (const start of places) used.add(start, Math.min(start + trackSize, fileSize));
    for (let at = 1; at < places.length; at++) {
      const hostOffset = places[at] as number;
      if (hostOffset - (places[at - 1] as number) >= trackSize) continue;
      this.#find(false, "warning", { hostOffset }, () => ({
        kind: "double-reference",
        references: 2,
        message: `Two entries of the BAT name tracks that share bytes, from host offset ${hex(hostOffset)} on`,
      }));
    }
    return used.total;
  }

  #warnOfHeader(kind: string, hostOffset: number, message: string): void {
    this.#findings.add({ severity: "warning", kind, structure: HEADER, hostOffset, message });
  }

  #find(
    isBreaking: boolean,
    severity: "corruption" | "warning",
    place: Pick<Finding, "guestOffset" | "hostOffset">,
    describe: () => Pick<Finding, "kind" | "references" | "message" | "line">,
  ): void {
    if (++this.#told > MAX_TOLD) {
      if (severity === "corruption") this.#findings.corruptions++;
      else this.#findings.warnings++;
      return;
    }
    const what = { severity, structure: "BAT", ...place, ...describe() };
    this.#findings.add(what);
    if (isBreaking) this.#broken ??= what;
  }
}
