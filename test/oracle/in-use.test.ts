/** What a running QEMU, a loop device and another locker look like from outside. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ImageError } from "../../src/bytes/image-error.ts";
import { check } from "../../src/convert/check.ts";
import type { OpenOptions } from "../../src/convert/options/options.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { compare } from "../../src/convert/reading/compare.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map } from "../../src/convert/reading/map.ts";
import { FileVolume } from "../../src/storage/file/file-volume.ts";
import type { OtherUsers, WritableStorage } from "../../src/storage/storage.ts";

const volume = new FileVolume();
let folder: string;
let image: string;
let copy: string;
let storage: WritableStorage;
let holder: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-in-use-"));
  image = join(folder, "disk.qcow2");
  copy = join(folder, "copy.qcow2");
  execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", image, "1M"]);
  execFileSync("truncate", ["--size", "1M", image]);
  storage = await volume.openForWriting(image);
});
afterEach(async () => {
  await storage.close();
  await end();
  await rm(folder, { recursive: true });
});

/** Looks until the answer is the expected one: a process that starts takes its locks in its own time. */
async function lookUntil(expected: (users: OtherUsers) => boolean): Promise<OtherUsers> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const users = await volume.otherUsers(storage);
    if (expected(users) || Date.now() > deadline) return users;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function end(): Promise<void> {
  if (holder === undefined) return;
  const ended = new Promise((resolve) => holder?.once("exit", resolve));
  holder.kill("SIGKILL");
  await ended;
  holder = undefined;
}

const isFound = (users: OtherUsers): boolean => users.found.length > 0;

test("nobody has it open", async () => {
  expect((await volume.otherUsers(storage)).found).toEqual([]);
});

describe("QEMU", () => {
  test.each([
    ["qemu-io, writing", "qemu-io", [], / for writing/],
    ["qemu-io, reading", "qemu-io", ["-r"], /^QEMU has it open: a lock on it/],
    ["qemu-nbd, writing", "qemu-nbd", ["-f", "qcow2", "-k"], / for writing/],
  ])("%s", async (_name, command, options, phrase) => {
    const socket = command === "qemu-nbd" ? [join(folder, "socket")] : [];
    holder = spawn(command, [...options, ...socket, image], { stdio: ["pipe", "ignore", "ignore"] });
    expect((await lookUntil(isFound)).found).toEqual([expect.stringMatching(phrase)]);
    await end();
    expect((await lookUntil((users) => !isFound(users))).found).toEqual([]);
  });
});

test.each([
  ["writes", [], true],
  ["reads", ["-r"], false],
])("a check beside a QEMU that %s does what qemu-img check does", async (_name, options, isRefused) => {
  holder = spawn("qemu-io", [...options, image], { stdio: ["pipe", "ignore", "ignore"] });
  await lookUntil(isFound);
  const theirs = spawnSync("qemu-img", ["check", "-q", image]).status;
  expect(theirs).toBe(isRefused ? 1 : 0);
  const ours = await check(image).then(
    ({ exitCode }) => exitCode,
    (error: ImageError) => error.kind,
  );
  expect(ours).toBe(isRefused ? "in-use" : 0);
  expect(await check(image, { forceShare: true })).toMatchObject({ exitCode: 0 });
  // QEMU's repair wants the image to itself, and so does ours.
  expect(spawnSync("qemu-img", ["check", "-q", "-r", "all", image]).status).toBe(1);
  await expect(check(image, { repair: "all" })).rejects.toMatchObject({ kind: "in-use" });
});

/** What the other commands that read say of an image, ours and qemu-img's; `options` of each. */
const READING = {
  checksum: { ours: (options: OpenOptions) => checksum(image, options), theirs: undefined },
  compare: { ours: (options: OpenOptions) => compare(copy, image, options), theirs: () => ["compare", copy, image] },
  info: { ours: (options: OpenOptions) => info(image, options), theirs: () => ["info", image] },
  map: { ours: (options: OpenOptions) => map(image, options), theirs: () => ["map", image] },
} as const;

describe.each(["checksum", "compare", "info", "map"] as const)("%s beside a QEMU", (command) => {
  const { ours, theirs } = READING[command];
  test.each([
    ["qemu-io", "writes", [], true],
    ["qemu-io", "reads", ["-r"], false],
    ["qemu-nbd", "writes", ["-f", "qcow2", "-k", "socket"], true],
  ])("%s that %s is refused as qemu-img refuses it, -U looks all the same", async (name, _does, options, isRefused) => {
    execFileSync("cp", [image, copy]);
    holder = spawn(name, [...options.map((word) => (word === "socket" ? join(folder, word) : word)), image], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    await lookUntil(isFound);
    if (theirs) {
      const [word = "", ...words] = theirs();
      expect(spawnSync("qemu-img", [word, ...words]).status === 0).toBe(!isRefused);
      expect(spawnSync("qemu-img", [word, "-U", ...words]).status).toBe(0);
    }
    const found = ours({}).then(
      () => "read",
      (error: ImageError) => error.kind,
    );
    expect(await found).toBe(isRefused ? "in-use" : "read");
    await ours({ forceShare: true });
  });
});

test("a backing file that QEMU writes to is refused like the image, where it is followed", async () => {
  const overlay = join(folder, "overlay.qcow2");
  execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-b", "disk.qcow2", "-F", "qcow2", overlay]);
  holder = spawn("qemu-io", [image], { stdio: ["pipe", "ignore", "ignore"] });
  await lookUntil(isFound);
  expect(spawnSync("qemu-img", ["map", overlay]).status).toBe(1);
  await expect(checksum(overlay, { backingChain: true })).rejects.toMatchObject({ kind: "in-use", path: image });
  await checksum(overlay, { backingChain: true, forceShare: true });
  // It is not opened here.
  await map(overlay);
});

test("another process that locks the whole file", async () => {
  holder = spawn("flock", ["--no-fork", image, "sleep", "60"], { stdio: "ignore" });
  expect((await lookUntil(isFound)).found[0]).toMatch(
    /^process \d+ holds a lock on it \(FLOCK WRITE, \/proc\/locks\)$/,
  );
});

// Loop devices need root and a kernel that has them; where they are missing there is nothing to detect.
const hasLoops = await access("/dev/loop-control").then(
  () => process.getuid?.() === 0,
  () => false,
);
test.runIf(hasLoops)("a loop device", async () => {
  const device = execFileSync("losetup", ["--find", "--show", image], { encoding: "utf8" }).trim();
  try {
    expect((await volume.otherUsers(storage)).found).toEqual([`it is attached to ${device}`]);
  } finally {
    execFileSync("losetup", ["--detach", device]);
  }
});

test("a process that has it open for writing without any lock", async () => {
  const ours = openSync(image, "r+");
  holder = spawn("sleep", ["60"], { stdio: ["ignore", ours, "ignore"] });
  closeSync(ours);
  // Until it has become `sleep` it bears our name.
  const users = await lookUntil(({ found }) => found.join().includes("(sleep)"));
  expect(users.found).toEqual([`process ${holder.pid} (sleep) has it open for writing`]);
  await end();
  expect((await volume.otherUsers(storage)).found).toEqual([]);
});
