import { expect, test } from "vitest";
import { parseOptionList } from "../../../src/cli/option-list.ts";

test.each([
  [[], {}],
  [["cluster_size=64k"], { cluster_size: "64k" }],
  [["a=1,b=2", "c=3"], { a: "1", b: "2", c: "3" }],
  [["a=1", "a=2"], { a: "2" }],
  [["backing=x,,y,b=,,"], { backing: "x,y", b: "," }],
  [["a=1,,,b=2"], { a: "1,", b: "2" }],
  [["a=b=c"], { a: "b=c" }],
  [["a="], { a: "" }],
  [["lazy_refcounts"], { lazy_refcounts: "on" }],
  [["__proto__=1"], Object.fromEntries([["__proto__", "1"]])],
])("-o %j", (texts, values) => {
  expect(parseOptionList(texts)).toEqual({ values, wantsHelp: false });
});

test.each([["help"], ["?"], ["a=1,help"]])("-o %s asks for help", (text) => {
  expect(parseOptionList([text]).wantsHelp).toBe(true);
});

test("help=on is an option like any other", () => {
  expect(parseOptionList(["help=on"])).toEqual({ values: { help: "on" }, wantsHelp: false });
});

test.each(["", "=1", "a=1,", ",a=1", "a=1, ,=2"])("-o %j is refused", (text) => {
  expect(() => parseOptionList([text])).toThrow(/^Cannot read -o/);
});
