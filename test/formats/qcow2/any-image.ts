/** Whole qcow2 images with a known guest, made by nothing of `src/`, from what somebody wants on the disk or from chance. */

import fc from "fast-check";
import { seededRandom } from "../../support/random.ts";
import { BLOCK_SIZE, clusterContent, type GuestContents } from "../guest-contents.ts";
import type { BuiltImage } from "../kit.ts";
import { COPIED, HostCluster, Qcow2Bytes, type Qcow2Shape } from "./bytes.ts";

interface Qcow2Description extends Omit<Qcow2Shape, "dataClusters" | "virtualSize"> {
  readonly virtualSize: number;
  /** Guest clusters of one L2 table. */
  readonly data: readonly number[];
  readonly zero?: readonly number[];
  /** Shuffles the data in the file; 0 or absent: guest order. */
  readonly seed?: number;
  /** Gives the places of the data in the order of its guest clusters. */
  readonly arrange?: (places: readonly number[]) => readonly number[];
}

export function buildQcow2Guest(contents: GuestContents): Uint8Array {
  return buildWithGuest({ ...contents, clusterBits: Math.log2(BLOCK_SIZE) }).bytes;
}

export function buildWithGuest({ data, zero = [], seed = 0, arrange, ...shape }: Qcow2Description): BuiltImage {
  const image = new Qcow2Bytes({ ...shape, dataClusters: data.length });
  const { clusterSize } = image;
  const guest = new Uint8Array(Math.ceil(shape.virtualSize / clusterSize) * clusterSize);
  const places = Array.from(data, (_, index) => image.hostOffset(HostCluster.data + index));
  for (const index of data.keys()) image.set64(image.l2Entry(index), 0n);
  const arranged = arrange?.(places) ?? (seed === 0 ? places : seededRandom(seed).shuffle(places));
  for (const [index, place] of arranged.entries()) {
    const cluster = data[index] as number;
    const content = clusterContent(cluster, clusterSize);
    image.set64(image.l2Entry(cluster), COPIED | BigInt(place));
    image.bytes.set(content, place);
    guest.set(content, cluster * clusterSize);
  }
  for (const cluster of zero) image.set64(image.l2Entry(cluster), 1n);
  return { bytes: new Uint8Array(image.bytes), guest: guest.slice(0, shape.virtualSize) };
}

export function shuffledQcow2(): BuiltImage {
  return buildWithGuest({ virtualSize: 20 * 4096, data: [0, 2, 4, 6, 8, 19], zero: [3], seed: 7, spareClusters: 2 });
}

const CLUSTERS = 30;

export const anyQcow2: fc.Arbitrary<BuiltImage> = fc
  .record({
    version: fc.constantFrom(2 as const, 3 as const, 3 as const),
    clusterBits: fc.constantFrom(9, 12, 14),
    refcountOrder: fc.nat(6),
    clusters: fc.integer({ min: 1, max: CLUSTERS }),
    sectorsLess: fc.nat(7),
    kinds: fc.array(fc.constantFrom("data", "data", "zero", "nothing"), { minLength: CLUSTERS, maxLength: CLUSTERS }),
    seed: fc.nat(1000),
    spareClusters: fc.constantFrom(0, 0, 1, 4),
  })
  .map(({ clusters, sectorsLess, kinds, refcountOrder, ...rest }) => {
    const clusterSize = 2 ** rest.clusterBits;
    const all = Array.from({ length: clusters }, (_, cluster) => cluster);
    return buildWithGuest({
      ...rest,
      // Version 2 has neither a choice of widths nor zeros without a place.
      refcountOrder: rest.version === 2 ? 4 : refcountOrder,
      virtualSize: clusters * clusterSize - (sectorsLess % (clusterSize / 512)) * 512,
      data: all.filter((cluster) => kinds[cluster] === "data"),
      zero: rest.version === 2 ? [] : all.filter((cluster) => kinds[cluster] === "zero"),
    });
  });
