/** A recovery whose lock another command has by now writes nothing more than what it had begun, and removes nothing. */

import { describe, expect, test } from "vitest";
import { check } from "../../../src/convert/check.ts";
import { convert } from "../../../src/convert/convert.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import type { Host } from "../../../src/convert/session/host.ts";
import { Journal } from "../../../src/journal/journal.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildQcow2Image } from "../../formats/qcow2/builder.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { LosingVolume } from "../../support/losing-volume.ts";
import { eachCut } from "../../support/power-cut.ts";
import { seededRandom } from "../../support/random.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";

type Files = Readonly<Record<string, Uint8Array>>;

const NAMES = journalNamesOf(IMAGE_PATH);
const QED = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3], leaks: 2 }).bytes;
const QCOW2 = buildQcow2Image({ clusterBits: 12, bitmap: true }).bytes;
const RUNS: readonly (readonly [string, Uint8Array, (host: Host) => Promise<unknown>])[] = [
  ["QED to qcow2", QED, (host) => convert(IMAGE_PATH, "qcow2", {}, host)],
  ["QED to qcow2, the undo kept", QED, (host) => convert(IMAGE_PATH, "qcow2", { keepUndo: true }, host)],
  ["qcow2 to QED", QCOW2, (host) => convert(IMAGE_PATH, "qed", { drop: ["bitmaps"] }, host)],
  ["a repair", withoutRefcounts(), (host) => check(IMAGE_PATH, { repair: "all" }, host)],
  ["a repair, the undo kept", withoutRefcounts(), (host) => check(IMAGE_PATH, { repair: "all", keepUndo: true }, host)],
];

/** Its refcount block must be made anew, past the end. */
function withoutRefcounts(): Uint8Array {
  const { bytes, at } = buildQcow2Image({ clusterBits: 12 });
  bytes.writeBigUInt64BE(0n, at.refcountTable);
  return bytes;
}

/** The files of each moment at which the run's journal or undo stands, when the image or the journal has changed. */
async function statesOf(image: Uint8Array, run: (host: Host) => Promise<unknown>): Promise<readonly Files[]> {
  const volume = new RecordingVolume({ [IMAGE_PATH]: image });
  await run(testHost(volume));
  const states = new Map<string, Files>();
  for (const { cut } of eachCut(volume.log)) {
    const { [NAMES.lock]: _lock, ...files } = cut.sample("all-new", seededRandom(1));
    const found = await Journal.find(new MemoryVolume(files), IMAGE_PATH);
    if (typeof found === "string") continue;
    const key = Object.entries(files).map(([path, bytes]) => `${path} ${Buffer.from(bytes).toString("base64")}`);
    states.set(key.join(), files);
  }
  return [...states.values()];
}

describe.each(RUNS)("%s", (_, image, run) => {
  test.each([
    ["resume", resume],
    ["rollback", rollback],
  ])("%s stops before the next barrier, wherever the lock is lost", async (_name, recover) => {
    let stoppedCount = 0;
    for (const files of await statesOf(image, run)) {
      const undisturbed = new LosingVolume(new MemoryVolume(files), Number.POSITIVE_INFINITY);
      await recover(IMAGE_PATH, {}, testHost(undisturbed)).catch(() => {});
      for (let nth = 1; nth <= undisturbed.count; nth++) {
        const volume = new LosingVolume(new MemoryVolume(files), nth);
        const error = await recover(IMAGE_PATH, {}, testHost(volume)).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        const { afterwards, last } = volume;
        const said = `${nth} of ${undisturbed.count}, after ${last}: ${afterwards}`;
        const firstBarrier = afterwards.indexOf("image: sync");
        const mayWrite = last?.startsWith("image") && last !== "image: sync";
        const unasked = mayWrite ? (firstBarrier < 0 ? [] : afterwards.slice(firstBarrier + 1)) : afterwards;
        // A sync of nothing is no harm.
        const written = unasked.filter((deed) => deed.startsWith("image") && deed !== "image: sync");
        expect(written, said).toEqual([]);
        if (error === undefined) continue;
        stoppedCount++;
        expect(error, said).toMatchObject({ journal: expect.stringContaining(".inplace-") });
        expect(volume.memory.has(NAMES.journal) || volume.memory.has(NAMES.undo), said).toBe(true);
      }
    }
    expect(stoppedCount).toBeGreaterThan(0);
  });
});
