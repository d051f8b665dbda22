/** VHDs read by 7-Zip and libvhdi, which share no code with QEMU. */

import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { alignUp, SECTOR_SIZE } from "../../../src/bytes/align.ts";
import { MiB } from "../matrix-image.ts";

const execute = promisify(execFile);
/** 7-Zip writes out every byte, holes too. */
const MOST_READ = 64 * MiB;

/** Throws unless both take the disk for the raw file's sectors, the last filled up with zeros, and 7-Zip sees these bytes. */
export async function readByOthers(image: string, rawPath: string): Promise<void> {
  const { size: rawSize } = await stat(rawPath);
  const size = alignUp(rawSize, SECTOR_SIZE);
  const { stdout: said } = await execute("vhdiinfo", [image], { encoding: "utf8" });
  const told = Number(/Media size\s*:.*?(\d+) bytes/.exec(said)?.[1]);
  if (told !== size) throw new Error(`libvhdi takes the disk for ${told} bytes, not ${size}`);
  if (size > MOST_READ) return;
  const options = { encoding: "buffer", maxBuffer: 2 * MOST_READ } as const;
  const { stdout } = await execute("7zz", ["e", "-so", "-tvhd", image], options);
  const wanted = Buffer.concat([await readFile(rawPath), Buffer.alloc(size - rawSize)]);
  if (!stdout.equals(wanted)) throw new Error("7-Zip sees another guest");
}
