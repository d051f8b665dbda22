/** How far a conversion came, told from each state that its journal can be in. */

import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { convert } from "../../../../src/convert/convert.ts";
import { unfinished } from "../../../../src/convert/reading/unfinished.ts";
import { Journal } from "../../../../src/journal/journal.ts";
import type { Facts } from "../../../../src/journal/records.ts";
import { FileVolume } from "../../../../src/storage/file/file-volume.ts";
import { makeSmallDemoQed } from "../../../support/demo-qed.ts";

let folder: string;
let path: string;
/** A conversion that was stopped right after its journal was made. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "inplace-convert-unfinished-"));
  path = join(folder, "disk.qed");
  await makeSmallDemoQed(path);
  const stop = new AbortController();
  await expect(convert(path, "qcow2", { signal: stop.signal, onJournal: () => stop.abort() })).rejects.toThrow();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function afterRecords(asUndo: boolean, ...records: readonly Facts[]) {
  const journal = await Journal.find(new FileVolume(), path);
  if (!(journal instanceof Journal)) throw new Error(`no journal: ${journal}`);
  for (const facts of records) await journal.append(facts);
  if (asUndo) await journal.keepAsUndo();
  else await journal.close();
  return unfinished(path);
}

const kept = { record: "verified", undoGivenUp: false } as const;
const givenUp = { record: "verified", undoGivenUp: true } as const;

test.each([
  ["open", false, []],
  ["verified", false, [kept]],
  ["verified", false, [givenUp]],
  ["undo", true, [kept]],
  // An undo that was being settled: only the way on is left.
  ["verified", true, [kept, givenUp]],
  ["none", false, [{ record: "rolled-back" }]],
  ["none", true, [kept, { record: "rolled-back" }]],
] as const)("%s (undo: %s) after %j", async (expected, asUndo, records) => {
  expect(await afterRecords(asUndo, ...records)).toBe(expected);
});

test("it changes nothing and takes no lock", async () => {
  const digests = () =>
    readdirSync(folder).map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    ]);
  const before = digests();
  await unfinished(path);
  expect(digests()).toEqual(before);
});
