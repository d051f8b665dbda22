/** Conversions by the action: what becomes of the files, and what is told about them. */

import { copyFileSync, linkSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { corruptOne } from "./broken-images.ts";
import { type Ended, Runner, tool } from "./runner.ts";

const QCOW2 = { "target-format": "qcow2" };

test("one image: converted, renamed, and every output set", async () => {
  const runner = new Runner();
  const guest = runner.makeImage("disk.qed", "qed");
  const { exitCode, annotations, outputs, summary, log } = await runner.main({
    image: "disk.qed",
    ...QCOW2,
    checksum: "sha256",
  });
  expect({ exitCode, annotations }).toEqual({ exitCode: 0, annotations: [] });
  const proof = `guest sha256 ${guest} before and after; ${outputs["bytes-written"]} bytes written; `;
  expect(log).toContain(`disk.qed: qed is now qcow2, now disk.qcow2; ${proof}`);
  expect(runner.names).toEqual(["disk.qcow2"]);
  expect(runner.cleanFormat("disk.qcow2")).toBe("qcow2");
  expect(runner.guestDigest("disk.qcow2")).toBe(guest);

  const { images = "", "bytes-written": written, "peak-extra-bytes": peak, ...others } = outputs;
  expect(others).toEqual({
    image: "disk.qcow2",
    format: "qcow2",
    "virtual-size": String(8 * 1024 * 1024),
    "checksum-before": guest,
    "checksum-after": guest,
    "sha256-file": runner.sha256("disk.qcow2"),
    changed: "true",
    "check-result": "clean",
    corruptions: "0",
    leaks: "0",
    "bytes-moved": "0",
    "cache-hit": "false",
  });
  expect(Number(written)).toBeGreaterThan(0);
  expect(Number(peak)).toBeGreaterThan(0);
  expect(JSON.parse(images)).toMatchObject([
    {
      image: "disk.qcow2",
      "renamed-from": "disk.qed",
      "source-format": "qed",
      "target-format": "qcow2",
      changed: true,
    },
  ]);
  expect(summary).toContain("1 image converted to qcow2 in place");
  // Where a narrow page may break it.
  expect(summary.replaceAll("<wbr>", "")).toContain(guest);
  expect(summary).not.toMatch(/\n\s*\n/);

  const post = await runner.post();
  expect(post).toMatchObject({ exitCode: 0, log: "" });
  expect(runner.names).toEqual(["disk.qcow2"]);
});

test("globs, names with spaces, exclusions, and no file twice", async () => {
  const runner = new Runner();
  for (const name of ["a.qed", "two names.qed", "sub dir/c [1].qed", "left out.qed"]) runner.makeImage(name, "qed");
  const image = "*.qed\n!left*\nsub dir/c [1].qed\na.qed\n**/c*.qed";
  const { exitCode, outputs, summary } = await runner.main({ image, ...QCOW2, concurrency: "3" });
  expect(exitCode).toBe(0);
  expect(runner.names).toEqual(["a.qcow2", "left out.qed", "sub dir", "two names.qcow2"]);
  expect(runner.cleanFormat("sub dir/c [1].qcow2")).toBe("qcow2");
  const images = JSON.parse(outputs.images ?? "") as { readonly image: string }[];
  expect(images.map((each) => each.image)).toEqual(["a.qcow2", "two names.qcow2", "sub dir/c [1].qcow2"]);
  expect(outputs).toMatchObject({ changed: "true", "check-result": "clean", "bytes-moved": "0" });
  // These are of one image only.
  for (const name of ["image", "format", "virtual-size", "checksum-before", "checksum-after", "sha256-file"]) {
    expect(outputs).not.toHaveProperty(name);
  }
  expect(summary.match(/<h3>/g)).toHaveLength(3);
});

test("back again: qcow2 to QED, settled, and the name follows", async () => {
  const runner = new Runner();
  const guest = runner.makeImage("disk.img", "qcow2");
  const { exitCode, outputs } = await runner.main({ image: runner.path("disk.img"), "target-format": "qed" });
  expect(exitCode).toBe(0);
  expect(outputs.image).toBe(runner.path("disk.qed"));
  expect(runner.cleanFormat("disk.qed")).toBe("qed");
  expect(runner.guestDigest("disk.qed")).toBe(guest);
});

test("a dry run says what would happen and touches nothing", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  runner.makeImage("done.qcow2", "qcow2");
  const before = [runner.sha256("disk.qed"), runner.sha256("done.qcow2")];
  const { exitCode, outputs, summary } = await runner.main({
    image: "disk.qed\ndone.qcow2",
    ...QCOW2,
    "dry-run": "true",
  });
  expect(exitCode).toBe(0);
  expect(runner.names).toEqual(["disk.qed", "done.qcow2"]);
  expect([runner.sha256("disk.qed"), runner.sha256("done.qcow2")]).toEqual(before);
  expect(outputs).toMatchObject({ changed: "false", "bytes-moved": "0", "bytes-written": "0" });
  expect(Number(outputs["peak-extra-bytes"])).toBeGreaterThan(0);
  expect(summary).toContain("Nothing was written.");
  expect(summary).toContain("Dry run: 1 image would be converted to qcow2 in place, 1 image already qcow2");
});

test("an image that is the target already stays as it is", async () => {
  const runner = new Runner();
  const guest = runner.makeImage("disk.qcow2", "qcow2");
  const before = runner.sha256("disk.qcow2");
  const { exitCode, outputs, summary } = await runner.main({ image: "disk.qcow2", ...QCOW2, checksum: "sha256" });
  expect(exitCode).toBe(0);
  expect(runner.sha256("disk.qcow2")).toBe(before);
  expect(outputs).toMatchObject({
    changed: "false",
    "bytes-written": "0",
    "checksum-before": guest,
    "sha256-file": before,
  });
  expect(summary).toContain("1 image already qcow2");
});

test("a corrupt image fails though it has the target's format already, and is left as it is", async () => {
  for (const dryRun of ["false", "true"]) {
    const runner = new Runner();
    runner.makeImage("disk.qcow2", "qcow2");
    corruptOne(runner.path("disk.qcow2"));
    const before = runner.sha256("disk.qcow2");
    const { exitCode, annotations } = await runner.main({ image: "disk.qcow2", ...QCOW2, "dry-run": dryRun });
    expect(exitCode).toBe(1);
    expect(annotations[0]?.message).toContain("has refcount 0");
    expect(runner.sha256("disk.qcow2")).toBe(before);
  }
});

test("a dry run fails where the run would, and not for what the run would end first", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  linkSync(runner.path("disk.qed"), runner.path("other"));
  const inputs = { image: "disk.qed", ...QCOW2, "dry-run": "true", "max-extra-space": "1k" };
  const refused = await runner.main(inputs);
  expect(refused.exitCode).toBe(1);
  expect(refused.annotations[0]?.message).toMatch(/2 names \(hard links\).*more than the 1024 allowed/s);
  unlinkSync(runner.path("other"));
  await runner.main({ image: "disk.qed", ...QCOW2, "keep-undo": "true", rename: "false" });
  expect(runner.names).toEqual(["disk.qed", "disk.qed.inplace-undo"]);
  const again = { image: "disk.qed", "target-format": "qed", "dry-run": "true", rename: "false" };
  expect((await runner.main(again)).exitCode).toBe(1);
  const planned = await runner.main({ ...again, "on-interrupted": "resume" });
  expect({ exitCode: planned.exitCode, annotations: planned.annotations }).toEqual({ exitCode: 0, annotations: [] });
  expect(runner.names).toEqual(["disk.qed", "disk.qed.inplace-undo"]);
});

test("a refused image beside a good one: one annotation, the other converted, the report written", async () => {
  const runner = new Runner();
  runner.makeImage("snapshots.qcow2", "qcow2");
  tool("qemu-img", "snapshot", "-c", "first", runner.path("snapshots.qcow2"));
  runner.makeImage("good.qcow2", "qcow2");
  writeFileSync(runner.path("noise.qcow2"), "no image at all".repeat(1000));
  const before = runner.sha256("snapshots.qcow2");
  const { exitCode, annotations, outputs, summary } = await runner.main({
    image: "*.qcow2",
    "target-format": "qed",
    report: "reports/all.json",
  });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ kind, file }) => [kind, file])).toEqual([
    ["error", "noise.qcow2"],
    ["error", "snapshots.qcow2"],
  ]);
  expect(annotations[1]?.message).toMatch(/snapshot/);
  expect(annotations[1]?.message).toContain("The image is as it was");
  expect(runner.sha256("snapshots.qcow2")).toBe(before);
  expect(runner.names).toEqual(["good.qed", "noise.qcow2", "reports", "snapshots.qcow2"]);
  expect(runner.cleanFormat("good.qed")).toBe("qed");
  expect(outputs).toMatchObject({ changed: "true", report: "reports/all.json" });
  const report = JSON.parse(readFileSync(runner.path("reports/all.json"), "utf8"));
  expect(report.images).toEqual(JSON.parse(outputs.images ?? ""));
  expect(report.images).toMatchObject([
    { image: "good.qed", changed: true },
    { image: "noise.qcow2", error: { kind: "not-this-format" } },
    { image: "snapshots.qcow2", error: { kind: "unsupported" } },
  ]);
  expect(summary).toContain("1 image converted to qed in place, 2 images failed");
});

test("ten failures are nine annotations and how many more", async () => {
  const runner = new Runner();
  for (let index = 0; index < 12; index++) writeFileSync(runner.path(`${index}.qed`), "noise".repeat(200));
  const { exitCode, annotations } = await runner.main({ image: "*.qed", ...QCOW2 });
  expect(exitCode).toBe(1);
  expect(annotations).toHaveLength(10);
  expect(annotations.at(-1)).toMatchObject({ kind: "error", message: "3 more, see the summary" });
});

test("names from outside steer neither the runner nor a terminal", async () => {
  const runner = new Runner();
  const name = "::add-mask::%41\u001b[31m <b> ,##[x].qed";
  writeFileSync(runner.path(name), "noise".repeat(200));
  const { log, annotations, summary } = await runner.main({ image: "*.qed", ...QCOW2 });
  expect(log).not.toContain("\u001b");
  expect(log).not.toMatch(/^\s*::add-mask/m);
  expect(log).not.toContain("##[");
  expect(annotations).toHaveLength(1);
  expect(annotations[0]?.file).toBe("\\x3a:add-mask\\x3a:%41\\x1b[31m <b> ,#\\x23[x].qed");
  expect(summary).not.toContain("<b>");
  expect(summary).not.toContain("\u001b");
});

test("a name that exists is refused beforehand, and so are two images for one name", async () => {
  const runner = new Runner();
  runner.makeImage("taken.qed", "qed");
  writeFileSync(runner.path("taken.qcow2"), "someone's");
  runner.makeImage("same.qed", "qed");
  copyFileSync(runner.path("same.qed"), runner.path("same.img"));
  runner.makeImage("undone.qed", "qed");
  writeFileSync(runner.path("undone.qcow2.inplace-undo"), "an orphan");
  runner.makeImage("free.qed", "qed");
  const { exitCode, annotations } = await runner.main({ image: "taken.qed\nsame.*\nundone.qed\nfree.qed", ...QCOW2 });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ file }) => file)).toEqual(["taken.qed", "same.img", "same.qed", "undone.qed"]);
  for (const name of ["taken.qed", "same.qed", "same.img", "undone.qed"]) expect(runner.cleanFormat(name)).toBe("qed");
  expect(readFileSync(runner.path("taken.qcow2"), "utf8")).toBe("someone's");
  expect(runner.cleanFormat("free.qcow2")).toBe("qcow2");
});

test("rename: false leaves the name", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const { outputs } = await runner.main({ image: "disk.qed", ...QCOW2, rename: "false" });
  expect(outputs.image).toBe("disk.qed");
  expect(runner.cleanFormat("disk.qed")).toBe("qcow2");
});

test("an expected digest that differs stops before a byte is written", async () => {
  const runner = new Runner();
  const [right, wrong] = [runner.makeImage("right.qed", "qed"), runner.makeImage("wrong.qed", "qed", 40)];
  const before = runner.sha256("wrong.qed");
  const image = `right.qed guest-sha256:${right.toUpperCase()}\nwrong.qed  guest-sha256:${right}`;
  const { exitCode, annotations } = await runner.main({ image, ...QCOW2, checksum: "none" });
  expect(wrong).not.toBe(right);
  expect(exitCode).toBe(1);
  expect(annotations.map(({ file }) => file)).toEqual(["wrong.qed"]);
  expect(runner.names).toEqual(["right.qcow2", "wrong.qed"]);
  expect(runner.sha256("wrong.qed")).toBe(before);
});

test("keep-undo keeps the way back beside the new name, and post leaves it alone", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const before = runner.sha256("disk.qed");
  const done = await runner.main({ image: "disk.qed", ...QCOW2, "keep-undo": "true" });
  expect(done).toMatchObject({
    exitCode: 0,
    summary: expect.stringContaining("inplace-convert rollback disk.qcow2 goes it"),
  });
  expect(await runner.post()).toMatchObject({ exitCode: 0, log: "" });
  expect(runner.names).toEqual(["disk.qcow2", "disk.qcow2.inplace-undo"]);
  const back = {
    image: "disk.qcow2",
    "target-format": "qed",
    "on-interrupted": "rollback",
    "dry-run": "true",
  } as const;
  expect(await runner.main(back)).toMatchObject({ exitCode: 0 });
  expect(runner.names).toEqual(["disk.qcow2", "disk.qcow2.inplace-undo"]);
  expect(await runner.main({ ...back, "dry-run": "false" })).toMatchObject({ exitCode: 0 });
  expect(runner.names).toEqual(["disk.qed"]);
  expect(runner.sha256("disk.qed")).toBe(before);
});

test("a symbolic link is not followed to another's image", async () => {
  const runner = new Runner();
  runner.makeImage("elsewhere/disk.qed", "qed");
  symlinkSync("elsewhere/disk.qed", runner.path("link.qed"));
  const { exitCode, annotations } = await runner.main({ image: "link.qed", ...QCOW2 });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ file }) => file)).toEqual(["link.qed"]);
  expect(runner.cleanFormat("elsewhere/disk.qed")).toBe("qed");
});

test("backing-chain: with consent the digest covers the guest, without it the layer", async () => {
  const runner = new Runner();
  runner.makeImage("base.raw", "raw");
  tool("qemu-img", "create", "-q", "-f", "qed", "-b", "base.raw", "-F", "raw", runner.path("disk.qed"));
  const guest = runner.guestDigest("disk.qed");
  const inputs = { image: "disk.qed", checksum: "sha256", rename: "false" } as const;
  const covers = ({ outputs }: Ended) => JSON.parse(outputs.images ?? "")[0]["guest-checksum"].covers;
  const whole = await runner.main({ ...inputs, "target-format": "qcow2", "backing-chain": "true" });
  expect([covers(whole), whole.outputs["checksum-after"]]).toEqual(["guest", guest]);
  const layer = await runner.main({ ...inputs, "target-format": "qed" });
  expect([layer.exitCode, covers(layer)]).toEqual([0, "layer"]);
  expect(layer.outputs["checksum-after"]).not.toBe(guest);
  expect(runner.guestDigest("disk.qed")).toBe(guest);
});

test("max-extra-space, drop, source-format and check reach the conversion", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qcow2", "qcow2");
  tool("qemu-img", "bitmap", "--add", runner.path("disk.qcow2"), "of-backups");
  const inputs = { image: "disk.qcow2", "target-format": "qed" } as const;
  const refused = async (more: object) => (await runner.main({ ...inputs, ...more })).annotations[0]?.message ?? "";
  expect(await refused({})).toContain("of-backups");
  expect(await refused({ drop: "bitmaps", "max-extra-space": "4k" })).toContain("4096 allowed");
  expect(await refused({ drop: "bitmaps", "source-format": "qed" })).toMatch(/qed/i);
  expect(runner.cleanFormat("disk.qcow2")).toBe("qcow2");
  const { exitCode, outputs } = await runner.main({
    ...inputs,
    drop: "bitmaps",
    "max-extra-space": "1G",
    check: "false",
  });
  expect(exitCode).toBe(0);
  expect(outputs).not.toHaveProperty("check-result");
  const [report] = JSON.parse(outputs.images ?? "");
  expect(report.dropped).toEqual([expect.stringContaining("of-backups")]);
  expect(report.check).toEqual({ before: null, after: null });
});

test("options and verify reach the conversion", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const options = "refcount_bits=8,lazy_refcounts=on\ncluster_size = 64k";
  const { exitCode, outputs } = await runner.main({ image: "disk.qed", ...QCOW2, options, verify: "mapping" });
  expect(exitCode).toBe(0);
  expect(outputs).not.toHaveProperty("checksum-after");
  const { "format-specific": specific } = JSON.parse(
    tool("qemu-img", "info", "--output=json", runner.path("disk.qcow2")),
  );
  expect(specific.data).toMatchObject({ "refcount-bits": 8, "lazy-refcounts": true });
});

test("summary: never and on-failure", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const dry = { ...QCOW2, "dry-run": "true" };
  expect((await runner.main({ image: "disk.qed", ...dry, summary: "on-failure" })).summary).toBe("");
  expect((await runner.main({ image: "gone.qed", ...dry, summary: "never" })).summary).toBe("");
  writeFileSync(runner.path("noise.qed"), "noise".repeat(200));
  expect((await runner.main({ image: "noise.qed", ...dry, summary: "on-failure" })).summary).toContain(
    "1 image would fail",
  );
});
