/** Ctrl-C in the middle of a conversion, sent by strace at an exact system call. */

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeDemoImages } from "../support/demo-qed.ts";
import { cli, spawnNode } from "./spawn.ts";

/** Converts `disk` under strace, which sends `signal` when a file is synced (or `call`ed) for the `when`-th time. */
function convertInterrupted(folder: string, signal: string, when: number, call = "fsync", ...more: readonly string[]) {
  const inject = `inject=${call}:signal=${signal}:when=${when}`;
  const words = ["-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject, ...more, process.execPath, cli];
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1" };
  const { status, stdout, stderr } = spawnSync("strace", [...words, "convert", "disk", "qcow2"], {
    cwd: folder,
    encoding: "utf8",
    env,
  });
  return { exitCode: status, stdout, stderr };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-convert-dist-"));
  makeDemoImages(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["SIGINT", 1, "resume", "qcow2"],
  ["SIGINT", 2, "rollback", "qed"],
  ["SIGTERM", 2, "resume", "qcow2"],
])("%s at sync %d: exit 4, and %s goes on to %s", (signal, when, name, format) => {
  copyFileSync(join(folder, "original.qed"), join(folder, "disk"));
  const { exitCode, stdout, stderr } = convertInterrupted(folder, signal, when);
  expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
  expect(stderr).toContain("Stopping at the next safe point");
  // Where it stopped, and the exact command, as this program was called, on a line of its own.
  expect(stderr).toMatch(/\ninplace-convert: (?:Stopped while|Stopped before|Cannot ).* its journal stands\n/);
  expect(stderr).toContain(`\n  node ${cli} ${name} disk\n`);
  expect(existsSync(join(folder, "disk.inplace-journal"))).toBe(true);
  expect(spawnNode([cli, "compare", "original.qed", "disk"], folder).exitCode).toBe(0);

  expect(spawnNode([cli, name, "disk"], folder).exitCode).toBe(0);
  expect(readdirSync(folder).sort()).toEqual(["demo.img", "disk", "original.qed"]);
  expect(spawnNode([cli, "compare", "original.qed", "disk"], folder).exitCode).toBe(0);
  const [info, original] = [spawnNode([cli, "info", "disk", "--output", "json"], folder), join(folder, "original.qed")];
  expect(JSON.parse(info.stdout)).toMatchObject({ format });
  expect(readFileSync(join(folder, "disk")).equals(readFileSync(original))).toBe(name === "rollback");
});

test("SIGINT before the first write: exit 1, nothing lies beside the image, and it is as it was", () => {
  copyFileSync(join(folder, "original.qed"), join(folder, "disk"));
  const { exitCode, stdout, stderr } = convertInterrupted(folder, "SIGINT", 5, "pread64", "-P", join(folder, "disk"));
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toMatch(/\ninplace-convert: .*[Ss]topped.*, as asked\nThe image is as it was\n$/);
  expect(stderr).not.toContain("resume");
  expect(readdirSync(folder).sort()).toEqual(["demo.img", "disk", "original.qed"]);
  expect(readFileSync(join(folder, "disk")).equals(readFileSync(join(folder, "original.qed")))).toBe(true);
});
