/** Many images in one step: which are worked on at once, and who gets another try. */

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { workOnAll } from "../../../../src/action/images/all-images.ts";
import { OpenJournals } from "../../../../src/action/images/open-journals.ts";
import { readInputs } from "../../../../src/action/inputs/inputs.ts";
import * as library from "../../../../src/index.ts";
import { buildQedImage } from "../../../formats/qed/builder.ts";
import { conversion } from "../../../support/step-results.ts";

vi.mock("../../../../src/index.ts", { spy: true });

const QED = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3] }).bytes;
const MiB = 2 ** 20;

let folder: string;
/** Images at work at once, in each moment that another began. */
let atWork: string[][];
let log: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inplace-all-images-"));
  [atWork, log] = [[], []];
  const now = new Set<string>();
  // All that may begin has begun before the first ends.
  vi.mocked(library.unfinished).mockReset().mockResolvedValue("none");
  vi.mocked(library.renameImage).mockReset().mockResolvedValue(undefined);
  vi.mocked(library.convert)
    .mockReset()
    .mockImplementation(async (path) => {
      now.add(path.slice(folder.length + 1));
      atWork.push([...now]);
      await new Promise((resolve) => setImmediate(resolve));
      now.delete(path.slice(folder.length + 1));
      return conversion({ image: path });
    });
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(name: string, length = QED.length, bytes: Uint8Array = QED): void {
  writeFileSync(join(folder, name), bytes);
  truncateSync(join(folder, name), length);
}

async function converted(names: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const given: Readonly<Record<string, string>> = { image: "*", "target-format": "qcow2", ...more };
  const { inputs } = readInputs((name) => given[name] ?? "");
  const work = {
    inputs,
    journals: new OpenJournals(),
    signal: new AbortController().signal,
    log: (line: string) => void log.push(line),
  };
  const images = names.map((name) => ({ path: join(folder, name), guestChecksum: undefined }));
  const results = await workOnAll(images, undefined, work);
  return results.map(({ result }) => result);
}

const most = () => Math.max(...atWork.map((each) => each.length));

test("small images twice as many at once as asked for, large ones as many, one by one where that is asked for", async () => {
  const names = ["1", "2", "3", "4", "5", "6", "7"].map((name) => `${name}.qed`);
  for (const name of names) put(name);
  await converted(names);
  expect(most()).toBe(4);
  atWork = [];
  await converted(names, { concurrency: "1" });
  expect(most()).toBe(1);
  atWork = [];
  for (const name of names) put(name, 16 * MiB + 512);
  const results = await converted(names, { concurrency: "3" });
  expect(most()).toBe(3);
  expect(results.map(({ image }) => image.slice(folder.length + 1))).toEqual(names);
});

test("images that share a file are worked on one after the other, in their order, others meanwhile", async () => {
  const overlay = buildQedImage({ virtualSize: 8 * 4096, data: [1], backingName: "base.qed" }).bytes;
  for (const name of ["base.qed", "z.qed", "y.qed"]) put(name);
  put("over.qed", overlay.length, overlay);
  put("above.qed", overlay.length, overlay);
  await converted(["over.qed", "base.qed", "z.qed", "above.qed", "y.qed"]);
  const family = ["over.qed", "base.qed", "above.qed"];
  for (const names of atWork) expect(names.filter((name) => family.includes(name)).length).toBeLessThan(2);
  expect(atWork.map((names) => names.at(-1)).filter((name) => family.includes(name ?? ""))).toEqual(family);
  expect(most()).toBeGreaterThan(1);
});

test("who lacked room while others took some is tried once more, alone", async () => {
  const names = ["a.qed", "b.qed", "c.qed", "d.qed"];
  for (const name of names) put(name);
  const full = new library.ImageError("no-space", "Cannot convert b.qed: it takes 1 byte for a while", {});
  const stuck = new library.ImageError("no-space", "Cannot convert c.qed", { journal: "c.qed.inplace-journal" });
  const perform = vi.mocked(library.convert).getMockImplementation() as typeof library.convert;
  const failures = new Map([
    [join(folder, "b.qed"), [full]],
    [join(folder, "c.qed"), [stuck, stuck]],
    [join(folder, "d.qed"), [full, full]],
  ]);
  vi.mocked(library.convert).mockImplementation(async (...words) => {
    const report = await perform(...words);
    const failure = failures.get(words[0])?.shift();
    if (failure) throw failure;
    return report;
  });
  const results = await converted(names);
  expect(results.map(({ failure }) => failure?.kind)).toEqual([undefined, undefined, "no-space", "no-space"]);
  expect(atWork.slice(4)).toEqual([["b.qed"], ["d.qed"]]);
  expect(log.filter((line) => line.includes("once more"))).toHaveLength(2);
  log = [];
  await converted(names, { concurrency: "1" });
  expect(log.filter((line) => line.includes("once more"))).toEqual([]);
});
