/** No qcow2, however its fields lie, may do more than throw an ImageError: no other error, no hang, no flood. */

import { expect, it } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { qcow2Driver } from "../../src/formats/qcow2/driver.ts";
import { ExtentState, eachExtent } from "../../src/image/extent.ts";
import { MAX_FINDINGS } from "../../src/image/finding.ts";
import { inflateCluster } from "../../src/image/guest/inflate.ts";
import { checkOf } from "../../src/image/source.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { HostCluster, Qcow2Bytes } from "../formats/qcow2/bytes.ts";
import { openWith } from "../support/open-with.ts";
import { type Random, seededRandom } from "../support/random.ts";

const BOUNDARIES = [
  0n,
  1n,
  2n,
  511n,
  512n,
  0xffffn,
  0x7fff_ffffn,
  0xffff_ffffn,
  1n << 53n,
  1n << 56n,
  (1n << 63n) - 1n,
];

function randomImage(random: Random): Qcow2Bytes {
  const hasSubclusters = random.chance(0.3);
  return new Qcow2Bytes({
    version: hasSubclusters || random.chance(0.7) ? 3 : 2,
    clusterBits: hasSubclusters ? 14 : random.pick([9, 10, 12, 16]),
    hasSubclusters,
    refcountOrder: random.below(7),
    dataClusters: random.below(12),
    spareClusters: random.below(4),
  });
}

function damage(image: Qcow2Bytes, random: Random): void {
  const { bytes } = image;
  for (let turn = 0; turn < 1 + random.below(5); turn++) {
    const cluster = random.pick(Object.values(HostCluster));
    const entry = 8 * random.below(cluster === 0 ? 16 : image.clusterSize / 8);
    const at = Math.min(image.hostOffset(cluster) + entry, bytes.length - 8);
    const before = image.get64(at);
    const size = random.pick([1, 2, 4, 8]);
    if (size === 8) {
      const somewhere = BigInt(image.hostOffset(random.below(bytes.length / image.clusterSize + 1)));
      image.set64(
        at,
        random.pick([
          before ^ (1n << BigInt(random.below(64))),
          random.pick(BOUNDARIES),
          somewhere,
          somewhere | (BigInt(random.below(256)) << 56n),
          BigInt(random.below(2 ** 32)) * BigInt(random.below(2 ** 31)),
        ]),
      );
    } else
      bytes.writeUIntBE(Number(random.pick(BOUNDARIES) % 2n ** BigInt(8 * size)), at + random.below(9 - size), size);
  }
}

async function useAll(bytes: Uint8Array): Promise<void> {
  const image = await openWith(qcow2Driver, memoryStorage(bytes));
  image.getConversionOptions();
  image.getSpecificInfo();
  const result = await checkOf(image);
  expect(result.findings.length).toBeLessThanOrEqual(MAX_FINDINGS);
  expect(Number.isSafeInteger(result.corruptions + result.leaks + result.checkErrors)).toBe(true);
  for (const { start, end } of (await image.getMetadataRanges()).each()) {
    expect(start < end && start < bytes.length).toBe(true);
  }
  const { corruptions, checkErrors, warnings } = result;
  if (corruptions + checkErrors + warnings === 0) {
    const pieces = (await image.openRearranger?.())?.pieces();
    for (const hostOffset of pieces?.hostOffset ?? []) expect(hostOffset).toBeLessThan(bytes.length);
  } else await expect(image.openRearranger?.()).rejects.toThrow(/^Cannot rearrange /);
  let end = 0;
  for (const { guestOffset, hostOffset, length, state, storedLength } of eachExtent(await image.getMapping())) {
    expect(guestOffset).toBe(end);
    end += length;
    if (hostOffset < 0) continue;
    expect(hostOffset).toBeLessThan(bytes.length);
    if (state !== ExtentState.compressed) continue;
    try {
      expect(
        inflateCluster(
          image.getConversionOptions().compression,
          bytes.subarray(hostOffset, hostOffset + storedLength),
          image.clusterSize,
        ),
      ).toHaveLength(image.clusterSize);
    } catch (cause) {
      expect(cause).toBeInstanceOf(ImageError);
    }
  }
  expect(end).toBe(image.virtualSize);
}

it.each([1, 2, 3, 4])("seed %i", async (seed) => {
  const random = seededRandom(seed);
  let survivorCount = 0;
  for (let turn = 0; turn < 400; turn++) {
    const image = randomImage(random);
    damage(image, random);
    try {
      await useAll(image.bytes);
      survivorCount++;
    } catch (cause) {
      if (!(cause instanceof ImageError)) throw cause;
      expect(cause.message).toMatch(/^Cannot /);
    }
  }
  // Were nothing to pass, nothing beyond the header would be tried.
  expect(survivorCount).toBeGreaterThan(10);
});
