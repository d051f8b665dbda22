/** Guests of the matrix: what is written, in which order, so that units of a source lie as the name of the guest says. */

import { execFile } from "node:child_process";
import { open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { MatrixKit } from "../formats/kit.ts";
import { GiB, KiB, MiB } from "../formats/matrix-image.ts";
import { qemuIo, run } from "./qemu-tools.ts";
import { seededRandom } from "./random.ts";

const execute = promisify(execFile);

export const GUESTS = [
  "full",
  "empty",
  "reversed",
  "random",
  "one long cycle",
  "one sector",
  "odd length",
  "sparse beyond 4 GiB",
  "a GPT disk",
] as const;
export type Guest = (typeof GUESTS)[number];

/** Guests that differ in nothing but where their units lie. */
const ORDERS: readonly Guest[] = ["reversed", "random", "one long cycle"];

export function guestsOf(clusterSize: number | undefined): readonly Guest[] {
  return clusterSize === undefined ? GUESTS.filter((guest) => !ORDERS.includes(guest)) : GUESTS;
}

type Write = readonly [start: number, length: number, pattern: number];

const PARTITION = { first: 2048, sectors: 8 * 2048 };
const GPT_SECTORS = 11 * 2048 + 37;

/** Makes the image by qemu-img and qemu-io, and a raw file of its guest, of nothing but what was written. */
export async function makeMatrixImage(
  kit: { readonly name: string; readonly matrix: MatrixKit },
  clusterSize: number | undefined,
  guest: Guest,
  image: string,
  rawPath: string,
): Promise<void> {
  const { makeOptions = kit.matrix.options } = kit.matrix;
  const options = Object.entries(makeOptions(clusterSize)).map(([name, value]) => `${name}=${value}`);
  const made = options.length === 0 ? [] : ["-o", options.join(",")];
  if (guest === "a GPT disk") await makeGptDisk(rawPath);
  else await writeRaw(rawPath, sizeOf(guest, kit.name, clusterSize), writesOf(guest, clusterSize ?? 64 * KiB));
  const isWritten = clusterSize !== undefined && guest !== "a GPT disk";
  if (!isWritten) {
    if (kit.name === "raw") await run("cp", ["--sparse=always", rawPath, image]);
    else await run("qemu-img", ["convert", "-t", "unsafe", "-f", "raw", "-O", kit.name, ...made, rawPath, image]);
    return;
  }
  const size = sizeOf(guest, kit.name, clusterSize);
  await run("qemu-img", ["create", "-q", "-f", kit.name, ...made, image, String(size)]);
  const writes = writesOf(guest, clusterSize);
  await qemuIo(
    image,
    kit.name,
    writes.map(([start, length, pattern]) => `write -P ${pattern} ${start} ${length}`),
  );
}

function clustersOf(clusterSize: number): number {
  return clusterSize >= MiB ? 9 : clusterSize <= 4 * KiB ? 200 : 40;
}

function sizeOf(guest: Guest, format: string, clusterSize = 64 * KiB): number {
  if (guest === "one sector") return 512;
  if (guest === "sparse beyond 4 GiB") return 5 * GiB + 3 * 512;
  const whole = clustersOf(clusterSize) * clusterSize;
  // A file may end anywhere, a disk of clusters at any sector.
  return guest === "odd length" ? whole - (format === "raw" ? 300 : 512) : whole;
}

function writesOf(guest: Guest, clusterSize: number): readonly Write[] {
  const last = sizeOf(guest, "", clusterSize);
  const patternOf = (at: number) => 1 + (at % 251);
  if (guest === "empty") return [];
  if (guest === "one sector") return [[0, 512, 7]];
  if (guest === "sparse beyond 4 GiB") {
    const places = [4 * GiB + 64 * KiB, 0, last - 512, 4 * GiB - 512, 70_000 * KiB];
    return places.map((start, at) => [start, Math.min(1024, last - start), patternOf(at)]);
  }
  const all = Array.from(
    { length: clustersOf(clusterSize) },
    (_, at): Write => [at * clusterSize, Math.min(clusterSize, last - at * clusterSize), patternOf(at)],
  );
  if (guest === "reversed") return all.toReversed();
  if (guest === "random") return seededRandom(clusterSize).shuffle(all);
  if (guest === "one long cycle") return [...all.slice(1), ...all.slice(0, 1)];
  return all;
}

async function writeRaw(path: string, size: number, writes: readonly Write[]): Promise<void> {
  await writeFile(path, "");
  await truncate(path, size);
  const file = await open(path, "r+");
  try {
    for (const [start, length, pattern] of writes) {
      const bytes = Buffer.alloc(Math.min(length, size - start), pattern);
      await file.write(bytes, 0, bytes.length, start);
    }
  } finally {
    await file.close();
  }
}

const SLOW = "sync,fsync,clock_nanosleep";
/** Without the sync of the whole machine and the second that sgdisk waits for devices to come up. */
export function sgdisk(...words: string[]): Promise<string> {
  const hurried = ["-qq", "-o", "/dev/null", "-e", `trace=${SLOW}`, "-e", `inject=${SLOW}:retval=0`];
  return run("strace", [...hurried, "sgdisk", ...words]);
}

async function makeGptDisk(path: string): Promise<void> {
  await writeFile(path, "");
  await truncate(path, GPT_SECTORS * 512);
  await sgdisk("-o", `-n1:${PARTITION.first}:${PARTITION.first + PARTITION.sectors - 1}`, path);
  const size = `${PARTITION.sectors / 2}k`;
  await run("mkfs.ext4", ["-q", "-F", "-E", `offset=${PARTITION.first * 512}`, "-O", "^has_journal", path, size]);
}

/** The partition table and the file system inside, by those who know them. */
export async function assertGptDisk(rawPath: string): Promise<void> {
  const said = await sgdisk("-v", rawPath);
  if (!said.includes("No problems found")) throw new Error(`sgdisk: ${said}`);
  const part = `${rawPath}.part`;
  const start = PARTITION.first * 512;
  await writeFile(part, (await readFile(rawPath)).subarray(start, start + PARTITION.sectors * 512));
  await execute("e2fsck", ["-fn", part]);
  await rm(part);
}
