/** What is told of the undo of a repair. */

import { beforeEach, expect, test, vi } from "vitest";
import { readInputs } from "../../../src/action/inputs/inputs.ts";
import { withUndoOfRepair } from "../../../src/action/repair-undos.ts";
import * as library from "../../../src/index.ts";
import { checked, result } from "../../support/step-results.ts";

vi.mock("../../../src/index.ts", { spy: true });

beforeEach(() => {
  vi.mocked(library.unfinished).mockResolvedValue("undo");
});

const repaired = result("my disk.qcow2", { check: checked({ changed: true }) });

async function notesOf(isGoodSoFar: boolean, more: Readonly<Record<string, string>>, of = repaired) {
  const given: Readonly<Record<string, string>> = { mode: "check", image: "*.qcow2", ...more };
  const { inputs } = readInputs((name) => given[name] ?? "");
  return ((await withUndoOfRepair(of, inputs, isGoodSoFar)).notes ?? []).join();
}

test("of a kept undo, the command that goes back", async () => {
  expect(await notesOf(true, { "keep-undo": "true" })).toContain("inplace-convert rollback 'my disk.qcow2'");
  vi.mocked(library.unfinished).mockRejectedValue(new Error("EIO"));
  expect(await notesOf(true, { "keep-undo": "true" })).toBe("");
});

test("where the step fails it is gone over, whatever was asked for", async () => {
  for (const keep of ["true", "false"]) {
    expect(await notesOf(false, { "keep-undo": keep })).toContain("puts the image back as it was");
  }
});

test("nothing where it is given up, and nothing where no repair changed anything", async () => {
  expect(await notesOf(true, {})).toBe("");
  const untouched = result("disk.qcow2", { check: checked({ changed: false }) });
  expect(await notesOf(false, { "keep-undo": "true" }, untouched)).toBe("");
});
