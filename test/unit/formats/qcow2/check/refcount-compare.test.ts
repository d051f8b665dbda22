import { describe, expect, it } from "vitest";
import { qcow2Driver } from "../../../../../src/formats/qcow2/driver.ts";
import { checkOf } from "../../../../../src/image/source.ts";
import { memoryStorage } from "../../../../../src/storage/memory.ts";
import { COPIED, HostCluster, Qcow2Bytes } from "../../../../formats/qcow2/bytes.ts";
import { openWith } from "../../../../support/open-with.ts";

const CLUSTERS = 256;

/** An image whose every cluster is in use once, as most clusters of most images are. */
function fullImage(): Qcow2Bytes {
  return new Qcow2Bytes({ dataClusters: CLUSTERS - HostCluster.data, virtualSize: CLUSTERS * 4096 });
}

async function counts(image: Qcow2Bytes) {
  const { corruptions, leaks, imageEndOffset } = await checkOf(await openWith(qcow2Driver, memoryStorage(image.bytes)));
  return { corruptions, leaks, clusterCount: imageEndOffset / 4096 };
}

describe("refcounts of clusters that are all in use", () => {
  it("agree, and the last of them ends the image", async () => {
    expect(await counts(fullImage())).toEqual({ corruptions: 0, leaks: 0, clusterCount: CLUSTERS });
  });

  it.each([0, 1, 100, 255])("are found wrong at cluster %i", async (cluster) => {
    expect((await counts(fullImage().setRefcount(cluster, 2))).leaks).toBe(1);
    expect((await counts(fullImage().setRefcount(cluster, 0))).corruptions).toBeGreaterThan(0);
  });

  it("leave clear COPIED flags and missing references to be found", async () => {
    const image = fullImage();
    const entry = image.l2Entry(200);
    image.set64(entry, image.get64(entry) & ~COPIED);
    expect(await counts(image)).toEqual({ corruptions: 1, leaks: 0, clusterCount: CLUSTERS });
    image.set64(entry, 0n);
    expect(await counts(image)).toEqual({ corruptions: 0, leaks: 1, clusterCount: CLUSTERS });
  });
});
