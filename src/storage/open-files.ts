/**
 * Who else has the image open for writing without a lock, as Linux tells by /proc/PID/fd and fdinfo (proc(5)).
 *
 * Cheapest look first, since a machine has thousands of open files: the name of the link, then flags and inode number
 * from fdinfo, and only for what is left a stat, which could wait for a file system that does not answer.
 */

import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { FileIdentity } from "./file-storage.ts";
import { codeOf } from "./host-error.ts";

/** `O_WRONLY` and `O_RDWR` in the flags of open(2). */
const WRITES = 0o3;
/** `O_PATH`: a place, no file that could be written through it. */
const PATH_ONLY = 0o10000000;

/** What no image is kept in, and what is no file at all. */
const NO_IMAGES = /^(?!\/)|^\/(?:dev\/(?!shm\/)|proc\/|sys\/|memfd:)/;

/**
 * One phrase for each other process that has the file open for writing. Processes of other users show nothing unless
 * we are root, and neither do those outside our PID namespace. Synchronous: a thousand calls by way of the thread pool
 * would cost ten times as much as the calls themselves.
 */
export function findWriters(path: string, identity: FileIdentity, proc: string): string[] {
  const found: string[] = [];
  for (const process_ of namesIn(proc)) {
    if (!/^\d+$/.test(process_) || Number(process_) === process.pid) continue;
    const folder = `${proc}/${process_}`;
    for (const descriptor of namesIn(`${folder}/fd`)) {
      const answer = isWriter(folder, descriptor, path, identity);
      if (answer === "yes") found.push(`process ${process_}${commandOf(folder)} has it open for writing`);
      // What one link of a process hides, all of its links do.
      if (answer !== "no") break;
    }
  }
  return found;
}

function isWriter(
  folder: string,
  descriptor: string,
  path: string,
  identity: FileIdentity,
): "yes" | "no" | "not ours to see" {
  try {
    const file = `${folder}/fd/${descriptor}`;
    const name = readlinkSync(file);
    if (NO_IMAGES.test(name)) return "no";
    const about = readFileSync(`${folder}/fdinfo/${descriptor}`, "latin1");
    const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(about)?.[1] ?? "0", 8);
    if ((flags & WRITES) === 0 || (flags & PATH_ONLY) !== 0) return "no";
    // Linux before 5.14 tells no inode number there; its name has to do then.
    const inode = /^ino:\s*(\d+)/m.exec(about)?.[1];
    const isCandidate = inode === undefined ? basename(name) === basename(path) : BigInt(inode) === identity.inode;
    if (!isCandidate) return "no";
    const facts = statSync(file, { bigint: true });
    return facts.ino === identity.inode && facts.dev === identity.device ? "yes" : "no";
  } catch (error) {
    const isHidden = ["EACCES", "EPERM"].includes(codeOf(error) ?? "");
    // Else it was closed meanwhile, or its process ended.
    return isHidden ? "not ours to see" : "no";
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
