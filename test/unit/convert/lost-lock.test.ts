/** A run whose lock another command has by now stops before its next barrier: above all it commits nothing. */

import { describe, expect, test } from "vitest";
import { check } from "../../../src/convert/check.ts";
import { convert } from "../../../src/convert/convert.ts";
import type { Host } from "../../../src/convert/session/host.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { ANOTHERS_LOCK, LosingVolume } from "../../support/losing-volume.ts";

const NAMES = journalNamesOf(IMAGE_PATH);
const QED = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3], leaks: 2 }).bytes;
async function qcow2(): Promise<Uint8Array> {
  const volume = new MemoryVolume({ [IMAGE_PATH]: QED });
  await convert(IMAGE_PATH, "qcow2", {}, testHost(volume));
  return volume.snapshot(IMAGE_PATH);
}

/** QED from qcow2 settles; a QED with leaks is repaired. */
const RUNS: readonly (readonly [string, () => Promise<Uint8Array>, (host: Host) => Promise<unknown>])[] = [
  ["QED to qcow2", async () => QED, (host) => convert(IMAGE_PATH, "qcow2", {}, host)],
  ["QED to qcow2, the undo kept", async () => QED, (host) => convert(IMAGE_PATH, "qcow2", { keepUndo: true }, host)],
  ["qcow2 to QED", qcow2, (host) => convert(IMAGE_PATH, "qed", {}, host)],
  ["a repair", leakyQcow2, (host) => check(IMAGE_PATH, { repair: "all" }, host)],
];

/** Its refcounts say that a cluster past the tables is in use. */
async function leakyQcow2(): Promise<Uint8Array> {
  const image = await qcow2();
  const view = new DataView(image.buffer);
  const refcountTable = Number(view.getBigUint64(48));
  const refcountBlock = Number(view.getBigUint64(refcountTable));
  for (let entry = 0; ; entry++) {
    if (view.getUint16(refcountBlock + 2 * entry) !== 0) continue;
    view.setUint16(refcountBlock + 2 * entry, 1);
    return image;
  }
}

describe.each(RUNS)("%s", (_, makeImage, run) => {
  test("stops before the next barrier, wherever the lock is lost", async () => {
    const image = await makeImage();
    const undisturbed = new LosingVolume(new MemoryVolume({ [IMAGE_PATH]: image }), Number.POSITIVE_INFINITY);
    await run(testHost(undisturbed));
    let stoppedCount = 0;
    for (let nth = 1; nth <= undisturbed.count; nth++) {
      const volume = new LosingVolume(new MemoryVolume({ [IMAGE_PATH]: image }), nth);
      const error = await run(testHost(volume)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      // What was begun is made durable, and that is all.
      const { afterwards } = volume;
      expect(afterwards.filter((deed) => deed === "image: sync").length, `${nth}: ${afterwards}`).toBeLessThan(2);
      expect(afterwards, `${nth}`).not.toContain("image: sector 0");
      expect(volume.memory.snapshot(NAMES.lock), `${nth}`).toEqual(ANOTHERS_LOCK);
      if (error === undefined) continue;
      stoppedCount++;
      expect(error).toMatchObject({ kind: "in-use", journal: expect.stringContaining(".inplace-"), rolledBack: false });
      expect(volume.memory.has(NAMES.journal), `${nth}`).toBe(true);
    }
    // Only what comes after the last look goes unnoticed.
    expect(stoppedCount).toBeGreaterThan(undisturbed.count / 2);
  });

  test("switches no header, whatever is being read when the lock is lost", async () => {
    const image = await makeImage();
    const undisturbed = new LosingVolume(new MemoryVolume({ [IMAGE_PATH]: image }), Number.POSITIVE_INFINITY, "reads");
    await run(testHost(undisturbed));
    // The first looks which file the image is, before there is a lock.
    for (let nth = 2; nth <= undisturbed.count; nth++) {
      const volume = new LosingVolume(new MemoryVolume({ [IMAGE_PATH]: image }), nth, "reads");
      await run(testHost(volume)).catch(() => {});
      expect(volume.afterwards, `after read ${nth}`).not.toContain("image: sector 0");
      expect(volume.memory.snapshot(NAMES.lock), `after read ${nth}`).toEqual(ANOTHERS_LOCK);
    }
  });
});
