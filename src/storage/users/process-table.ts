/**
 * Who this process is, and whether another one still lives, for the lock beside an image. Dead is only who is proven
 * dead (docs/decisions/whose-lock-is-dead.md): what can't be known is left to the user.
 */

import { readFileSync, readlinkSync, statfsSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { dirname } from "node:path";
import { crypto } from "../built-ins.ts";
import { codeOf } from "../host-error.ts";

/** Who holds a lock. What the system does not tell is empty. */
export interface LockOwner {
  readonly pid: number;
  readonly hostName: string;
  /** Changes with every start of the machine. */
  readonly bootId: string;
  /** A digest of what stays through a restart and differs between most machines. */
  readonly machineId?: string;
  /** Whose pids are meant: containers on one machine may share its name. */
  readonly pidNamespace?: string;
  /** By whose clock the start is told: containers may count from other beginnings. */
  readonly timeNamespace?: string;
  /** When the process started, as the system counts, to tell a recycled pid. */
  readonly startTime: string;
  /** One for each lock. */
  readonly nonce: string;
}

/** A process's line of the process table. */
export interface ProcessFacts {
  /** It has ended, and only its parent has not taken notice yet. */
  readonly hasEnded: boolean;
  /** Empty where it can't be read. */
  readonly startTime: string;
}

export interface ProcessTable {
  readonly self: Omit<LockOwner, "nonce">;
  /** Of the owner of the lock at `lockPath`; `undefined` where it can't be known from here. */
  isAlive(owner: LockOwner, lockPath: string): boolean | undefined;
}

/** What a process table asks of the machine. */
export interface Machine {
  /** Undefined for a pid that nobody has. */
  process(pid: number): ProcessFacts | undefined;
  /** True where no other machine can mount the file system of `path` itself, though it may be served to others. */
  isLocal(path: string): boolean;
}

/** The processes of this machine: Linux by /proc, elsewhere by signal 0 alone. */
export function systemProcesses(): ProcessTable {
  return processTableOf(thisProcess, {
    process: (pid) => (answers(pid) ? factsOf(pid) : undefined),
    isLocal: (path) => LOCAL_FILE_SYSTEMS.has(fileSystemOf(path)),
  });
}

let self: ProcessTable["self"] | undefined;

/** Read once: nothing of it changes while a process runs. */
function thisProcess(): ProcessTable["self"] {
  self ??= {
    pid: process.pid,
    hostName: hostname(),
    bootId: textOf("/proc/sys/kernel/random/boot_id"),
    machineId: machineId(),
    pidNamespace: linkOf("/proc/self/ns/pid"),
    timeNamespace: linkOf("/proc/self/ns/time"),
    startTime: factsOf(process.pid).startTime,
  };
  return self;
}

/** The rules, for any machine; `whoAmI` is asked when it matters, since readers never do. */
export function processTableOf(whoAmI: () => ProcessTable["self"], machine: Machine): ProcessTable {
  return {
    get self() {
      return whoAmI();
    },
    isAlive(owner, lockPath) {
      const self = whoAmI();
      // Clones and containers share names, but no other name is ours.
      if (owner.hostName !== self.hostName) return undefined;
      const isSameMachine = isKnown(self.machineId) && owner.machineId === self.machineId;
      if (owner.bootId !== self.bootId) {
        // Started anew, unless it is a clone that reaches the file through a server: not where the disk is our own.
        const isReboot = isKnown(owner.bootId) && isKnown(self.bootId) && isSameMachine && machine.isLocal(lockPath);
        return isReboot ? false : undefined;
      }
      const canSee = isKnown(self.bootId)
        ? isKnown(self.pidNamespace) && owner.pidNamespace === self.pidNamespace
        : isSameMachine;
      if (!canSee) return undefined;
      const found = machine.process(owner.pid);
      if (found === undefined || found.hasEnded) return false;
      if (owner.startTime === found.startTime || !isKnown(owner.startTime) || !isKnown(found.startTime)) return true;
      return isKnown(self.timeNamespace) && owner.timeNamespace === self.timeNamespace ? false : undefined;
    },
  };
}

function isKnown(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}

/** By the numbers of statfs(2). FUSE, 9p, NFS, SMB and cluster file systems are others' too. */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // btrfs
  0x2fc12fc1, // ZFS
  0xca451a4e, // bcachefs
  0xf2f52010, // F2FS
  0x3153464a, // JFS
  0x4d44, // FAT
  0x2011bab0, // exFAT
  0x7366746e, // NTFS, by the kernel
  0x794c7630, // overlayfs
  0x01021994, // tmpfs
]);

function fileSystemOf(path: string): number {
  if (process.platform !== "linux") return 0;
  try {
    return statfsSync(dirname(path)).type;
  } catch {
    return 0;
  }
}

/**
 * On Linux what systemd or D-Bus gave the installation. Elsewhere the network's hardware addresses: they may change
 * with what is plugged in, which only means that the user is asked. Hashed, since it comes to lie beside the image.
 */
function machineId(): string {
  const isLinux = process.platform === "linux";
  const found = isLinux ? textOf("/etc/machine-id") || textOf("/var/lib/dbus/machine-id") : hardwareAddresses();
  if (found === "") return "";
  return crypto().createHash("sha256").update(`inplace-convert ${found}`).digest("hex").slice(0, 32);
}

function hardwareAddresses(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const hardware = addresses.filter(({ internal, mac }) => !internal && /[1-9a-f]/i.test(mac)).map(({ mac }) => mac);
  return [...new Set(hardware)].sort().join(" ");
}

/** Only ESRCH says that nobody has the pid; EPERM says that it is somebody else's. */
function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

/** Fields 3, 20 and 22 of /proc/PID/stat (proc(5)), behind the command's closing parenthesis; it may hold spaces. */
function factsOf(pid: number): ProcessFacts {
  const stat = textOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, threadCount] = [fields[0], Number(fields[17])];
  return { hasEnded: (state === "Z" || state === "X") && threadCount <= 1, startTime: fields[19] ?? "" };
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
