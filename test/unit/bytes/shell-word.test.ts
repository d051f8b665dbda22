import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWord } from "../../../src/bytes/shell-word.ts";

test.each(["disk.qed", "a b", "it's", "$(touch x)", "`x`", "a\nb", "*", "", "a;b", "ü"])(
  "a shell reads %j back as it was",
  (text) => {
    expect(execFileSync("sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" })).toBe(text);
  },
);

test("a name is never taken for an option", () => {
  expect(shellWord("-rf")).toBe("./-rf");
});
