/** Many small images in one step, several at once: each is its own, and what is told of them is in their order. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, symlinkSync, truncateSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { convert, unfinished } from "../../src/index.ts";
import { Runner } from "./runner.ts";

/** Copies of one image; its guest's digest. */
function makeImages(runner: Runner, names: readonly string[]): string {
  const [first = "", ...others] = names;
  const guest = runner.makeImage(first, "qed");
  for (const name of others) copyFileSync(runner.path(first), runner.path(name));
  return guest;
}

/** An interrupted conversion's journal stands beside it. */
async function leaveOpen(path: string): Promise<void> {
  const stop = new AbortController();
  const onProgress = ({ stage }: { readonly stage: string }) => {
    if (stage === "verify") stop.abort();
  };
  await convert(path, "qcow2", { signal: stop.signal, onProgress }).catch(() => {});
  expect(await unfinished(path)).toBe("open");
}

async function openForWriting(path: string): Promise<ChildProcess> {
  const other = spawn("sh", ["-c", 'exec 3<>"$0"; echo open; read _', path], { stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void other.kill());
  await once(other.stdout, "data");
  return other;
}

test("bad ones among good ones, one that is open elsewhere, one with a journal, one by two names", async () => {
  const runner = new Runner();
  mkdirSync(runner.path("folder"));
  symlinkSync("folder", runner.path("link"));
  const names = ["a.qed", "bad.qed", "c.qed", "held.qed", "left.qed", "m.qed", "n.qed", "o.qed"];
  const guest = makeImages(runner, [...names, "folder/twice.qed"]);
  truncateSync(runner.path("bad.qed"), 70_000);
  await leaveOpen(runner.path("left.qed"));
  const other = await openForWriting(runner.path("held.qed"));
  const untouched = ["bad.qed", "held.qed", "left.qed", "left.qed.inplace-journal"];
  const before = untouched.map((name) => runner.sha256(name));

  const image = "*.qed\nfolder/*.qed\nlink/twice.qed";
  const inputs = { image, "target-format": "qcow2", rename: "false", report: "report.json" } as const;
  const { exitCode, log, annotations, outputs } = await runner.main(inputs);
  expect(exitCode).toBe(1);
  const all = [...names, "folder/twice.qed", "link/twice.qed"];
  const failed = ["bad.qed", "held.qed", "left.qed"];
  expect(annotations.map(({ file }) => file)).toEqual(failed);
  expect(annotations.map(({ title }) => title)).toEqual([
    expect.stringContaining("bad.qed"),
    "held.qed failed: in-use",
    "left.qed failed: interrupted",
  ]);
  expect(annotations[1]?.message).toContain(`process ${other.pid} (sh) has it open for writing`);
  // One after the other, each in one piece.
  const told = log.split("\n").flatMap((line) => /^((?:\w+\/)?\w+\.qed): /.exec(line)?.[1] ?? []);
  expect(told).toEqual(all.flatMap((name) => [name, name]));
  const images = JSON.parse(outputs.images ?? "");
  expect(images.map(({ image: name }: { image: string }) => name)).toEqual(all);
  expect(images.at(-1)).toMatchObject({ changed: false, "source-format": "qcow2" });

  expect(untouched.map((name) => runner.sha256(name))).toEqual(before);
  for (const name of all.filter((each) => !failed.includes(each))) {
    expect(runner.cleanFormat(name)).toBe("qcow2");
    expect(runner.guestDigest(name)).toBe(guest);
  }
  expect(runner.names).toEqual([...names, "folder", "left.qed.inplace-journal", "link", "report.json"].sort());
});

test("cancelled with four at work: each image is whole, and after post there is no journal", async () => {
  const runner = new Runner();
  const names = ["a.qed", "b.qed", "c.qed", "d.qed", "e.qed", "f.qed"];
  const guest = makeImages(runner, names);
  const before = runner.sha256("a.qed");
  const inputs = { image: "*.qed", "target-format": "qcow2", rename: "false" } as const;
  // The journals of all four are being made.
  const { exitCode, log, annotations } = await runner.main(inputs, { call: "fsync", signal: "INT", when: 4 });
  expect(exitCode).toBe(1);
  expect(log).toContain("Cancelled: stopping at the next safe point");
  for (const name of names) expect(runner.guestDigest(name)).toBe(guest);
  const open = names.filter((name) => runner.names.includes(`${name}.inplace-journal`));
  expect(open.length).toBeGreaterThan(1);
  // Those that had not begun failed too; one that was past its last safe point is converted.
  const failed = annotations.map(({ file }) => file);
  expect(failed).toEqual(names.filter((name) => failed.includes(name)));
  expect(failed).toEqual(expect.arrayContaining([...open, "e.qed", "f.qed"]));
  expect(await runner.post()).toMatchObject({ exitCode: 0 });
  expect(runner.names).toEqual(names);
  for (const name of names) {
    if (failed.includes(name)) expect(runner.sha256(name)).toBe(before);
    else expect([runner.cleanFormat(name), runner.guestDigest(name)]).toEqual(["qcow2", guest]);
  }
});

test("images whose backing file was converted too are told how to be pointed at it", async () => {
  const runner = new Runner();
  runner.makeImage("base.qed", "qed");
  runner.makeImage("probed.qed", "qed");
  const create = (name: string, format: string, base: string, ...words: string[]) =>
    execFileSync("qemu-img", [
      "create",
      "-q",
      "-f",
      format,
      "-b",
      runner.path(base),
      ...words,
      runner.path(name),
      "8M",
    ]);
  create("kept.qcow2", "qcow2", "base.qed", "-F", "qed");
  create("top one.qed", "qed", "base.qed", "-F", "qed");
  const before = runner.guestDigest("kept.qcow2");
  const inputs = { image: "*.qed\nkept.qcow2", "target-format": "qcow2", report: "report.json" } as const;
  const { exitCode, annotations, outputs, summary } = await runner.main(inputs);
  expect([exitCode, annotations.map(({ file, kind }) => [file, kind])]).toEqual([
    0,
    [
      ["top one.qcow2", "warning"],
      ["kept.qcow2", "warning"],
    ],
  ]);
  const command = `qemu-img rebase -u -F qcow2 -b base.qcow2 'top one.qcow2'`;
  expect(annotations[0]?.message).toContain(
    `is base.qcow2 now, and qcow2; before it is used, point it there: ${command}`,
  );
  expect(summary).toContain("qemu-img rebase -u -F qcow2 -b base.qcow2 kept.qcow2");
  const [, , , kept] = JSON.parse(outputs.images ?? "");
  expect(kept.notes).toEqual([annotations[1]?.message]);
  // What it says works.
  const [, words = ""] = /: qemu-img (.*)$/.exec(annotations[1]?.message ?? "") ?? [];
  execFileSync("qemu-img", words.split(" "), { cwd: runner.path(".") });
  expect(runner.guestDigest("kept.qcow2")).toBe(before);
});
