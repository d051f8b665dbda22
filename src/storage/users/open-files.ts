/**
 * Who else has the image open for writing without a lock, as Linux tells by /proc/PID/fd and fdinfo (proc(5)).
 *
 * Cheapest look first, since a machine has thousands of open files: the name of the link, then flags and inode number
 * from fdinfo, and only for what is left a stat, which could wait for a file system that does not answer.
 */

import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from "node:fs";
import { basename } from "node:path";
import { codeOf } from "../host-error.ts";
import type { FileIdentity, Look } from "../storage.ts";

/** `O_WRONLY` and `O_RDWR` in the flags of open(2). */
const WRITES = 0o3;
/** `O_PATH`: a place, no file that could be written through it. */
const PATH_ONLY = 0o10000000;

/** What no image is kept in, and what is no file at all. */
const NO_IMAGES = /^(?!\/)|^\/(?:dev\/(?!shm\/)|proc\/|sys\/|memfd:)/;

const SYSTEM_PROC = "/proc";

/** One descriptor that its process writes through. */
interface OpenForWriting {
  readonly folder: string;
  readonly process: string;
  readonly file: string;
  readonly name: string;
  /** Undefined before Linux 5.14, which tells none. */
  readonly inode: bigint | undefined;
}

interface SeenOpen {
  readonly proc: string;
  /** When it began, by `performance.now()`. */
  readonly time: number;
  readonly files: readonly OpenForWriting[];
}

let latest: SeenOpen | undefined;

/**
 * One phrase for each other process that has the file open for writing. Processes of other users show nothing unless
 * we are root, and neither do those outside our PID namespace. Synchronous: a thousand calls by way of the thread pool
 * would cost ten times as much as the calls themselves.
 */
export function findWriters(
  path: string,
  identity: FileIdentity,
  look: Exclude<Look, "locks">,
  proc: string = SYSTEM_PROC,
): string[] {
  const files = look === "anew" ? newLook(proc) : lookSince(look.since, proc);
  const writers = files.filter((file) => isOpenOn(file, path, identity));
  const processes = new Map(writers.map((writer) => [writer.process, writer.folder]));
  return Array.from(processes, ([id, folder]) => `process ${id}${commandOf(folder)} has it open for writing`);
}

function lookSince(time: number, proc: string): readonly OpenForWriting[] {
  return latest?.proc === proc && latest.time >= time ? latest.files : newLook(proc);
}

function newLook(proc: string): readonly OpenForWriting[] {
  latest = { proc, time: performance.now(), files: lookAtAll(proc) };
  return latest.files;
}

function lookAtAll(proc: string): OpenForWriting[] {
  const found: OpenForWriting[] = [];
  const areCounted = (countOfOpen(`${proc}/self`) ?? 0) > 0;
  for (const process_ of namesIn(proc)) {
    if (!/^\d+$/.test(process_) || Number(process_) === process.pid) continue;
    const folder = `${proc}/${process_}`;
    if (areCounted && countOfOpen(folder) === 0) continue;
    for (const descriptor of namesIn(`${folder}/fd`)) {
      const file = writerOf(folder, process_, descriptor);
      // What one link of a process hides, all of its links do.
      if (file === "not ours to see") break;
      if (file !== undefined) found.push(file);
    }
  }
  return found;
}

/**
 * How many files a process has open, by the size of the folder since Linux 6.2; before that it is 0. Half of all processes are
 * threads of the kernel, which have none.
 */
function countOfOpen(folder: string): number | undefined {
  try {
    return statSync(`${folder}/fd`, { throwIfNoEntry: false })?.size;
  } catch {
    return undefined;
  }
}

function writerOf(
  folder: string,
  process_: string,
  descriptor: string,
): OpenForWriting | "not ours to see" | undefined {
  try {
    const file = `${folder}/fd/${descriptor}`;
    const name = readlinkSync(file);
    if (NO_IMAGES.test(name)) return undefined;
    const about = beginningOf(`${folder}/fdinfo/${descriptor}`);
    const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(about)?.[1] ?? "0", 8);
    if ((flags & WRITES) === 0 || (flags & PATH_ONLY) !== 0) return undefined;
    const inode = /^ino:\s*(\d+)/m.exec(about)?.[1];
    return { folder, process: process_, file, name, inode: inode === undefined ? undefined : BigInt(inode) };
  } catch (error) {
    // Else it was closed meanwhile, or its process ended.
    return ["EACCES", "EPERM"].includes(codeOf(error) ?? "") ? "not ours to see" : undefined;
  }
}

const BEGINNING = Buffer.alloc(512);

/** Flags and inode number stand in the first lines. A whole read makes two calls and 8 KiB of garbage for each descriptor. */
function beginningOf(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    return BEGINNING.toString("latin1", 0, readSync(descriptor, BEGINNING, 0, BEGINNING.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Where no inode number is told, the name has to do for a first look. */
function isOpenOn({ inode, name, file }: OpenForWriting, path: string, identity: FileIdentity): boolean {
  if (inode === undefined ? basename(name) !== basename(path) : inode !== identity.inode) return false;
  try {
    const facts = statSync(file, { bigint: true });
    return facts.ino === identity.inode && facts.dev === identity.device;
  } catch {
    return false;
  }
}

/** ` (qemu-nbd)`, or nothing; the kernel keeps 15 bytes of it, and the process chose them. */
function commandOf(folder: string): string {
  try {
    const command = readFileSync(`${folder}/comm`, "utf8")
      .trim()
      .replace(/[^\w.+-]/g, "?");
    return command === "" ? "" : ` (${command})`;
  } catch {
    return "";
  }
}

/** What a folder holds, as far as it may be read. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
