/** The command line as it is committed: what a fresh clone runs. */

import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeDemoImages } from "../support/demo-qed.ts";
import { cli, type Ended, machineNode, root, scratchFolder, spawnNode } from "./spawn.ts";

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Runs the command line in `folder`; words are separated by spaces. */
function run(folder: string, words: string): Ended {
  return spawnNode([cli, ...words.split(" ")], folder);
}

test("--version says what package.json says", () => {
  expect(run(scratchFolder(), "--version")).toEqual({
    exitCode: 0,
    stdout: `inplace-convert ${version}\n`,
    stderr: "",
  });
});

test("raw to qcow2 and compacted, to a fixed VHD and raw again: byte for byte", () => {
  const folder = scratchFolder();
  const at = (name: string) => join(folder, name);
  const disk = Buffer.alloc(4 * 1024 ** 2);
  disk.fill("data", 1024 ** 2 + 4096, 2 * 1024 ** 2);
  writeFileSync(at("disk"), disk);
  expect(run(folder, "plan disk qcow2 -f raw --no-compact").stdout).toMatch(/file after +4\.\d+ MiB /);
  expect(run(folder, "convert disk qcow2 -f raw --no-compact -q")).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  expect(statSync(at("disk")).size).toBeGreaterThan(disk.length);
  const compacted = run(folder, "compact disk");
  expect(compacted).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^disk: qcow2 compacted, /) });
  expect(statSync(at("disk")).size).toBeLessThan(1.5 * 1024 ** 2);
  expect(run(folder, "compact disk").stdout).toBe("disk is compact already: nothing to do\n");
  const { path } = JSON.parse(run(folder, "convert disk vhd -o subformat=fixed --output json").stdout);
  expect(path.map(({ to = "", goal = "" }) => to + goal)).toEqual(["qcow2", "linear", "raw", "vpc"]);
  expect(statSync(at("disk")).size).toBe(disk.length + 512);
  expect(run(folder, "compact disk")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("a vpc image") });
  expect(run(folder, "convert disk raw")).toMatchObject({ exitCode: 0 });
  expect(readFileSync(at("disk")).equals(disk)).toBe(true);
});

test("the main job and back, inside one file", () => {
  const folder = scratchFolder();
  makeDemoImages(folder);
  const original = readFileSync(join(folder, "original.qed"));
  copyFileSync(join(folder, "original.qed"), join(folder, "disk"));

  const checksum = run(folder, "checksum disk").stdout;
  expect(checksum).toMatch(/^[0-9a-f]{64} {2}disk\n$/);
  const planned = JSON.parse(run(folder, "plan disk qcow2 --output json").stdout);
  expect(planned).toMatchObject({ changed: false, "bytes-moved": 0, refused: [] });
  expect(readFileSync(join(folder, "disk")).equals(original)).toBe(true);

  const converted = run(folder, "convert disk qcow2 --output json");
  expect(converted).toMatchObject({ exitCode: 0, stderr: "" });
  const report = JSON.parse(converted.stdout);
  expect(report).toMatchObject({
    image: "disk",
    "source-format": "qed",
    "target-format": "qcow2",
    changed: true,
    "bytes-moved": 0,
    check: { after: { corruptions: 0, leaks: 0 } },
  });
  expect(report["guest-checksum"].before).toBe(checksum.slice(0, 64));
  expect(report["guest-checksum"].after).toBe(checksum.slice(0, 64));
  expect(readdirSync(folder).sort()).toEqual(["demo.img", "disk", "original.qed"]);

  expect(run(folder, "compare original.qed disk")).toMatchObject({ exitCode: 0 });
  expect(run(folder, "checksum disk").stdout).toBe(checksum);
  expect(JSON.parse(run(folder, "info disk --output json").stdout)).toMatchObject({ format: "qcow2" });
  expect(run(folder, "convert disk qcow2").stdout).toContain("nothing to do");

  expect(run(folder, "convert disk qed")).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(run(folder, "info disk --output json").stdout)).toMatchObject({ format: "qed" });
  expect(run(folder, "checksum disk").stdout).toBe(checksum);
});

test("--keep-undo, then the way back byte for byte, then forwards for good", () => {
  const folder = scratchFolder();
  makeDemoImages(folder);
  copyFileSync(join(folder, "original.qed"), join(folder, "disk"));
  const kept = run(folder, "convert disk qcow2 --keep-undo");
  expect(kept.exitCode).toBe(0);
  // Where the way back lies and how it is gone, each command as this program was called and on a line of its own.
  expect(kept.stderr.split("\n")).toEqual([
    "The way back is kept as disk.inplace-undo; whoever renames the image renames that too",
    "To put the image back as it was:",
    `  node ${cli} rollback disk`,
    "To give the way back up:",
    `  node ${cli} resume disk`,
    "",
  ]);
  const refused = run(folder, "convert disk qed");
  expect(refused.exitCode).toBe(4);
  expect(refused.stderr).toContain(`${cli} rollback disk`);
  expect(run(folder, "rollback disk").exitCode).toBe(0);
  expect(readFileSync(join(folder, "disk")).equals(readFileSync(join(folder, "original.qed")))).toBe(true);

  expect(run(folder, "convert disk qcow2 --keep-undo -q").exitCode).toBe(0);
  expect(run(folder, "resume disk").exitCode).toBe(0);
  expect(run(folder, "resume disk")).toMatchObject({ exitCode: 1, stdout: "" });
  expect(run(folder, "rollback disk").stderr).toMatch(/nothing to roll back/i);
  expect(run(folder, "compare original.qed disk").exitCode).toBe(0);
});

describe("failures", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "inplace-convert-dist-"));
    makeDemoImages(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ["convert nothing-here qcow2", 1],
    ["compare nothing-here nothing-there", 2],
    ["resume nothing-here", 1],
    ["rollback demo.img", 1],
    ["checksum demo.img -f qed", 1],
    ["convert demo.img qed --no-such-option", 2],
    ["convert demo.img no-such-format", 2],
    ["convert demo.img qed -o no_such_key=1", 2],
    ["convert demo.img qed -o cluster_size=3k", 2],
  ])("%s exits %d, says why on stderr, and as JSON on stdout", (words, exitCode) => {
    const before = readFileSync(join(folder, "demo.img"));
    const human = run(folder, words);
    expect(human).toMatchObject({ exitCode, stdout: "" });
    expect(human.stderr).toMatch(/^inplace-convert: \S/);
    const json = run(folder, `${words} --output json`);
    expect(json.exitCode).toBe(exitCode);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { kind: expect.any(String), message: expect.any(String) } });
    expect(readFileSync(join(folder, "demo.img")).equals(before)).toBe(true);
  });
});

test("a renamed image is told to take its undo along", () => {
  const folder = scratchFolder();
  makeDemoImages(folder);
  expect(run(folder, "convert original.qed qcow2 --keep-undo -q")).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  renameSync(join(folder, "original.qed"), join(folder, "new.qcow2"));
  const { exitCode, stderr } = run(folder, "rollback new.qcow2");
  expect(exitCode).toBe(1);
  expect(stderr).toContain(
    "original.qed.inplace-undo lies there without its image: if that was renamed to new.qcow2, ",
  );
  expect(stderr).toContain("rename this to new.qcow2.inplace-undo\n");
  renameSync(join(folder, "original.qed.inplace-undo"), join(folder, "new.qcow2.inplace-undo"));
  expect(run(folder, "rollback new.qcow2").exitCode).toBe(0);
  expect(JSON.parse(run(folder, "info new.qcow2 --output json").stdout)).toMatchObject({ format: "qed" });
});

test("a kept undo of a repair is announced as well", () => {
  const folder = scratchFolder();
  makeDemoImages(folder);
  const bytes = readFileSync(join(folder, "demo.img"));
  // Past the end of what is counted: a leak, which a repair gives back.
  writeFileSync(join(folder, "demo.img"), Buffer.concat([bytes, Buffer.alloc(65536, 1)]));
  // The refcount of the header's cluster says 2.
  const table = Number(bytes.readBigUInt64BE(48));
  const block = Number(bytes.readBigUInt64BE(table));
  const file = openSync(join(folder, "demo.img"), "r+");
  writeSync(file, Buffer.from([0, 2]), 0, 2, block);
  closeSync(file);
  const { exitCode, stderr } = run(folder, "check -r all --keep-undo demo.img");
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stderr).toContain(`\n  node ${cli} rollback demo.img\n`);
});

/** Throws from a timer, outside of every call, as soon as a command is at work. */
const THROWING = `data:text/javascript,${encodeURIComponent(
  'process.on("newListener", (name) => name === "SIGINT" && setImmediate(() => { throw new Error("boom") }));',
)}`;

test.each(["info demo.img", "convert demo.img qed", "checksum demo.img"])(
  "what nobody caught in %s is told without a trace, but with --debug",
  (words) => {
    const folder = scratchFolder();
    makeDemoImages(folder);
    const { exitCode, stderr } = spawnNode(["--import", THROWING, cli, ...words.split(" ")], folder);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/^inplace-convert: A defect in this program: boom\n/);
    expect(stderr).not.toMatch(/\n {4}at /);
    const traced = spawnNode(["--import", THROWING, cli, ...words.split(" "), "--debug"], folder);
    expect(traced.stderr).toMatch(/\n {4}at /);
    // Whatever it was in the middle of: the image is whole, and goes on either way.
    run(folder, "resume demo.img");
    expect(run(folder, "compare demo.img original.qed").exitCode).toBe(0);
  },
);

test("a file that is missing from an install is told in one sentence", () => {
  const folder = scratchFolder();
  copyFileSync(cli, join(folder, "cli.mjs"));
  const { exitCode, stdout, stderr } = spawnNode([join(folder, "cli.mjs"), "demo"], folder);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toMatch(/^inplace-convert: Cannot start: .*; install it anew\n$/);
});

test("the machine's own Node runs --version and demo", () => {
  const node = machineNode();
  if (node === undefined) throw new Error("Cannot find a Node outside node_modules on PATH");
  const folder = scratchFolder();
  expect(spawnNode([cli, "--version"], folder, node).stdout).toBe(`inplace-convert ${version}\n`);
  const demo = spawnNode([cli, "demo"], folder, node);
  expect(demo).toMatchObject({ exitCode: 0, stderr: "" });
  expect(demo.stdout).toContain("Images are identical.");
});

test("an older Node gets one sentence", () => {
  const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.8" } });';
  const pretend = `data:text/javascript,${encodeURIComponent(older)}`;
  const { exitCode, stdout, stderr } = spawnNode(["--import", pretend, cli, "demo"], scratchFolder());
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toBe("inplace-convert needs Node 20 or newer; this is Node 18.20.8\n");
});
