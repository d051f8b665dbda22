/** An image that has the format already is vouched for all the same: what is wrong with it is told, and it fails. */

import { describe, expect, test } from "vitest";
import { ImageError } from "../../../src/bytes/image-error.ts";
import { convert, plan } from "../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../src/convert/options/options.ts";
import { COPIED, HostCluster, Qcow2Bytes } from "../../formats/qcow2/bytes.ts";
import { buildQedImage, setEntry } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";

/** Converts to the format that the image has; what was written to it is none. */
async function outcome(bytes: Uint8Array, format: string, options: ConvertOptions = {}): Promise<unknown> {
  const volume = new RecordingVolume({ [IMAGE_PATH]: bytes });
  const result = await convert(IMAGE_PATH, format, options, testHost(volume)).catch((error: unknown) => error);
  expect(volume.operations.filter((each) => each.kind === "write" && each.path === IMAGE_PATH)).toEqual([]);
  expect(Object.keys(volume.memory.snapshots())).toEqual([IMAGE_PATH]);
  const planned = await plan(IMAGE_PATH, format, options, testHost(volume)).catch((error: unknown) => error);
  // Where tables can't be followed there is nothing to report of, and both throw.
  if (planned instanceof ImageError) expect(planned.message).toBe((result as ImageError).message);
  else if (result instanceof ImageError) {
    const { refused } = (planned as Awaited<ReturnType<typeof plan>>).report;
    expect(refused.length).toBeGreaterThan(0);
    if (result.reasons.length > 0) expect(refused).toEqual(result.reasons);
    else expect(result.message).toContain(refused[0]);
  } else expect((planned as Awaited<ReturnType<typeof plan>>).report).toMatchObject({ changed: false, refused: [] });
  return result;
}

function qcow2(change: (image: Qcow2Bytes) => void = () => {}): Uint8Array {
  const image = new Qcow2Bytes({ dataClusters: 4 });
  change(image);
  return image.bytes;
}

/** The refcount of the first data cluster is 0: a guest's write could hand it out again. */
const uncounted = qcow2((image) => image.bytes.writeUInt16BE(0, 2 * image.clusterSize + 2 * HostCluster.data));

describe("converting an image to its own format", () => {
  test("a sound one is left as it is", async () => {
    expect(await outcome(qcow2(), "qcow2")).toMatchObject({ changed: false, refused: [] });
  });

  test("a corrupt one fails with its findings", async () => {
    expect(await outcome(uncounted, "qcow2")).toMatchObject({
      kind: "corrupt",
      message: expect.stringMatching(/check found \d+ errors?, first: /),
      reasons: [expect.stringContaining("has refcount 0"), expect.stringContaining("the refcount is 0")],
    });
  });

  test("a corrupt QED too", async () => {
    const { bytes, l2Offsets } = buildQedImage({ virtualSize: 40 * 4096, data: [0, 1] });
    setEntry(new DataView(bytes.buffer), l2Offsets.get(0) as number, 5, 4096 * 4096);
    const failure = await outcome(bytes, "qed");
    expect(failure).toMatchObject({ kind: "corrupt" });
  });

  test("one that is marked dirty or corrupt says so", async () => {
    for (const bits of [1, 2]) {
      const failure = await outcome(
        qcow2((image) => image.set32(76, bits)),
        "qcow2",
      );
      expect(failure).toMatchObject({ reasons: [expect.stringMatching(/dirty bit|corrupt bit/)] });
    }
  });

  test("leaks are no obstacle", async () => {
    const { bytes } = buildQedImage({ virtualSize: 40 * 4096, data: [0, 1], leaks: 3 });
    const report = await outcome(bytes, "qed");
    expect(report).toMatchObject({ changed: false, dropped: [], check: { before: { leaks: 3 } } });
  });

  test("without a check refcounts are no matter, as in a conversion; two owners of one place are", async () => {
    expect(await outcome(uncounted, "qcow2", { check: false })).toMatchObject({ changed: false });
    const shared = qcow2((image) => image.set64(image.l2Entry(1), COPIED | BigInt(image.hostOffset(HostCluster.l2))));
    for (const [format, options] of [
      ["qcow2", {}],
      ["qed", {}],
      ["qcow2", { check: false }],
      ["qed", { check: false }],
    ] as const) {
      expect(await outcome(shared, format, options)).toBeInstanceOf(ImageError);
    }
  });
});
