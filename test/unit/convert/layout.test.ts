/** Where things lie before and after, told only where it was asked for. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { check, convert, type FileLayout } from "../../../src/index.ts";
import { makeDemoQed } from "../../support/demo-qed.ts";

async function demoImage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "inplace-convert-layout-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "demo.qed");
  await makeDemoQed(path);
  return path;
}

const dataOf = (layout: FileLayout | null | undefined) => layout?.runs.filter(({ kind }) => kind === "data");

test("a switch: data lies where it lay, and what was foretold came true", async () => {
  const path = await demoImage();
  const foretold = await convert(path, "qcow2", { layout: true, dryRun: true });
  const { layout, fileSizeBefore, fileSizeAfter, guestDataBytes } = await convert(path, "qcow2", { layout: true });
  expect(layout?.before.fileSize).toBe(fileSizeBefore);
  expect(layout?.after?.fileSize).toBe(fileSizeAfter);
  expect(dataOf(layout?.after)).toEqual(dataOf(layout?.before));
  expect(layout?.before.bytes.data).toBe(guestDataBytes);
  expect(layout?.after?.bytes.tables).toBeGreaterThan(0);
  expect(foretold.layout).toEqual(layout);

  const same = await convert(path, "qcow2", { layout: true });
  expect(same.layout).toEqual({ before: layout?.after, after: layout?.after });
});

test("settled: nothing is free where nothing leaks, and a plan does not guess it", async () => {
  const path = await demoImage();
  await convert(path, "qcow2");
  const foretold = await convert(path, "qed", { layout: true, dryRun: true });
  expect(foretold.layout?.after).toBeNull();
  const { layout } = await convert(path, "qed", { layout: true });
  expect(layout?.before.bytes.free).toBeGreaterThan(0);
  expect(layout?.after?.bytes).toMatchObject({ free: 0, data: layout?.before.bytes.data });
});

test("nobody asked", async () => {
  expect(await convert(await demoImage(), "qcow2")).not.toHaveProperty("layout");
});

test("a check tells it too, where the tables can be followed", async () => {
  const path = await demoImage();
  const { fileSizeAfter } = await convert(path, "qcow2");
  expect((await check(path)).layout).toBeUndefined();
  const { layout } = await check(path, { layout: true });
  expect(layout?.fileSize).toBe(fileSizeAfter);
  expect(layout?.bytes.data).toBeGreaterThan(0);
});
