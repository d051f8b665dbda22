/** A compression that is cut anywhere leaves a whole image with the same guest, and goes on or leads back from there. */

import { describe, expect, test } from "vitest";
import { Qcow2Bytes } from "../formats/qcow2/bytes.ts";
import { buildEncodable, type ClusterKind } from "../formats/qcow2/encodable-image.ts";
import { recordScenario, type Scenario } from "../support/crash-scenario.ts";
import { expectedOf } from "../support/crash-trial.ts";
import { trySampledCuts } from "../support/sampled-cuts.ts";

const KINDS: readonly ClusterKind[] = [
  ...["text", "noise", "mixed", "text", "zero", "mixed", "compressed", "blank", "nothing", "text", "mixed", "noise"],
  ...["text", "text", "mixed", "text"],
] as ClusterKind[];

function scenario(name: string, options: Scenario["options"], shape: { clusterBits?: number } = {}): Scenario {
  const isOther = options.options?.compression_type !== undefined;
  const kinds = isOther ? KINDS.filter((kind) => kind !== "compressed") : KINDS;
  const { bytes } = buildEncodable({ kinds, seed: 4, ...shape });
  const small = { compress: true, maxExtraSpace: 3 * 2 ** (shape.clusterBits ?? 12), ...options };
  return { name, image: bytes, sourceFormat: "qcow2", targetFormat: "qcow2", options: small };
}

/** Five clusters of data, one of them in part. */
function withSubclusters(): Scenario {
  const image = new Qcow2Bytes({ clusterBits: 14, dataClusters: 6, virtualSize: 8 * 16_384, hasSubclusters: true });
  image.set64(image.l2Entry(2) + 8, 0x0000_00f0_0000_ff0fn);
  const options = { compress: true, maxExtraSpace: 2 * 16_384 };
  return {
    name: "subclusters",
    image: new Uint8Array(image.bytes),
    sourceFormat: "qcow2",
    targetFormat: "qcow2",
    options,
  };
}

describe("a cut while clusters are compressed", () => {
  test.each([
    scenario("and compacted", {}),
    scenario("and left as long as it is", { compact: false }),
    scenario("by zstd, behind new tables", { options: { compression_type: "zstd" }, maxExtraSpace: 2 ** 17 }),
    withSubclusters(),
    scenario("clusters of one sector", { maxExtraSpace: 2 ** 14 }, { clusterBits: 9 }),
  ])("$name", async (each) => {
    const { log, final } = await recordScenario(each);
    const expected = await expectedOf(each, final);
    expect(final.length).toBeLessThanOrEqual(each.image.length);
    const count = await trySampledCuts(each, expected, log, 60);
    expect(count).toBeGreaterThan(30);
  });
});
