/** Leaks that a conversion gives up: named as bytes, and with a warning where they may be a lost table's. */

import { describe, expect, test } from "vitest";
import { convert, plan } from "../../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../../src/convert/options/options.ts";
import { openImage } from "../../../../src/formats/registry.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { MemoryVolume, memoryStorage } from "../../../../src/storage/memory.ts";
import { HostCluster, Qcow2Bytes } from "../../../formats/qcow2/bytes.ts";
import { buildQedImage } from "../../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";

const CLUSTER = 4096;

/** The plan's report and text, having seen that the run tells the same. */
async function given(bytes: Uint8Array, format: string, options: ConvertOptions = {}) {
  const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
  const { report, text } = await plan(IMAGE_PATH, format, options, testHost(volume));
  const { dropped, leaksGivenUp, notes } = report;
  const done = await convert(IMAGE_PATH, format, options, testHost(volume));
  expect(done).toMatchObject({ changed: true, dropped, notes });
  expect(done.leaksGivenUp).toEqual(leaksGivenUp);
  return { dropped, leaksGivenUp, notes, text };
}

function leaky(leaks: number): Uint8Array {
  return buildQedImage({ virtualSize: 40 * CLUSTER, data: [0, 1, 5], leaks }).bytes;
}

/** With an L2 table of zeros: nothing refers to its data clusters any more. */
function wiped(shape: { readonly clusterBits: number; readonly dataClusters: number }): Uint8Array {
  const image = new Qcow2Bytes(shape);
  image.bytes.fill(0, image.hostOffset(HostCluster.l2), image.hostOffset(HostCluster.l2) + image.clusterSize);
  return image.bytes;
}

describe("leaks given up", () => {
  test("a clean image has none", async () => {
    expect(await given(leaky(0), "qcow2")).toMatchObject({ dropped: [], leaksGivenUp: undefined, notes: [] });
  });

  test("a few are named", async () => {
    const { dropped, leaksGivenUp, notes, text } = await given(leaky(12), "qcow2");
    expect(dropped).toEqual([`leaks: 12 clusters, ${12 * CLUSTER} bytes`]);
    expect(leaksGivenUp).toEqual({ clusters: 12, bytes: 12 * CLUSTER, isSuspicious: false });
    expect(notes).toEqual([]);
    expect(text).toContain(`left behind       leaks: 12 clusters, ${12 * CLUSTER} bytes\n`);
    expect((await given(leaky(1), "qed", { options: { table_size: "4" } })).dropped).toEqual([
      `leaks: 1 cluster, ${CLUSTER} bytes`,
    ]);
  });

  test("without a check they are named too", async () => {
    expect((await given(leaky(2), "qcow2", { check: false })).dropped).toHaveLength(1);
  });

  test.each([
    [{ clusterBits: 9, dataClusters: 31 }, false],
    [{ clusterBits: 9, dataClusters: 32 }, true],
    [{ clusterBits: 12, dataClusters: 99 }, false],
    [{ clusterBits: 12, dataClusters: 100 }, true],
  ])("a wiped L2 table of %j: warned of %s", async (shape, isSuspicious) => {
    const clusterSize = 2 ** shape.clusterBits;
    const bytes = wiped({ ...shape });
    expect((await checkOf(await openImage(memoryStorage(bytes)))).leaks).toBe(shape.dataClusters);
    const options = { options: { cluster_size: "8k" } };
    const { leaksGivenUp, notes } = await given(bytes, "qcow2", options);
    expect(leaksGivenUp).toEqual({
      clusters: shape.dataClusters,
      bytes: shape.dataClusters * clusterSize,
      isSuspicious,
    });
    expect(notes).toEqual(
      isSuspicious ? [expect.stringMatching(/only trace of lost data; .*check.*--drop leaks/)] : [],
    );
  });

  test("consent silences the warning, and they are named all the same", async () => {
    const { leaksGivenUp, notes, dropped } = await given(leaky(200), "qcow2", { drop: ["leaks"] });
    expect(leaksGivenUp?.isSuspicious).toBe(true);
    expect({ notes, dropped }).toEqual({ notes: [], dropped: [`leaks: 200 clusters, ${200 * CLUSTER} bytes`] });
  });

  test("a QED target that keeps its leaks gives none up; a qcow2 target counts what it has", async () => {
    expect((await given(leaky(200), "qed", { keepLeaks: true, options: { table_size: "4" } })).leaksGivenUp).toBe(
      undefined,
    );
    expect((await given(leaky(200), "qcow2", { keepLeaks: true })).leaksGivenUp?.clusters).toBe(200);
  });

  test("a refcount that is too high loses nothing", async () => {
    const image = new Qcow2Bytes({ dataClusters: 4 });
    // Both are leaks to qemu-img: a cluster that is counted twice and used once, and one that is used by nobody.
    image.bytes.writeUInt16BE(2, 2 * image.clusterSize + 2 * HostCluster.data);
    image.set64(image.l2Entry(0), BigInt(image.hostOffset(HostCluster.data)));
    image.set64(image.l2Entry(3), 0n);
    expect((await checkOf(await openImage(memoryStorage(image.bytes)))).leaks).toBe(2);
    expect((await given(image.bytes, "qed")).leaksGivenUp?.clusters).toBe(1);
  });
});
