/** `check -r all` of a dynamic VHD: one of its two footers from the other, with a way back, whole at each power cut. */

import { describe, expect, test } from "vitest";
import { check } from "../../../../src/convert/check.ts";
import { resume, rollback } from "../../../../src/convert/recover.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import { buildFooter } from "../../../formats/vpc/builder.ts";
import { buildDynamic } from "../../../formats/vpc/dynamic/builder.ts";
import { readDynamicNaively } from "../../../formats/vpc/dynamic/naive-reader.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { eachCut, OUTCOMES } from "../../../support/power-cut.ts";
import { seededRandom } from "../../../support/random.ts";
import { RecordingVolume } from "../../../support/recording-volume.ts";

const PLAIN = { virtualSize: 40 * 4096, data: [0, 1, 5] };
const { bytes: sound, guest } = buildDynamic(PLAIN);
const bad = buildFooter({ diskType: 3, currentSize: 4096, checksum: 5 });

describe.each([
  ["the copy at the start is not there", { copy: Buffer.alloc(512) }],
  ["the copy at the start is none", { copy: bad }],
  ["the footer at the end is none", { ending: bad }],
])("%s", (_name, wrong) => {
  const { bytes } = buildDynamic({ ...PLAIN, ...wrong });

  test("mended it is as it was made, and its undo leads back", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const report = await check(IMAGE_PATH, { repair: "all", keepUndo: true }, testHost(volume));
    expect(report).toMatchObject({ changed: true, corruptions: 0, warnings: 0, corruptionsFixed: 1 });
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), sound)).toBe(0);
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), bytes)).toBe(0);
  });

  test("leaks alone are none of it", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    expect(await check(IMAGE_PATH, { repair: "leaks" }, testHost(volume))).toMatchObject({ changed: false });
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), bytes)).toBe(0);
  });

  test("cut anywhere it is the same disk, and resume finishes", async () => {
    const volume = new RecordingVolume({ [IMAGE_PATH]: bytes });
    await check(IMAGE_PATH, { repair: "all" }, testHost(volume));
    const random = seededRandom(5);
    let states = 0;
    for (const { cut } of eachCut(volume.log)) {
      for (const outcome of OUTCOMES) {
        const state = cut.sample(outcome, random);
        const found = state[IMAGE_PATH] as Uint8Array;
        expect(Buffer.from(readDynamicNaively(found)).equals(guest)).toBe(true);
        const again = new MemoryVolume(state);
        const isOpen = Object.keys(state).some((path) => path.endsWith("-journal"));
        if (isOpen) await resume(IMAGE_PATH, {}, testHost(again)).catch(nothingToDo);
        const left = again.snapshot(IMAGE_PATH);
        expect([sound, bytes].some((each) => Buffer.compare(left, each) === 0)).toBe(true);
        states++;
      }
    }
    expect(states).toBeGreaterThan(20);
  });
});

function nothingToDo(error: Error): void {
  if (!error.message.startsWith("Nothing to ")) throw error;
}

test("a footer that is gone may be a part of the file that is", async () => {
  const volume = new MemoryVolume({ [IMAGE_PATH]: sound.subarray(0, -512) });
  const report = await check(IMAGE_PATH, { repair: "all" }, testHost(volume));
  expect(report).toMatchObject({ changed: false, warnings: 1 });
});
