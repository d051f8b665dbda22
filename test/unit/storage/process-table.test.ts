/** Whether a lock's owner lives: only processes that can be seen from here are ever called dead. */

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { type LockOwner, systemProcesses } from "../../../src/storage/process-table.ts";

const processes = systemProcesses();
const self: LockOwner = { ...processes.self, nonce: "n" };
const { pid: gone } = spawnSync(process.execPath, ["--version"]);

test("this process lives, one that ended does not", () => {
  expect(processes.isAlive(self)).toBe(true);
  expect(processes.isAlive({ ...self, pid: gone })).toBe(false);
});

test("a machine that was started anew has none of its old processes", () => {
  expect(processes.isAlive({ ...self, bootId: "before" })).toBe(false);
});

test("what can't be seen from here is not called dead: another host, another container", () => {
  expect(processes.isAlive({ ...self, hostName: "there", pid: gone })).toBe(undefined);
  expect(processes.isAlive({ ...self, pidNamespace: "pid:[1]", pid: gone })).toBe(undefined);
});

test.runIf(process.platform === "linux")("a pid that was given anew is another process", () => {
  expect(processes.isAlive({ ...self, startTime: "1" })).toBe(false);
});
