/** Inputs that can't be used: all mistakes at once, nothing touched. */

import { lstatSync, mkdirSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { Runner } from "./runner.ts";

test("all mistakes are listed at once, before a byte is touched", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  mkdirSync(runner.path("folder"));
  const before = runner.sha256("disk.qed");
  const { exitCode, annotations, outputs, summary } = await runner.main({
    image: [
      "disk.qed",
      "gone.qed",
      "folder",
      "nothing*.qed",
      "https://example.org/disk.qed sha256:00",
      "http://example.org/disk.qed",
      "disk.qed guest-sha256:123",
      "disk.qed sha512:00",
    ].join("\n"),
    mode: "chek",
    "if-no-images": "never",
    "target-format": "qcow3",
    checksums: "SHA256SUMS",
    "source-format": "floppy",
    checksum: "md5",
    verify: "twice",
    check: "yes",
    repair: "some",
    "fail-on": "leaks",
    cache: "maybe",
    headers: "Authorization: Bearer verysecret\nno header\nRange: bytes=0-1",
    "cross-check": "on",
    shards: "257",
    rename: "1",
    "dry-run": "no",
    "max-extra-space": "much",
    compress: "zstd",
    compact: "yes",
    "sparse-size": "1000",
    drop: "everything",
    "on-interrupted": "retry",
    concurrency: "0",
    summary: "sometimes",
    report: "report.pdf",
  });
  expect(exitCode).toBe(1);
  expect(annotations).toHaveLength(1);
  const message = annotations[0]?.message ?? "";
  for (const words of [
    "gone.qed: there is no such file",
    "folder as an image",
    "nothing matches nothing*.qed",
    "sha256 needs 64 hex digits",
    "only https is safe",
    "guest-sha256 needs 64 hex digits",
    "sha512 is of a download",
    'input "mode": Cannot use "chek": expected convert, check, plan or collect',
    'input "if-no-images": Cannot use "never": expected error, warn or ignore',
    'input "target-format": ',
    "qcow3",
    'input "source-format": ',
    "floppy",
    'input "checksum": Cannot use "md5"',
    'input "verify": Cannot use "twice"',
    'input "check": Cannot use "yes"',
    'input "repair": Cannot use "some"',
    'input "fail-on": Cannot use "leaks"',
    'input "cache": Cannot use "maybe"',
    'input "headers": Cannot use line 2 of headers',
    'input "headers": Cannot use the header Range',
    'input "cross-check": Cannot use "on"',
    'input "shards": Cannot use "257": expected auto or a number from 1 to 256',
    'input "rename": Cannot use "1"',
    'input "dry-run": Cannot use "no"',
    'input "max-extra-space": Cannot use "much"',
    'input "compress": Cannot use "zstd"',
    'input "compact": Cannot use "yes": expected auto, true or false',
    'input "sparse-size": Cannot use 1000 for sparse-size: expected a multiple of 512',
    'input "drop": Cannot drop everything',
    'input "on-interrupted": Cannot use "retry"',
    'input "concurrency": Cannot use "0"',
    'input "summary": Cannot use "sometimes"',
    'input "report": Cannot use "report.pdf"',
    "Nothing was touched",
  ]) {
    expect(message, words).toContain(words);
  }
  const mistakes = message.split("\n").filter((line) => line !== "Nothing was touched");
  expect(mistakes.filter((line) => !/^- input "[a-z-]+": Cannot /.test(line))).toEqual([]);
  expect(mistakes.filter((line, index) => mistakes.indexOf(line) !== index)).toEqual([]);
  expect(message).not.toContain("verysecret");
  expect(outputs).toMatchObject({ images: "[]", changed: "false" });
  expect(summary).toContain("Cannot use these inputs");
  expect(runner.names).toEqual(["disk.qed", "folder"]);
  expect(runner.sha256("disk.qed")).toBe(before);
});

test("the target's options are checked without an image, each of them", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const options = "cluster_size=3\ncompat=9,color=red";
  const { annotations, summary } = await runner.main({ image: "disk.qed", "target-format": "qcow2", options });
  expect(annotations).toHaveLength(1);
  for (const words of ["cluster_size", "compat", "color"]) {
    expect(annotations[0]?.message).toContain(words);
    expect(summary).toContain(words);
  }
  expect(runner.names).toEqual(["disk.qed"]);
});

test("an empty image and an empty target are two mistakes", async () => {
  const { exitCode, annotations } = await new Runner().main({});
  expect(exitCode).toBe(1);
  expect(annotations[0]?.message).toContain("without image");
  expect(annotations[0]?.message).toContain("without target-format");
});

test.each([
  [{ mode: "wipe", image: "a" }, 'input "mode": Cannot use "wipe"'],
  [{ mode: "check" }, "without image"],
  [{ mode: "check", image: "disk.qed", check: "false" }, "check: false with mode check"],
  [{ mode: "plan", image: "disk.qed" }, "without target-format"],
  [{ "target-format": "qcow2", image: "disk.qed", check: "false", repair: "all" }, "check: false with repair"],
  [
    { mode: "check", image: "disk.qed", checksums: "SHA256SUMS" },
    'input "checksums": Cannot use checksums without a URL',
  ],
  [{ mode: "check", image: "disk.qed", options: "=3" }, 'input "options": Cannot use "=3"'],
  [{ "target-format": "qcow2", image: "disk.qed", options: "table_size=3" }, 'input "options": '],
  [{ mode: "check", image: "https://a.example/x.qed", checksums: "gone.txt" }, 'input "checksums": Cannot read'],
  [{ mode: "check", image: "gone.qed" }, 'input "image": Cannot find gone.qed'],
  [{ mode: "check", image: "disk.qed", shard: "3/2" }, 'input "shard": Cannot use "3/2"'],
  [
    { mode: "check", image: "https://a.example/x.qed", "output-directory": "disk.qed" },
    'input "output-directory": Cannot use disk.qed: it is no folder',
  ],
  [
    { mode: "plan", "target-format": "qcow2", image: "https://a.example/x.qed", "output-directory": "disk.qed/new" },
    'input "output-directory": Cannot use disk.qed/new: disk.qed is no folder',
  ],
  [{ mode: "check", image: "disk.qed", predicate: "p.json" }, "Cannot use predicate in mode check"],
  [{ image: "disk.qed", "target-format": "qcow2", predicate: "p" }, "expected a path that ends in .json"],
  [
    { image: "disk.qed", "target-format": "qcow2", predicate: "p.json", checksum: "none" },
    'inputs "predicate" and "checksum": Cannot use predicate with checksum: none',
  ],
  [{ mode: "check", image: "https://a.example/disk", sha256sums: "./disk" }, "it is an image of this step"],
  [{ mode: "collect" }, "without reports"],
  [{ mode: "collect", image: "disk.qed", reports: "*.json" }, "image in mode collect"],
  [{ mode: "collect", reports: "*.json" }, "nothing matches *.json"],
  [{ mode: "check", image: "disk.qed", headers: "A: b\u0001" }, "line 1 of headers"],
  [
    { mode: "check", image: "https://a.example/x.qed\nhttps://b.example/x.qed", headers: "A: b" },
    "https://a.example and https://b.example",
  ],
] as const)("%o", async (inputs, words) => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const { exitCode, annotations } = await runner.main(inputs);
  expect(exitCode).toBe(1);
  expect(annotations).toHaveLength(1);
  expect(annotations[0]?.message).toContain(words);
  expect(runner.names).toEqual(["disk.qed"]);
});

test("a report never takes an image's place", async () => {
  const runner = new Runner();
  runner.makeImage("disk.json", "qed");
  const before = runner.sha256("disk.json");
  const { exitCode, annotations } = await runner.main({
    image: "disk.json",
    "target-format": "qcow2",
    report: "./disk.json",
  });
  expect(exitCode).toBe(1);
  expect(annotations[0]?.message).toContain(
    'input "report": Cannot use "./disk.json": ./disk.json is an image of this step',
  );
  expect(runner.sha256("disk.json")).toBe(before);
});

test("a report replaces a link, never the image behind it", async () => {
  const runner = new Runner();
  runner.makeImage("other.qed", "qed");
  const before = runner.sha256("other.qed");
  runner.makeImage("disk.qed", "qed");
  symlinkSync("other.qed", runner.path("report.json"));
  const { exitCode } = await runner.main({ image: "disk.qed", "target-format": "qcow2", report: "report.json" });
  expect(exitCode).toBe(0);
  expect(lstatSync(runner.path("report.json")).isFile()).toBe(true);
  expect(runner.sha256("other.qed")).toBe(before);
});

test("a report that can't be written fails the step after all else was done", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  // The file system takes the name, but not that of the draft that becomes the report.
  const report = `${"r".repeat(245)}.json`;
  const { exitCode, annotations, outputs, summary } = await runner.main({
    image: "disk.qed",
    "target-format": "qcow2",
    report,
  });
  expect(exitCode).toBe(1);
  expect(annotations).toMatchObject([{ kind: "error", title: "Cannot write the report" }]);
  expect(outputs).toMatchObject({ image: "disk.qcow2", changed: "true" });
  expect(outputs).not.toHaveProperty("report");
  expect(summary).toContain("1 image converted");
  expect(runner.names).toEqual(["disk.qcow2"]);
});
