/** The list of checksums of all resulting files: what it holds, when it is written, and what it never replaces. */

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { leakOne } from "./broken-images.ts";
import { Runner, tool } from "./runner.ts";

const QCOW2 = { "target-format": "qcow2" } as const;

/** By coreutils, in the list's folder. */
function verified(runner: Runner, folder: string, list: string): string {
  return tool("sh", "-c", 'cd "$1" && sha256sum --check --strict "$2"', "sh", runner.path(folder), list);
}

test("all resulting files by their new names, relative to the list's folder", async () => {
  const runner = new Runner();
  for (const name of ["build/a.qed", "build/two names.qed", "other/b\\c.qed"]) runner.makeImage(name, "qed");
  const { exitCode, outputs } = await runner.main({
    image: "build/*.qed\nother/*.qed",
    ...QCOW2,
    sha256sums: "build/out/SHA256SUMS",
  });
  expect({ exitCode, outputs }).toMatchObject({ exitCode: 0, outputs: { sha256sums: "build/out/SHA256SUMS" } });
  const list = readFileSync(runner.path("build/out/SHA256SUMS"), "utf8");
  expect(list).toBe(
    `${runner.sha256("build/a.qcow2")}  ../a.qcow2\n${runner.sha256("build/two names.qcow2")}  ../two names.qcow2\n` +
      `\\${runner.sha256("other/b\\c.qcow2")}  ../../other/b\\\\c.qcow2\n`,
  );
  expect(verified(runner, "build/out", "SHA256SUMS")).toMatch(/(.*: OK\n){3}/);
  const images = JSON.parse(outputs.images ?? "") as { readonly image: string; readonly "sha256-file": string }[];
  for (const image of images) expect(image["sha256-file"]).toBe(runner.sha256(image.image));
});

test("an image of several files has them all in it, and an old list is replaced", async () => {
  const runner = new Runner();
  runner.makeImage("disk.raw", "raw");
  writeFileSync(runner.path("SHA256SUMS"), `${"0".repeat(64)}  gone.raw\n`);
  const { exitCode } = await runner.main({
    image: "disk.raw",
    "source-format": "raw",
    "target-format": "vmdk",
    options: "subformat=monolithicFlat",
    sha256sums: "SHA256SUMS",
  });
  expect(exitCode).toBe(0);
  const names = readFileSync(runner.path("SHA256SUMS"), "utf8").replaceAll(/^[0-9a-f]{64} {2}/gm, "");
  expect(names).toBe("disk.vmdk\ndisk.raw\n");
  expect(verified(runner, ".", "SHA256SUMS")).toMatch(/(.*: OK\n){2}/);
});

test("a step that fails vouches for nothing", async () => {
  const runner = new Runner();
  runner.makeImage("a.qed", "qed");
  writeFileSync(runner.path("b.qed"), "noise");
  const { exitCode, outputs } = await runner.main({ image: "*.qed", ...QCOW2, sha256sums: "SHA256SUMS" });
  expect(exitCode).toBe(1);
  expect(outputs).not.toHaveProperty("sha256sums");
  expect(runner.names).toEqual(["a.qcow2", "b.qed"]);
});

test("a dry run writes none", async () => {
  const runner = new Runner();
  runner.makeImage("a.qed", "qed");
  const { exitCode, outputs } = await runner.main({
    image: "a.qed",
    ...QCOW2,
    sha256sums: "SHA256SUMS",
    "dry-run": "true",
  });
  expect(exitCode).toBe(0);
  expect(outputs).not.toHaveProperty("sha256sums");
  expect(runner.names).toEqual(["a.qed"]);
});

test("a path that can't be used is refused before anything is touched", async () => {
  const runner = new Runner();
  runner.makeImage("disk", "qed");
  const before = runner.sha256("disk");
  const { exitCode, annotations } = await runner.main({ image: "disk", ...QCOW2, sha256sums: "./disk" });
  expect(exitCode).toBe(1);
  expect(annotations[0]?.message).toContain('input "sha256sums": Cannot use "./disk": it is an image of this step');
  expect({ names: runner.names, sha256: runner.sha256("disk") }).toEqual({ names: ["disk"], sha256: before });
});

test.each(["plan", "collect"] as const)("mode %s leaves nothing to list", async (mode) => {
  const runner = new Runner();
  const inputs = mode === "plan" ? { image: "https://example.invalid/a.qed", ...QCOW2 } : { reports: "*.json" };
  const { exitCode, annotations } = await runner.main({ mode, ...inputs, sha256sums: "SHA256SUMS" });
  expect(exitCode).toBe(1);
  expect(annotations[0]?.message).toContain(`Cannot use sha256sums in mode ${mode}`);
});

test("a repair that a failing step takes back is not vouched for, one that stays is", async () => {
  const runner = new Runner();
  runner.makeImage("leaky.qcow2", "qcow2");
  leakOne(runner.path("leaky.qcow2"));
  copyFileSync(runner.path("leaky.qcow2"), runner.path("again.qcow2"));
  const inputs = { mode: "check", image: "leaky.qcow2", repair: "all", sha256sums: "sums/SHA256SUMS" } as const;
  expect(await runner.main(inputs)).toMatchObject({ exitCode: 0, outputs: { changed: "true" } });
  expect(verified(runner, "sums", "SHA256SUMS")).toBe("../leaky.qcow2: OK\n");

  writeFileSync(runner.path("bad.qcow2"), "QFI\u00fb");
  const images = "bad.qcow2\nagain.qcow2";
  const failed = await runner.main({ ...inputs, image: images, sha256sums: "more/SHA256SUMS" });
  expect(failed).toMatchObject({ exitCode: 1, outputs: { changed: "true" } });
  expect(failed.outputs).not.toHaveProperty("sha256sums");
  await runner.post();
  expect(runner.names).toEqual(["again.qcow2", "bad.qcow2", "leaky.qcow2", "sums"]);
});
