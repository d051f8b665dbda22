/** Whether a lock's owner lives: only who is proven dead is ever called dead. */

import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  type LockOwner,
  type Machine,
  type ProcessFacts,
  processTableOf,
  systemProcesses,
} from "../../../../src/storage/users/process-table.ts";

const LOCK = join(tmpdir(), "disk.inplace-lock");

describe("on this machine", () => {
  const processes = systemProcesses();
  const self: LockOwner = { ...processes.self, nonce: "n" };
  const { pid: gone } = spawnSync(process.execPath, ["--version"]);

  test("this process lives, one that ended does not", () => {
    expect(processes.isAlive(self, LOCK)).toBe(true);
    expect(processes.isAlive({ ...self, pid: gone }, LOCK)).toBe(false);
  });

  test("what can't be seen from here is not called dead: another host, another container", () => {
    expect(processes.isAlive({ ...self, hostName: "there", pid: gone }, LOCK)).toBe(undefined);
    expect(processes.isAlive({ ...self, pidNamespace: "pid:[1]", pid: gone }, LOCK)).toBe(undefined);
  });

  test("a process that we may not ask is somebody's, not nobody's", () => {
    const kill = vi.spyOn(process, "kill").mockImplementation(() => {
      throw Object.assign(new Error("EPERM"), { code: "EPERM" });
    });
    onTestFinished(() => kill.mockRestore());
    expect(processes.isAlive({ ...self, pid: gone, startTime: "" }, LOCK)).toBe(true);
  });

  test.runIf(process.platform === "linux")("a pid that was given anew is another process", () => {
    expect(processes.isAlive({ ...self, startTime: "1" }, LOCK)).toBe(false);
  });

  test.runIf(process.platform === "linux")("another start of the machine proves nothing behind a server", () => {
    // No lock lies in /proc; it stands for a file system that is not the machine's own.
    expect(processes.isAlive({ ...self, bootId: "before" }, "/proc/disk.inplace-lock")).toBe(undefined);
  });

  test.runIf(process.platform === "linux")("a process that has ended and was never waited for is dead", async () => {
    // A shell that goes on as `sleep` never waits for what it started.
    const parent = spawn("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const pid = await new Promise<number>((found) => parent.stdout.on("data", (text) => found(Number(text))));
      const stat = () => readFileSync(`/proc/${pid}/stat`, "utf8").split(" ");
      while (stat()[2] !== "Z") await setTimeout(10);
      expect(processes.isAlive({ ...self, pid, startTime: stat()[21] as string }, LOCK)).toBe(false);
    } finally {
      parent.kill("SIGKILL");
    }
  });
});

describe("by the rules", () => {
  const SELF: LockOwner = {
    pid: 8,
    hostName: "runner",
    bootId: "boot",
    machineId: "machine",
    pidNamespace: "pid:[1]",
    timeNamespace: "time:[1]",
    startTime: "800",
    nonce: "n",
  };
  const OWNER = { ...SELF, pid: 7, startTime: "700" };
  const LIVES: ProcessFacts = { hasEnded: false, startTime: "700" };

  /** What is said of the owner on a machine that is like ours, but for what is given. */
  function verdict(given: {
    owner?: Partial<LockOwner>;
    self?: Partial<LockOwner>;
    found?: ProcessFacts;
    isLocal?: boolean;
  }): boolean | undefined {
    const machine: Machine = { process: () => given.found, isLocal: () => given.isLocal ?? true };
    return processTableOf(() => ({ ...SELF, ...given.self }), machine).isAlive({ ...OWNER, ...given.owner }, LOCK);
  }

  test.each([
    ["nobody has the pid", {}, false],
    ["it runs", { found: LIVES }, true],
    ["it has ended, but for its parent", { found: { ...LIVES, hasEnded: true } }, false],
    ["the pid was given anew", { found: { hasEnded: false, startTime: "750" } }, false],
    ["the pid's start can't be read", { found: { hasEnded: false, startTime: "" } }, true],
    ["the lock's start is missing", { found: LIVES, owner: { startTime: "" } }, true],
    [
      "its clock is another's",
      { found: { hasEnded: false, startTime: "750" }, owner: { timeNamespace: "time:[2]" } },
      undefined,
    ],
    [
      "nothing is known of clocks",
      { found: { hasEnded: false, startTime: "750" }, owner: { timeNamespace: "" }, self: { timeNamespace: "" } },
      undefined,
    ],
    ["it is in another container", { owner: { pidNamespace: "pid:[2]" } }, undefined],
    ["containers can't be told", { owner: { pidNamespace: "" }, self: { pidNamespace: "" } }, undefined],
    ["it has another name", { owner: { hostName: "other" } }, undefined],
  ] as const)("same start of the machine: %s", (_, given, expected) => {
    expect(verdict(given)).toBe(expected);
  });

  test.each([
    ["the same machine, on a disk of its own", {}, false],
    ["on a file system of several machines", { isLocal: false }, undefined],
    ["a clone by its name, but not by its id", { owner: { machineId: "other" } }, undefined],
    ["a container without an id", { owner: { machineId: "" }, self: { machineId: "" } }, undefined],
    ["a lock that says no id", { owner: { machineId: "" } }, undefined],
    ["another name", { owner: { hostName: "other" } }, undefined],
    ["a lock that says no start", { owner: { bootId: "" } }, undefined],
    ["no start is known here", { self: { bootId: "" } }, undefined],
  ] as const)("another start of the machine: %s", (_, given, expected) => {
    const owner = { bootId: "before", ...("owner" in given ? given.owner : {}) };
    expect(verdict({ ...given, owner })).toBe(expected);
    // A process with that pid, here, is another one.
    expect(verdict({ ...given, owner, found: LIVES })).toBe(expected);
  });

  test.each([
    ["the same machine, nobody has the pid", {}, false],
    ["the same machine, it runs", { found: { hasEnded: false, startTime: "" } }, true],
    ["another machine of the same name", { owner: { machineId: "other" } }, undefined],
    ["the machine can't be told", { owner: { machineId: "" }, self: { machineId: "" } }, undefined],
  ] as const)("where no start is told, as on Windows: %s", (_, given, expected) => {
    const none = { bootId: "", pidNamespace: "", timeNamespace: "", startTime: "" };
    const owner = { ...none, ...("owner" in given ? given.owner : {}) };
    const self = { ...none, ...("self" in given ? given.self : {}) };
    expect(verdict({ ...given, owner, self })).toBe(expected);
  });
});
