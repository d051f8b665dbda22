/** Whatever lies wherever: a qcow that is shuffled and compacted keeps its guest after each epoch, torn ones too, and ends as short as it can. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { openQcow } from "../../src/formats/qcow/image.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { anyQcowDescription } from "../formats/qcow/any-image.ts";
import { buildQcow } from "../formats/qcow/builder.ts";
import { readQcowNaively } from "../formats/qcow/naive-reader.ts";
import { tearEpoch } from "../support/apply-epoch.ts";
import { compactInMemory, type Play, shuffleInMemory } from "../support/compaction.ts";
import { seededRandom } from "../support/random.ts";

it("a qcow that is rearranged keeps its guest, whatever is cut where, and ends short", async () => {
  let movedCount = 0;
  await fc.assert(
    fc.asyncProperty(
      anyQcowDescription,
      fc.constantFrom(1, 3, 8, 40),
      fc.nat(),
      async (description, movesAtOnce, seed) => {
        const { bytes, guest } = buildQcow(description);
        const random = seededRandom(seed);
        const play: Play = {
          open: openQcow,
          movesAtOnce,
          beforeEpoch: async (file, epoch) => {
            const torn = tearEpoch(file, epoch, random);
            expect(Buffer.compare(readQcowNaively(torn).guest, guest), epoch.purpose).toBe(0);
            expect((await (await openQcow(memoryStorage(torn))).check()).corruptions, epoch.purpose).toBe(0);
          },
        };
        const shuffled = await shuffleInMemory(bytes, play, random, 6);
        const { bytes: after, moveCount } = await compactInMemory(shuffled.bytes, play);
        movedCount += moveCount;
        const naive = readQcowNaively(after);
        expect(Buffer.compare(naive.guest, guest)).toBe(0);
        expect(naive.users.some((count) => count > 1)).toBe(false);
        const { unitSize, used } = await (await openQcow(memoryStorage(after))).openRearranger();
        expect(used.markedEnd * unitSize).toBe(after.length);
        if (unitSize === description.clusterSize && description.l2Bits === Math.log2(unitSize / 8)) {
          expect((await (await openQcow(memoryStorage(after))).check()).leaks).toBe(0);
        }
      },
    ),
    { numRuns: 120, seed: 10 },
  );
  expect(movedCount).toBeGreaterThan(500);
});
