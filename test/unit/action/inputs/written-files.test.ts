/** Paths that a step writes to, beside images: what none of them may replace. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chdir, cwd } from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inputDefaults } from "../../../../src/action/inputs/input-names.ts";
import { readInputs } from "../../../../src/action/inputs/inputs.ts";
import { refuseForeignFile, writtenFileMistakes } from "../../../../src/action/inputs/written-files.ts";

const home = cwd();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-convert-written-"));
  chdir(folder);
  mkdirSync("folder");
  writeFileSync("raw", Buffer.alloc(4096));
  writeFileSync("notes", "no list\n");
  writeFileSync("empty", "");
  writeFileSync("old", `${"0".repeat(64)}  a b\n\\${"1".repeat(64)} *c\\\\d\n`);
  writeFileSync("mixed", `${"0".repeat(64)}  a\nand more\n`);
  symlinkSync("raw", "link");
  symlinkSync("nowhere", "broken");
  symlinkSync("/dev/null", "device");
});
afterAll(() => {
  chdir(home);
  rmSync(folder, { recursive: true, force: true });
});

function mistakesOf(sha256sums: string, predicate = "", report = "r.html"): Promise<readonly string[]> {
  const given: Readonly<Record<string, string>> = {
    predicate,
    image: "disk",
    "target-format": "qcow2",
    report,
    sha256sums,
  };
  const { inputs, mistakes } = readInputs((name) => given[name] ?? inputDefaults[name]);
  expect(mistakes).toEqual([]);
  return writtenFileMistakes(inputs, ["disk", "downloads/disk"]);
}

test.each(["SHA256SUMS", "new/deep/SHA256SUMS", "folder/disk", "empty", "old", "link", "broken", "disk.sha256"])(
  "%s can be written",
  async (path) => {
    expect(await mistakesOf(path)).toEqual([]);
  },
);

test.each([
  ["./disk", "it is an image of this step; name another path"],
  ["folder/../downloads/disk", "it is an image of this step"],
  ["r.json", "it is the report"],
  ["r.html", "it is the report"],
  ["new.VHDX", ".vhdx is what images are called"],
  ["disk.inplace-journal", "what lies beside images is called so"],
  ["raw", "it exists and is not a list of SHA-256 checksums, and nothing else is replaced"],
  ["notes", "it exists and is not a list of SHA-256 checksums"],
  ["mixed", "it exists and is not a list of SHA-256 checksums"],
  ["folder", "it is a folder"],
  ["/dev/null", "it is no regular file"],
  ["device", "it leads to no regular file"],
  ["notes/SHA256SUMS", "its folder is no place for it: it is no folder"],
  ["notes/a/SHA256SUMS", "its folder is no place for it: notes is no folder"],
])("%s is refused: %s", async (path, why) => {
  expect(await mistakesOf(path)).toEqual([expect.stringContaining(`input "sha256sums": Cannot use "${path}": ${why}`)]);
});

test("a predicate replaces a JSON object and nothing else, and has a path of its own", async () => {
  writeFileSync("old.json", "{}\n");
  writeFileSync("list.json", "[]");
  writeFileSync("raw.json", Buffer.alloc(4096));
  expect(await mistakesOf("SHA256SUMS", "old.json")).toEqual([]);
  for (const path of ["list.json", "raw.json"]) {
    expect(await mistakesOf("SHA256SUMS", path)).toEqual([
      expect.stringContaining(`input "predicate": Cannot use "${path}": it exists and is not a JSON object`),
    ]);
  }
  expect(await mistakesOf("same.json", "./same.json")).toEqual([
    expect.stringContaining('input "predicate": Cannot use "./same.json": it is the path of sha256sums too'),
  ]);
  expect(await mistakesOf("SHA256SUMS", "r.json")).toEqual([expect.stringContaining("it is the report")]);
});

test("a report's page and JSON have a place, or are refused once", async () => {
  mkdirSync("taken.json");
  for (const [report, why] of [
    ["taken.json", "taken.json is a folder; name another path"],
    ["taken.html", "taken.json is a folder; name another path"],
    ["notes/r.html", "its folder is no place for it: it is no folder"],
    ["downloads/disk.html", undefined],
  ] as const) {
    expect(await mistakesOf("", "", report)).toEqual(
      why === undefined ? [] : [`input "report": Cannot use "${report}": ${why}`],
    );
  }
});

test("what has come to lie there by the time of writing is not replaced either", async () => {
  await expect(refuseForeignFile("sha256sums", "raw")).rejects.toThrow("Cannot write raw: it exists");
  await expect(refuseForeignFile("sha256sums", "old")).resolves.toBeUndefined();
});
