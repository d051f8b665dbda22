import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Library } from "../../../src/cli/library.ts";
import { report, run } from "./world.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "demo-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const MiB = 1024 ** 2;
const bytes = { header: 0, tables: 0, data: 8 * MiB, compressed: 0, free: 8 * MiB };
const runs = [
  { start: 0, length: 8 * MiB, kind: "data" },
  { start: 8 * MiB, length: 8 * MiB, kind: "free" },
] as const;
const layout = { fileSize: 16 * MiB, bytes, isExact: true, runs } as const;

/** A library whose last conversion has the checksum `last`; it keeps the path of the image that it was told to make. */
function libraryWith(last: string, paths: string[] = []): Partial<Library> {
  const afters = ["ab", "ab", last];
  return {
    async makeDemoImage(path) {
      paths.push(path);
      await writeFile(path, "a disk");
      return { virtualSize: 16 * MiB, dataBytes: 8 * MiB, fileSize: 16 * MiB };
    },
    convert: async (image, targetFormat) => ({
      ...report,
      image,
      targetFormat,
      bytesMoved: MiB,
      guestChecksum: { algorithm: "blkhash-sha256", covers: "guest", before: "ab", after: afters.shift() ?? null },
      layout: { before: layout, after: layout },
    }),
    compare: async () => ({ identical: true, firstDifference: null, sizes: [1, 1], message: "Images are identical." }),
  };
}

test("shows the file after each conversion, then removes its folder", async () => {
  const paths: string[] = [];
  const { exitCode, stdout, stderr, calls } = await run("demo", libraryWith("ab", paths));
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(calls.map(([name, , target]) => (name === "convert" ? target : name))).toEqual([
    "makeDemoImage",
    "makeDemoImage",
    "qcow2",
    "compare",
    "vpc",
    "compare",
    "raw",
    "compare",
  ]);
  expect(stdout).toMatch(/\n1 raw[\s\S]*\n2 qcow2[\s\S]*\n3 fixed VHD[\s\S]*\n4 raw again/);
  expect(stdout).toContain(`1 raw       ${"█".repeat(24)}${"·".repeat(24)}  16 MiB\n`);
  expect(stdout).toContain("1 MiB moved, 1.64 MiB written, 0 ms\n");
  expect(stdout.match(/the same checksum/g)).toHaveLength(3);
  expect(existsSync(dirname(paths[0] ?? "."))).toBe(false);
});

test("--keep keeps the original and a file of each format", async () => {
  const kept = join(folder, "new");
  const { stdout } = await run(`demo --keep ${kept}`, libraryWith("ab"));
  expect(readdirSync(kept).sort()).toEqual(["demo.qcow2", "demo.raw", "demo.vhd", "original.raw"]);
  expect(stdout).toContain(`Kept in ${kept}: original.raw, demo.qcow2, demo.vhd, demo.raw`);
});

test("a difference is said, and exits 1", async () => {
  const { exitCode, stdout } = await run("demo", libraryWith("cd"));
  expect(exitCode).toBe(1);
  expect(stdout).toContain("ANOTHER checksum");
});

test("a failure removes the folder as well", async () => {
  const paths: string[] = [];
  const library = libraryWith("ab", paths);
  delete library.convert;
  expect((await run("demo", library)).exitCode).toBe(1);
  expect(existsSync(dirname(paths[0] ?? "."))).toBe(false);
});

test("JSON and nothing else where that was asked for; nothing with -q", async () => {
  const { stdout } = await run("demo --output json", libraryWith("ab"));
  const json = JSON.parse(stdout);
  expect(json).toMatchObject({ identical: true, "data-bytes": 8 * MiB });
  expect(json.conversions.map((each: Record<string, unknown>) => each["target-format"])).toEqual([
    "qcow2",
    "vpc",
    "raw",
  ]);
  expect((await run("demo -q", libraryWith("ab"))).stdout).toBe("");
});

test("draws no wider than a narrow terminal is", async () => {
  const { stdout } = await run("demo", libraryWith("ab"), { columns: 40 });
  expect(stdout).toContain(`\n1 raw       ${"█".repeat(9)}${"·".repeat(8)}  16 MiB\n`);
});

test.skipIf(process.platform !== "linux")(
  "a folder that can't be made is told, also where Node would try for ever",
  async () => {
    const { exitCode, stderr } = await run(["demo", "--keep", "/proc/demo/of/ours"], libraryWith("ab"));
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining("Cannot use /proc/demo: there is no such file or folder"),
    ]);
    const deep = await run(["demo", "--keep", join(folder, "a/b")], libraryWith("ab"));
    expect([deep.exitCode, existsSync(join(folder, "a/b"))]).toEqual([0, true]);
  },
);
