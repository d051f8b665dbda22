/** A small file system of one's own, mounted: how much of it is free is said, and taken back. Needs the right to mount. */

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { open, rm, statfs, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface SmallDisk {
  readonly folder: string;
  /** Leaves so many bytes, in whole blocks, for whoever writes next. */
  leave(free: number): Promise<void>;
  /** All of its space again. */
  clear(): Promise<void>;
  unmount(): void;
}

export const DISK_KINDS = ["tmpfs", "ext4"] as const;
export type DiskKind = (typeof DISK_KINDS)[number];

const SIZE = 48 * 2 ** 20;
const PAGE = 4096;

function run(program: string, ...words: readonly string[]): void {
  execFileSync(program, words, { stdio: ["ignore", "pipe", "pipe"] });
}

/** Mounts a fresh one at `folder`, which is made. */
export async function mountSmallDisk(kind: DiskKind, folder: string): Promise<SmallDisk> {
  mkdirSync(folder);
  return kind === "tmpfs" ? onTmpfs(folder) : onExt4(folder);
}

/** Of how many files one never has the inode numbers of another: a lock on one would be taken for a lock on the other. */
const INODES_APART = 512;
let made = 0;

/** The next file has a number that so many had before; only where numbers are not given twice. */
function skipInodes(folder: string, count: number): void {
  const place = join(folder, "skipped");
  for (let at = 0; at < count; at++) {
    writeFileSync(place, "");
    rmSync(place);
  }
}

/** Its size is what it is told, whatever is in it. */
function onTmpfs(folder: string): SmallDisk {
  // Named whole: what it is mounted with already may not be said again by a user who is root of no more than a namespace.
  const resize = (size: number) => run("mount", "-t", "tmpfs", "-o", `remount,size=${size}`, "tmpfs", folder);
  run("mount", "-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", folder);
  skipInodes(folder, INODES_APART * made++);
  return {
    folder,
    async leave(free) {
      const { blocks, bfree, bsize } = await statfs(folder);
      // Not a page less than what is in it; 0 would stand for no bound at all.
      resize(Math.max(PAGE, (blocks - bfree) * bsize + Math.floor(free / PAGE) * PAGE));
    },
    clear: async () => resize(SIZE),
    unmount: () => unmount(folder),
  };
}

/** Space is given late there, at a sync too; another file takes what is not to be free. */
async function onExt4(folder: string): Promise<SmallDisk> {
  const disk = `${folder}.disk`;
  const filler = join(folder, "filler");
  await writeFile(disk, "");
  await truncate(disk, SIZE);
  run("mkfs.ext4", "-q", "-m", "0", "-b", "4096", disk);
  run("mount", "-o", "loop", disk, folder);
  return {
    folder,
    async leave(free) {
      run("sync", "-f", folder);
      const { bavail, bsize } = await statfs(folder);
      await fill(filler, bavail * bsize - free, free === 0);
    },
    clear: () => rm(filler, { force: true }),
    unmount() {
      unmount(folder);
      rmSync(disk);
    },
  };
}

function unmount(folder: string): void {
  run("umount", folder);
  rmSync(folder, { recursive: true });
}

/** Takes so many bytes, or, with `toTheLast`, what there is behind them too; the file system itself may need some of it. */
async function fill(path: string, bytes: number, toTheLast: boolean): Promise<void> {
  let [taken, next] = [0, Math.floor(bytes / PAGE) * PAGE];
  await writeFile(path, "");
  while (next >= PAGE && taken + next <= bytes) {
    try {
      run("fallocate", "-o", String(taken), "-l", String(next), path);
      taken += next;
    } catch {
      next = Math.floor(next / 2 / PAGE) * PAGE;
    }
  }
  if (!toTheLast) return;
  const file = await open(path, "r+");
  try {
    for (;;) {
      await file.write(Buffer.alloc(PAGE, 7), 0, PAGE, taken);
      await file.sync();
      taken += PAGE;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    await file.close();
  }
}

/** What goes before a command so that it may mount; throws plainly where nothing does. */
export function mayMount(): readonly string[] {
  const ways = [[], ["unshare", "--user", "--map-root-user", "--mount"]];
  const reasons: string[] = [];
  for (const way of ways) {
    const probe = [...way, "sh", "-c", 'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && umount "$d" && rmdir "$d"'];
    try {
      run(...(probe as [string]));
      return way;
    } catch (error) {
      reasons.push((error as Error).message.trim());
    }
  }
  throw new Error(
    `Cannot make a small file system: neither mount as this user nor unshare --user --map-root-user --mount works here (${reasons.join("; ")})`,
  );
}
