/** What a journal says of a changed disk: told and read back the same, and believed only where it can be. */

import { expect, test } from "vitest";
import { changeOfRecord, isChangedDisk, recordOfChange } from "../../../src/journal/changed-disk.ts";

const patch = (guestOffset: number, length: number, before: number, after: number) => ({
  guestOffset,
  before: new Uint8Array(length).fill(before, 0, 3),
  after: new Uint8Array(length).fill(after, 1, 5),
});
const change = {
  oldFileSize: 8000,
  fileSize: 16_384,
  steps: [[patch(12_288, 1024, 0, 7), patch(15_872, 512, 0, 9)], [patch(512, 512, 1, 2)], [patch(0, 512, 3, 0)]],
};
const record = recordOfChange(change);

test("is the same once it was written and read", () => {
  expect(changeOfRecord(JSON.parse(JSON.stringify(record)))).toEqual(change);
  expect(record.steps[0]?.[0]).toEqual([12_288, 1024, "", "0007070707"]);
  expect(isChangedDisk(JSON.parse(JSON.stringify(record)))).toBe(true);
  expect(isChangedDisk({ oldFileSize: 5, fileSize: 5, steps: [] })).toBe(true);
});

const MiB = 2 ** 20;

test.each([
  ["nothing", null],
  ["a disk that shrinks", { ...record, fileSize: 7999 }],
  ["no steps", { ...record, steps: "" }],
  ["a step that is none", { ...record, steps: [{}] }],
  ["a patch that is none", { ...record, steps: [[[0, 512, ""]]] }],
  ["half a sector", { ...record, steps: [[[256, 512, "", ""]]] }],
  ["a sector too short", { ...record, steps: [[[0, 500, "", ""]]] }],
  ["an empty patch", { ...record, steps: [[[0, 0, "", ""]]] }],
  ["a negative place", { ...record, steps: [[[-512, 512, "", ""]]] }],
  ["a place past the end", { ...record, steps: [[[16_384, 512, "", ""]]] }],
  ["a sector twice", { ...record, steps: [[[512, 1024, "", ""]], [[1024, 512, "", ""]]] }],
  ["more bytes than sectors", { ...record, steps: [[[0, 512, "00".repeat(513), ""]]] }],
  ["half a byte", { ...record, steps: [[[0, 512, "0", ""]]] }],
  ["no hex", { ...record, steps: [[[0, 512, "", "zz"]]] }],
  ["bytes that are no text", { ...record, steps: [[[0, 512, "", 5]]] }],
  ["more than any GPT", { oldFileSize: 0, fileSize: 2 ** 40, steps: [[[0, 9 * MiB, "", ""]]] }],
  [
    "more than any GPT in pieces",
    {
      oldFileSize: 0,
      fileSize: 2 ** 40,
      steps: Array.from({ length: 9 }, (_, at) => [[2 * at * MiB, MiB, "", ""]]),
    },
  ],
])("%s is not believed", (_, value) => {
  expect(isChangedDisk(value)).toBe(false);
});
