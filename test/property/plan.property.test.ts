/** Plans over random mappings: proven, whole, and nothing moves that could stay. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { alignUp } from "../../src/bytes/align.ts";
import { RangeSet } from "../../src/bytes/range-set.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder, extentAt, findRow } from "../../src/image/extent.ts";
import { placeUnits } from "../../src/plan/place-units.ts";
import { provePlan } from "../../src/plan/proof.ts";

const { data, zero, unallocated, compressed } = ExtentState;
const SECTOR = 512;

interface World {
  readonly clusterSize: number;
  readonly unitSize: number;
  readonly virtualSize: number;
  readonly mapping: ExtentTable;
  readonly metadata: RangeSet;
  readonly fileSize: number;
  readonly hasBacking: boolean;
  readonly hasZeroState: boolean;
}

const world: fc.Arbitrary<World> = fc
  .record({
    clusterSize: fc.constantFrom(512, 1024, 4096),
    unitSize: fc.constantFrom(512, 1024, 4096, 8192),
    sectorsLess: fc.nat(7),
    states: fc.array(fc.constantFrom(data, data, data, zero, unallocated, compressed), { minLength: 1, maxLength: 40 }),
    jumps: fc.array(fc.constantFrom(0, 0, 0, 0, 1, 2, 5), { minLength: 40, maxLength: 40 }),
    isReversed: fc.boolean(),
    hasBacking: fc.boolean(),
    hasZeroState: fc.boolean(),
  })
  .map(({ clusterSize, sectorsLess, states, jumps, isReversed, ...rest }) => {
    const sectorsPerCluster = clusterSize / SECTOR;
    const virtualSize = states.length * clusterSize - (sectorsLess % sectorsPerCluster) * SECTOR;
    // Host clusters in runs with gaps between; the gaps are metadata.
    const used = new RangeSet();
    let next = 1;
    const places = states.map((_, at) => {
      next += jumps[at] as number;
      return next++;
    });
    const hostCluster = isReversed ? places.toReversed() : places;
    const builder = new ExtentTableBuilder();
    for (const [at, state] of states.entries()) {
      const length = Math.min(clusterSize, virtualSize - at * clusterSize);
      const place = (hostCluster[at] as number) * clusterSize;
      if (state === data) builder.append(length, data, place);
      else if (state === compressed) builder.append(length, compressed, place + 3, clusterSize / 2);
      else builder.append(length, state);
      if (state === data || state === compressed) used.add(place, place + clusterSize);
    }
    const metadata = RangeSet.of({ start: 0, end: clusterSize });
    for (let cluster = 1; cluster < next; cluster++) {
      if (!used.intersects(cluster * clusterSize, (cluster + 1) * clusterSize)) {
        metadata.add(cluster * clusterSize, (cluster + 1) * clusterSize);
      }
    }
    return {
      ...rest,
      clusterSize,
      virtualSize,
      mapping: builder.finish(virtualSize),
      metadata,
      fileSize: next * clusterSize,
    };
  });

/** What a guest sector is made of, as a word. */
function contentAt(table: ExtentTable, guestOffset: number): string {
  const row = extentAt(table, findRow(table, guestOffset));
  const skipped = guestOffset - row.guestOffset;
  if (row.state === data) return `host ${row.hostOffset + skipped}`;
  if (row.state === compressed) return `inflated ${row.hostOffset} ${row.storedLength} ${skipped}`;
  return row.state === zero ? "zero" : "nothing";
}

function couldStay({ mapping, clusterSize, unitSize, virtualSize }: World, start: number): boolean {
  const end = Math.min(start + unitSize, virtualSize);
  const first = extentAt(mapping, findRow(mapping, start));
  const hostOffset = first.hostOffset + start - first.guestOffset;
  if (first.state !== data || hostOffset % unitSize !== 0 || hostOffset < unitSize) return false;
  for (let at = start; at < end; at += SECTOR) {
    if (contentAt(mapping, at) !== `host ${hostOffset + at - start}`) return false;
  }
  return alignUp(end, clusterSize) - start >= unitSize;
}

test("every guest sector is where it was, or copied once; only what can't stay is copied", () => {
  fc.assert(
    fc.property(world, (one) => {
      const { clusterSize, unitSize, virtualSize, mapping, metadata, fileSize, hasBacking, hasZeroState } = one;
      const placement = {
        unitSize,
        hostAlignment: unitSize,
        reserved: RangeSet.of({ start: 0, end: unitSize }),
        hasZeroState,
        compressed: clusterSize === unitSize ? { clusterSize, method: "zlib" as const } : undefined,
      };
      const copyStart = alignUp(fileSize, Math.max(clusterSize, unitSize));
      const placed = placeUnits({
        mapping,
        placement,
        virtualSize,
        sourceClusterSize: clusterSize,
        hasBacking,
        copyStart,
      });
      const isMixed = (start: number) => {
        const words = new Set<string>();
        for (let at = start; at < Math.min(start + unitSize, virtualSize); at += SECTOR) {
          words.add(contentAt(mapping, at) === "nothing" ? "nothing" : "something");
        }
        return words.size > 1;
      };
      const starts = Array.from({ length: Math.ceil(virtualSize / unitSize) }, (_, unit) => unit * unitSize);
      expect(placed.refusals.length > 0).toBe(hasBacking && starts.some(isMixed));
      if (placed.refusals.length > 0) return;

      provePlan({
        source: mapping,
        target: placed.extents,
        copies: placed.copies,
        placement,
        metadata,
        hasBacking,
        sourceClusterSize: clusterSize,
        oldFileSize: fileSize,
      });
      const copyOf = (guestOffset: number) =>
        placed.copies.find((copy) => guestOffset >= copy.guestOffset && guestOffset < copy.guestOffset + copy.length);
      for (let at = 0; at < virtualSize; at += SECTOR) {
        const copy = copyOf(at);
        const from = contentAt(mapping, at);
        const to = contentAt(placed.extents, at);
        if (copy) {
          expect(to).toBe(`host ${copy.hostOffset + at - copy.guestOffset}`);
          expect(hasBacking && from === "nothing").toBe(false);
        } else if (hasBacking || (from !== "zero" && from !== "nothing")) expect(to).toBe(from);
        else expect(["zero", "nothing"]).toContain(to);
      }
      for (const start of starts) if (couldStay(one, start)) expect(copyOf(start)).toBe(undefined);
      const copied = placed.copies.reduce((sum, { length }) => sum + length, 0);
      expect(placed.bytesMoved).toBe(copied);
      expect(placed.copyEnd).toBe(copyStart + copied);
    }),
    { numRuns: 300, seed: 2011 },
  );
});
