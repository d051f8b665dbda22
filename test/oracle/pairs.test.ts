/** README's table of pairs tells what happens: cells by chance are converted anew; all with PAIRS=all. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cellOf, columns, kinds, Samples, textOf } from "../../scripts/pairs.ts";
import { seededRandom } from "../support/random.ts";

const README = readFileSync(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8");
const [, told = ""] = /<!-- pairs -->\n([\s\S]*?)<!-- \/pairs -->/.exec(README) ?? [];
const WRITE_ANEW = "write it anew: node scripts/readme-tables.ts";

/** By the titles of its row and its column. */
const table = new Map<string, ReadonlyMap<string, string>>();
const [head = [], , ...body] = told
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
for (const [title = "", ...cells] of body)
  table.set(title.replaceAll("*", ""), new Map(cells.map((cell, at) => [head[at + 1] ?? "", cell])));

let samples: Samples;
beforeAll(() => {
  samples = new Samples();
});
afterAll(() => samples.remove());

test("each kind is in it, or in the reasons below it", () => {
  expect(table.size, WRITE_ANEW).toBeGreaterThan(10);
  for (const { title } of kinds)
    expect(table.has(title) || told.includes(`- No ${title}:`), `${title}: ${WRITE_ANEW}`).toBe(true);
  for (const { title } of columns)
    expect(head.includes(title) || told.includes(`- Nothing becomes a ${title}.`), `${title}: ${WRITE_ANEW}`).toBe(
      true,
    );
});

/** A cell of each third row. */
const random = seededRandom(Number(process.env.SEED ?? 11));
const chosen = kinds.flatMap((from, row) => {
  const all = columns.map((to) => ({ from, to, title: `${from.title} to ${to.title}` }));
  return process.env.PAIRS === "all" ? all : row % 3 === 0 ? [random.pick(all)] : [];
});

describe("a conversion moves what its cell says", () => {
  test.each(chosen)("$title", async ({ from, to }) => {
    const cell = await cellOf(samples, from, to);
    const reasons: string[] = [];
    const text = textOf(cell, reasons);
    const inTable = table.get(from.title)?.get(to.title);
    if (inTable === undefined) expect([cell?.moved, told.includes(`${cell?.because}`)]).toEqual(["refused", true]);
    else expect(inTable, WRITE_ANEW).toBe(text);
    for (const reason of inTable === undefined ? [] : reasons) expect(told, WRITE_ANEW).toContain(reason);
  });
});
