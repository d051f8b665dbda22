/** A disk that stores one bit wrong, in any write of a conversion or of settling: no success with another guest. */

import { describe, expect, test } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { convert } from "../../../src/convert/convert.ts";
import { resume } from "../../../src/convert/recovery.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { crashScenarios, IMAGE_PATH, recordScenario, testHost } from "../../support/crash-scenario.ts";
import { expectedOf, judgeWhole } from "../../support/crash-trial.ts";
import { FlippingVolume } from "../../support/flipping-volume.ts";
import type { DiskState } from "../../support/power-cut.ts";
import { seededRandom } from "../../support/random.ts";

const FLIPS_A_WRITE = 6;
const scenarios = await crashScenarios();

describe("one bit of one write is stored wrong", () => {
  for (const scenario of scenarios) {
    test(scenario.name, { timeout: 60_000 }, async () => {
      const { final } = await recordScenario(scenario);
      const expected = await expectedOf(scenario, final);
      const random = seededRandom(6);
      const counting = new FlippingVolume(new MemoryVolume({ [IMAGE_PATH]: scenario.image }), {
        nth: 0,
        at: 0,
        bit: 0,
      });
      await convert(IMAGE_PATH, scenario.targetFormat, scenario.options, testHost(counting));
      let noticed = 0;
      for (let nth = 1; nth <= counting.writeCount; nth++) {
        for (let round = 0; round < FLIPS_A_WRITE; round++) {
          const flip = { nth, at: round === 0 ? 0 : random.next(), bit: random.below(8) };
          const memory = new MemoryVolume({ [IMAGE_PATH]: scenario.image });
          const volume = new FlippingVolume(memory, flip);
          try {
            await convert(IMAGE_PATH, scenario.targetFormat, scenario.options, testHost(volume));
          } catch (error) {
            if (!(error instanceof ImageError)) throw error;
            noticed++;
            // A table that is live already has one version only; everything before that is put back or done again.
            if (error.journal === undefined) {
              expect(Buffer.compare(memory.snapshot(IMAGE_PATH), scenario.image), JSON.stringify(flip)).toBe(0);
              continue;
            }
            await resume(IMAGE_PATH, {}, testHost(memory));
          }
          await judgeWhole(expected, memory.snapshots() as DiskState).catch((error) => {
            throw new Error(`${JSON.stringify(flip)}: ${error.message}`);
          });
        }
      }
      expect(noticed).toBeGreaterThan(0);
    });
  }
});
