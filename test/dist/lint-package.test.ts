/** What is asked of publint and arethetypeswrong before a release finds what it is asked for. */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { packageMistakes } from "../../scripts/lint-package.ts";
import { scratchFolder } from "./spawn.ts";

const GOOD: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({
    name: "one",
    version: "1.0.0",
    license: "MIT",
    type: "module",
    exports: { ".": { types: "./types/index.d.ts", default: "./index.js" } },
    types: "./types/index.d.ts",
  }),
  "index.js": "export const one = 1;\n",
  "types/index.d.ts": 'export { one } from "./one.ts";\n',
  "types/one.d.ts": "export declare const one: number;\n",
};

test.each([
  ["a whole package: nothing", {}, []],
  ["a file that package.json names is missing", { "index.js": undefined }, [/^publint: .*index\.js/]],
  [
    "declarations that lead to nothing",
    { "types/one.d.ts": undefined },
    [/^arethetypeswrong: InternalResolutionError/],
  ],
  ["no declarations", { "types/index.d.ts": undefined, "types/one.d.ts": undefined }, [/^publint: .*index\.d\.ts/]],
])("%s", async (_, changes: Readonly<Record<string, string | undefined>>, expected: readonly RegExp[]) => {
  const mistakes = await packageMistakes(packed({ ...GOOD, ...changes }));
  expect(mistakes.slice(0, expected.length)).toEqual(expected.map((each) => expect.stringMatching(each)));
  if (expected.length === 0) expect(mistakes).toEqual([]);
});

/** A .tgz as npm makes it: all below `package/`. */
function packed(files: Readonly<Record<string, string | undefined>>): Uint8Array<ArrayBuffer> {
  const folder = scratchFolder();
  for (const [name, text] of Object.entries(files)) {
    if (text === undefined) continue;
    mkdirSync(dirname(join(folder, "package", name)), { recursive: true });
    writeFileSync(join(folder, "package", name), text);
  }
  execFileSync("tar", ["-czf", "one.tgz", "package"], { cwd: folder });
  return readFileSync(join(folder, "one.tgz"));
}
