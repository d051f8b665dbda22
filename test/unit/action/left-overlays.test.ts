/** Images whose backing file was converted in the same step. */

import { warning } from "@actions/core";
import { beforeEach, expect, test, vi } from "vitest";
import { readInputs } from "../../../src/action/inputs/inputs.ts";
import { withLeftOverlays } from "../../../src/action/left-overlays.ts";
import type { ImageResult } from "../../../src/action/results/image-result.ts";
import type { InfoReport } from "../../../src/index.ts";
import * as library from "../../../src/index.ts";
import { conversion, result } from "../../support/step-results.ts";

vi.mock("../../../src/index.ts", { spy: true });
vi.mock("@actions/core", { spy: true });

beforeEach(() => {
  vi.mocked(warning).mockReset();
  vi.mocked(library.info).mockReset();
});

/** The overlay says that it stands on `name`. */
function standsOn(name: string, format?: string): void {
  const found = { backingFilename: name, fullBackingFilename: `vm/${name}`, backingFilenameFormat: format };
  vi.mocked(library.info).mockImplementation(
    async (path) => (path === "vm/over.qcow2" ? found : {}) as unknown as InfoReport,
  );
}

const layer = { algorithm: "blkhash-sha256", covers: "layer", before: null, after: null } as const;
const overlay = result("vm/over.qcow2", {
  path: "vm/over.qcow2",
  report: conversion({ changed: false, guestChecksum: layer }),
});

async function notesOf(base: ImageResult, more: Readonly<Record<string, string>> = {}, top = overlay) {
  const given: Readonly<Record<string, string>> = { image: "*", "target-format": "qcow2", ...more };
  const { inputs } = readInputs((name) => given[name] ?? "");
  const [first, second] = await withLeftOverlays([base, top], inputs);
  expect(first).toEqual(base);
  const notes = second?.notes ?? [];
  expect(vi.mocked(warning).mock.calls).toEqual(
    notes.map((note) => [note, { title: "Its backing file was converted", file: "vm/over.qcow2" }]),
  );
  return notes;
}

const renamed = result("vm/base.qed", { path: "vm/base.qcow2", report: conversion() });
const inPlace = result("vm/base.qed", { path: "vm/base.qed", report: conversion() });

test("one that has another name now", async () => {
  standsOn("base.qed");
  expect(await notesOf(renamed)).toEqual([
    "Its backing file base.qed is base.qcow2 now, and qcow2; before it is used, point it there: " +
      "qemu-img rebase -u -F qcow2 -b base.qcow2 vm/over.qcow2",
  ]);
});

test("one whose name stays is told of where it is named as what it was", async () => {
  standsOn("base.qed", "qed");
  expect((await notesOf(inPlace)).join()).toContain("base.qed is qcow2 now; before it is used");
  vi.mocked(warning).mockReset();
  for (const format of [undefined, "qcow2"]) {
    standsOn("base.qed", format);
    expect(await notesOf(inPlace)).toEqual([]);
  }
});

test("nothing of one that is as it was, of another file, and of an image without any", async () => {
  standsOn("base.qed", "qed");
  expect(await notesOf(result("vm/base.qed", { report: conversion({ changed: false }) }))).toEqual([]);
  standsOn("other.qed", "qed");
  expect(await notesOf(renamed)).toEqual([]);
  vi.mocked(library.info).mockRejectedValue(new Error("gone"));
  expect(await notesOf(renamed)).toEqual([]);
});

test("what is not asked of an image that is known to stand alone, is asked where backing files were read", async () => {
  standsOn("base.qed", "qed");
  const whole = { ...overlay, report: conversion({ changed: false }) };
  expect(await notesOf(renamed, {}, whole)).toEqual([]);
  expect(library.info).not.toHaveBeenCalled();
  expect(await notesOf(renamed, { "backing-chain": "true" }, whole)).toHaveLength(1);
});
