/** Power cuts of a conversion that fills holes: blocks go into places that the carrier leaves free, others are made zeros. */

import { expect, test } from "vitest";
import { convert } from "../../src/convert/convert.ts";
import { MemoryVolume } from "../../src/storage/memory.ts";
import { buildQedImage } from "../formats/qed/builder.ts";
import { readVdiNaively } from "../formats/vdi/naive-reader.ts";
import { IMAGE_PATH, type Scenario, testHost } from "../support/crash-scenario.ts";
import { newTally, sweepScenario } from "../support/crash-sweep.ts";

const MiB = 1024 * 1024;
const STATE_COUNT = 12;

/** Its blocks lie in disorder, tables and leaks among them: there are more places than the disk has blocks. */
const { bytes, guest } = buildQedImage({
  clusterSize: MiB,
  tableSize: 1,
  virtualSize: 7 * MiB - 512,
  data: [0, 1, 2, 4, 5, 6],
  zero: [3],
  seed: 3,
  shuffleTables: true,
  leaks: 2,
});
const qcow2 = new MemoryVolume({ [IMAGE_PATH]: bytes });
await convert(IMAGE_PATH, "qcow2", {}, testHost(qcow2));
const scenario: Scenario = {
  name: "blocks in disorder",
  image: qcow2.snapshot(IMAGE_PATH),
  sourceFormat: "qcow2",
  targetFormat: "vdi",
  options: {},
};

test("the scenario moves blocks into holes, and makes one zeros", async () => {
  const volume = new MemoryVolume({ [IMAGE_PATH]: scenario.image });
  const { bytesMoved } = await convert(IMAGE_PATH, "vdi", {}, testHost(volume));
  const vdi = volume.snapshot(IMAGE_PATH);
  expect(Buffer.compare(readVdiNaively(vdi), guest)).toBe(0);
  const allocatedCount = Buffer.from(vdi).readUInt32LE(388);
  expect({ bytesMoved: bytesMoved / MiB, allocatedCount }).toEqual({ bytesMoved: 1, allocatedCount: 7 });
});

test("every state is a whole image, and recovery ends where it was asked to", async () => {
  const tally = newTally();
  expect(await sweepScenario(scenario, STATE_COUNT, 2_011, tally, { sampled: true })).toEqual([]);
  expect(tally.states).toBeGreaterThan(STATE_COUNT / 2);
});
