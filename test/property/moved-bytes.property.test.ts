/**
 * What a conversion to a disk in one piece copies, told by the content of each of its writes and by nothing of `src/plan`:
 * each cluster that lies elsewhere once, one more for each cycle, and a few spares.
 */

import fc from "fast-check";
import { expect, test } from "vitest";
import { convert } from "../../src/convert/convert.ts";
import { clusterContent } from "../formats/guest-contents.ts";
import { buildWithGuest } from "../formats/qcow2/any-image.ts";
import { IMAGE_PATH, testHost } from "../support/crash-scenario.ts";
import { digestOf } from "../support/power-cut.ts";
import { seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";

const layout = fc
  .record({
    clusterBits: fc.constantFrom(9, 10, 12),
    kinds: fc.array(fc.boolean(), { minLength: 2, maxLength: 50 }),
    shape: fc.constantFrom("random", "random", "reversed", "shifted"),
    spareClusters: fc.nat(6),
    seed: fc.nat(2 ** 30),
    shift: fc.integer({ min: 1, max: 7 }),
  })
  .map(({ kinds, shape, seed, shift, ...rest }) => {
    const data = [...kinds.keys()].filter((cluster) => cluster === 1 || kinds[cluster]);
    const arrange = (places: readonly number[]): readonly number[] => {
      if (shape === "reversed") return places.toReversed();
      if (shape === "shifted") return [...places.slice(shift), ...places.slice(0, shift)];
      return seededRandom(seed).shuffle(places);
    };
    return { ...rest, data, clusters: kinds.length, arrange };
  });

/** Cycles of clusters that lie in the places of one another; the first cluster's place is the header's, and in none. */
function cyclesIn(placeOf: ReadonlyMap<number, number>): number {
  const holderOf = new Map([...placeOf].map(([cluster, place]) => [place, cluster]));
  const walked = new Set<number>();
  let cycles = 0;
  for (const start of placeOf.keys()) {
    const way = new Set<number>();
    let at: number | undefined = start;
    while (at !== undefined && !walked.has(at) && placeOf.get(at) !== at) {
      walked.add(at);
      way.add(at);
      at = holderOf.get(at);
    }
    if (at !== undefined && way.has(at)) cycles++;
  }
  return cycles;
}

test("no cluster is copied that need not be", async () => {
  await fc.assert(
    fc.asyncProperty(layout, async ({ clusterBits, data, clusters, arrange, spareClusters }) => {
      const clusterSize = 2 ** clusterBits;
      const placeOf = new Map<number, number>();
      const { bytes, guest } = buildWithGuest({
        virtualSize: clusters * clusterSize,
        data,
        clusterBits,
        spareClusters,
        arrange: (places) => {
          const arranged = arrange(places);
          for (const [index, place] of arranged.entries()) placeOf.set(data[index] as number, place / clusterSize);
          return arranged;
        },
      });
      const volume = new RecordingVolume({ [IMAGE_PATH]: bytes });
      const report = await convert(IMAGE_PATH, "raw", {}, testHost(volume));
      expect(Buffer.compare(volume.memory.snapshot(IMAGE_PATH), guest)).toBe(0);

      const clusterOf = new Map(data.map((cluster) => [digestOf(clusterContent(cluster, clusterSize)), cluster]));
      const copies = { home: 0, aside: 0, ofHome: 0 };
      const landed = new Map<number, number>();
      let barriers = 0;
      for (const operation of volume.operations) {
        if (operation.kind === "sync" && operation.path === IMAGE_PATH) barriers++;
        if (operation.kind !== "write" || operation.path !== IMAGE_PATH) continue;
        for (let at = 0; at + clusterSize <= operation.bytes.length; at += clusterSize) {
          const cluster = clusterOf.get(digestOf(operation.bytes.subarray(at, at + clusterSize)));
          const isHome = operation.hostOffset + at === (cluster ?? 0) * clusterSize;
          // The first one comes home with the commit.
          if (cluster === undefined || (cluster === 0 && isHome)) continue;
          copies[isHome ? "home" : "aside"]++;
          landed.set(cluster, (landed.get(cluster) ?? 0) + 1);
          if (placeOf.get(cluster) === cluster) copies.ofHome++;
        }
      }
      const misplaced = data.filter((cluster) => cluster !== 0 && placeOf.get(cluster) !== cluster);
      // Until the commit the first one lies where there is room.
      const hasFirst = data.includes(0);
      const rest = new Map([...placeOf].filter(([cluster]) => cluster !== 0));
      const cycles = cyclesIn(rest);
      expect(copies.ofHome).toBe(0);
      expect(copies.home).toBe(misplaced.length);
      expect(copies.aside).toBeGreaterThanOrEqual(cycles);
      const spares = copies.aside - cycles - (hasFirst ? 1 : 0);
      expect(spares).toBeLessThanOrEqual(Math.max(2, Math.ceil(misplaced.length / 4)));
      expect(report.bytesMoved).toBeLessThanOrEqual((copies.home + copies.aside + 1) * clusterSize);
      expect(Math.max(1, ...landed.values())).toBeLessThanOrEqual(2);
      expect(barriers).toBeLessThanOrEqual(10 + 2 * (misplaced.length + cycles));
    }),
    { numRuns: 120, seed: 2011 },
  );
});
