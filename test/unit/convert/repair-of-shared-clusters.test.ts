import { expect, it } from "vitest";
import { check } from "../../../src/convert/check.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { Qcow2Bytes } from "../../support/qcow2-bytes.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";

it("a cluster that two guest ranges share counts twice afterwards, and only then a warning says so", async () => {
  const image = new Qcow2Bytes();
  image.set64(image.l2Entry(1), image.get64(image.l2Entry(0)));
  const volume = new RecordingVolume({ [IMAGE_PATH]: new Uint8Array(image.bytes) });
  const report = await check(IMAGE_PATH, { repair: "all" }, testHost(volume));
  expect(report).toMatchObject({ changed: true, corruptions: 0, leaks: 0, warnings: 1, exitCode: 0 });
  expect([report.leaksFixed, report.corruptionsFixed]).toEqual([1, 3]);
});
