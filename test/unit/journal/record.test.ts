/** The journal's records: torn tails are ignored, any other damage is an error. */

import { describe, expect, test } from "vitest";
import { encodeRecord, scanRecords } from "../../../src/journal/record.ts";
import { seededRandom } from "../../support/random.ts";

const ID = new Uint8Array(16).fill(0x11);
const OTHER_ID = new Uint8Array(16).fill(0x22);
const blobOf = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 7) % 251);

/** Three records; the second takes several sectors. */
const PARTS = [
  encodeRecord(ID, 0, { record: "intent", name: "größe" }, blobOf(700)),
  encodeRecord(ID, 1, { record: "prepared" }, blobOf(3000)),
  encodeRecord(ID, 2, { record: "verified" }, new Uint8Array(0)),
];
const FILE = new Uint8Array(Buffer.concat(PARTS));
const starts = [0, PARTS[0]?.length ?? 0, (PARTS[0]?.length ?? 0) + (PARTS[1]?.length ?? 0)];

describe("records", () => {
  test("come back as they were written, in whole sectors", () => {
    const { records, end, journalId } = scanRecords(FILE, "j");
    expect(records.map(({ facts }) => facts)).toEqual([
      { record: "intent", name: "größe" },
      { record: "prepared" },
      { record: "verified" },
    ]);
    expect(records.map(({ blob }) => blob)).toEqual([blobOf(700), blobOf(3000), new Uint8Array(0)]);
    expect(end).toBe(FILE.length);
    expect(journalId).toEqual(ID);
    for (const part of PARTS) expect(part.length % 512).toBe(0);
  });

  test("cut off anywhere leave a whole prefix", () => {
    for (let length = 0; length < FILE.length; length += 64) {
      const { records, end } = scanRecords(FILE.subarray(0, length), "j");
      expect(records.length).toBe(starts.filter((start, at) => start + (PARTS[at]?.length ?? 0) <= length).length);
      expect(end).toBe(starts[records.length]);
    }
  });

  test("a torn last one, any of its sectors missing, is ignored", () => {
    const two = FILE.subarray(0, starts[2]);
    for (let sector = starts[1] as number; sector < two.length; sector += 512) {
      const torn = two.slice();
      torn.fill(0, sector, sector + 512);
      // The last sector may hold nothing but padding.
      const isWhole = Buffer.compare(torn, two) === 0;
      expect(scanRecords(torn, "j").records.length).toBe(isWhole ? 2 : 1);
    }
  });

  test("every flipped bit of the last is noticed", () => {
    const random = seededRandom(3);
    const used = 40 + JSON.stringify({ record: "prepared" }).length + 3000;
    for (let trial = 0; trial < 300; trial++) {
      const torn = FILE.slice(0, starts[2]);
      const at = (starts[1] as number) + random.below(used);
      torn[at] = (torn[at] as number) ^ (1 << random.below(8));
      expect(scanRecords(torn, "j").records.length).toBe(1);
    }
  });

  test("damage before a whole record is an error that names it", () => {
    for (const [record, start] of starts.slice(0, 2).entries()) {
      const damaged = FILE.slice();
      damaged.fill(0, start, start + 512);
      expect(() => scanRecords(damaged, "j")).toThrowError(
        expect.objectContaining({
          kind: "corrupt",
          structure: `journal record ${record}`,
          hostOffset: start,
          journal: "j",
        }),
      );
    }
  });

  test("of another journal end the prefix, and so do those out of turn", () => {
    const foreign = encodeRecord(OTHER_ID, 1, {}, new Uint8Array(0));
    expect(scanRecords(Buffer.concat([PARTS[0] as Uint8Array, foreign]), "j").records.length).toBe(1);
    const again = Buffer.concat([PARTS[0] as Uint8Array, PARTS[0] as Uint8Array]);
    expect(scanRecords(again, "j").records.length).toBe(1);
    const later = Buffer.concat([PARTS[0] as Uint8Array, PARTS[2] as Uint8Array]);
    expect(() => scanRecords(later, "j")).toThrowError(expect.objectContaining({ kind: "corrupt" }));
  });

  test("absurd lengths and strangers' files are no records", () => {
    const absurd = (PARTS[0] as Uint8Array).slice();
    new DataView(absurd.buffer).setUint32(28, 0xffffffff, true);
    for (const file of [absurd, blobOf(2000), new Uint8Array(4096), new Uint8Array(0)]) {
      // Zeros, and nothing at all, can be left of a record by a cut.
      const isCutOff = file.every((byte) => byte === 0);
      expect(scanRecords(file, "j")).toEqual({ journalId: undefined, records: [], end: 0, isCutOff });
    }
  });
});
