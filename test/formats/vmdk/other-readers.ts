/** VMDKs read by 7-Zip and libvmdk, which share no code with QEMU. */

import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import { MiB } from "../matrix-image.ts";

const execute = promisify(execFile);
/** 7-Zip writes out every byte, holes too. */
const MOST_READ = 64 * MiB;

/** Of a kind by libvmdk's name: throws unless both take the disk for as long as the raw file, in whole sectors, and 7-Zip sees the same bytes. */
export function readByOthers(kind: RegExp): (image: string, rawPath: string) => Promise<void> {
  return async (image, rawPath) => {
    const size = Math.ceil((await stat(rawPath)).size / 512) * 512;
    const [cwd, name] = [dirname(image), basename(image)];
    const { stdout: said } = await execute("vmdkinfo", [name], { cwd, encoding: "utf8" });
    if (!kind.test(/Disk type:\s*(.*)/.exec(said)?.[1] ?? "")) throw new Error(`libvmdk: ${said}`);
    const told = Number(/Media size\s*:.*?(\d+) bytes/.exec(said)?.[1]);
    if (told !== size) throw new Error(`libvmdk takes the disk for ${told} bytes, not ${size}`);
    if (size > MOST_READ) return;
    const options = { cwd, encoding: "buffer", maxBuffer: 2 * MOST_READ } as const;
    const { stdout } = await execute("7zz", ["e", "-so", "-tvmdk", name], options);
    const guest = Buffer.alloc(size);
    (await readFile(rawPath)).copy(guest);
    if (!stdout.equals(guest)) throw new Error("7-Zip sees another guest");
  };
}
