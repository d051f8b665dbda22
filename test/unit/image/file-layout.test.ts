/** The picture of a file: every byte in exactly one run, bounded, right in sum whatever the image's size. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { ExtentState, ExtentTableBuilder, storedGuestBytes } from "../../../src/image/extent.ts";
import { type FileLayout, fileLayout, LAYOUT_KINDS, MAX_RUNS } from "../../../src/image/file-layout.ts";

const CLUSTER = 512;

/** One letter a cluster of the file: Header, Tables, Data, Compressed, `.` free. */
function layoutOf(letters: string, shuffled = false): FileLayout {
  const metadata = new RangeSet();
  const places: number[] = [];
  for (const [index, letter] of [...letters].entries()) {
    if (letter === "H" || letter === "T") metadata.add(index * CLUSTER, (index + 1) * CLUSTER);
    if (letter === "D" || letter === "C") places.push(index);
  }
  if (shuffled) places.reverse();
  const table = new ExtentTableBuilder();
  for (const place of places) {
    const isData = letters[place] === "D";
    if (isData) table.append(CLUSTER, ExtentState.data, place * CLUSTER);
    else table.append(4 * CLUSTER, ExtentState.compressed, place * CLUSTER, CLUSTER);
  }
  return fileLayout({
    mapping: table.finish(table.end),
    metadata,
    clusterSize: CLUSTER,
    fileSize: letters.length * CLUSTER,
  });
}

const LETTERS = { header: "H", tables: "T", data: "D", compressed: "C", free: "." } as const;

function drawn({ runs }: FileLayout): string {
  return runs.map(({ kind, length }) => LETTERS[kind].repeat(length / CLUSTER)).join("");
}

test.each(["H", "HTTDDD..CCDT", "HDDDDDDDTT", "....", "H.D.C.T"])("%s is drawn as it lies", (letters) => {
  expect(drawn(layoutOf(letters))).toBe(letters);
  expect(drawn(layoutOf(letters, true))).toBe(letters);
  expect(layoutOf(letters).isExact).toBe(true);
});

test("what lies past the end, and zeros that only have a place, are not drawn; what lies on something else only once", () => {
  const table = new ExtentTableBuilder();
  table.append(4 * CLUSTER, ExtentState.data, 2 * CLUSTER);
  table.append(2 * CLUSTER, ExtentState.zero, 5 * CLUSTER);
  table.append(CLUSTER, ExtentState.unallocated);
  table.append(4 * CLUSTER, ExtentState.data, 9 * CLUSTER);
  const metadata = RangeSet.of({ start: 0, end: 3 * CLUSTER });
  const layout = fileLayout({
    mapping: table.finish(table.end),
    metadata,
    clusterSize: CLUSTER,
    fileSize: 10 * CLUSTER,
  });
  expect(drawn(layout)).toBe("HTTDDD...D");
  expect(storedGuestBytes(table.finish(table.end))).toBe(8 * CLUSTER);
});

test("any file: no gap, few runs, the sums are the file's", () => {
  const file = fc
    .array(fc.tuple(fc.constantFrom("T", "D", "C", "."), fc.integer({ min: 1, max: 40 })), {
      maxLength: 900,
      size: "max",
    })
    .map((parts) => `H${parts.map(([letter, count]) => letter.repeat(count)).join("")}`);
  fc.assert(
    fc.property(file, (letters) => {
      const layout = layoutOf(letters);
      expect(layout.runs.length).toBeLessThanOrEqual(MAX_RUNS);
      let end = 0;
      for (const { start, length } of layout.runs) {
        expect(start).toBe(end);
        expect(length).toBeGreaterThan(0);
        end += length;
      }
      expect(end).toBe(letters.length * CLUSTER);
      for (const kind of LAYOUT_KINDS) {
        expect(layout.bytes[kind]).toBe(letters.split(LETTERS[kind]).length * CLUSTER - CLUSTER);
      }
      if (layout.isExact) expect(drawn(layout)).toBe(letters);
    }),
    { numRuns: 60, endOnFailure: true },
  );
});

test("a large file in disorder is told by stretches, and each has its own sums", () => {
  // The first half is data in disorder with a table now and then, the second is free but for its end.
  const half = Array.from({ length: 8192 }, (_, index) => (index === 0 ? "H" : index % 512 === 7 ? "T" : "D"));
  const letters = `${half.join("")}${".".repeat(8191)}T`;
  const layout = layoutOf(letters, true);
  expect(layout.isExact).toBe(false);
  expect(layout.runs[0]).toEqual({ start: 0, length: CLUSTER, kind: "header" });
  expect(layout.bytes.tables).toBe(17 * CLUSTER);
  const middle = (letters.length / 2) * CLUSTER;
  const dataAfter = layout.runs.filter(({ kind, start }) => kind === "data" && start >= middle);
  expect(dataAfter).toEqual([]);
  expect(layout.runs.at(-1)?.start).toBeGreaterThan(middle * 1.9);
});
