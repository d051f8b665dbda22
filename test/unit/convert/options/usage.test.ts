/** Options that no image could take, told all at once. */

import { expect, test } from "vitest";
import { usageMistakes } from "../../../../src/convert/options/usage.ts";

test("what is right has no mistakes", () => {
  expect(usageMistakes("qcow2", { options: { cluster_size: "64k", compat: "1.1" }, drop: ["bitmaps"] })).toEqual([]);
  expect(usageMistakes("qed", { options: { table_size: "4" }, format: "qcow2" })).toEqual([]);
  expect(usageMistakes(undefined)).toEqual([]);
});

test("every mistake comes, each once", () => {
  const options = { cluster_size: "3x", compat: "9", color: "red" };
  const mistakes = usageMistakes("qcow2", { format: "floppy", drop: ["all"], options });
  expect(mistakes).toHaveLength(5);
  for (const word of ["format floppy", "drop all", '"3x" for cluster_size', "compat=9", "option color"]) {
    expect(mistakes.filter((mistake) => mistake.includes(word))).toHaveLength(1);
  }
});

test("ids of the guest's digest ask for one", () => {
  const mistakes = usageMistakes("qcow2", { reproducible: true, checksum: "none" });
  expect(mistakes).toEqual([expect.stringContaining("take one, or leave --reproducible out")]);
  expect(usageMistakes("qcow2", { reproducible: true })).toEqual([]);
});

test("values are tried on the target too", () => {
  expect(usageMistakes("qcow2", { options: { cluster_size: "3" } })).toEqual([
    expect.stringContaining("cluster_size=3"),
  ]);
  expect(usageMistakes("qed", { options: { table_size: "1" } })).toEqual([expect.stringContaining("table_size=1")]);
});

test("formats that can't be targets, and those that can", () => {
  expect(usageMistakes("floppy")).toEqual([expect.stringContaining("floppy")]);
  const split = { options: { subformat: "twoGbMaxExtentFlat" } };
  expect(usageMistakes("vmdk", split)).toEqual([expect.stringContaining("twoGbMaxExtentFlat")]);
  for (const format of ["raw", "qcow2", "qed"]) expect(usageMistakes(format)).toEqual([]);
});

test("options that are no object at all are one mistake", () => {
  for (const options of [null, "compat=1.1", 5, []]) expect(usageMistakes("qcow2", options as never)).toHaveLength(1);
  for (const values of ["compat=1.1", ["compat=1.1"], new Map([["compat", "9"]]), null]) {
    expect(usageMistakes("qcow2", { options: values } as never)).toEqual([expect.stringMatching(/ for options: /)]);
  }
});
