/** What a terminal is good for, by what its streams and the environment say. */

import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { terminalOf } from "../../../src/cli/terminal.ts";

function of(stdout: boolean, stderr: boolean, env: Readonly<Record<string, string>> = {}) {
  const stream = (isTTY: boolean) => Object.assign(new PassThrough(), { isTTY, fd: 1 });
  const process = { stdout: stream(stdout), stderr: stream(stderr), env };
  const { bar, isWatched, hasColor } = terminalOf(process as unknown as NodeJS.Process, "inplace-convert");
  return { hasBar: bar !== undefined, isWatched, hasColor };
}

test.each([
  ["a terminal", [true, true, {}], { hasBar: true, isWatched: true, hasColor: true }],
  ["stdout elsewhere", [false, true, {}], { hasBar: true, isWatched: false, hasColor: false }],
  ["stderr elsewhere", [true, false, {}], { hasBar: false, isWatched: false, hasColor: true }],
  ["no terminal at all", [false, false, {}], { hasBar: false, isWatched: false, hasColor: false }],
  ["NO_COLOR", [true, true, { NO_COLOR: "1" }], { hasBar: true, isWatched: true, hasColor: false }],
  ["NO_COLOR, empty", [true, true, { NO_COLOR: "" }], { hasBar: true, isWatched: true, hasColor: true }],
  ["a dumb terminal", [true, true, { TERM: "dumb" }], { hasBar: false, isWatched: false, hasColor: false }],
] as const)("%s", (_what, [stdout, stderr, env], expected) => {
  expect(of(stdout, stderr, env)).toEqual(expected);
});
