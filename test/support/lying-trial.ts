/** Conversions in which bits flip on their way to the file or from it, and what must be true of their ends. */

import { createHash } from "node:crypto";
import { expect } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { convert } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { rollback } from "../../src/convert/recover.ts";
import { openImage } from "../../src/formats/registry.ts";
import { digestGuest } from "../../src/image/guest/digest.ts";
import { openGuestView } from "../../src/image/guest/view.ts";
import { checkOf } from "../../src/image/source.ts";
import { journalNamesOf } from "../../src/journal/names.ts";
import { MemoryVolume, memoryStorage } from "../../src/storage/memory.ts";
import { buildQedImage, type QedImageDescription } from "../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "./crash-scenario.ts";
import { type Lies, type LyingStage, LyingVolume } from "./lying-volume.ts";

export const CLUSTER = 4096;
export const SPARSE: QedImageDescription = {
  clusterSize: CLUSTER,
  tableSize: 2,
  virtualSize: 40 * CLUSTER,
  data: [0, 1, 5, 9, 17, 39],
  zero: [3, 20],
};
export const BESIDE = journalNamesOf(IMAGE_PATH);
/** Bits that are tried in each write, spread over its bytes that are not zero. */
const BITS = 40;

export interface Case {
  readonly name: string;
  readonly image: Uint8Array;
  readonly from: string;
  readonly to: string;
  readonly options: ConvertOptions;
}

async function qcow2Of(description: QedImageDescription, made: Record<string, string>): Promise<Uint8Array> {
  const volume = new MemoryVolume({ [IMAGE_PATH]: buildQedImage(description).bytes });
  await convert(IMAGE_PATH, "qcow2", { options: made }, testHost(volume));
  return volume.snapshot(IMAGE_PATH);
}

const qed = { from: "qed", to: "qcow2", image: buildQedImage(SPARSE).bytes };
const qcow2 = { from: "qcow2", to: "qed", image: await qcow2Of(SPARSE, {}) };
const small = { from: "qcow2", to: "qed", image: await qcow2Of(SPARSE, { cluster_size: "512" }) };
export const WAYS: Case[] = [
  { name: "qed to qcow2", ...qed, options: {} },
  { name: "qed to qcow2, units moved", ...qed, options: { options: { cluster_size: "16k" } } },
  { name: "qcow2 to qed", ...qcow2, options: {} },
  { name: "qcow2 to qed, units moved", ...small, options: {} },
];
export const CASES: Case[] = WAYS.flatMap((way) => [
  way,
  { ...way, name: `${way.name}, no checksum`, options: { ...way.options, checksum: "none" } as ConvertOptions },
]);

export interface Call {
  readonly hostOffset: number;
  readonly bytes: Uint8Array;
  readonly stage: LyingStage;
}

/** What an undisturbed conversion writes to the image and reads from it, in order. */
export async function callsOf({ image, to, options }: Case): Promise<{ writes: Call[]; reads: Call[] }> {
  const [writes, reads]: [Call[], Call[]] = [[], []];
  const note = (calls: Call[]) => (hostOffset: number, bytes: Uint8Array, stage: LyingStage) => {
    calls.push({ hostOffset, bytes: new Uint8Array(bytes), stage });
    return bytes;
  };
  const volume = new LyingVolume(new MemoryVolume({ [IMAGE_PATH]: image }), IMAGE_PATH, {
    write: note(writes),
    read: note(reads),
  });
  await convert(IMAGE_PATH, to, options, testHost(volume));
  return { writes, reads };
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export async function guestOf(bytes: Uint8Array): Promise<string> {
  return digestGuest(await openGuestView([await openImage(memoryStorage(bytes))]), "blkhash-sha256");
}

export interface Ending {
  /** Undefined where it went well. */
  readonly error: ImageError | undefined;
  readonly volume: MemoryVolume;
}

export async function endingOf(volume: MemoryVolume, run: (volume: MemoryVolume) => Promise<unknown>): Promise<Ending> {
  const error = await run(volume).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined && !(error instanceof ImageError)) throw error;
  return { error, volume };
}

export function lied({ image, to, options }: Case, lies: Lies): Promise<Ending> {
  return endingOf(new MemoryVolume({ [IMAGE_PATH]: image }), (volume) =>
    convert(IMAGE_PATH, to, options, testHost(new LyingVolume(volume, IMAGE_PATH, lies))),
  );
}

/** Exit 1 with the old bytes, and nothing beside them. */
export function expectPutBack({ error, volume }: Ending, image: Uint8Array): void {
  expect(error).toMatchObject({ rolledBack: true, journal: undefined });
  expect(error?.message).toMatch(/; the image was put back as it was$/);
  expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  expect(sha256(volume.snapshot(IMAGE_PATH))).toBe(sha256(image));
}

/** Exit 4; the way back that the message names leads to the old bytes. */
export async function expectStandingAndBack({ error, volume }: Ending, image: Uint8Array): Promise<void> {
  expect(error).toMatchObject({ journal: BESIDE.journal });
  expect(error?.rolledBack ?? false).toBe(false);
  expect(error?.message).toContain(`inplace-convert resume ${IMAGE_PATH}`);
  expect(error?.message).toContain(`inplace-convert rollback ${IMAGE_PATH}`);
  await rollback(IMAGE_PATH, {}, testHost(volume));
  expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  expect(sha256(volume.snapshot(IMAGE_PATH))).toBe(sha256(image));
}

/** What no lie did harm to: the target with the source's guest, nothing wrong in it. */
export async function expectFinished({ volume }: Ending, { image, to }: Pick<Case, "image" | "to">): Promise<void> {
  const bytes = volume.snapshot(IMAGE_PATH);
  const opened = await openImage(memoryStorage(bytes));
  expect(opened.format).toBe(to);
  expect(await checkOf(opened)).toMatchObject({ corruptions: 0, checkErrors: 0, leaks: 0 });
  expect(await guestOf(bytes)).toBe(await guestOf(image));
  expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
}

/** Some of the bytes that say anything. */
export function placesIn(bytes: Uint8Array): number[] {
  const places = [...bytes.keys()].filter((at) => bytes[at] !== 0);
  const step = Math.max(1, Math.floor(places.length / BITS));
  return places.filter((_, index) => index % step === 0);
}
