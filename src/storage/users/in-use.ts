/**
 * Who else has an image open, as far as Linux tells: the table of file locks, the loop devices, the open files of other
 * processes. This detects; it does not exclude.
 *
 * QEMU locks single bytes of 100..299 of every image that it opens, even for reading: 100 and up for what it does,
 * 200 and up for what it does not share (seen in /proc/locks; byte 101 is there for writers only).
 */

import { closeSync, existsSync, openSync, read, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { ImageError } from "../../bytes/image-error.ts";
import { giveScratchBack, takeScratch } from "../../bytes/scratch.ts";
import { codeOf } from "../host-error.ts";
import type { FileIdentity, Look, OtherUsers } from "../storage.ts";
import { findWriters } from "./open-files.ts";

const QEMU_FIRST_BYTE = 100;
const QEMU_LAST_BYTE = 299;
/** QEMU's byte for "writes", held only by those who do. */
const QEMU_WRITE_BYTE = 101;

/**
 * The inode number that Linux gives the first PID namespace. Inside others, locks that belong to outside processes are
 * hidden; QEMU's belong to open files and are shown (seen on Linux 6.18), but not by every kernel.
 */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

/** One line of /proc/locks. */
export interface FileLock {
  /** `POSIX`, `FLOCK`, `OFDLCK`, `LEASE` and the like. */
  readonly kind: string;
  readonly access: string;
  /** -1 where the lock belongs to an open file, not to a process. */
  readonly processId: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly inode: bigint;
  readonly firstByte: number;
  /** Inclusive; `Infinity` to the end of file. */
  readonly lastByte: number;
}

/** Where to look; only tests look elsewhere. */
export interface SystemFolders {
  readonly platform: NodeJS.Platform;
  readonly proc: string;
  readonly sys: string;
}

const SYSTEM: SystemFolders = { platform: process.platform, proc: "/proc", sys: "/sys" };

/** Looks at everything that this platform shows of the file; never throws, what can't be looked at is `blind`. */
export async function findOtherUsers(
  path: string,
  identity: FileIdentity,
  look: Exclude<Look, "locks">,
  system: SystemFolders = SYSTEM,
): Promise<OtherUsers> {
  if (system.platform !== "linux") return { found: [], blind: [`file locks and open files on ${system.platform}`] };
  const asked = findLocks(identity, system);
  const open = findWriters(path, identity, look, system.proc);
  const [locks, loops] = await Promise.all([asked, findLoops(path, identity, system)]);
  // Who holds a lock has it open as well, and says so once.
  const writers = locks.found.length > 0 ? [] : open;
  return {
    found: [...locks.found, ...loops.found, ...writers],
    writers: locks.writers ?? [],
    blind: [...locks.blind, ...loops.blind],
  };
}

/** The quick part of it: locks alone. */
export async function findLockHolders(identity: FileIdentity, system: SystemFolders = SYSTEM): Promise<OtherUsers> {
  if (system.platform !== "linux") return { found: [], blind: [`file locks on ${system.platform}`] };
  return findLocks(identity, system);
}

/** Reads the lines of /proc/locks; throws kind `io` on one that isn't understood, since it might be ours. */
export function parseLocks(text: string): FileLock[] {
  const locks: FileLock[] = [];
  for (const line of text.split("\n")) {
    // "1: OFDLCK ADVISORY  READ -1 fe:00:2147135 100 101"; those who wait have "->" after the number.
    const [, kind, , access, processId, place, first, last] = line.replace("->", " ").trim().split(/\s+/);
    if (line === "") continue;
    // A lock whose file is already gone.
    if (place?.startsWith("<none>")) continue;
    const [major, minor, inode] = place?.split(":") ?? [];
    if (inode === undefined || !/^\d+$/.test(inode) || !/^\d+$/.test(first ?? "") || last === undefined) {
      throw new ImageError("io", `Cannot understand /proc/locks: "${line}"`, { operation: "look for other users" });
    }
    locks.push({
      kind: kind ?? "",
      access: access ?? "",
      processId: Number(processId),
      deviceMajor: Number.parseInt(major ?? "", 16),
      deviceMinor: Number.parseInt(minor ?? "", 16),
      inode: BigInt(inode),
      firstByte: Number(first),
      lastByte: last === "EOF" ? Number.POSITIVE_INFINITY : Number(last),
    });
  }
  return locks;
}

/**
 * The locks that can be on the file. overlay and btrfs show another device number than stat does, so another number
 * acquits a lock only where it does not look like QEMU's and both devices are real ones (major number not 0).
 */
export function locksOn(identity: FileIdentity, locks: readonly FileLock[]): FileLock[] {
  const { major, minor } = deviceNumbers(identity.device);
  return locks.filter((lock) => {
    if (lock.inode !== identity.inode) return false;
    if (lock.lastByte < QEMU_FIRST_BYTE || lock.firstByte > QEMU_LAST_BYTE) return false;
    const sameDevice = lock.deviceMajor === major && lock.deviceMinor === minor;
    return sameDevice || isQemus(lock) || lock.deviceMajor === 0 || major === 0;
  });
}

/**
 * Not blocking: the kernel keeps all who take locks out while it tells of them, and waits for the last one to be through,
 * which was seen to take 20 ms. The other looks are made meanwhile.
 */
async function findLocks(identity: FileIdentity, system: SystemFolders): Promise<OtherUsers> {
  const blind: string[] = [];
  const namespace = namespaceOf(join(system.proc, "self/ns/pid"));
  if (namespace !== FIRST_PID_NAMESPACE) blind.push("locks of processes outside this container (/proc/locks)");
  try {
    const locks = locksOn(identity, parseLocks(await readTable(join(system.proc, "locks"))));
    const writing = locks.filter((lock) => isQemus(lock) && covers(lock, QEMU_WRITE_BYTE));
    return { found: describe(identity, locks), writers: describe(identity, writing), blind };
  } catch {
    return { found: [], blind: ["file locks (/proc/locks)"] };
  }
}

/** As `readFile`, which of a file that tells no length takes 64 KiB of new memory, and three more turns of other threads. */
async function readTable(path: string): Promise<string> {
  const descriptor = openSync(path, "r");
  const buffer = takeScratch(0);
  try {
    let text = "";
    for (;;) {
      const count = await new Promise<number>((resolve, reject) => {
        read(descriptor, buffer, 0, buffer.length, null, (error, done) => (error ? reject(error) : resolve(done)));
      });
      if (count === 0) return text;
      text += Buffer.from(buffer.buffer, 0, count).toString("latin1");
    }
  } finally {
    giveScratchBack(buffer);
    closeSync(descriptor);
  }
}

function namespaceOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function describe(identity: FileIdentity, locks: readonly FileLock[]): string[] {
  const { major, minor } = deviceNumbers(identity.device);
  const phrases = locks.map((lock) => {
    const sameDevice = lock.deviceMajor === major && lock.deviceMinor === minor;
    const doubt = sameDevice ? "" : " on a file with its inode number on another device, perhaps the same file";
    if (isQemus(lock)) {
      const writes = locks.some((other) => isQemus(other) && covers(other, QEMU_WRITE_BYTE));
      return `QEMU has it open${writes ? " for writing" : ""}: a lock${doubt || " on it"} (/proc/locks)`;
    }
    const owner = lock.processId > 0 ? `process ${lock.processId}` : "a process";
    return `${owner} holds a lock${doubt || " on it"} (${lock.kind} ${lock.access}, /proc/locks)`;
  });
  return [...new Set(phrases)];
}

async function findLoops(path: string, identity: FileIdentity, system: SystemFolders): Promise<OtherUsers> {
  const found: string[] = [];
  const blind: string[] = [];
  let devices: string[];
  try {
    devices = readdirSync(join(system.sys, "block")).filter((name) => name.startsWith("loop"));
  } catch {
    return { found, blind: ["loop devices (/sys/block)"] };
  }
  for (const device of devices) {
    // A free device has no such folder. Small virtual files are read at once: by way of the thread pool, looking at
    // eight free devices takes as long as writing the tables of a small image.
    if (!existsSync(join(system.sys, "block", device, "loop"))) continue;
    const backing = readBackingFile(join(system.sys, "block", device, "loop/backing_file"));
    if (backing === undefined) continue;
    const facts = await stat(backing, { bigint: true }).catch(() => undefined);
    if (facts?.ino === identity.inode && facts.dev === identity.device) found.push(`it is attached to /dev/${device}`);
    // The name is that of another mount namespace, or was taken away: only the last part can be compared.
    else if (facts === undefined && basename(backing) === basename(path)) {
      blind.push(`the file behind /dev/${device}, which has the same name`);
    }
  }
  return { found, blind };
}

/** The file behind a loop device; undefined where the device is free. */
function readBackingFile(attribute: string): string | undefined {
  try {
    return readFileSync(attribute, "utf8")
      .replace(/\n$/, "")
      .replace(/ \(deleted\)$/, "");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    return "";
  }
}

function isQemus(lock: FileLock): boolean {
  return lock.kind === "OFDLCK" && lock.firstByte >= QEMU_FIRST_BYTE && lock.lastByte <= QEMU_LAST_BYTE;
}

function covers(lock: FileLock, byte: number): boolean {
  return lock.firstByte <= byte && byte <= lock.lastByte;
}

/** Linux spreads both numbers over one 64-bit value: 12 bits and 8 bits, then the rest of each. */
function deviceNumbers(device: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  };
}
