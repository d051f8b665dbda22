/** `mode: check`: what is told, and what fails the step. */

import { renameSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { corruptOne, leakOne } from "./broken-images.ts";
import { Runner, tool } from "./runner.ts";

const CHECK = { mode: "check" } as const;

function brokenImages(): Runner {
  const runner = new Runner();
  for (const name of ["clean.qcow2", "leaky.qcow2", "corrupt.qcow2"]) runner.makeImage(name, "qcow2");
  leakOne(runner.path("leaky.qcow2"));
  corruptOne(runner.path("corrupt.qcow2"));
  return runner;
}

test("a clean image: every output, nothing written", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qcow2", "qcow2");
  const before = runner.sha256("disk.qcow2");
  const { exitCode, annotations, outputs, summary } = await runner.main({ ...CHECK, image: "disk.qcow2" });
  expect({ exitCode, annotations }).toEqual({ exitCode: 0, annotations: [] });
  const { images = "", ...others } = outputs;
  expect(others).toEqual({
    image: "disk.qcow2",
    format: "qcow2",
    "virtual-size": String(8 * 1024 * 1024),
    "sha256-file": before,
    changed: "false",
    "check-result": "clean",
    corruptions: "0",
    leaks: "0",
    "bytes-written": "0",
    "bytes-moved": "0",
    "peak-extra-bytes": "0",
    "cache-hit": "false",
  });
  const ofQemu = JSON.parse(tool("qemu-img", "check", "--output=json", runner.path("disk.qcow2")));
  expect(JSON.parse(images)).toMatchObject([
    { ...ofQemu, filename: "disk.qcow2", image: "disk.qcow2", "check-result": "clean", changed: false, findings: [] },
  ]);
  expect(summary).not.toBe("");
  expect(runner.names).toEqual(["disk.qcow2"]);
  expect(runner.sha256("disk.qcow2")).toBe(before);
  expect(await runner.post()).toMatchObject({ exitCode: 0, log: "" });
});

test("raw has no check: unsupported, and no failure", async () => {
  const runner = new Runner();
  runner.makeImage("disk.raw", "raw");
  runner.makeImage("disk.qed", "qed");
  const { exitCode, outputs } = await runner.main({ ...CHECK, image: "disk.raw", "source-format": "raw" });
  expect(exitCode).toBe(0);
  expect(outputs).toMatchObject({ "check-result": "unsupported", format: "raw", "virtual-size": "8388608" });
});

test.each([
  ["corruption", ["corrupt.qcow2"]],
  ["leak", ["corrupt.qcow2", "leaky.qcow2"]],
  ["warning", ["corrupt.qcow2", "leaky.qcow2"]],
] as const)("fail-on %s", async (failOn, failed) => {
  const runner = brokenImages();
  const before = runner.names.map((name) => runner.sha256(name));
  const { exitCode, annotations, outputs } = await runner.main({ ...CHECK, image: "*.qcow2", "fail-on": failOn });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ kind, file }) => [kind, file])).toEqual(failed.map((file) => ["error", file]));
  expect(outputs).toMatchObject({ "check-result": "corrupt", leaks: "1", changed: "false" });
  expect(Number(outputs.corruptions)).toBeGreaterThan(0);
  expect(runner.names.map((name) => runner.sha256(name))).toEqual(before);
  const images = JSON.parse(outputs.images ?? "") as { readonly image: string; readonly "check-result": string }[];
  expect(images.map((image) => image["check-result"])).toEqual(["clean", "corrupt", "leaks"]);
});

test("leaks alone pass by default, and are told", async () => {
  const runner = brokenImages();
  const { exitCode, outputs } = await runner.main({ ...CHECK, image: "leaky.qcow2" });
  expect(exitCode).toBe(0);
  expect(outputs).toMatchObject({ "check-result": "leaks", leaks: "1", corruptions: "0" });
});

test("what is no image fails, the others are checked", async () => {
  const runner = brokenImages();
  writeFileSync(runner.path("noise.qcow2"), "no image".repeat(1000));
  const { exitCode, annotations, outputs } = await runner.main({ ...CHECK, image: "noise.qcow2\nclean.qcow2" });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ file }) => file)).toEqual(["noise.qcow2"]);
  expect(outputs).toMatchObject({ "check-result": "clean" });
});

test("an annotation names what was found, where, and what to do", async () => {
  const runner = brokenImages();
  const { annotations } = await runner.main({ ...CHECK, image: "corrupt.qcow2" });
  const [{ message = "" } = {}] = annotations;
  expect(message).toContain("corruption");
  expect(message).toContain("Cluster 9 at host offset 0x90000");
  expect(message).toContain("set repair to all to mend it");
});

test("fail-on leak before a conversion: nothing is converted; without it the leak is left behind", async () => {
  const runner = brokenImages();
  const before = runner.sha256("leaky.qcow2");
  const inputs = { image: "leaky.qcow2", "target-format": "qed" } as const;
  const { exitCode, annotations } = await runner.main({ ...inputs, "fail-on": "leak" });
  expect(exitCode).toBe(1);
  expect(annotations).toHaveLength(1);
  expect(annotations[0]?.message).toContain("1 leaked cluster");
  expect(annotations[0]?.message).toContain("The image is as it was");
  expect(runner.sha256("leaky.qcow2")).toBe(before);
  expect(await runner.main(inputs)).toMatchObject({ exitCode: 0 });
  expect(runner.cleanFormat("leaky.qed")).toBe("qed");
});

test("cross-check: qemu-img's counts beside ours", async () => {
  const runner = brokenImages();
  const { outputs } = await runner.main({ ...CHECK, image: "*.qcow2", "cross-check": "require" });
  const images = JSON.parse(outputs.images ?? "") as { readonly notes: readonly string[] }[];
  for (const { notes } of images) expect(notes).toEqual([expect.stringMatching(/^qemu-img \S+ found the same$/)]);
});

test.each([{}, { "dry-run": "true" }, { mode: "plan" }, { repair: "none", "fail-on": "leak" }] as const)(
  "a corrupt image that is not converted is counted: %j",
  async (more) => {
    const runner = brokenImages();
    const checked = await runner.main({ ...CHECK, image: "corrupt.qcow2" });
    const { corruptions, leaks } = checked.outputs;
    expect(Number(corruptions)).toBeGreaterThan(0);
    const before = runner.sha256("corrupt.qcow2");
    const { exitCode, outputs, summary, annotations } = await runner.main({
      image: "corrupt.qcow2",
      "target-format": "qed",
      ...more,
    });
    expect(exitCode).toBe(1);
    expect(outputs).toMatchObject({ corruptions, leaks, "check-result": "corrupt", changed: "false" });
    expect(summary).toContain(`${corruptions} corruption`);
    expect(annotations).toHaveLength(1);
    expect(runner.sha256("corrupt.qcow2")).toBe(before);
  },
);

test("leaks that are not consented to are counted as leaks", async () => {
  const runner = brokenImages();
  const inputs = { image: "leaky.qcow2", "target-format": "qed", "fail-on": "warning" } as const;
  const { exitCode, outputs, annotations } = await runner.main(inputs);
  expect(exitCode).toBe(1);
  expect(outputs).toMatchObject({ corruptions: "0", leaks: "1", "check-result": "leaks" });
  expect(annotations[0]?.title).toContain("1 leaked cluster");
});

test.each([
  ["corrupt.qcow2", {}],
  ["leaky.qcow2", { "fail-on": "leak" }],
  ["corrupt.qcow2", { "dry-run": "true" }],
  ["corrupt.qcow2", { check: "true", rename: "true" }],
] as const)("%s to its own format, %j: fails, and is never called converted", async (name, more) => {
  const runner = brokenImages();
  renameSync(runner.path(name), runner.path("disk.img"));
  const before = runner.sha256("disk.img");
  const { exitCode, outputs, annotations, log, summary } = await runner.main({
    image: "disk.img",
    "target-format": "qcow2",
    ...more,
  });
  expect(exitCode).toBe(1);
  expect(annotations).toHaveLength(1);
  for (const told of [annotations[0]?.message ?? "", log, summary, outputs.images ?? ""]) {
    expect(told).not.toMatch(/converted and verified|nothing to do/i);
  }
  expect(annotations[0]?.message).toContain("The image is as it was");
  expect(outputs).toMatchObject({ changed: "false", image: "disk.img" });
  expect(Number(outputs.corruptions) + Number(outputs.leaks)).toBeGreaterThan(0);
  expect(runner.sha256("disk.img")).toBe(before);
});
