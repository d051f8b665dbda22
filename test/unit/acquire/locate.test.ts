/** From lines to image files. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { locate, type NamedImage } from "../../../src/acquire/locate.ts";
import { expandGlob } from "../../../src/action/inputs/expand-glob.ts";

const home = process.cwd();
let folder: string;
beforeAll(() => {
  // @actions/glob tells the runner what it does.
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  folder = mkdtempSync(join(tmpdir(), "inplace-convert-locate-"));
  // What the working folder's own name holds is no glob.
  const workspace = join(folder, "a [b] *");
  mkdirSync(join(workspace, "sub"), { recursive: true });
  const beside = ["inplace-journal", "inplace-undo", "inplace-lock"].map((suffix) => `a.qed.${suffix}`);
  for (const name of ["a.qed", "b.qed", "x[1].qed", "x1.qed", "!odd.qed", "#c.qed", "sub/d.qed", ...beside]) {
    writeFileSync(join(workspace, name), "");
  }
  writeFileSync(join(folder, "above.qed"), "");
  process.chdir(workspace);
});
afterAll(() => {
  vi.restoreAllMocks();
  process.chdir(home);
  rmSync(folder, { recursive: true, force: true });
});

const digest = (digit: string) => ({ algorithm: "sha256", hex: digit.repeat(64) }) as const;

function named(...lines: (string | NamedImage)[]) {
  const images = lines.map((line) => (typeof line === "string" ? { name: line, guestChecksum: undefined } : line));
  return locate(images, expandGlob);
}

async function paths(...lines: string[]): Promise<readonly string[]> {
  const { images, mistakes, missing } = await named(...lines);
  expect([...mistakes, ...missing]).toEqual([]);
  return images.map(({ path }) => path);
}

test("globs, by name; what we put beside an image is none", async () => {
  expect(await paths("a*")).toEqual(["a.qed"]);
  expect(await paths("[ab].qed")).toEqual(["a.qed", "b.qed"]);
  expect(await paths("**/d.qed")).toEqual([join("sub", "d.qed")]);
  expect(await paths("../above*")).toEqual([join("..", "above.qed")]);
  expect(await paths(join(folder, "*.qed"))).toEqual([join(folder, "above.qed")]);
});

test("a literal path wins over a glob", async () => {
  expect(await paths("x[1].qed")).toEqual(["x[1].qed"]);
  expect(await paths("!odd.qed")).toEqual(["!odd.qed"]);
  expect(await paths("#c.qed")).toEqual(["#c.qed"]);
});

test("no file twice, however it is named", async () => {
  expect(await paths("b.qed", "./b.qed", "*.qed", join(process.cwd(), "a.qed"))).toEqual([
    "b.qed",
    "!odd.qed",
    "#c.qed",
    "a.qed",
    "x1.qed",
    "x[1].qed",
  ]);
});

test("lines that leave out", async () => {
  expect(await paths("?.qed", "!b*")).toEqual(["a.qed"]);
  expect(await named("!b*")).toMatchObject({ mistakes: [], missing: [expect.stringContaining("leave images out")] });
});

test("each line that nothing is called by is told, apart from what can't be used", async () => {
  const { images, mistakes, missing } = await named("gone.qed", "gone*", "sub", "a.qed/", "b.qed");
  expect(missing).toEqual([
    expect.stringContaining("gone.qed"),
    expect.stringContaining("gone*"),
    expect.stringContaining("a.qed/"),
  ]);
  expect(mistakes).toEqual([expect.stringContaining("folder")]);
  expect(images.map(({ path }) => path)).toEqual(["b.qed"]);
});

test("a digest goes with its image, once", async () => {
  const one = { name: "a.qed", guestChecksum: digest("1") };
  expect(await named("[ab].qed", one)).toEqual({
    images: [
      { path: "a.qed", guestChecksum: digest("1") },
      { path: "b.qed", guestChecksum: undefined },
    ],
    mistakes: [],
    missing: [],
  });
  expect((await named(one, "a.qed")).images).toEqual([{ path: "a.qed", guestChecksum: digest("1") }]);
  expect((await named(one, { name: "./a.qed", guestChecksum: digest("2") })).mistakes).toHaveLength(1);
  expect((await named({ name: "[ab].qed", guestChecksum: digest("1") })).mistakes).toHaveLength(1);
  expect((await named({ name: "[a].qed", guestChecksum: digest("1") })).mistakes).toEqual([]);
});
