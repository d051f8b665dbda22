/** A sparse raw disk that boots: text, noise and holes all over it, and what its boot sector has to say of them. */

import { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { bootSector, GREETING, SECTORS_A_PLACE, sumAfter } from "./boot-sector.ts";
import { seededRandom } from "./random.ts";

const SECTOR = 512;
const MiB = 2 ** 20;
const GiB = 2 ** 30;
/** Of each stretch of data; one begins and ends inside a unit of every format. */
const STRETCH = 2 * MiB + 6 * SECTOR;
const PLACE = SECTORS_A_PLACE * SECTOR;

export interface BootDisk {
  /** LBAs, in the order in which they are read. */
  readonly places: readonly number[];
  /** The line that it prints. */
  readonly says: string;
}

/** Where data lies: at both ends, in the middle, and around each border at which an offset or a file outgrows its kind. */
function stretchesOf(size: number): readonly number[] {
  const borders = [GiB, 2 * GiB, 4 * GiB].filter((border) => border + STRETCH < size);
  return [0, ...borders.map((border) => border - STRETCH / 2), size / 2 + 3 * MiB + SECTOR, size - STRETCH];
}

/** In each stretch: its first and its last sectors, both of its ends with what lies beyond, its middle, two by chance; and holes. */
function placesOf(size: number, seed: number): readonly number[] {
  const random = seededRandom(seed);
  const inside = stretchesOf(size).flatMap((start) => [
    start,
    start - PLACE / 2,
    start + STRETCH - PLACE / 2,
    start + STRETCH / 2 - PLACE / 2,
    start + SECTOR * random.below((STRETCH - PLACE) / SECTOR),
    start + SECTOR * random.below((STRETCH - PLACE) / SECTOR),
    start + STRETCH - PLACE,
  ]);
  const holes = [64 * MiB, size / 2 - 5 * MiB, size - 64 * MiB];
  return [...inside, ...holes].filter((at) => at >= 0 && at + PLACE <= size).map((at) => at / SECTOR);
}

/** Writes it at `path`; `size` in bytes, more than 128 MiB. */
export function writeBootDisk(path: string, size: number, seed: number): BootDisk {
  const random = seededRandom(seed);
  const places = placesOf(size, seed);
  const file = openSync(path, "wx+");
  try {
    ftruncateSync(file, size);
    for (const start of stretchesOf(size)) {
      const bytes = Buffer.alloc(STRETCH);
      for (let at = 0; at < STRETCH; at += SECTOR) {
        // By turns of 64 KiB, so that clusters of every kind come about.
        const kind = Math.floor(at / (64 * 1024)) % 4;
        if (kind < 2) bytes.fill(`sector ${(start + at) / SECTOR}, `, at, at + SECTOR);
        else if (kind === 2)
          for (let word = at; word < at + SECTOR; word += 4) bytes.writeUInt32LE(random.below(2 ** 32), word);
      }
      writeSync(file, bytes, 0, STRETCH, start);
    }
    writeSync(file, bootSector(places), 0, SECTOR, 0);
    return { places, says: lineOf(file, places) };
  } finally {
    closeSync(file);
  }
}

/** What the boot sector prints of the disk in an open raw file. */
function lineOf(file: number, places: readonly number[]): string {
  const bytes = Buffer.alloc(PLACE);
  const said = [GREETING];
  let sum = 0;
  for (const place of places) {
    readSync(file, bytes, 0, PLACE, place * SECTOR);
    sum = sumAfter(bytes, sum);
    said.push(sum.toString(16).padStart(8, "0"));
  }
  return said.join(" ");
}

/** Changes one bit of the last sector of the place at `index`, from the end where it is negative; answers the place. */
export function damage(path: string, { places }: BootDisk, index: number): number {
  const place = places.at(index) as number;
  const at = (place + SECTORS_A_PLACE - 1) * SECTOR + 100;
  const file = openSync(path, "r+");
  try {
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    writeSync(file, Buffer.of((byte[0] as number) ^ 0x10), 0, 1, at);
    return place;
  } finally {
    closeSync(file);
  }
}
