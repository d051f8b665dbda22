import { expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { convert } from "../../../src/convert/convert.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { ExtentState, ExtentTableBuilder } from "../../../src/image/extent.ts";
import { checkOf } from "../../../src/image/source.ts";
import { refuseSharedPlaces } from "../../../src/plan/shared-places.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";

const CLUSTER = 4096;
const options = { format: "qed", clusterSize: CLUSTER, sharingSize: CLUSTER };
const metadata = RangeSet.of({ start: 0, end: 3 * CLUSTER });

function mappingOf(...hostClusters: readonly number[]) {
  const builder = new ExtentTableBuilder();
  for (const cluster of hostClusters) builder.append(CLUSTER, ExtentState.data, cluster * CLUSTER);
  return builder.finish(hostClusters.length * CLUSTER);
}

test("data apart from each other and from metadata is taken", () => {
  expect(() => refuseSharedPlaces(options, mappingOf(5, 3, 4), metadata, 6 * CLUSTER)).not.toThrow();
});

test.each([
  ["used twice", mappingOf(5, 3, 5), /guest offset 0x2000 at host offset 0x5000 is used twice/],
  ["on metadata", mappingOf(5, 2), /lies on metadata/],
  ["past the end of the file", mappingOf(5, 10), /host offset 0xa000 lies past the end of the file/],
  ["used twice, in the last cluster of a file that ends in it", mappingOf(9, 9), /used twice/],
])("%s is refused", (_what, mapping, message) => {
  expect(() => refuseSharedPlaces(options, mapping, metadata, 9 * CLUSTER + 100)).toThrow(message);
});

test("the second cluster of a run is looked at as the first", () => {
  const builder = new ExtentTableBuilder();
  builder.append(2 * CLUSTER, ExtentState.data, 4 * CLUSTER);
  builder.append(CLUSTER, ExtentState.data, 5 * CLUSTER);
  expect(() => refuseSharedPlaces(options, builder.finish(3 * CLUSTER), metadata, 9 * CLUSTER)).toThrow(/used twice/);
});

test("a disk in one piece shares nothing, wherever its holes begin", () => {
  const builder = new ExtentTableBuilder();
  builder.append(512, ExtentState.data, 0);
  builder.append(512, ExtentState.zero, 512);
  builder.append(CLUSTER, ExtentState.data, 1024);
  const mapping = builder.finish(1024 + CLUSTER);
  expect(() => refuseSharedPlaces({ ...options, linearBase: 0 }, mapping, new RangeSet(), 2 * CLUSTER)).not.toThrow();
  expect(() => refuseSharedPlaces(options, mapping, new RangeSet(), 2 * CLUSTER)).toThrow(/used twice/);
});

test("which cluster is the last of a file that ends in it follows from where it begins, at any sector", () => {
  const builder = new ExtentTableBuilder();
  builder.append(2 * CLUSTER, ExtentState.data, 3 * CLUSTER + 512);
  const [anywhere, mapping] = [{ ...options, sharingSize: 512 }, builder.finish(2 * CLUSTER)];
  expect(() => refuseSharedPlaces(anywhere, mapping, metadata, 4 * CLUSTER + 513)).not.toThrow();
  expect(() => refuseSharedPlaces(anywhere, mapping, metadata, 4 * CLUSTER + 512)).toThrow(/lies past the end/);
});

test("subclusters of one cluster are no second use of it", () => {
  const builder = new ExtentTableBuilder();
  builder.append(CLUSTER / 2, ExtentState.data, 5 * CLUSTER);
  builder.append(CLUSTER / 4, ExtentState.zero);
  builder.append(CLUSTER / 4, ExtentState.data, 5.75 * CLUSTER);
  const subclusters = { ...options, sharingSize: CLUSTER / 32 };
  expect(() => refuseSharedPlaces(subclusters, builder.finish(CLUSTER), metadata, 6 * CLUSTER)).not.toThrow();
});

test("also without a check nothing shared is converted, and nothing is written", async () => {
  const { bytes, l2Offsets, dataOffsets } = buildQedImage({ virtualSize: 8 * CLUSTER, data: [0, 1] });
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32((l2Offsets.get(0) as number) + 8, dataOffsets.get(0) as number, true);
  const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
  const image = await openImage(await volume.openForReading(IMAGE_PATH));
  expect((await checkOf(image)).corruptions).toBeGreaterThan(0);
  const refused = convert(IMAGE_PATH, "qcow2", { check: false, options: { cluster_size: "16k" } }, testHost(volume));
  await expect(refused).rejects.toMatchObject({ kind: "corrupt" });
  expect(Buffer.compare(volume.snapshot(IMAGE_PATH), bytes)).toBe(0);
});
