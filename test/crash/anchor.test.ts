/** An image that is found by what lies at its file's end: while something lies behind that, its first sector says so itself. */

import { describe, expect, test } from "vitest";
import { openImage } from "../../src/formats/registry.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { crashScenarios, IMAGE_PATH, recordScenario, type Scenario } from "../support/crash-scenario.ts";
import { expectedOf, judgeWhole, recover, type Wish } from "../support/crash-trial.ts";
import { type DiskState, eachCut, OUTCOMES } from "../support/power-cut.ts";
import { seededRandom } from "../support/random.ts";
import { RecordingVolume } from "../support/recording-volume.ts";
import { UnreadableVolume } from "../support/unreadable-storage.ts";

const scenario = (await crashScenarios()).find(({ name }) => name === "vmdk to qcow2, its kit's image") as Scenario;
const { anchor } = (await openImage(memoryStorage(scenario.image))).getConversionOptions();
const { log, final } = await recordScenario(scenario);
const expected = await expectedOf(scenario, final);

/** What is there while the new tables are written: behind the anchor, before the commit. */
const standing: DiskState[] = [];
for (const { count, cut } of eachCut(log)) {
  const state = cut.sample("all-new", seededRandom(count));
  const image = state[IMAGE_PATH];
  const isAnchored = image && Buffer.compare(image.subarray(0, 512), anchor as Uint8Array) === 0;
  if (isAnchored && image.length > scenario.image.length) standing.push(state);
}

test("there are such states, and some where the anchor alone was written", () => {
  expect(standing.length).toBeGreaterThan(3);
  const writes = log.operations.filter((each) => each.kind === "write" && each.path === IMAGE_PATH);
  expect(writes[0]).toMatchObject({ hostOffset: 0 });
});

describe.each<Wish>(["rollback", "resume"])("%s", (wish) => {
  test("from a first block that can't be read: the image is whole at each cut of it", async () => {
    for (const state of standing) {
      const recording = new RecordingVolume(state);
      expect(await recover(new UnreadableVolume(recording, IMAGE_PATH), wish)).toBe("done");
      for (const { count, cut } of eachCut(recording.log))
        for (const [at, outcome] of OUTCOMES.entries())
          await judgeWhole(expected, cut.sample(outcome, seededRandom(100 * count + at)));
      await expectEnd(recording, wish);
    }
  });

  test("from an anchor that was written, or taken away, in part", async () => {
    const [old, own] = [scenario.image.subarray(0, 512), anchor as Uint8Array];
    for (const [over, under] of [
      [own, old],
      [old, own],
    ] as const)
      for (const written of [57, 60, 63]) {
        const image = Uint8Array.from((standing[1] as DiskState)[IMAGE_PATH] as Uint8Array);
        image.set(under);
        image.set(over.subarray(0, written));
        const recording = new RecordingVolume({ ...standing[1], [IMAGE_PATH]: image } as DiskState);
        expect(await recover(recording, wish)).toBe("done");
        await expectEnd(recording, wish);
      }
  });
});

async function expectEnd({ memory }: RecordingVolume, wish: Wish): Promise<void> {
  if (wish === "rollback") expect(memory.snapshots()).toEqual({ [IMAGE_PATH]: scenario.image });
  else expect((await judgeWhole(expected, memory.snapshots() as never)).format).toBe("qcow2");
}
