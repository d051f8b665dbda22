/** Images of every shape, sound ones torn in each epoch and damaged ones: whatever is taken on shows what it showed, and all else is refused. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { Qcow2Image } from "../../src/formats/qcow2/image.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import type { CheckSample } from "../formats/kit.ts";
import { qcow2CheckSamples } from "../formats/qcow2/check-samples.ts";
import { Qcow2Mutator } from "../formats/qcow2/mutator.ts";
import { tearEpoch } from "../support/apply-epoch.ts";
import { compactInMemory, type Play, shuffleInMemory } from "../support/compaction.ts";
import { viewsOf } from "../support/qcow2-views.ts";
import { seededRandom } from "../support/random.ts";

const open = Qcow2Image.open;
const MUTANTS = 40;

let folder = "";
let samples: readonly CheckSample[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "qcow2-mutants-"));
  samples = (await qcow2CheckSamples(folder)).filter(({ name }) => name !== "luks" && name !== "data-file");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function expectNoCorruption(bytes: Uint8Array, mostLeaks: number, what: string): Promise<void> {
  const { corruptions, checkErrors, warnings, leaks } = await (await open(memoryStorage(bytes))).check();
  expect([corruptions, checkErrors, warnings, Math.max(0, leaks - mostLeaks)], what).toEqual([0, 0, 0, 0]);
}

/** Clusters in use whose counts are too high: such a count goes along, since flags would have to follow it. */
async function overcounted(bytes: Uint8Array): Promise<number> {
  const { findings } = await (await open(memoryStorage(bytes))).check();
  return findings.filter(({ severity, references = 0 }) => severity === "leak" && references > 0).length;
}

/** Everything moves, and then to the front. */
async function rearranged(bytes: Uint8Array, seed: number, play: Partial<Play> = {}): Promise<Uint8Array> {
  const random = seededRandom(seed);
  const whole = { open, movesAtOnce: 1 + random.below(300), ...play };
  const shuffled = await shuffleInMemory(bytes, whole, random, 4);
  return (await compactInMemory(shuffled.bytes, whole)).bytes;
}

describe("a qcow2 that is rearranged", () => {
  it("shows the same, snapshots too, wherever an epoch is torn", async () => {
    for (const [seed, { name, bytes }] of samples.entries()) {
      const views = await viewsOf(bytes);
      const random = seededRandom(seed);
      const after = await rearranged(bytes, seed, {
        movesAtOnce: 200,
        beforeEpoch: async (file, epoch) => {
          const torn = tearEpoch(file, epoch, random);
          expect(await viewsOf(torn), `${name}: ${epoch.purpose}`).toEqual(views);
          await expectNoCorruption(torn, Number.POSITIVE_INFINITY, `${name}: ${epoch.purpose}`);
        },
      });
      expect(await viewsOf(after), name).toEqual(views);
      await expectNoCorruption(after, 0, name);
    }
  });

  it("is refused, or shows what it showed, however its fields lie", async () => {
    let taken = 0;
    let refused = 0;
    for (const [row, { name, bytes }] of samples.entries()) {
      if (bytes.length > 4 * 2 ** 20) continue;
      const mutator = new Qcow2Mutator(bytes);
      for (let turn = 0; turn < MUTANTS; turn++) {
        const seed = 1000 * row + turn;
        const random = seededRandom(seed);
        const { image, mutations } = mutator.mutate(random, 1 + random.below(3));
        const what = `${name}, seed ${seed}: ${mutations.map((mutation) => mutation.what).join(", ")}`;
        let views: string[];
        try {
          await (await open(memoryStorage(image))).openRearranger();
          views = await viewsOf(image);
        } catch (error) {
          expect(error, what).toBeInstanceOf(ImageError);
          refused++;
          continue;
        }
        taken++;
        const after = await rearranged(image, seed);
        expect(await viewsOf(after), what).toEqual(views);
        await expectNoCorruption(after, await overcounted(image), what);
      }
    }
    expect(taken).toBeGreaterThan(30);
    expect(refused).toBeGreaterThan(300);
  });
});
