import { readdirSync, statSync } from "node:fs";
import { link, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Look } from "../../../../src/storage/storage.ts";
import { findWriters } from "../../../../src/storage/users/open-files.ts";

vi.mock("node:fs", { spy: true });
const actual = await vi.importActual<typeof import("node:fs")>("node:fs");

let folder: string;
let image: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-open-files-"));
  image = join(folder, "disk.qed");
  await writeFile(image, "image");
});
afterEach(() => rm(folder, { recursive: true }));

/** A process with one open file, as /proc shows it. */
async function process_(id: number | string, target: string, about: string, command = "tool\n"): Promise<void> {
  const place = join(folder, "proc", String(id));
  await mkdir(join(place, "fd"), { recursive: true });
  await mkdir(join(place, "fdinfo"), { recursive: true });
  await symlink(target, join(place, "fd/7"));
  await writeFile(join(place, "fdinfo/7"), about);
  await writeFile(join(place, "comm"), command);
}

async function look(how: Exclude<Look, "locks"> = "anew"): Promise<string[]> {
  const facts = await stat(image, { bigint: true });
  return findWriters("images/disk.qed", { device: facts.dev, inode: facts.ino }, how, join(folder, "proc"));
}

const fdinfo = async (flags: string): Promise<string> =>
  `pos:\t0\nflags:\t${flags}\nmnt_id:\t28\nino:\t${(await stat(image)).ino}\n`;

test("a process that may write is found by inode, whatever it calls the file", async () => {
  await process_(4242, image, await fdinfo("0100002"));
  await process_(4243, image, await fdinfo("02100001"), "a b\u001b[31m\n");
  expect(await look()).toEqual([
    "process 4242 (tool) has it open for writing",
    "process 4243 (a?b??31m) has it open for writing",
  ]);
});

test("the name by which a process opened it does not matter", async () => {
  const other = join(folder, "by-another-name");
  await link(image, other);
  await process_(7, other, await fdinfo("0100002"));
  expect(await look()).toEqual(["process 7 (tool) has it open for writing"]);
});

test("readers, places and other files are nobody's business", async () => {
  await process_(1, image, await fdinfo("0100000"));
  await process_(2, image, await fdinfo("012000002"));
  await process_(3, "/dev/null", await fdinfo("0100002"));
  await process_(4, "socket:[4711]", await fdinfo("02"));
  await writeFile(join(folder, "other"), "x");
  await process_(5, join(folder, "other"), await fdinfo("0100002"));
  expect(await look()).toEqual([]);
});

test("our own descriptor is not another's, nor is what is no process", async () => {
  await process_(process.pid, image, await fdinfo("0100002"));
  await process_("thread-self", image, await fdinfo("0100002"));
  expect(await look()).toEqual([]);
});

test("where the kernel tells no inode, the name and then the file itself decide", async () => {
  await mkdir(join(folder, "elsewhere"));
  await writeFile(join(folder, "elsewhere/disk.qed"), "another file of that name");
  await process_(1, join(folder, "elsewhere/disk.qed"), "pos:\t0\nflags:\t0100002\nmnt_id:\t28\n");
  expect(await look()).toEqual([]);
  await process_(2, image, "pos:\t0\nflags:\t0100002\nmnt_id:\t28\n");
  expect(await look()).toEqual(["process 2 (tool) has it open for writing"]);
});

test("what can't be read shows nothing", async () => {
  expect(await look()).toEqual([]);
  await mkdir(join(folder, "proc/99"), { recursive: true });
  expect(await look()).toEqual([]);
});

test("a look serves whoever is content with its age, and nobody who asks anew", async () => {
  const before = performance.now();
  expect(await look({ since: before })).toEqual([]);
  await process_(4242, image, await fdinfo("0100002"));
  const found = ["process 4242 (tool) has it open for writing"];
  expect(await look({ since: before })).toEqual([]);
  expect(await look({ since: performance.now() })).toEqual(found);
  // Who has closed it meanwhile is nobody's user any more, however old the look.
  await rm(join(folder, "proc/4242"), { recursive: true });
  expect(await look({ since: before })).toEqual([]);
  await process_(4243, image, await fdinfo("0100002"));
  expect(await look("anew")).toEqual(["process 4243 (tool) has it open for writing"]);
});

test("what somebody looked at anew serves others too", async () => {
  const before = performance.now();
  await process_(4242, image, await fdinfo("0100002"));
  expect(await look("anew")).toHaveLength(1);
  await process_(4243, image, await fdinfo("0100002"));
  expect(await look({ since: before })).toHaveLength(1);
});

test("a look is as old as its beginning: who came while it was under way may not be in it", async () => {
  let clock = 100;
  const now = vi.spyOn(performance, "now").mockImplementation(() => clock);
  vi.mocked(readdirSync).mockImplementationOnce(((path: string) => {
    clock = 200;
    return actual.readdirSync(path);
  }) as typeof readdirSync);
  onTestFinished(() => now.mockRestore());
  await mkdir(join(folder, "proc"));
  expect(await look()).toEqual([]);
  await process_(1, image, await fdinfo("0100002"));
  expect(await look({ since: 150 })).toHaveLength(1);
});

test("before Linux 6.2, which says of no process how many files it has open, each is looked at", async () => {
  vi.mocked(statSync).mockImplementation(((path: string, options: object) => {
    const facts = actual.statSync(path, options);
    return path.endsWith("/fd") ? { ...facts, size: 0 } : facts;
  }) as typeof statSync);
  onTestFinished(() => void vi.mocked(statSync).mockReset());
  await process_(1, image, await fdinfo("0100002"));
  await mkdir(join(folder, "proc/self/fd"), { recursive: true });
  expect(await look()).toHaveLength(1);
});
