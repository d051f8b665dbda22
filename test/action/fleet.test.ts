/** plan → matrix → collect, as jobs of a workflow pass it on. */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Runner } from "./runner.ts";

const QCOW2 = { "target-format": "qcow2" } as const;
const HEX = "0123456789abcdef".repeat(4);

interface Matrix {
  readonly include: readonly { readonly images: string; readonly shard: number }[];
}

function matrixIn(outputs: Readonly<Record<string, string>>): Matrix {
  return JSON.parse(outputs.matrix ?? "");
}

test("plan writes nothing, and leaves out what is done already", async () => {
  const runner = new Runner();
  const guest = runner.makeImage("a b.qed", "qed");
  runner.makeImage("b.qed", "qed");
  runner.makeImage("done.qcow2", "qcow2");
  const before = runner.names.map((name) => runner.sha256(name));
  const image = `a b.qed guest-sha256:${guest}\n*.q*`;
  const { exitCode, annotations, outputs, summary } = await runner.main({ mode: "plan", image, ...QCOW2 });
  expect(exitCode).toBe(0);
  expect(annotations).toEqual([
    {
      kind: "warning",
      title: "Images of this runner",
      file: undefined,
      message: expect.stringContaining("2 images of the matrix are files of this runner (a b.qed, b.qed), and a job"),
    },
  ]);
  expect(matrixIn(outputs)).toEqual({
    include: [
      { images: `a b.qed guest-sha256:${guest}`, shard: 1 },
      { images: "b.qed", shard: 2 },
    ],
  });
  expect(outputs).toMatchObject({ "matrix-empty": "false", changed: "false" });
  expect(outputs).toMatchObject({ "bytes-written": "0", "bytes-moved": "0" });
  expect(Number(outputs["peak-extra-bytes"])).toBeGreaterThan(0);
  expect(outputs).not.toHaveProperty("sha256-file");
  expect(summary).not.toBe("");
  expect(runner.names.map((name) => runner.sha256(name))).toEqual(before);
});

test("nothing to do is an empty matrix, and says so", async () => {
  const runner = new Runner();
  runner.makeImage("done.qcow2", "qcow2");
  const { exitCode, annotations, outputs } = await runner.main({ mode: "plan", image: "*.qcow2", ...QCOW2 });
  expect({ exitCode, annotations }).toEqual({ exitCode: 0, annotations: [] });
  expect(outputs).toMatchObject({ matrix: '{"include":[]}', "matrix-empty": "true" });
});

test("URLs are planned without being fetched, with their digests", async () => {
  const url = "https://example.invalid/a%20b.qed";
  const image = `${url} sha256:${HEX}\n${url}.b.qed.xz guest-sha256:${HEX}`;
  const { exitCode, annotations, outputs } = await new Runner().main({ mode: "plan", image, ...QCOW2, shards: "1" });
  expect({ exitCode, annotations }).toEqual({ exitCode: 0, annotations: [] });
  expect(matrixIn(outputs)).toEqual({ include: [{ images: image, shard: 1 }] });
});

test("a thousand URLs are 256 jobs, far below what outputs may take", async () => {
  const image = Array.from({ length: 1000 }, (_, index) => `https://example.invalid/${index}.qed sha256:${HEX}`);
  const { exitCode, outputs } = await new Runner().main({ mode: "plan", image: image.join("\n"), ...QCOW2 });
  expect(exitCode).toBe(0);
  const { include } = matrixIn(outputs);
  expect(include).toHaveLength(256);
  expect(include.flatMap(({ images }) => images.split("\n")).sort()).toEqual(image.sort());
  const total = Object.values(outputs).reduce((sum, text) => sum + 2 * text.length, 0);
  expect(total).toBeLessThan(1_000_000);
});

test("a refused image fails the plan, and stays out of the matrix", async () => {
  const runner = new Runner();
  runner.makeImage("good.qed", "qed");
  writeFileSync(runner.path("noise.qed"), "noise".repeat(200));
  const { exitCode, annotations, outputs } = await runner.main({ mode: "plan", image: "*.qed", ...QCOW2 });
  expect(exitCode).toBe(1);
  expect(annotations.filter(({ kind }) => kind === "error").map(({ file }) => file)).toEqual(["noise.qed"]);
  expect(matrixIn(outputs)).toEqual({ include: [{ images: "good.qed", shard: 1 }] });
});

test("a name that no line can hold is refused", async () => {
  const runner = new Runner();
  runner.makeImage("two\nlines.qed", "qed");
  const { exitCode, annotations, outputs } = await runner.main({ mode: "plan", image: "*.qed", ...QCOW2 });
  expect(exitCode).toBe(1);
  expect(annotations[0]?.message).toContain("can't be written as a line");
  expect(outputs["matrix-empty"]).toBe("true");
});

test("the whole way: a matrix, a job for each shard, and all reports in one", async () => {
  const runner = new Runner();
  mkdirSync(runner.path("reports"));
  for (let index = 0; index < 5; index++) runner.makeImage(`${index}.qed`, "qed", index);
  writeFileSync(runner.path("noise.qed"), "noise".repeat(200));
  const planned = await runner.main({ mode: "plan", image: "[0-9].qed", ...QCOW2, shards: "2" });
  const { include } = matrixIn(planned.outputs);
  expect(include.map(({ images }) => images.split("\n").length)).toEqual([3, 2]);
  // One of the jobs meets an image that it can't convert.
  for (const { images, shard } of include) {
    const image = shard === 2 ? `${images}\nnoise.qed` : images;
    const { exitCode } = await runner.main({ image, ...QCOW2, report: `reports/${shard}.json` });
    expect(exitCode).toBe(shard === 2 ? 1 : 0);
    await runner.post();
  }
  const { exitCode, annotations, outputs, summary } = await runner.main({
    mode: "collect",
    reports: "reports/*.json",
    shards: "2",
    report: "all.json",
  });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ kind, file }) => [kind, file])).toEqual([["error", "noise.qed"]]);
  expect(outputs).toMatchObject({ changed: "true", "check-result": "clean", corruptions: "0", "bytes-moved": "0" });
  for (const name of ["0", "1", "2", "3", "4"]) expect(summary).toContain(`${name}.qcow2`);
  const read = (name: string) => JSON.parse(readFileSync(runner.path(name), "utf8"));
  const merged = read("all.json");
  expect(merged).toMatchObject({ mode: "collect", "dry-run": false, "target-format": "qcow2" });
  expect(merged.images).toEqual([...read("reports/1.json").images, ...read("reports/2.json").images]);
  expect(JSON.parse(outputs.images ?? "")).toEqual(merged.images);
});

test("collect passes where all went well, and asks for a report of each shard where it knows how many", async () => {
  const runner = new Runner();
  runner.makeImage("a.qed", "qed");
  await runner.main({ image: "a.qed", ...QCOW2, report: "reports/1.json" });
  const collect = { mode: "collect", reports: "reports/*.json" } as const;
  const { exitCode, outputs } = await runner.main(collect);
  expect(exitCode).toBe(0);
  expect(outputs).toMatchObject({ image: "a.qcow2", format: "qcow2", changed: "true" });
  const missing = await runner.main({ ...collect, shards: "2" });
  expect(missing.exitCode).toBe(1);
  expect(missing.annotations).toMatchObject([{ kind: "error", title: "Reports are missing" }]);
  expect(missing.annotations[0]?.message).toContain("Cannot vouch for shard 2 of 2");
  expect(missing.summary).toContain("1 report missing");
  expect(missing.summary).toContain("Cannot vouch for shard 2 of 2");
  copyFileSync(runner.path("reports/1.json"), runner.path("reports/2.json"));
  expect(await runner.main({ ...collect, shards: "2" })).toMatchObject({ exitCode: 0 });
});

test("the shards that are missing are named, in the summary, the outputs and the report", async () => {
  const runner = new Runner();
  runner.makeImage("a.qed", "qed");
  const { exitCode } = await runner.main({ image: "a.qed", ...QCOW2, report: "reports/x.json", shard: "2/3" });
  expect(exitCode).toBe(0);
  const collected = await runner.main({ mode: "collect", reports: "reports/*.json", report: "all.json" });
  expect(collected.exitCode).toBe(1);
  expect(collected.annotations.map(({ title, file }) => [title, file])).toEqual([
    ["Reports are missing", undefined],
    ["Reports are missing", undefined],
  ]);
  for (const shard of ["shard 1 of 3", "shard 3 of 3"]) {
    expect(collected.summary).toContain(shard);
    expect(collected.outputs.images).toContain(shard);
  }
  expect(collected.summary).toContain("1 image converted to qcow2 in place, 2 reports missing or unreadable");
  expect(collected.outputs.changed).toBe("true");
  const report = JSON.parse(readFileSync(runner.path("all.json"), "utf8"));
  expect(report).toMatchObject({ mode: "collect", "missing-shards": [1, 3] });
});

test("a plan refuses the names that the run would", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  writeFileSync(runner.path("disk.qcow2"), "someone's");
  const url = "https://example.invalid/disk.qed";
  const { exitCode, annotations, outputs } = await runner.main({ mode: "plan", image: `disk.qed\n${url}`, ...QCOW2 });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ file }) => file)).toEqual(["disk.qed", undefined]);
  expect(annotations[0]?.message).toContain("disk.qcow2 exists");
  expect(annotations[1]?.message).toContain("disk.qed: it exists");
  expect(outputs["matrix-empty"]).toBe("true");
  expect(await runner.main({ mode: "plan", image: "disk.qed", ...QCOW2, rename: "false" })).toMatchObject({
    exitCode: 0,
  });
});

test("a report tells its run, and one of another schema is not guessed at", async () => {
  const runner = new Runner();
  const run = {
    GITHUB_REPOSITORY: "org/images",
    GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
    GITHUB_RUN_ID: "16012345678",
    GITHUB_RUN_ATTEMPT: "2",
  };
  const inputs = { image: "none*.qed", "if-no-images": "ignore", report: "1.json", ...QCOW2 } as const;
  await runner.main(inputs, undefined, run);
  const report = JSON.parse(readFileSync(runner.path("1.json"), "utf8"));
  expect(report).toMatchObject({
    "schema-version": 1,
    provenance: {
      tool: "inplace-convert",
      "tool-version": expect.stringMatching(/^\d+\.\d+\.\d+/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      repository: run.GITHUB_REPOSITORY,
      commit: run.GITHUB_SHA,
      "run-id": run.GITHUB_RUN_ID,
      "run-attempt": run.GITHUB_RUN_ATTEMPT,
    },
  });
  writeFileSync(runner.path("2.json"), JSON.stringify({ ...report, "schema-version": 2 }));
  const { exitCode, annotations } = await runner.main({ mode: "collect", reports: "*.json" });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ message }) => message)).toEqual([
    expect.stringContaining("Cannot read the report 2.json: its schema version is 2, and 1 is known here"),
  ]);
});

test("what is no report fails, and the others are merged all the same", async () => {
  const runner = new Runner();
  runner.makeImage("a.qed", "qed");
  await runner.main({ image: "a.qed", ...QCOW2, report: "z.json" });
  for (const [name, text] of Object.entries({ "a.json": "[]", "b.json": "{", "c.json": '{"images":[{}]}' })) {
    writeFileSync(runner.path(name), text);
  }
  const { exitCode, annotations, outputs, summary } = await runner.main({ mode: "collect", reports: "*.json" });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ file }) => file)).toEqual(["a.json", "b.json", "c.json"]);
  expect(annotations[0]?.message).toContain("Cannot read the report a.json");
  expect(outputs.changed).toBe("true");
  expect(summary).toContain("a.qcow2");
});
