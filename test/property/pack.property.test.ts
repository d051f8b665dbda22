/** Whatever a qcow2 holds: packed into a stream, nothing is written where anything lived at the last barrier. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildPackable, type PackableShape } from "../formats/qcow2/packable-image.ts";
import { IMAGE_PATH, recordScenario } from "../support/crash-scenario.ts";
import { recover } from "../support/crash-trial.ts";
import { type JudgedTally, judgeLive } from "../support/live-judge.ts";
import { sampleState } from "../support/power-cut.ts";
import { seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";

const KIB = 1024;

const anyShape: fc.Arbitrary<PackableShape> = fc.record({
  seed: fc.nat(1_000_000),
  guestClusters: fc.constantFrom(1, 12, 24, 36),
  sectorsLess: fc.constantFrom(0, 1, 127),
  streams: fc.constantFrom(0, 0.5, 0.9, 1),
  shared: fc.constantFrom(0, 0, 0.1, 0.3),
  long: fc.constantFrom(0, 0, 0.3),
  isInOrder: fc.boolean(),
  refcountOrder: fc.constantFrom(4 as const, 5 as const, 6 as const),
});

describe("a stream that is packed inside a qcow2", () => {
  it("is written only where nothing lives, cut off and taken up again too", { timeout: 120_000 }, async () => {
    const tally: JudgedTally = { epochs: 0, repointed: 0 };
    await fc.assert(
      fc.asyncProperty(
        anyShape,
        fc.boolean(),
        fc.constantFrom(512, 832, 4096),
        fc.nat(),
        async (shape, isOva, kib, cut) => {
          const { bytes, guest } = buildPackable(shape);
          const { log } = await recordScenario({
            name: "packed",
            image: bytes,
            sourceFormat: "qcow2",
            targetFormat: isOva ? "ova" : "vmdk",
            options: { maxExtraSpace: kib * KIB, ...(!isOva && { options: { subformat: "streamOptimized" } }) },
          });
          judgeLive(log, IMAGE_PATH, guest, tally);
          const random = seededRandom(cut);
          const state = sampleState(log, 1 + random.below(log.operations.length), "each-sector-random", random);
          const volume = new RecordingVolume(state);
          await recover(volume, "resume");
          judgeLive(volume.log, IMAGE_PATH, guest, tally);
        },
      ),
      { numRuns: Number(process.env.RUNS) || 8, seed: Number(process.env.SEED) || 7 },
    );
    expect(tally.epochs).toBeGreaterThan(150);
    expect(tally.repointed).toBeGreaterThan(150);
  });
});
