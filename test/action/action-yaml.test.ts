/** action.yml says what the code does, and README.md says what action.yml says. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inputKinds } from "../../scripts/input-kinds.ts";
import { declarations, inputsTable, withTables } from "../../scripts/readme-tables.ts";
import { type InputName, inputDefaults } from "../../src/action/inputs/input-names.ts";
import { readInputs } from "../../src/action/inputs/inputs.ts";
import { isBuilt, Runner, root } from "./runner.ts";

const actionYaml = readFileSync(join(root, "action.yml"), "utf8");

test("inputs and defaults are those of the code", () => {
  const declared = declarations(actionYaml, "inputs").map((input) => [input.name, input.default ?? ""]);
  expect(declared).toEqual(Object.entries(inputDefaults));
});

test("every line of inputs and outputs is read: nothing hides from this test", () => {
  const [, body = ""] = /^inputs:\n([\s\S]*)^runs:/m.exec(actionYaml) ?? [];
  const read = [...declarations(actionYaml, "inputs"), ...declarations(actionYaml, "outputs")];
  expect(body.match(/^ {2}\S/gm)).toHaveLength(read.length);
  for (const { name, description } of read) {
    // A plain scalar ends at these, and one that begins with these is none.
    expect(description, name).toMatch(/^[A-Z][^\n]*[^ :]$/);
    expect(description, name).not.toMatch(/: | #/);
  }
});

test("all outputs are declared, and all that are declared are set", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const inputs = { image: "disk.qed", "target-format": "qcow2", report: "report.json" } as const;
  const planned = await runner.main({ ...inputs, mode: "plan" });
  const { outputs } = await runner.main({ ...inputs, sha256sums: "SHA256SUMS", predicate: "p.json" });
  const declared = declarations(actionYaml, "outputs").map(({ name }) => name);
  expect(Object.keys({ ...planned.outputs, ...outputs }).sort()).toEqual(declared.sort());
});

test("it runs what is built, on Node 24", () => {
  expect(isBuilt()).toBe(true);
  expect(actionYaml).toMatch(/^runs:\n {2}using: node24\n {2}main: dist\/main.mjs\n {2}post: dist\/post.mjs\n$/m);
});

test("README.md has the tables of action.yml", () => {
  const path = join(root, "README.md");
  const readme = existsSync(path) ? readFileSync(path, "utf8") : "";
  expect(withTables(readme, actionYaml)).toBe(readme);
});

/** What the code says against `value` in `name`, all else being as somebody would have it. */
function mistakesOf(name: string, value: string): readonly string[] {
  const collects = ["reports", "shards", "shard"].includes(name);
  const usual: Readonly<Record<string, string>> = collects
    ? { mode: "collect", reports: "*.json" }
    : { image: "https://example.org/disk.img", "target-format": "qcow2" };
  const given: Readonly<Record<string, string>> = { ...inputDefaults, ...usual, [name]: value };
  return readInputs((each: InputName) => given[each] ?? "").mistakes;
}

test.each(Object.keys(inputDefaults))("README says of %s what it takes, and the example is taken", (name) => {
  const kind = inputKinds[name];
  expect(kind).toBeDefined();
  expect(mistakesOf(name, kind?.example ?? "")).toEqual([]);
  const refusesWords = ["true, false", "choice", "number", "size", "format"].includes(kind?.type ?? "");
  if (refusesWords) expect(mistakesOf(name, "word")).not.toEqual([]);
});

test("tables stand between their marks, and text around them stays", () => {
  const readme = "a\n<!-- inputs -->\nold\n<!-- /inputs -->\nb\n";
  expect(withTables(readme, actionYaml)).toBe(`a\n<!-- inputs -->\n${inputsTable(actionYaml)}<!-- /inputs -->\nb\n`);
});
