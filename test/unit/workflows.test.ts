/** What the workflows promise: pinned actions, few permissions, no expression inside a script. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const folder = new URL("../../.github/workflows/", import.meta.url);

describe.each(readdirSync(folder))("%s", (name) => {
  const lines = readFileSync(new URL(name, folder), "utf8").split("\n");

  test("pins every action by its commit and names the version", () => {
    const uses = lines.filter((line) => /^\s*-?\s*uses:/.test(line));
    expect(uses.length).toBeGreaterThan(0);
    for (const line of uses) expect(line).toMatch(/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("starts from permissions of its own", () => {
    const at = lines.findIndex((line) => line.startsWith("permissions:"));
    expect(at).toBeGreaterThan(-1);
    const [first = "", next = ""] = lines.slice(at, at + 2);
    expect(first === "permissions: {}" || next === "  contents: read").toBe(true);
  });

  test("has no expression inside a script", () => {
    expect(scripts(lines).filter((line) => line.includes("$" + "{{"))).toEqual([]);
  });
});

/** The lines of every `run:`, its own and those indented below it. */
function scripts(lines: readonly string[]): string[] {
  let depth = -1;
  return lines.filter((line) => {
    const indent = line.search(/\S/);
    if (indent <= depth) depth = -1;
    const starts = /^\s*(?:- )?run:/.test(line);
    if (starts) depth = indent;
    return starts || (depth >= 0 && indent > depth);
  });
}
