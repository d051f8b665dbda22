import { expect, it } from "vitest";
import { check } from "../../../src/convert/check.ts";
import { COPIED, HostCluster, Qcow2Bytes } from "../../formats/qcow2/bytes.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";

it("a cluster that two guest ranges share counts twice afterwards, and only then a warning says so", async () => {
  const image = new Qcow2Bytes();
  image.set64(image.l2Entry(1), image.get64(image.l2Entry(0)));
  const volume = new RecordingVolume({ [IMAGE_PATH]: new Uint8Array(image.bytes) });
  const report = await check(IMAGE_PATH, { repair: "all" }, testHost(volume));
  expect(report).toMatchObject({ changed: true, corruptions: 0, leaks: 0, warnings: 1, exitCode: 0 });
  expect([report.leaksFixed, report.corruptionsFixed]).toEqual([1, 3]);
});

it("a warning that only a readable structure shows does not stop the repair", async () => {
  const image = new Qcow2Bytes({ clusterBits: 16, virtualSize: 2 ** 22, dataClusters: 0 });
  const table = image.hostOffset(HostCluster.refcountTable);
  // The L2 table is the refcount table, whose blocks are then guest data, several times over.
  image
    .set64(table + 8, BigInt(table))
    .set64(table + 16, BigInt(table))
    .set64(image.l1Entry(0), COPIED | BigInt(table));
  const volume = new RecordingVolume({ [IMAGE_PATH]: new Uint8Array(image.bytes) });
  const report = await check(IMAGE_PATH, { repair: "all" }, testHost(volume));
  expect(report).toMatchObject({ changed: true, corruptions: 0, leaks: 0, exitCode: 0 });
  expect(report.warnings).toBeGreaterThan(0);
});
