/** A stream made in place, cut anywhere: a whole image with the same guest, from which it goes on or leads back. */

import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { buildOva } from "../formats/ova/builder.ts";
import { COMPRESSED, HostCluster, Qcow2Bytes } from "../formats/qcow2/bytes.ts";
import { buildEncodable, type ClusterKind } from "../formats/qcow2/encodable-image.ts";
import { buildSparse } from "../formats/vmdk/sparse/builder.ts";
import { readStreamInOrder } from "../formats/vmdk/sparse/stream-reader.ts";
import { IMAGE_PATH, recordScenario, type Scenario } from "../support/crash-scenario.ts";
import { expectedOf } from "../support/crash-trial.ts";
import { seededRandom } from "../support/random.ts";
import { trySampledCuts } from "../support/sampled-cuts.ts";

const KIB = 1024;
const UNIT = 64 * KIB;
/** Of clusters that lie in no order: what lies in the way is evicted, as a stream and as it is. */
const MIXED: readonly ClusterKind[] = [
  ...["text", "noise", "mixed", "nothing", "compressed", "noise", "zero", "text", "compressed", "mixed", "noise"],
  ...["noise", "text", "compressed"],
] as ClusterKind[];
const NOISE: readonly ClusterKind[] = Array.from({ length: 13 }, () => "noise");
const STREAM = { options: { subformat: "streamOptimized" }, maxExtraSpace: 512 * KIB };

function built(kinds: readonly ClusterKind[], sectorsLess = 0) {
  return buildEncodable({ kinds, seed: 11, clusterBits: 16, sectorsLess });
}

const scenarios: readonly Scenario[] = [
  {
    name: "from a qcow2 in no order",
    image: built(MIXED, 3).bytes,
    sourceFormat: "qcow2",
    targetFormat: "vmdk",
    options: STREAM,
  },
  {
    name: "as the disk of an OVA",
    image: built(MIXED, 3).bytes,
    sourceFormat: "qcow2",
    targetFormat: "ova",
    options: { maxExtraSpace: 512 * KIB },
  },
  {
    name: "of an OVA that becomes raw, and an OVA again where it is led back",
    image: new Uint8Array(
      buildOva({ disk: buildSparse({ virtualSize: 9 * 4096, data: [0, 2, 8], isStream: true }).bytes }).bytes,
    ),
    sourceFormat: "ova",
    targetFormat: "raw",
    options: { maxExtraSpace: 512 * KIB },
  },
  {
    name: "from a raw disk that gets longer",
    image: built(NOISE).guest,
    sourceFormat: "raw",
    targetFormat: "vmdk",
    options: { ...STREAM, format: "raw" },
  },
];

test("each batch ends with a whole block, so that none is written to in which something lies", async () => {
  const [scenario] = scenarios as [Scenario];
  const { log, final } = await recordScenario(scenario);
  const starts: number[] = [];
  const image = Buffer.from(final);
  for (let at = 65_536, length = 1; length > 0; at += Math.ceil((12 + length) / 512) * 512) {
    length = image.readUInt32LE(at + 8);
    if (length > 0) starts.push(at);
  }
  // Grains are written in runs; what begins a run begins a block.
  const runs = log.operations.flatMap((each) =>
    each.kind === "write" && each.path === IMAGE_PATH && starts.includes(each.hostOffset) ? [each.hostOffset] : [],
  );
  expect(runs.length).toBeGreaterThan(1);
  for (const start of runs) expect(start % 4096).toBe(0);
});

test("streams that share a cluster, evicted more than once: what one leaves is another's still", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = seededRandom(seed);
    const kinds = Array.from({ length: 48 }, () => random.pick<ClusterKind>(["text", "text", "compressed", "noise"]));
    const { bytes, guest } = buildEncodable({ kinds, seed, clusterBits: 16 });
    const scenario = { name: `${seed}`, image: bytes, sourceFormat: "qcow2", targetFormat: "vmdk", options: STREAM };
    const { final } = await recordScenario(scenario);
    expect(Buffer.compare(readStreamInOrder(final).guest, guest), `seed ${seed}`).toBe(0);
  }
});

test("streams that are longer than they have to be are made anew: no entry tells of one of more than two clusters", async () => {
  const [sharers, at] = [12, 24];
  const plain = Buffer.alloc(UNIT, "long ");
  const raw = deflateRawSync(plain);
  // Empty stored blocks, which give nothing.
  const emptyBlocks = Buffer.alloc(
    Math.floor((2 * UNIT - 64 - raw.length) / 5) * 5,
    Buffer.from([0, 0, 0, 0xff, 0xff]),
  );
  const image = new Qcow2Bytes({ clusterBits: 16, dataClusters: 24, virtualSize: sharers * UNIT });
  image.bytes.fill(0, image.hostOffset(at)).set(Buffer.concat([emptyBlocks, raw]), image.hostOffset(at));
  for (let index = 0; index < 24; index++) image.set64(image.l2Entry(index), 0n);
  const word = COMPRESSED | (255n << 54n) | BigInt(image.hostOffset(at));
  for (let index = 0; index < sharers; index++) image.set64(image.l2Entry(index), word);
  for (let cluster = HostCluster.data; cluster < HostCluster.data + 24; cluster++)
    image.setRefcount(cluster, cluster === at || cluster === at + 1 ? sharers : 0);
  const bytes = new Uint8Array(image.bytes);
  const { final } = await recordScenario({
    name: "long",
    image: bytes,
    sourceFormat: "qcow2",
    targetFormat: "vmdk",
    options: STREAM,
  });
  const guest = Buffer.concat(Array.from({ length: sharers }, () => plain));
  expect(Buffer.compare(readStreamInOrder(final).guest, guest)).toBe(0);
  expect(final.length).toBeLessThan(4 * UNIT);
});

describe("a stream that is made in place", () => {
  test.each(scenarios)("$name", { timeout: 60_000 }, async (each) => {
    const { log, final } = await recordScenario(each);
    const expected = await expectedOf(each, final);
    const count = await trySampledCuts(each, expected, log, Number(process.env.CUTS) || 24);
    expect(count).toBeGreaterThan(15);
  });
});
