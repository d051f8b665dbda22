/** Where a user must do something by hand: the command says what, changes nothing, and goes on once it is done. */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeDemoImages } from "../support/demo-qed.ts";
import { cli, scratchFolder, spawnNode } from "./spawn.ts";

/** A folder with a QED image named `disk`, and a way to run commands in it. */
function withDisk(disk = "disk") {
  const folder = scratchFolder();
  makeDemoImages(folder);
  renameSync(join(folder, "original.qed"), join(folder, disk));
  rmSync(join(folder, "demo.img"));
  return { folder, run: (...words: string[]) => spawnNode([cli, ...words], folder) };
}

test("a lock of another start of a machine with our name: what to remove, then on", () => {
  const { folder, run } = withDisk();
  expect(run("convert", "disk", "qcow2", "--keep-undo").exitCode).toBe(0);
  const owner = { pid: 4711, hostName: hostname(), bootId: "another", startTime: "1", nonce: "n" };
  writeFileSync(join(folder, "disk.inplace-lock"), JSON.stringify(owner));
  const before = readFileSync(join(folder, "disk"));
  for (const command of ["resume", "rollback"]) {
    const { exitCode, stdout, stderr } = run(command, "disk");
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
    expect(stderr).toContain("disk.inplace-lock is held by process 4711");
    expect(stderr).toContain("if that command is gone, as after a restart there, remove the lock");
  }
  expect(run("convert", "disk", "qed")).toMatchObject({ exitCode: 1, stdout: "" });
  expect(readFileSync(join(folder, "disk")).equals(before)).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(["disk", "disk.inplace-lock", "disk.inplace-undo"]);
  rmSync(join(folder, "disk.inplace-lock"));
  expect(run("rollback", "disk").exitCode).toBe(0);
  expect(readdirSync(folder)).toEqual(["disk"]);
});

test.each(["", "journals/of-disk"])(
  "an undo that was emptied (--journal %j): exit 4, and nothing is removed",
  (journal) => {
    const { folder, run } = withDisk();
    mkdirSync(join(folder, "journals"));
    expect(run("convert", "disk", "qcow2", "--keep-undo", ...(journal && ["--journal", journal])).exitCode).toBe(0);
    truncateSync(join(folder, journal || "disk.inplace-undo"), 0);
    const before = readFileSync(join(folder, "disk"));
    for (const command of ["resume disk", "rollback disk", "convert disk qed", "check -r all disk"]) {
      const { exitCode, stderr } = run(...command.split(" "));
      expect(exitCode).toBe(4);
      expect(stderr).toMatch(/empty.*put it back from a copy.*remove .* by hand/);
      expect(stderr).toContain("disk.inplace-undo");
    }
    expect(readFileSync(join(folder, "disk")).equals(before)).toBe(true);
    for (const name of ["disk.inplace-undo", "journals"]) rmSync(join(folder, name), { recursive: true });
    expect(run("convert", "disk", "qed").exitCode).toBe(0);
  },
);

test("a name that leaves no room for a journal's: exit 1, nothing written; a shorter one converts", () => {
  const { folder, run } = withDisk("n".repeat(240));
  const { exitCode, stderr } = run("convert", "n".repeat(240), "qcow2");
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/name is too long.*239 bytes at most; nothing was written/);
  expect(readdirSync(folder)).toEqual(["n".repeat(240)]);
  expect(run("check", "n".repeat(240)).exitCode).toBe(0);
  renameSync(join(folder, "n".repeat(240)), join(folder, "n".repeat(239)));
  expect(run("convert", "n".repeat(239), "qcow2").exitCode).toBe(0);
});

test("--journal with a name that means something else: exit 2", () => {
  const { folder, run } = withDisk();
  for (const name of ["disk", "disk.inplace-undo", "other.inplace-journal", "./", "."]) {
    const { exitCode, stderr } = run("convert", "disk", "qcow2", "--journal", name);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`Cannot keep the journal at ${name}`);
  }
  expect(readdirSync(folder)).toEqual(["disk"]);
});
