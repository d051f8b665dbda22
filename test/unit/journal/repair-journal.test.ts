/** A repair's journal read back: every byte that was and will be, how far it came; a torn one says nothing, a damaged one is refused. */

import { expect, test } from "vitest";
import type { ImageError } from "../../../src/bytes/image-error.ts";
import { isOf, Journal, type RepairJournal } from "../../../src/journal/journal.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { encodeRecord } from "../../../src/journal/record.ts";
import type { RepairIntent } from "../../../src/journal/records.ts";
import { type PatchStep, patchRangesOf } from "../../../src/journal/repair-work.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { IMAGE_PATH } from "../../support/crash-scenario.ts";

const NAMES = journalNamesOf(IMAGE_PATH);
const patch = (hostOffset: number, length: number, before: number) => ({
  hostOffset,
  before: new Uint8Array(length).fill(before),
  after: new Uint8Array(length).fill(before + 1),
});
const STEPS: readonly PatchStep[] = [
  { purpose: "raise refcounts", patches: [patch(1024, 1024, 1), patch(4096, 512, 3)] },
  { purpose: "clear the dirty bit", patches: [patch(0, 512, 5), patch(69_632, 368, 7)] },
];
const INTENT: RepairIntent = {
  record: "repair",
  version: 1,
  format: "qcow2",
  scope: "all",
  allowDataLoss: false,
  keepUndo: true,
  oldFileSize: 70_000,
  fileSize: 131_072,
  metadataDigest: "00",
  steps: patchRangesOf(STEPS),
};

async function written(): Promise<MemoryVolume> {
  const volume = new MemoryVolume();
  const journal = await Journal.createForRepair(volume, IMAGE_PATH, INTENT, STEPS, {});
  expect(journal.work).toMatchObject({ intent: INTENT, steps: STEPS, prepared: undefined, verified: false });
  await journal.close();
  return volume;
}

async function found(volume: MemoryVolume): Promise<RepairJournal> {
  const journal = await Journal.find(volume, IMAGE_PATH);
  if (typeof journal === "object" && isOf(journal, "repair")) return journal;
  throw new Error("a repair's journal is not told as one");
}

test("a repair's journal holds all bytes as they were and as they will be", async () => {
  const journal = await found(await written());
  expect(journal.work.intent).toEqual(INTENT);
  const plain = journal.work.steps.map(({ purpose, patches }) => ({
    purpose,
    patches: patches.map(({ hostOffset, before, after }) => ({
      hostOffset,
      before: Uint8Array.from(before),
      after: Uint8Array.from(after),
    })),
  }));
  expect(plain).toEqual(STEPS);
  expect(isOf(journal, "conversion")).toBe(false);
});

test("how far it came is appended, and read back", async () => {
  const volume = await written();
  const journal = await found(volume);
  const progress = async () => {
    const { prepared, verified, undoGivenUp, rolledBack } = (await found(volume)).work;
    return [prepared?.addedDigest, verified, undoGivenUp, rolledBack];
  };
  expect(await progress()).toEqual([undefined, false, false, false]);
  await journal.append({ record: "prepared", added: [[70_000, 70_004]], addedDigest: "aa" });
  expect(journal.work.prepared?.added).toEqual([[70_000, 70_004]]);
  expect(await progress()).toEqual(["aa", false, false, false]);
  await journal.append({ record: "verified", undoGivenUp: false });
  expect(await progress()).toEqual(["aa", true, false, false]);
  await journal.append({ record: "verified", undoGivenUp: true });
  await journal.append({ record: "rolled-back" });
  expect(await progress()).toEqual(["aa", true, true, true]);
});

test("cut anywhere, its first record is torn: nothing was written yet; with a byte changed it is damaged", async () => {
  const whole = (await written()).snapshot(NAMES.journal);
  for (let cut = 0; cut < whole.length; cut += 97) {
    expect(await Journal.find(new MemoryVolume({ [NAMES.journal]: whole.subarray(0, cut) }), IMAGE_PATH)).toBe("torn");
    const changed = whole.slice();
    changed[cut] = (changed[cut] as number) ^ 1;
    const found = Journal.find(new MemoryVolume({ [NAMES.journal]: changed }), IMAGE_PATH);
    const result = await found.catch((error: ImageError) => error.kind);
    // What follows the blob up to the sector's end is no part of the record.
    if (result !== "corrupt") expect(cut).toBeGreaterThan(whole.length - 512);
  }
});

test("another version's is left to that version", async () => {
  const record = encodeRecord(new Uint8Array(16).fill(1), 0, { ...INTENT, version: 2 }, new Uint8Array(0));
  const volume = new MemoryVolume({ [NAMES.journal]: record });
  await expect(Journal.find(volume, IMAGE_PATH)).rejects.toMatchObject({
    kind: "unsupported",
    message: expect.stringContaining("another version"),
    journal: NAMES.journal,
  });
});
