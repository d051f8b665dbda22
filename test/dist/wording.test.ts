/** What people are told when a name, a folder or an image can't be used: our own words, and advice that works. */

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeDemoImages } from "../support/demo-qed.ts";
import { cli, type Ended, spawnNode } from "./spawn.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const run = (...words: readonly string[]): Ended => spawnNode([cli, ...words], folder);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-convert-dist-"));
  makeDemoImages(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const READING = ["info", "checksum", "map", "check"];
const WRITING = ["resume", "rollback", "compact"];

describe("an empty name", () => {
  test.each(
    [...READING, ...WRITING]
      .map((name) => [name, ""])
      .concat([
        ["convert", "", "qcow2"],
        ["convert", "demo.img", ""],
        ["plan", "", "qcow2"],
        ["compare", "", "demo.img"],
        ["compare", "demo.img", ""],
      ]),
  )("%s %s %s", (...words) => {
    const { exitCode, stderr } = run(...words);
    expect(exitCode).toBe(words[0] === "check" ? 1 : 2);
    expect(stderr).toMatch(
      /^inplace-convert: Cannot take an empty word for .*: (?:inplace-convert|node \S+) \w+ [A-Z]+.*\n$/,
    );
  });

  test("of a format or a journal", () => {
    expect(run("info", "demo.img", "-f", "").stderr).toContain('Cannot use "" for format');
    expect(run("convert", "demo.img", "qed", "--journal", "")).toMatchObject({ exitCode: expect.any(Number) });
  });
});

test("an empty file", () => {
  writeFileSync(at("empty"), "");
  for (const name of READING) {
    expect(run(name, "empty")).toMatchObject({
      exitCode: 1,
      stderr:
        "inplace-convert: Cannot open empty: it is empty, a file of 0 bytes; look at what should have filled it\n",
    });
  }
  const { exitCode, stderr } = run("convert", "empty", "qcow2");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("it is empty");
  expect(stderr).toContain("\nThe image is as it was\n");
});

test("a name that is too long, and one that is only for what lies beside the image", () => {
  copyFileSync(at("demo.img"), at("n".repeat(245)));
  for (const words of [
    ["info", "n".repeat(300)],
    ["convert", "n".repeat(300), "qed"],
    ["resume", "n".repeat(300)],
    ["convert", "n".repeat(245), "qed"],
    ["check", "-r", "all", "n".repeat(245)],
  ]) {
    const { exitCode, stderr } = run(...words);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/: .*too long.*; /);
    // Not the system's own words.
    expect(stderr).not.toMatch(/ENAMETOOLONG: |, l?stat /);
  }
});

test("what is not there is said of files alike, and nothing is claimed of it", () => {
  for (const words of [
    ["info", "nope"],
    ["convert", "nope", "qcow2"],
    ["compact", "nope"],
    ["resume", "nope"],
    ["check", "-r", "all", "nope"],
  ]) {
    const { exitCode, stderr } = run(...words);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^inplace-convert: Cannot open nope: there is no such file(?: \(ENOENT\))?\n$/);
  }
});

describe("a folder that can't be written", () => {
  /** As a user whom permissions hold back, where we are root. */
  const asUser = (...words: readonly string[]): Ended => {
    const isRoot = process.getuid?.() === 0;
    const drop = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
    const [command = "", ...rest] = [...drop, process.execPath, cli, ...words];
    const { status, stdout, stderr } = spawnSync(command, rest, { cwd: folder, encoding: "utf8" });
    return { exitCode: status, stdout, stderr };
  };
  beforeAll(() => {
    mkdirSync(at("closed"));
    copyFileSync(at("demo.img"), at("closed/disk"));
    chmodSync(at("closed/disk"), 0o666);
    chmodSync(at("closed"), 0o555);
    chmodSync(folder, 0o755);
  });
  afterAll(() => chmodSync(at("closed"), 0o755));

  test.each([
    ["convert", "closed/disk", "qed"],
    ["compact", "closed/disk"],
    ["check", "-r", "all", "closed/disk"],
    ["resume", "closed/disk"],
    ["rollback", "closed/disk"],
    ["setmap", "closed/disk", "0", "0", "64k", "--yes"],
  ])("%s: the folder is named, and the image is as it was", (...words) => {
    const before = readFileSync(at("closed/disk"));
    const { exitCode, stderr } = asUser(...words);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      "inplace-convert: Cannot create closed/disk.inplace-lock: its folder can't be written (EACCES); " +
        "make the folder writable, or move the image to one that is\nThe image is as it was\n",
    );
    expect(readFileSync(at("closed/disk")).equals(before)).toBe(true);
  });

  test("reading asks for nothing", () => {
    for (const name of READING) expect(asUser(name, "closed/disk")).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("the demo's folder: a sentence, no defect", () => {
    expect(asUser("demo", "--keep", "closed/new")).toMatchObject({
      exitCode: 1,
      stderr: "inplace-convert: Cannot use closed/new: permission is denied (EACCES)\n",
    });
  });
});

describe("advice that can work", () => {
  const make = (...options: readonly string[]) => {
    rmSync(at("x"), { force: true });
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", ...options, "x", "1M"], { cwd: folder });
  };
  const poke = (hostOffset: number, hex: string) => {
    const bytes = readFileSync(at("x"));
    bytes.write(hex, hostOffset, "hex");
    writeFileSync(at("x"), bytes);
  };

  test("a backing name outside the header cluster: no QEMU opens it, and without a name it is an image", () => {
    writeFileSync(at("base"), Buffer.alloc(1 << 20));
    make("-b", "base", "-F", "raw");
    poke(8, "0000000000050000");
    expect(spawnSync("qemu-img", ["info", "x"], { cwd: folder }).status).toBe(1);
    const { stderr } = run("info", "x");
    expect(stderr).toContain(
      "restore the header from a backup, or, in a copy, write 8 bytes of zeros at host offset 0x8",
    );
    expect(stderr).not.toContain("check -r all");
    poke(8, "00".repeat(8));
    expect(run("check", "x").exitCode).toBe(0);
    expect(run("convert", "x", "qed").exitCode).toBe(0);
  });

  test("an unknown incompatible feature: QEMU's convert of today is not advised, since it refuses too", () => {
    make();
    poke(72, "0000000000000020");
    expect(spawnSync("qemu-img", ["convert", "-O", "qcow2", "x", "y"], { cwd: folder }).status).toBe(1);
    const { stderr } = run("info", "x");
    expect(stderr).toContain("unknown bit 5; a QEMU as new as the image may know it");
  });

  test("zero flags in version 2: the version is raised as advised, then it converts", () => {
    make("-o", "compat=0.10");
    execFileSync("qemu-io", ["-c", "write -P 7 0 1M", "x"], { cwd: folder });
    const bytes = readFileSync(at("x"));
    const l1 = Number(bytes.readBigUInt64BE(40));
    const l2 = Number(bytes.readBigUInt64BE(l1) & 0x00ff_ffff_ffff_fe00n);
    poke(l2 + 7, "01");
    const { exitCode, stderr } = run("convert", "x", "qed");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      "a zero cluster in a version 2 image; raise its version first: qemu-img amend -o compat=1.1\n",
    );
    execFileSync("qemu-img", ["amend", "-o", "compat=1.1", "x"], { cwd: folder });
    expect(run("convert", "x", "qed")).toMatchObject({ exitCode: 0, stderr: "" });
  });
});
