/** A target whose own tables have a place at the file's front: when that is free, what clears it, and what both steps come to. */

import { describe, expect, test } from "vitest";
import { convert, plan } from "../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../src/convert/options/options.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import type { ConversionReport } from "../../../src/convert/report/report.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { checkOf } from "../../../src/image/source.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { buildParallels, dirtyBitmap } from "../../formats/parallels/builder.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { buildSparse } from "../../formats/vmdk/sparse/builder.ts";
import { IMAGE_PATH, recordScenario, testHost } from "../../support/crash-scenario.ts";
import { newTally, sweepScenario } from "../../support/crash-sweep.ts";
import { isCommit } from "../../support/cut-conversion.ts";
import { failureOf } from "../../support/failure-of.ts";
import { guestOf } from "../../support/lying-trial.ts";
import { type DiskState, eachCut } from "../../support/power-cut.ts";
import { seededRandom } from "../../support/random.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";

const KiB = 1024;
const GRAIN = 64 * KiB;

function qed(clusterSize: number): Uint8Array {
  return buildQedImage({ clusterSize, tableSize: 2, virtualSize: 20 * clusterSize, data: [0, 3, 4, 9, 19], zero: [5] })
    .bytes;
}

/** Its descriptor lies behind all else, its directory right behind its header. */
function vmdkWithDirectoryFirst(): Uint8Array {
  const { bytes, directoryOffset } = buildSparse({ virtualSize: 9 * GRAIN, data: [0, 2, 8], grainSize: GRAIN });
  const descriptor = bytes.subarray(512, 21 * 512);
  const image = Buffer.concat([bytes, descriptor]);
  image.fill(0, 512, 21 * 512);
  bytes.copy(image, 512, directoryOffset, directoryOffset + 4);
  image.writeBigUInt64LE(BigInt(bytes.length / 512), 28);
  image.writeBigUInt64LE(1n, 56);
  return new Uint8Array(image);
}

const stepsOf = ({ path }: ConversionReport) => path.map((step) => (step.step === "switch" ? step.to : step.goal));

async function converted(image: Uint8Array, options: ConvertOptions = {}) {
  const volume = new MemoryVolume({ [IMAGE_PATH]: image });
  const { report: planned } = await plan(IMAGE_PATH, "vmdk", options, testHost(volume));
  const report = await convert(IMAGE_PATH, "vmdk", options, testHost(volume));
  const bytes = volume.snapshot(IMAGE_PATH);
  expect(await guestOf(bytes)).toBe(await guestOf(image));
  return { volume, planned, report, bytes };
}

describe("the front", () => {
  test.each([
    [4 * KiB, ["qcow2", "vmdk"]],
    [8 * KiB, ["qcow2", "vmdk"]],
    [16 * KiB, ["vmdk"]],
    [64 * KiB, ["vmdk"]],
  ])("of clusters of %d bytes: %j, as planned", async (clusterSize, steps) => {
    const { planned, report, bytes } = await converted(qed(clusterSize));
    expect([stepsOf(planned), stepsOf(report)]).toEqual([steps, steps]);
    const { bytesMoved, bytesSettled, peakExtraBytes, fileSizeAfter, clusterSize: unit } = planned;
    expect(report).toMatchObject({ bytesMoved, bytesSettled, peakExtraBytes, fileSizeAfter, clusterSize: unit });
    expect(fileSizeAfter).toBe(bytes.length);
    expect(report.bytesWritten).toBeLessThanOrEqual(planned.bytesWritten);
  });

  test("is none where a table lies in it: it is cleared first, and what is there stays whole at each cut", async () => {
    const image = vmdkWithDirectoryFirst();
    const options = { options: { adapter_type: "lsilogic" } };
    const { report, bytes } = await converted(image, options);
    expect(stepsOf(report)).toEqual(["qcow2", "vmdk"]);
    expect((await checkOf(await openImage(memoryStorage(bytes)))).findings).toEqual([]);
    const scenario = { name: "vmdk", image, sourceFormat: "vmdk", targetFormat: "vmdk", options };
    expect(await sweepScenario(scenario, 60, 5, newTally(), { sampled: true })).toEqual([]);
  });

  test("is none where an extension lies in it", async () => {
    const description = { virtualSize: 9 * GRAIN, trackSectors: GRAIN / 512 };
    const { bytes } = buildParallels({ ...description, extension: dirtyBitmap(9 * GRAIN, 7) });
    const image = Buffer.from(bytes);
    image.copyWithin(4096, GRAIN);
    image.writeBigUInt64LE(8n, 56);
    const options: ConvertOptions = { drop: ["bitmaps"] };
    expect(stepsOf((await converted(new Uint8Array(image), options)).report)).toEqual(["qcow2", "vmdk"]);
    expect(stepsOf((await converted(buildParallels(description).bytes)).report)).toEqual(["vmdk"]);
  });

  test("cleared for nothing is not cleared again", async () => {
    const { volume, report } = await converted(qed(4096));
    expect(report.changed).toBe(true);
    const again = await convert(IMAGE_PATH, "vmdk", {}, testHost(volume));
    expect([again.changed, again.path]).toEqual([false, []]);
    const other = await convert(IMAGE_PATH, "vmdk", { options: { adapter_type: "lsilogic" } }, testHost(volume));
    expect(stepsOf(other)).toEqual(["qcow2", "vmdk"]);
  });
});

describe("space", () => {
  test("is asked for both steps before the first is begun", async () => {
    const image = qed(4096);
    const { planned } = await converted(image);
    const { peakExtraBytes } = planned;
    const volume = new MemoryVolume({ [IMAGE_PATH]: image });
    const tooLittle = { maxExtraSpace: peakExtraBytes - 1 };
    const error = await failureOf(convert(IMAGE_PATH, "vmdk", tooLittle, testHost(volume)));
    expect(error).toMatchObject({ kind: "no-space" });
    expect(error.message).toContain("nothing was written");
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: image });
    const { report } = await plan(IMAGE_PATH, "vmdk", tooLittle, testHost(volume));
    expect(report.refused.join()).toContain(`it takes ${peakExtraBytes} bytes for a while`);
    await convert(IMAGE_PATH, "vmdk", { maxExtraSpace: peakExtraBytes }, testHost(volume));
  });
});

describe("between the two steps", () => {
  /** Where the carrier has just been committed; where it has been handed on; where its front was written to. */
  async function standing(image: Uint8Array): Promise<DiskState[]> {
    const { log } = await recordScenario({ name: "", image, sourceFormat: "qed", targetFormat: "vmdk", options: {} });
    const states: DiskState[] = [];
    let commits = 0;
    for (const { count, cut } of eachCut(log)) {
      if (isCommit(log.operations[count - 1])) commits++;
      if (commits === 1) states.push(cut.sample("all-new", seededRandom(count)));
    }
    expect(commits).toBe(2);
    return states;
  }

  test.each(["resume", "rollback"] as const)("%s keeps what a guest wrote into the carrier", async (wish) => {
    const image = qed(4096);
    const states = await standing(image);
    expect(states.length).toBeGreaterThan(10);
    for (const [at, state] of states.entries()) {
      const used = (state[IMAGE_PATH] as Uint8Array).slice();
      const mapping = await (await openImage(memoryStorage(used))).getMapping();
      const place = mapping.hostOffset[0] as number;
      used.fill(0x5e, place, place + 512);
      const guest = await guestOf(used);
      const volume = new MemoryVolume({ ...state, [IMAGE_PATH]: used });
      const command = wish === "resume" ? resume : rollback;
      try {
        await command(IMAGE_PATH, {}, testHost(volume));
      } catch (error) {
        // Somebody's bytes are never led back over; then resume goes on.
        expect(error, `state ${at}`).toMatchObject({ kind: "changed-underneath" });
        expect(Buffer.compare(volume.snapshot(IMAGE_PATH), used)).toBe(0);
        await resume(IMAGE_PATH, {}, testHost(volume));
      }
      expect(await guestOf(volume.snapshot(IMAGE_PATH)), `state ${at}`).toBe(guest);
    }
  });

  test("bytes that somebody put into the cleared front are the carrier's header's: they are in the way again, and cleared", async () => {
    const image = qed(4096);
    const state = (await standing(image)).find((each) => Object.keys(each).some((path) => path.endsWith("journal")));
    const used = (state as DiskState)[IMAGE_PATH]?.slice() as Uint8Array;
    // As a header extension that nobody knows, of 1000 bytes.
    const view = new DataView(used.buffer);
    view.setUint32(112, 0x1234_5678);
    view.setUint32(116, 1000);
    used.fill(7, 120, 1120);
    view.setUint32(1120, 0);
    view.setUint32(1124, 0);
    const volume = new MemoryVolume({ ...state, [IMAGE_PATH]: used });
    await resume(IMAGE_PATH, {}, testHost(volume));
    const end = volume.snapshot(IMAGE_PATH);
    expect((await openImage(memoryStorage(end))).format).toBe("vmdk");
    expect(await guestOf(end)).toBe(await guestOf(image));
  });
});

test("an undo that is kept leads back to the guest, and says that it does not to the bytes", async () => {
  const image = qed(4096);
  const volume = new RecordingVolume({ [IMAGE_PATH]: image });
  const planned = await plan(IMAGE_PATH, "vmdk", { keepUndo: true }, testHost(volume));
  expect(planned.report.notes.join()).toContain("else the way back to the same guest as qed");
  const { notes } = await convert(IMAGE_PATH, "vmdk", { keepUndo: true }, testHost(volume));
  expect(notes.join()).toContain("the way back to the same guest as qed, not the old bytes");
  await rollback(IMAGE_PATH, {}, testHost(volume));
  const back = volume.memory.snapshot(IMAGE_PATH);
  expect((await openImage(memoryStorage(back))).format).toBe("qed");
  expect(await guestOf(back)).toBe(await guestOf(image));
});
