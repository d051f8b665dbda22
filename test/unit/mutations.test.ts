/** Every mutation still has its place and its tests: who moves a file or rewrites a line takes them along. */

import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mutations } from "../../scripts/mutations/list.ts";

test("each anchor stands in its file exactly once", () => {
  const astray = mutations.filter(({ file, find }) => {
    const path = `src/${file}`;
    return !existsSync(path) || readFileSync(path, "utf8").split(find).length !== 2;
  });
  expect(astray.map(({ name, file }) => `${file}: ${name}`)).toEqual([]);
});

test("each test that must see one is there", () => {
  const files = mutations.flatMap(({ tests }) => tests.map((each) => each.split(" > ")[0] as string));
  expect([...new Set(files)].filter((file) => !existsSync(file))).toEqual([]);
});
