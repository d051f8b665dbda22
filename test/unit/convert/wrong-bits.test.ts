/** A disk that stores one bit wrong, in any write of a conversion or of settling: no success with another guest. */

import { describe, expect, test } from "vitest";
import { SECTOR_SIZE } from "../../../src/bytes/align.ts";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { convert } from "../../../src/convert/convert.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { crashScenarios, IMAGE_PATH, recordScenario, testHost } from "../../support/crash-scenario.ts";
import { expectedOf, judgeWhole } from "../../support/crash-trial.ts";
import { cutAtCommit } from "../../support/cut-at-commit.ts";
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

test("the way back: a header that is stored wrong is not called the old one", async () => {
  const scenario = scenarios.find(({ name }) => name === "qed to qcow2, tiny");
  if (!scenario) throw new Error("the scenario is gone");
  const { image, targetFormat, options } = scenario;
  const files = await cutAtCommit(image, targetFormat, options, "committed");
  const counting = new FlippingVolume(new MemoryVolume(files), { nth: 0, at: 0, bit: 0 });
  await rollback(IMAGE_PATH, {}, testHost(counting));
  let refused = 0;
  for (let nth = 1; nth <= counting.writeCount; nth++) {
    for (const bit of [0, 7]) {
      const memory = new MemoryVolume(files);
      const end = await rollback(IMAGE_PATH, {}, testHost(new FlippingVolume(memory, { nth, at: 0.001, bit }))).then(
        () => "put back",
        (error: unknown) => (error instanceof ImageError ? "refused" : "broken"),
      );
      const { journal } = journalNamesOf(IMAGE_PATH);
      expect(end, `write ${nth}`).not.toBe("broken");
      if (end === "put back") {
        const header = memory.snapshot(IMAGE_PATH).subarray(0, SECTOR_SIZE);
        expect(Buffer.compare(header, image.subarray(0, SECTOR_SIZE)), `write ${nth}`).toBe(0);
      } else {
        refused++;
        expect(memory.has(journal), `write ${nth}`).toBe(true);
      }
    }
  }
  expect(refused).toBeGreaterThan(0);
});
