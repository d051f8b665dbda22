/** The images with real data: 10 GiB of disk, 4 GiB of it written, as qemu-img lays them out. */

import { execFileSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { formats } from "./formats.ts";
import { syncFile } from "./measure.ts";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

export interface DataImages {
  /** By the format's name. */
  readonly paths: ReadonlyMap<string, string>;
  readonly dataBytes: number;
  /** For the table: `10 GiB virtual, 4 GiB data`. */
  readonly sizes: string;
}

/** Stretches of 2 MiB of data and 3 MiB of nothing, all over the disk. */
export function makeDataImages(folder: string, scale = 1): DataImages {
  const virtualSize = Math.round(10 * GiB * scale);
  const raw = join(folder, "disk.raw");
  const block = Buffer.allocUnsafe(2 * MiB);
  const file = openSync(raw, "w");
  let dataBytes = 0;
  for (let at = 0; at < virtualSize; at += 5 * MiB) {
    // Every 64 KiB is unlike all others, which is all that matters, and quick.
    if (at % (320 * MiB) === 0) randomFillSync(block);
    for (let stamp = 0; stamp < block.length; stamp += 4096) block.writeDoubleLE(at + stamp, stamp);
    writeSync(file, block, 0, block.length, at);
    dataBytes += block.length;
  }
  ftruncateSync(file, virtualSize);
  closeSync(file);
  const paths = new Map(formats.map(({ name }) => [name, join(folder, `source.${name}`)]));
  for (const [format, path] of paths) {
    execFileSync("qemu-img", ["convert", "-f", "raw", "-O", format, raw, path]);
    syncFile(path);
  }
  rmSync(raw);
  const inGiB = (bytes: number): string => `${Number((bytes / GiB).toFixed(1))} GiB`;
  return { paths, dataBytes, sizes: `${inGiB(virtualSize)} virtual, ${inGiB(dataBytes)} data` };
}
