/** The expressions of workflows, as GitHub reads them. */

import { describe, expect, test } from "vitest";
import { evaluate, filled, isWanted } from "./expression.ts";

const contexts = {
  inputs: { "max-parallel": 20, upload: false, name: "it" },
  needs: { plan: { outputs: { matrix: '{"include":[{"shard":1}]}', "matrix-empty": "false" } } },
};

test.each([
  ["inputs.name", "it"],
  ["inputs.max-parallel", 20],
  ["inputs.none.further", null],
  ["inputs.none == ''", true],
  ["needs.plan.outputs.matrix-empty == 'false' && inputs.upload", false],
  ["inputs.upload || inputs.name", "it"],
  ["!(inputs.name != 'it')", true],
  ["'it''s'", "it's"],
  ["fromJSON(needs.plan.outputs.matrix)", { include: [{ shard: 1 }] }],
])("%s", (expression, value) => {
  expect(evaluate(expression, contexts)).toEqual(value);
});

test.each(["inputs.name ==", "a b", "hashFiles('x')", "#", "(inputs.name"])("%s is not read", (expression) => {
  expect(() => evaluate(expression, contexts)).toThrow(/^Cannot read "/);
});

test("texts", () => {
  const open = "$" + "{{";
  expect(filled(`${open} inputs.max-parallel }}`, contexts)).toBe(20);
  expect(filled(`report-${open} inputs.name }}-${open} inputs.none }}.json`, contexts)).toBe("report-it-.json");
});

describe("what runs after a failure", () => {
  test.each([
    [undefined, true, false],
    ["inputs.name != ''", true, false],
    ["always()", true, true],
    ["always() && inputs.upload", false, false],
    ["failure()", false, true],
  ])("%s", (condition, whenWell, whenFailing) => {
    expect([isWanted(condition, contexts, false), isWanted(condition, contexts, true)]).toEqual([
      whenWell,
      whenFailing,
    ]);
  });
});
