import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { FindingLines } from "../../../src/cli/finding-lines.ts";
import type { Finding } from "../../../src/index.ts";

const finding = (line: string): Finding => ({ severity: "leak", kind: "k", structure: "s", message: "m", line });

it("prints lines in their order, those of one turn together, and what is left at the end", async () => {
  const notes: string[] = [];
  const lines = new FindingLines({ note: (text) => void notes.push(text) });
  for (const line of ["one", "two\nthree", "a\u001b"]) lines.add(finding(line));
  expect(notes).toEqual([]);
  await nextTurn();
  expect(notes).toEqual(["one\ntwo\nthree\na\\x1b"]);
  for (let count = 0; count < 600; count++) lines.add(finding(`${count}`));
  expect(notes.length).toBe(3);
  lines.print();
  expect(notes.slice(1).join("\n").split("\n")).toEqual(Array.from({ length: 600 }, (_, count) => `${count}`));
  lines.print();
  await nextTurn();
  expect(notes.length).toBe(4);
});
