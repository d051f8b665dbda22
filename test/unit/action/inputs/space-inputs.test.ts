/** `compress`, `compact` and `sparse-size` as the library gets them. */

import { expect, test } from "vitest";
import { type InputName, inputDefaults } from "../../../../src/action/inputs/input-names.ts";
import { readInputs } from "../../../../src/action/inputs/inputs.ts";

function read(given: Readonly<Partial<Record<InputName, string>>>) {
  // As the runner does: what was left out comes as action.yml has it.
  const { inputs, mistakes } = readInputs((name) => given[name] ?? inputDefaults[name]);
  return { options: inputs.convertOptions, targetFormat: inputs.targetFormat, mistakes };
}

const plain = { image: "disk.raw", "target-format": "qcow2", "source-format": "raw" };

test("what was left out is left to the library, which knows the image", () => {
  const { options, mistakes } = read(plain);
  expect(mistakes).toEqual([]);
  expect(options).toMatchObject({ compress: false, format: "raw" });
  expect(options).not.toHaveProperty("compact");
  expect(options).not.toHaveProperty("sparseSize");
});

test("what was given is handed on", () => {
  const given = { compress: "True", compact: "false", "sparse-size": "64k" };
  expect(read({ ...plain, ...given }).options).toMatchObject({ compress: true, compact: false, sparseSize: 65536 });
  expect(read({ ...plain, compact: "true", "sparse-size": "0" }).options).toMatchObject({
    compact: true,
    sparseSize: 0,
  });
});

test("each mistake under its input's name", () => {
  const { mistakes } = read({ ...plain, compress: "zlib", compact: "maybe", "sparse-size": "1k5" });
  expect(mistakes).toEqual([
    expect.stringContaining('input "compact"'),
    expect.stringContaining('input "compress"'),
    expect.stringContaining('input "sparse-size"'),
  ]);
  expect(read({ ...plain, "sparse-size": "513" }).mistakes).toEqual([
    expect.stringMatching(/^input "sparse-size": Cannot use 513 for sparse-size: /),
  ]);
});

test("raw and VHD can be targets", () => {
  expect(read({ image: "a", "target-format": "raw" })).toMatchObject({ targetFormat: "raw", mistakes: [] });
  const vhd = { image: "a", "target-format": "vhd", options: "subformat=fixed" };
  expect(read(vhd)).toMatchObject({ targetFormat: "vpc", mistakes: [] });
});
