/** Small qcow2 images of clusters that compress well, badly or not at all, each with what its guest sees. */

import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { type Random, seededRandom } from "../../support/random.ts";
import type { BuiltImage } from "../kit.ts";
import { COMPRESSED, COPIED, HostCluster, Qcow2Bytes, type Qcow2Shape } from "./bytes.ts";

export type ClusterKind = "text" | "noise" | "mixed" | "blank" | "compressed" | "zero" | "nothing";

export interface EncodableShape extends Omit<Qcow2Shape, "dataClusters" | "virtualSize"> {
  /** By guest cluster, all in one L2 table. */
  readonly kinds: readonly ClusterKind[];
  readonly sectorsLess?: number;
  readonly seed?: number;
}

/** In the file the stored clusters lie in an order by chance. */
export function buildEncodable({ kinds, sectorsLess = 0, seed = 1, ...shape }: EncodableShape): BuiltImage {
  const random = seededRandom(seed);
  const stored = [...kinds.keys()].filter((cluster) => kinds[cluster] !== "nothing" && kinds[cluster] !== "zero");
  const clusterBits = shape.clusterBits ?? 12;
  const clusterSize = 2 ** clusterBits;
  const virtualSize = kinds.length * clusterSize - (sectorsLess % (clusterSize / 512)) * 512;
  const image = new Qcow2Bytes({ ...shape, virtualSize, dataClusters: stored.length });
  const guest = new Uint8Array(kinds.length * clusterSize);
  for (const index of stored.keys()) image.set64(image.l2Entry(index), 0n);
  for (const [cluster, kind] of kinds.entries()) if (kind === "zero") image.set64(image.l2Entry(cluster), 1n);
  for (const [index, cluster] of random.shuffle(stored).entries()) {
    const kind = kinds[cluster] as ClusterKind;
    const place = image.hostOffset(HostCluster.data + index);
    const plain = contentOf(kind, clusterSize, random);
    guest.set(plain, cluster * clusterSize);
    if (kind !== "compressed") {
      image.set64(image.l2Entry(cluster), COPIED | BigInt(place));
      image.bytes.set(plain, place);
      continue;
    }
    const stream = deflateRawSync(plain, { windowBits: 12 });
    image.bytes.fill(0, place, place + clusterSize).set(stream, place);
    const sectors = BigInt(Math.ceil(stream.length / 512) - 1);
    image.set64(image.l2Entry(cluster), COMPRESSED | (sectors << BigInt(70 - clusterBits)) | BigInt(place));
  }
  return { bytes: new Uint8Array(image.bytes), guest: guest.slice(0, virtualSize) };
}

function contentOf(kind: ClusterKind, clusterSize: number, random: Random): Uint8Array {
  const content = new Uint8Array(clusterSize);
  if (kind === "blank") return content;
  const noiseEnd = kind === "noise" ? clusterSize : kind === "mixed" ? random.below(clusterSize) : clusterSize / 8;
  for (let at = 0; at < clusterSize; at++) content[at] = at < noiseEnd ? random.below(256) : 65 + (at % 5);
  return content;
}

const MOST = 40;
const KINDS = ["text", "text", "noise", "mixed", "mixed", "blank", "compressed", "nothing"] as const;

export const anyEncodable: fc.Arbitrary<BuiltImage> = fc
  .record({
    version: fc.constantFrom(2 as const, 3 as const, 3 as const),
    clusterBits: fc.constantFrom(9, 12, 12, 14),
    refcountOrder: fc.integer({ min: 4, max: 6 }),
    kinds: fc.array(fc.constantFrom<ClusterKind>(...KINDS), { minLength: 12, maxLength: MOST, size: "max" }),
    zero: fc.nat(MOST),
    sectorsLess: fc.nat(7),
    seed: fc.nat(1000),
    spareClusters: fc.constantFrom(0, 0, 1, 6),
  })
  .map(({ refcountOrder, kinds, zero, ...rest }) =>
    buildEncodable({
      ...rest,
      refcountOrder: rest.version === 2 ? 4 : refcountOrder,
      // Version 2 has no zeros without a place, and the slow reader none with one.
      kinds: kinds.map((kind, cluster) => (cluster === zero && rest.version === 3 ? "zero" : kind)),
    }),
  );
