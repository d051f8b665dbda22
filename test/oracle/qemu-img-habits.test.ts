/** `compare -s` and a part of a map, against qemu-img's own words and exit codes. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as library from "../../src/index.ts";
import { run } from "../unit/cli/world.ts";

const folder = mkdtempSync(join(tmpdir(), "inplace-convert-habits-"));
const image = (name: string) => join(folder, name);
const DATA = ["write -P 1 0 64k", "write -P 1 1M 64k"];
const samples: Readonly<Record<string, { readonly size?: string; readonly writes: readonly string[] }>> = {
  plain: { writes: DATA },
  zeros: { writes: [...DATA, "write -z 128k 64k"] },
  kept: { writes: [...DATA, "write -P 1 128k 64k", "write -z 128k 64k"] },
  stored: { writes: [...DATA, "write -P 0 256k 64k"] },
  other: { writes: [...DATA, "write -P 3 256k 64k"] },
  changed: { writes: ["write -P 1 0 64k", "write -P 2 1M 64k"] },
  longer: { size: "8M", writes: DATA },
};
const names = Object.keys(samples);

beforeAll(() => {
  for (const [name, { size = "4M", writes }] of Object.entries(samples)) {
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", image(name), size]);
    execFileSync("qemu-io", ["-f", "qcow2", ...writes.flatMap((each) => ["-c", each]), image(name)]);
  }
  execFileSync("qemu-img", ["convert", "-O", "qcow2", "-c", image("plain"), image("compressed")]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([...names, "compressed"].flatMap((a) => names.map((b) => [a, b] as const)))(
  "compare -s %s %s",
  async (a, b) => {
    const words = ["compare", "-s", image(a), image(b)];
    const theirs = spawnSync("qemu-img", words, { encoding: "utf8" });
    const ours = await run(words, library);
    expect([ours.exitCode, ours.stdout]).toEqual([theirs.status, theirs.stdout]);
  },
);

test.each([
  [],
  ["--start-offset=32k", "--max-length=64k"],
  ["--start-offset=1000"],
  ["--max-length=10"],
  ["--start-offset=8M"],
  ["--start-offset=4M"],
  ["--start-offset=3M", "--max-length=9M"],
  ["--max-length=0"],
  ["--start-offset=1M", "--max-length=32k"],
])("map %s %s", async (...options) => {
  for (const name of ["zeros", "compressed"]) {
    const words = ["map", "--output=json", ...options, image(name)];
    const theirs = JSON.parse(execFileSync("qemu-img", words, { encoding: "utf8" }));
    const ours: Record<string, unknown>[] = JSON.parse((await run(words, library)).stdout);
    // Newer ones than 7.2 say of each entry whether it is compressed.
    const known = ours.map(({ compressed, ...entry }) =>
      "compressed" in theirs[0] ? { ...entry, compressed } : entry,
    );
    expect(known).toEqual(theirs);
  }
});

test("info --backing-chain", async () => {
  for (const [top, base] of [
    ["middle", "plain"],
    ["top", "middle"],
  ] as const) {
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", image(top)]);
  }
  // By another name of the folder, which stays in what is told.
  const link = join(folder, "link");
  symlinkSync(".", link);
  const words = ["info", "--backing-chain", "--output=json", join(link, "top")];
  const theirs: Record<string, unknown>[] = JSON.parse(execFileSync("qemu-img", words, { encoding: "utf8" }));
  const ours: Record<string, unknown>[] = JSON.parse((await run(words, library)).stdout);
  // 7.2 does not tell of the files below an image yet.
  const known = ours.map(({ children, ...each }) => ("children" in (theirs[0] ?? {}) ? { ...each, children } : each));
  expect(known).toEqual(theirs);
  expect(theirs.map(({ filename }) => filename)).toEqual(["top", "middle", "plain"].map((name) => join(link, name)));
});
