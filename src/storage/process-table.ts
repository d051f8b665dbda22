/** Who this process is, and whether another one still lives, for the lock beside an image. */

import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Who holds a lock. */
export interface LockOwner {
  readonly pid: number;
  readonly hostName: string;
  /** Changes with every start of the machine; empty where the system has none. */
  readonly bootId: string;
  /** Whose pids are meant: containers on one machine may share its name; absent where the system has none. */
  readonly pidNamespace?: string;
  /** When the process started, as the system counts, to tell a recycled pid; empty where it can't be known. */
  readonly startTime: string;
  /** One for each lock. */
  readonly nonce: string;
}

export interface ProcessTable {
  readonly self: Omit<LockOwner, "nonce">;
  /** `undefined` where it can't be known from here. */
  isAlive(owner: LockOwner): boolean | undefined;
}

/** The processes of this machine: Linux by /proc, elsewhere by signal 0 alone. */
export function systemProcesses(): ProcessTable {
  const self = {
    pid: process.pid,
    hostName: hostname(),
    bootId: textOf("/proc/sys/kernel/random/boot_id"),
    pidNamespace: linkOf("/proc/self/ns/pid"),
    startTime: startTimeOf(process.pid),
  };
  return {
    self,
    isAlive(owner) {
      if (owner.hostName !== self.hostName) return undefined;
      if (owner.bootId !== self.bootId) return false;
      if ((owner.pidNamespace ?? "") !== self.pidNamespace) return undefined;
      if (!answers(owner.pid)) return false;
      const startTime = startTimeOf(owner.pid);
      return owner.startTime === "" || startTime === "" || owner.startTime === startTime;
    },
  };
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Field 22 of /proc/PID/stat (proc(5)), counted behind the command's closing parenthesis, which may hold spaces. */
function startTimeOf(pid: number): string {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
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
