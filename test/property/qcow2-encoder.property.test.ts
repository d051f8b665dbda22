/** Whatever a qcow2 holds: its clusters are compressed with the guest kept after each epoch, torn ones too. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Qcow2Image } from "../../src/formats/qcow2/image.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { anyEncodable } from "../formats/qcow2/encodable-image.ts";
import { readNaively, readQcow2Guest } from "../formats/qcow2/naive-reader.ts";
import { tearEpoch } from "../support/apply-epoch.ts";
import { compactInMemory } from "../support/compaction.ts";
import { encodeInMemory } from "../support/encoding.ts";
import { seededRandom } from "../support/random.ts";

describe("a qcow2 whose clusters are compressed", () => {
  it("keeps its guest, whatever is cut where, and ends clean; a second time changes nothing", async () => {
    let encoded = 0;
    await fc.assert(
      fc.asyncProperty(
        anyEncodable,
        fc.constantFrom(1, 2, 5, 60),
        fc.nat(),
        async ({ bytes, guest }, batchClusters, seed) => {
          const random = seededRandom(seed);
          const clusterSize = 2 ** Buffer.from(bytes).readUInt32BE(20);
          const whole = async (file: Uint8Array, what: string) => {
            expect(Buffer.compare(readQcow2Guest(file), guest), what).toBe(0);
            const { corruptions, checkErrors } = await (await Qcow2Image.open(memoryStorage(file))).check();
            expect({ corruptions, checkErrors }, what).toEqual({ corruptions: 0, checkErrors: 0 });
          };
          const done = await encodeInMemory(bytes, batchClusters * clusterSize, async (file, epoch) => {
            await whole(tearEpoch(file, epoch, random), epoch.purpose);
          });
          await whole(done.bytes, "the end");
          expect(done.longest).toBeLessThanOrEqual(bytes.length + (batchClusters + 1) * clusterSize);
          const { refcounts, references } = readNaively(done.bytes);
          expect(sorted(refcounts)).toEqual(sorted(references));
          encoded += done.units.length;

          const again = await encodeInMemory(done.bytes, batchClusters * clusterSize);
          expect(again.epochCount).toBe(0);
          const { bytes: short } = await compactInMemory(done.bytes, { open: Qcow2Image.open, movesAtOnce: 8 });
          await whole(short, "compacted");
          expect(short.length).toBeLessThanOrEqual(bytes.length);
        },
      ),
      { numRuns: 50, seed: 10 },
    );
    expect(encoded).toBeGreaterThan(400);
  });
});

function sorted(counts: ReadonlyMap<number, number>): [number, number][] {
  return [...counts].sort(([a], [b]) => a - b);
}
