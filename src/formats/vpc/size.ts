/**
 * Which of its two sizes a VHD's disk has: the current size, or what its geometry comes to.
 *
 * The geometry of most disks ends a little before the current size, and readers disagree on which one counts. qemu-img
 * asked by an image of each creator, current size 5,242,880, geometry 5,222,400:
 *
 *   creator                                  QEMU 7.2     QEMU 10.0, 11.1
 *   win, qem2, d2v, tap\0, CTXS              current      current
 *   vpc, qemu                                geometry     geometry
 *   vs, vbox, wa\0\0, *img, d2v\0, others    geometry     current
 *   any, with the largest geometry           current      current
 *
 * (Four bytes each, filled up with spaces where nothing else stands there.) So the current size is taken where both
 * agree, where the geometry says no more than that the disk is large, and for the first line; elsewhere one reader or
 * another would cut the disk or find more of it, and the user has to say which one is meant.
 */

import { isAligned, MiB, SECTOR_SIZE } from "../../bytes/align.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, option, placeAt, say, type Words } from "../../bytes/sentence.ts";
import type { TargetOption } from "../../image/target-options.ts";
import { readZeroFilled, type Storage } from "../../storage/storage.ts";
import { type VhdFooter, VhdFooterFields } from "./footer.ts";
import { isLargest, sizeOf } from "./geometry.ts";

export const SIZE_FROM: TargetOption = {
  name: "size_from",
  kind: "choice",
  choices: ["current", "chs"],
  help: "Which size a VHD has whose current size and geometry (CHS) disagree",
};

const TRUSTED_CREATORS: readonly string[] = ["win ", "qem2", "d2v ", "tap\0", "CTXS"];

export function creatorOf({ creator }: Pick<VhdFooter, "creator">): string {
  return Buffer.from(creator).toString("latin1");
}

/** Whether every reader takes the current size. */
export function isSizeCertain(footer: VhdFooter): boolean {
  return sizeOf(footer) === footer.currentSize || isLargest(footer) || TRUSTED_CREATORS.includes(creatorOf(footer));
}

/** What a choice between the two is made on. */
export interface SizeRoom {
  readonly path: string;
  readonly footerOffset: number;
  /** No disk of the file can be longer, and why. */
  readonly limit: number;
  readonly limitWords: string;
  /** The disk's bytes, from its first on. */
  readonly guest: Storage;
}

/** Throws ImageError `unsupported` where the two disagree and nobody chose. */
export async function chooseSize(footer: VhdFooter, chosen: string | undefined, room: SizeRoom): Promise<number> {
  const { currentSize } = footer;
  const { path, footerOffset, limit, limitWords, guest } = room;
  const chsSize = sizeOf(footer);
  if (chosen !== undefined) return chosen === "chs" ? chsSize : currentSize;
  if (isSizeCertain(footer)) return currentSize;
  const ways = [currentSize, chsSize].flatMap((size, index) =>
    size <= limit && isAligned(size, SECTOR_SIZE) ? [choosing(index === 0 ? "current" : "chs")] : [],
  );
  // Neither can be: the caller says why.
  if (ways.length === 0) return currentSize;
  const [start, end] = [Math.min(currentSize, chsSize), Math.max(currentSize, chsSize)];
  const { cylinders, heads, sectorsPerTrack } = footer;
  const geometry = `${cylinders} × ${heads} × ${sectorsPerTrack}`;
  const between = await lookBetween(guest, start, Math.min(end, limit));
  const beyond = end > limit ? ` (${limitWords})` : "";
  throw new ImageError("unsupported", say`Cannot open ${imageNamed(path)}`, {
    because: say`its current size is ${currentSize} bytes, its geometry ${geometry} comes to ${chsSize}, and programs differ in which they take; bytes ${start} to ${end} between them ${between.words}${beyond}`,
    remedy: ways,
    path,
    format: "vpc",
    structure: VhdFooterFields.name,
    hostOffset: footerOffset + VhdFooterFields.fields.currentSize.at,
  });
}

/** What to do, by the command line's name of `-o`. */
export function choosing(size: "current" | "chs"): Words {
  return say`choose with ${option("target-format-options", `${SIZE_FROM.name}=${size}`)}`;
}

/** A field may say anything: no more than so much is read at either end. A cylinder, by which the two differ, has 2 MiB at most. */
const LOOKED_AT = 4 * MiB;

export interface Between {
  /** True where nothing but zeros can lie there. */
  readonly isZero: boolean;
  /** As it goes on after "bytes ... ". */
  readonly words: Words;
}

/** What the file holds in a range. */
export async function lookBetween(storage: Storage, start: number, end: number): Promise<Between> {
  if (end <= start) return { isZero: false, words: "lie outside the file" };
  const first = await readZeroFilled(storage, start, Math.min(LOOKED_AT, end - start));
  const lastStart = Math.max(start + first.length, end - LOOKED_AT);
  const last = await readZeroFilled(storage, lastStart, end - lastStart);
  const backupAt = gptHeaderIn(first, start) ?? gptHeaderIn(last, lastStart);
  if (backupAt !== undefined) {
    return { isZero: false, words: say`hold data, a GPT's backup header at ${placeAt(backupAt)} among it` };
  }
  if (!isZero(first) || !isZero(last)) return { isZero: false, words: "hold data" };
  return lastStart > start + first.length
    ? { isZero: false, words: "begin and end with zeros" }
    : { isZero: true, words: "are zeros" };
}

function gptHeaderIn(bytes: Uint8Array, hostOffset: number): number | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < buffer.length; at += SECTOR_SIZE) {
    if (buffer.toString("latin1", at, at + 8) === "EFI PART") return hostOffset + at;
  }
  return undefined;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
