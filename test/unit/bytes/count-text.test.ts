import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { counted } from "../../../src/bytes/count-text.ts";

test.each([
  [0, "0 leaks"],
  [1, "1 leak"],
  [2, "2 leaks"],
])("%d", (count, text) => {
  expect(counted(count, "leak")).toBe(text);
});

test("a plural of its own", () => {
  expect([1, 2].map((count) => counted(count, "entry", "entries"))).toEqual(["1 entry", "2 entries"]);
});

test("no text puts a plural behind a count of any size by itself", () => {
  const folder = new URL("../../../src/", import.meta.url);
  const counts = /\$\{[^}]*(?:[lL]ength|[cC]ount|[eE]rrors?|leaks|corruptions|syncs)\} (?:\w+ )?(\w+s)\b/g;
  // qemu-img's own words stay as they are, `1 errors` too.
  const theirs = /check-text\.ts$|reference-tally\.ts$/;
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !theirs.test(name))
    .flatMap((name) => {
      const text = readFileSync(new URL(name, folder), "utf8").replace(/\n\s*line: .*/g, "");
      return [...text.matchAll(counts)]
        .filter(([hit]) => !/bytes|hex digits|=== 1| is$/.test(hit))
        .map(([hit]) => `${name}: ${hit}`);
    });
  expect(found).toEqual([]);
});
