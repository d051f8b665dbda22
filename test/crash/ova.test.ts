/** Power cuts of an OVA that ends without saying so: whatever is put behind it is no member of it. */

import { expect, test } from "vitest";
import { buildOva } from "../formats/ova/builder.ts";
import { buildSparse } from "../formats/vmdk/sparse/builder.ts";
import { newTally, sweepScenario } from "../support/crash-sweep.ts";

const { bytes: disk } = buildSparse({ virtualSize: 9 * 4096, data: [0, 2, 8], isStream: true });
const fill = 4096 - ((buildOva({ disk, hasEnd: false }).bytes.length + 512) % 4096);
/** Its last byte is the last of a cluster. */
const image = buildOva({ disk, hasEnd: false, more: [{ name: "fill", content: Buffer.alloc(fill, 1) }] }).bytes;

test("a sample of cuts", async () => {
  expect(image.length % 4096).toBe(0);
  const scenario = { name: "ova without an end", image, sourceFormat: "ova", targetFormat: "qcow2", options: {} };
  const tally = newTally();
  expect(await sweepScenario(scenario, 70, 5, tally, { sampled: true })).toEqual([]);
  expect(tally.states).toBeGreaterThan(40);
});
