/** Whatever lies wherever: a qcow2 that is shuffled and compacted keeps its guest after each epoch, torn ones too, and ends as short as it can. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Qcow2Image } from "../../src/formats/qcow2/image.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { anyQcow2 } from "../formats/qcow2/any-image.ts";
import { readNaively, readQcow2Guest } from "../formats/qcow2/naive-reader.ts";
import { tearEpoch } from "../support/apply-epoch.ts";
import { compactInMemory, type Play, shuffleInMemory } from "../support/compaction.ts";
import { seededRandom } from "../support/random.ts";

const open = Qcow2Image.open;

describe("a qcow2 that is rearranged", () => {
  it("keeps its guest, whatever is cut where, and ends clean and short", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyQcow2,
        fc.constantFrom(1, 3, 8, 40),
        fc.nat(),
        async ({ bytes, guest }, movesAtOnce, seed) => {
          const random = seededRandom(seed);
          const play: Play = {
            open,
            movesAtOnce,
            beforeEpoch: async (file, epoch) => {
              const torn = tearEpoch(file, epoch, random);
              expect(Buffer.compare(readQcow2Guest(torn), guest), epoch.purpose).toBe(0);
              const { corruptions, checkErrors } = await (await open(memoryStorage(torn))).check();
              expect({ corruptions, checkErrors }, epoch.purpose).toEqual({ corruptions: 0, checkErrors: 0 });
            },
          };
          const shuffled = await shuffleInMemory(bytes, play, random, 6);
          const { bytes: after } = await compactInMemory(shuffled.bytes, play);
          expect(Buffer.compare(readQcow2Guest(after), guest)).toBe(0);
          const { refcounts, references } = readNaively(after);
          expect(sorted(refcounts)).toEqual(sorted(references));
          const clusterSize = 2 ** Buffer.from(after).readUInt32BE(20);
          expect(references.size * clusterSize).toBe(after.length);
        },
      ),
      { numRuns: 80, seed: 10 },
    );
  });
});

function sorted(counts: ReadonlyMap<number, number>): [number, number][] {
  return [...counts].sort(([a], [b]) => a - b);
}
