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

/** A library whose target has the checksum `after`; it keeps the path of the image it was told to make. */
function libraryWith(after: string, paths: string[] = []): Partial<Library> {
  const checksums = ["aaaa", after];
  return {
    async makeDemoImage(path) {
      paths.push(path);
      await writeFile(path, "an image");
      return { virtualSize: 64 * 1024 ** 2, dataBytes: 41 * 1024 ** 2, fileSize: 42 * 1024 ** 2 };
    },
    async checksum(image) {
      return { image, algorithm: "blkhash-sha256", covers: "guest", checksum: checksums.shift() ?? "" };
    },
    convert: async (image) => ({ ...report, image }),
    compare: async () => ({ identical: true, firstDifference: null, sizes: [1, 1], message: "Images are identical." }),
  };
}

test("shows each step and the figures, then removes its folder", async () => {
  const paths: string[] = [];
  const { exitCode, stdout, stderr, calls } = await run("demo", libraryWith("aaaa", paths));
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(calls.map(([name]) => name)).toEqual(["makeDemoImage", "checksum", "convert", "checksum", "compare"]);
  expect(stdout).toMatch(/1 make[\s\S]*2 checksum +aaaa[\s\S]*3 convert[\s\S]*4 verify +aaaa/);
  expect(stdout).toContain("the same checksum");
  expect(stdout).toContain("1.64 MiB, 4 % of the data");
  expect(existsSync(dirname(paths[0] ?? "."))).toBe(false);
});

test("--keep keeps the image and a copy of the original", async () => {
  const kept = join(folder, "new");
  const { stdout } = await run(`demo --keep ${kept}`, libraryWith("aaaa"));
  expect(readdirSync(kept).sort()).toEqual(["demo.img", "original.qed"]);
  expect(stdout).toContain(`Kept: ${join(kept, "demo.img")}`);
});

test("a difference is said, and exits 1", async () => {
  const { exitCode, stdout } = await run("demo", libraryWith("bbbb"));
  expect(exitCode).toBe(1);
  expect(stdout).toContain("ANOTHER checksum");
});

test("a failure removes the folder as well", async () => {
  const paths: string[] = [];
  const library = libraryWith("aaaa", paths);
  delete library.convert;
  expect((await run("demo", library)).exitCode).toBe(1);
  expect(existsSync(dirname(paths[0] ?? "."))).toBe(false);
});

test("JSON and nothing else where that was asked for; nothing with -q", async () => {
  const { stdout } = await run("demo --output json", libraryWith("aaaa"));
  expect(JSON.parse(stdout)).toMatchObject({ changed: true, identical: true, "data-bytes": 41 * 1024 ** 2 });
  expect((await run("demo -q", libraryWith("aaaa"))).stdout).toBe("");
});
