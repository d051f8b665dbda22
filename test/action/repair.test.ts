/** `repair`: what is mended, when its undo is given up, and what `post` takes back. */

import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { corruptOne, leakOne } from "./broken-images.ts";
import { Runner, tool } from "./runner.ts";

const REPAIR = { mode: "check", repair: "all" } as const;

/** Damaged images; `guest` is what all of them show. */
function brokenImages(): { readonly runner: Runner; readonly guest: string } {
  const runner = new Runner();
  const [guest = ""] = ["corrupt.qcow2", "leaky.qcow2"].map((name) => runner.makeImage(name, "qcow2"));
  leakOne(runner.path("leaky.qcow2"));
  corruptOne(runner.path("corrupt.qcow2"));
  leakOne(runner.path("corrupt.qcow2"));
  return { runner, guest };
}

test("all is mended, told, and the undo given up at the end", async () => {
  const { runner, guest } = brokenImages();
  const { exitCode, annotations, outputs, summary } = await runner.main({ ...REPAIR, image: "*.qcow2" });
  expect({ exitCode, annotations }).toEqual({ exitCode: 0, annotations: [] });
  expect(outputs).toMatchObject({ changed: "true", "check-result": "clean", corruptions: "0", leaks: "0" });
  expect(Number(outputs["bytes-written"])).toBeGreaterThan(0);
  expect(runner.names).toEqual(["corrupt.qcow2", "leaky.qcow2"]);
  for (const name of runner.names) {
    expect(runner.cleanFormat(name)).toBe("qcow2");
    expect(runner.guestDigest(name)).toBe(guest);
  }
  const images = JSON.parse(outputs.images ?? "");
  expect(images).toMatchObject([
    { image: "corrupt.qcow2", changed: true, "check-result": "clean", "leaks-fixed": 1 },
    { image: "leaky.qcow2", changed: true, "leaks-fixed": 1 },
  ]);
  expect(images[0]["corruptions-fixed"]).toBeGreaterThan(0);
  expect(summary).toContain("corrupt.qcow2");
  expect(await runner.post()).toMatchObject({ exitCode: 0, log: "" });
});

test("a clean image is not written to", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qcow2", "qcow2");
  const before = runner.sha256("disk.qcow2");
  const { exitCode, outputs } = await runner.main({ ...REPAIR, image: "disk.qcow2" });
  expect([exitCode, outputs.changed, outputs["bytes-written"]]).toEqual([0, "false", "0"]);
  expect(runner.sha256("disk.qcow2")).toBe(before);
  expect(runner.names).toEqual(["disk.qcow2"]);
});

test("the step fails: post takes every repair back, byte for byte, also of images that went well", async () => {
  const { runner } = brokenImages();
  writeFileSync(runner.path("noise.qcow2"), "noise".repeat(200));
  const names = [...runner.names];
  const before = names.map((name) => runner.sha256(name));
  const { exitCode, annotations, outputs } = await runner.main({ ...REPAIR, image: "*.qcow2" });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ file }) => file)).toEqual(["noise.qcow2"]);
  expect(JSON.parse(outputs.images ?? "")[0].notes.join()).toContain("puts the image back");
  expect(runner.cleanFormat("corrupt.qcow2")).toBe("qcow2");
  const post = await runner.post();
  expect(post.exitCode).toBe(0);
  expect(post.annotations.map(({ kind }) => kind)).toEqual(["notice", "notice"]);
  expect(runner.names).toEqual(names);
  expect(names.map((name) => runner.sha256(name))).toEqual(before);
});

test("leaks alone are mended; what is left fails and is taken back", async () => {
  const { runner } = brokenImages();
  const before = runner.sha256("corrupt.qcow2");
  const { exitCode, annotations, outputs } = await runner.main({ mode: "check", repair: "leaks", image: "*.qcow2" });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ file }) => file)).toEqual(["corrupt.qcow2"]);
  expect(annotations[0]?.message).toContain("Set repair: all");
  expect(outputs["check-result"]).toBe("corrupt");
  expect(await runner.post()).toMatchObject({ exitCode: 0 });
  expect(runner.sha256("corrupt.qcow2")).toBe(before);
  expect(runner.names).toEqual(["corrupt.qcow2", "leaky.qcow2"]);
});

test("keep-undo keeps it beyond the step, and rollback uses it", async () => {
  const { runner } = brokenImages();
  const before = runner.sha256("corrupt.qcow2");
  const inputs = { ...REPAIR, image: "corrupt.qcow2", "keep-undo": "true" } as const;
  const repaired = await runner.main(inputs);
  expect(repaired).toMatchObject({ exitCode: 0 });
  const way = "The way back is kept beside it: inplace-convert rollback corrupt.qcow2 goes it";
  expect(JSON.parse(repaired.outputs.images ?? "")[0].notes.join()).toContain(way);
  expect(repaired.summary).toContain("inplace-convert rollback corrupt.qcow2");
  expect(await runner.post()).toMatchObject({ exitCode: 0, log: "" });
  expect(runner.names).toEqual(["corrupt.qcow2", "corrupt.qcow2.inplace-undo", "leaky.qcow2"]);
  const found = await runner.main({ ...inputs, repair: "none" });
  expect(found).toMatchObject({ exitCode: 0, outputs: { "check-result": "clean" } });
  expect(await runner.main(inputs)).toMatchObject({ exitCode: 1 });
  expect(await runner.post()).toMatchObject({ exitCode: 0, log: "" });
  const back = await runner.main({ ...inputs, repair: "none", "on-interrupted": "rollback" });
  // It is what it was: corrupt.
  expect(back).toMatchObject({ exitCode: 1, outputs: { "check-result": "corrupt" } });
  expect(runner.sha256("corrupt.qcow2")).toBe(before);
  expect(runner.names).toEqual(["corrupt.qcow2", "leaky.qcow2"]);
});

test("a dry run looks and tells, and writes nothing", async () => {
  const { runner } = brokenImages();
  const before = runner.names.map((name) => runner.sha256(name));
  const { exitCode, annotations } = await runner.main({ ...REPAIR, image: "*.qcow2", "dry-run": "true" });
  expect(exitCode).toBe(1);
  expect(annotations[0]?.message).toContain("Without dry-run a repair would be tried first");
  const convert = { repair: "all", image: "*.qcow2", "target-format": "qed", "dry-run": "true" } as const;
  const planned = await runner.main(convert);
  expect(planned.exitCode).toBe(0);
  expect(planned.outputs.changed).toBe("false");
  expect(JSON.parse(planned.outputs.images ?? "")[0].notes.join()).toContain("Would first repair it");
  expect(runner.names.map((name) => runner.sha256(name))).toEqual(before);
});

describe("before a conversion", () => {
  test("mended first, then converted", async () => {
    const { runner, guest } = brokenImages();
    const inputs = { image: "*.qcow2", "target-format": "qed", checksum: "sha256" } as const;
    expect(await runner.main(inputs)).toMatchObject({ exitCode: 1 });
    runner.remove("leaky.qed");
    const { exitCode, outputs } = await runner.main({ ...inputs, repair: "all" });
    expect(exitCode).toBe(0);
    expect(outputs).toMatchObject({ changed: "true", "checksum-after": guest, image: "corrupt.qed" });
    expect(runner.names).toEqual(["corrupt.qed"]);
    expect(runner.cleanFormat("corrupt.qed")).toBe("qed");
    const [report] = JSON.parse(outputs.images ?? "");
    expect(report.repair).toMatchObject({ "check-result": "clean", changed: true });
    expect(await runner.post()).toMatchObject({ exitCode: 0, log: "" });
  });

  test("what can't be converted even then is as it was", async () => {
    const { runner } = brokenImages();
    tool("qemu-img", "bitmap", "--add", runner.path("leaky.qcow2"), "of-backups");
    leakOne(runner.path("leaky.qcow2"));
    const before = runner.sha256("leaky.qcow2");
    const inputs = { image: "leaky.qcow2", "target-format": "qed", repair: "all" } as const;
    const { exitCode, annotations } = await runner.main(inputs);
    expect(exitCode).toBe(1);
    expect(annotations[0]?.message).toContain("of-backups");
    expect(runner.sha256("leaky.qcow2")).toBe(before);
    expect(runner.names).toEqual(["corrupt.qcow2", "leaky.qcow2"]);
    expect(await runner.post()).toMatchObject({ exitCode: 0, log: "" });
  });
});
