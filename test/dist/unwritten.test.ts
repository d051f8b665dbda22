/** Results that can't be written out: a full disk, a limit, a closed pipe, a broken terminal behind stdout. */

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { shellWord } from "../../src/bytes/shell-word.ts";
import { makeDemoImages } from "../support/demo-qed.ts";
import { cli, type Ended } from "./spawn.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-convert-dist-"));
  makeDemoImages(folder);
});
beforeEach(() => copyFileSync(join(folder, "original.qed"), join(folder, "disk")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a line of a shell in which `ic` is the command line. */
function shell(line: string): Ended {
  const script = `ic() { ${shellWord(process.execPath)} ${shellWord(cli)} "$@"; }\n${line}`;
  const { status, stdout, stderr } = spawnSync("bash", ["-c", script], { cwd: folder, encoding: "utf8" });
  return { exitCode: status, stdout, stderr };
}

/** Prints how the first command of a pipe ended. */
const ECHO_FIRST = "echo $PIPESTATUS";

const sentence = (why: string) =>
  `inplace-convert: The work is done, but its result could not be written out: ${why}\n`;

describe("a full disk behind stdout: exit 5 and one sentence", () => {
  test.each([
    "--version",
    "--help",
    "convert --help",
    "convert disk qcow2",
    "convert disk qcow2 --output json",
    "convert disk qcow2 -o help",
    "convert disk qcow2 --dry-run",
    "convert disk qed",
    "plan disk qcow2",
    "plan disk qcow2 --output json",
    "check disk",
    "check disk --output json",
    "check -r all disk",
    "checksum disk",
    "checksum disk --output json",
    "compare disk original.qed",
    "info disk",
    "map disk",
    "map disk --output json",
    "demo",
    "demo --output json",
  ])("%s", (words) => {
    expect(shell(`ic ${words} > /dev/full`)).toEqual({
      exitCode: 5,
      stdout: "",
      stderr: sentence("no space is left there (ENOSPC)"),
    });
  });

  test.each([
    ["resume", "qcow2"],
    ["rollback", "qed"],
  ])("%s, and the image is what it was to become", (command, format) => {
    expect(shell("ic convert disk qcow2 --keep-undo -q").exitCode).toBe(0);
    expect(shell(`ic ${command} disk > /dev/full`)).toMatchObject({ exitCode: 5 });
    expect(JSON.parse(shell("ic info disk --output json").stdout)).toMatchObject({ format });
    expect(shell("ic compare disk original.qed").exitCode).toBe(0);
  });

  test("setmap", () => {
    const [first] = JSON.parse(shell("ic map disk --output json").stdout).filter(({ data }: { data: boolean }) => data);
    const words = `setmap disk ${first.start} ${first.offset} 64k --yes`;
    expect(shell(`ic ${words} > /dev/full`)).toMatchObject({ exitCode: 5 });
  });

  test("a conversion's result is lost, the conversion is not", () => {
    expect(shell("ic convert disk qcow2 > /dev/full").exitCode).toBe(5);
    expect(JSON.parse(shell("ic info disk --output json").stdout)).toMatchObject({ format: "qcow2" });
    expect(shell("ic compare disk original.qed").exitCode).toBe(0);
  });

  test("what the exit code says already is not said over", () => {
    const failed = shell("ic convert nothing-here qcow2 --output json > /dev/full");
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(/^inplace-convert: Cannot .*\n.*The result could not be written out: no space .*\n$/);
    shell("truncate -s +1M disk");
    expect(shell("ic compare disk demo.img > /dev/full").exitCode).toBe(5);
    expect(shell("ic check -f qcow2 disk > /dev/full").exitCode).toBe(1);
  });

  test("stderr on the same full disk leaves the exit code", () => {
    expect(shell("ic info disk > /dev/full 2>&1")).toEqual({ exitCode: 5, stdout: "", stderr: "" });
    expect(shell("ic info nothing-here 2> /dev/full").exitCode).toBe(1);
  });
});

test("a result that was cut short is noticed, though the system call did not fail", () => {
  // The limit is in KiB; a write that crosses it is shortened, and only the next one fails.
  const { exitCode, stderr } = shell("ulimit -f 8; ic map disk --output json > cut");
  expect(statSync(join(folder, "cut")).size).toBe(8192);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 5,
    stderr: sentence("the file system allows no file of that size (EFBIG)"),
  });
});

test("an error of the disk or the terminal", () => {
  expect(shell("ic info disk > /proc/self/mem")).toMatchObject({
    exitCode: 5,
    stderr: sentence("the disk or the terminal reports an error (EIO)"),
  });
});

describe("a reader who has gone", () => {
  test("is nothing to a command that reads", () => {
    for (const words of ["map disk --output json", "info disk", "--help", "checksum disk", "demo", "check disk"]) {
      const { stdout, stderr } = shell(`ic ${words} | head -c 1 > first; ${ECHO_FIRST}`);
      expect({ words, stdout, stderr }).toEqual({ words, stdout: "0\n", stderr: "" });
    }
    expect(shell(`ic map disk --output json | true; ${ECHO_FIRST}`)).toMatchObject({
      stdout: "0\n",
      stderr: "",
    });
  });

  test("is told by one that writes", () => {
    const { stdout, stderr } = shell(`(sleep 0.5; ic convert disk qcow2) | true; ${ECHO_FIRST}`);
    expect({ stdout, stderr }).toEqual({ stdout: "5\n", stderr: sentence("nobody reads it any more (EPIPE)") });
  });
});

test("a large result goes whole through a pipe that is read slowly", () => {
  const { stdout } = shell("ic map disk --output json | (sleep 0.5; cat) > slow; ic map disk --output json > whole");
  expect(stdout).toBe("");
  const whole = readFileSync(join(folder, "whole"));
  expect(whole.length).toBeGreaterThan(65536);
  expect(readFileSync(join(folder, "slow")).equals(whole)).toBe(true);
});
