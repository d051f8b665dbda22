/** qcow of version 1 read by 7-Zip and libqcow, which share no code with QEMU. */

import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { MiB } from "../matrix-image.ts";

const execute = promisify(execFile);
/** 7-Zip writes out every byte, holes too. */
const MOST_READ = 64 * MiB;

/**
 * Throws unless both take the disk for as long as the raw file, in whole sectors, and 7-Zip, which inflates nothing of a
 * qcow, sees the same bytes.
 */
export async function readByOthers(image: string, rawPath: string, isCompressed = false): Promise<void> {
  const size = Math.ceil((await stat(rawPath)).size / 512) * 512;
  const { stdout: said } = await execute("qcowinfo", [image], { encoding: "utf8" });
  if (!/Format version\s*: 1\b/.test(said)) throw new Error(`libqcow: ${said}`);
  const told = Number(/Media size\s*:.*?(\d+) bytes/.exec(said)?.[1]);
  if (told !== size) throw new Error(`libqcow takes the disk for ${told} bytes, not ${size}`);
  if (size > MOST_READ || isCompressed) return;
  const options = { encoding: "buffer", maxBuffer: 2 * MOST_READ } as const;
  const { stdout } = await execute("7zz", ["e", "-so", "-tqcow", image], options);
  const guest = Buffer.alloc(size);
  (await readFile(rawPath)).copy(guest);
  if (!stdout.equals(guest)) throw new Error("7-Zip sees another guest");
}
