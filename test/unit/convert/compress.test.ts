/** `-c` as a whole: what is verified, refused, told and left alone. */

import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { convert, plan } from "../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../src/convert/options/options.ts";
import { resume } from "../../../src/convert/recover.ts";
import { openImage } from "../../../src/formats/registry.ts";
import { digestGuest } from "../../../src/image/guest/digest.ts";
import { openGuestView } from "../../../src/image/guest/view.ts";
import { zlib } from "../../../src/storage/built-ins.ts";
import { MemoryVolume, memoryStorage } from "../../../src/storage/memory.ts";
import { HostCluster } from "../../formats/qcow2/bytes.ts";
import { buildEncodable, type ClusterKind, type EncodableShape } from "../../formats/qcow2/encodable-image.ts";
import { readNaively, readQcow2Guest } from "../../formats/qcow2/naive-reader.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { FlippingVolume } from "../../support/flipping-volume.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";

const KINDS: ClusterKind[] = ["text", "noise", "mixed", "zero", "text", "mixed", "text", "nothing", "mixed", "text"];
const SMALL = { compress: true, maxExtraSpace: 2 * 4096 };

function built(shape: Partial<EncodableShape> = {}) {
  return buildEncodable({ kinds: KINDS, ...shape });
}

async function refusedEverywhere(bytes: Uint8Array, options: ConvertOptions, target = "qcow2"): Promise<string> {
  const volume = new RecordingVolume({ [IMAGE_PATH]: bytes });
  const error = await convert(IMAGE_PATH, target, options, testHost(volume)).catch((failure: unknown) => failure);
  expect(volume.operations.filter((each) => each.kind === "write" && each.path === IMAGE_PATH)).toEqual([]);
  expect(Object.keys(volume.memory.snapshots())).toEqual([IMAGE_PATH]);
  const planned = await plan(IMAGE_PATH, target, options, testHost(volume)).then(
    ({ report }) => report.refused.join(),
    (failure: Error) => failure.message,
  );
  expect(`${error}`).toContain(planned);
  return `${error}`;
}

describe("a qcow2 compressed in place", () => {
  test("is reported as what was done; once more, nothing is", async () => {
    const { bytes, guest } = built();
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const report = await convert(IMAGE_PATH, "qcow2", { compress: true }, testHost(volume));
    expect(report).toMatchObject({ changed: true, bytesMoved: 7 * 4096, notes: [] });
    expect(report.path).toEqual([
      { step: "rearrange", goal: "encode" },
      { step: "rearrange", goal: "compact" },
    ]);
    expect(report.peakExtraBytes).toBeGreaterThanOrEqual(4096);
    expect(report.fileSizeAfter).toBeLessThan(bytes.length);
    expect(report.guestChecksum?.after).toBe(report.guestChecksum?.before);
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
    expect(Buffer.compare(readQcow2Guest(volume.snapshot(IMAGE_PATH)), guest)).toBe(0);
    const before = volume.snapshot(IMAGE_PATH);
    const again = await convert(IMAGE_PATH, "qcow2", { compress: true }, testHost(volume));
    expect(again).toMatchObject({ changed: false, bytesWritten: 0, path: [] });
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), before)).toBe(0);
  });

  test("a bit stored wrong anywhere costs no byte of the guest", async () => {
    const { bytes, guest } = built();
    const counted = new FlippingVolume(new MemoryVolume({ [IMAGE_PATH]: bytes }), { nth: 0, at: 0, bit: 0 });
    await convert(IMAGE_PATH, "qcow2", SMALL, testHost(counted));
    expect(counted.writeCount).toBeGreaterThan(10);
    let failed = 0;
    for (let nth = 1; nth <= counted.writeCount; nth++) {
      const memory = new MemoryVolume({ [IMAGE_PATH]: bytes });
      const volume = new FlippingVolume(memory, { nth, at: (nth * 0.37) % 1, bit: nth % 8 });
      const error = await convert(IMAGE_PATH, "qcow2", SMALL, testHost(volume)).catch((failure: unknown) => failure);
      if (error instanceof Error) {
        failed++;
        expect(error, `write ${nth}`).toMatchObject({ journal: expect.anything() });
        await resume(IMAGE_PATH, {}, testHost(memory));
      }
      const file = memory.snapshot(IMAGE_PATH);
      expect(Buffer.compare(readQcow2Guest(file), guest), `write ${nth}`).toBe(0);
      expect(readNaively(file).clusters.filter(({ kind }) => kind === "compressed").length).toBe(7);
    }
    expect(failed).toBeLessThan(counted.writeCount);
  });

  test("a stream that gives other bytes is never pointed at", async () => {
    const { bytes, guest } = built();
    const { deflateRaw } = zlib();
    const lying = (...[plain, options, done]: Parameters<typeof deflateRaw>) =>
      deflateRaw(Buffer.alloc((plain as Buffer).length, 7), options, done);
    Object.assign(zlib(), { deflateRaw: lying });
    try {
      const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
      await expect(convert(IMAGE_PATH, "qcow2", SMALL, testHost(volume))).rejects.toMatchObject({
        kind: "verification-failed",
        message: expect.stringContaining("differs from what it was made of"),
        journal: expect.anything(),
      });
      expect(Buffer.compare(readQcow2Guest(volume.snapshot(IMAGE_PATH)), guest)).toBe(0);
    } finally {
      Object.assign(zlib(), { deflateRaw });
    }
  });

  test("stops when asked, whole, and goes on", async () => {
    const { bytes, guest } = built();
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const asked = new AbortController();
    const onProgress = ({ stage }: { readonly stage: string }) => stage === "settle" && asked.abort();
    const stopped = convert(IMAGE_PATH, "qcow2", { ...SMALL, signal: asked.signal, onProgress }, testHost(volume));
    await expect(stopped).rejects.toMatchObject({ kind: "interrupted", journal: expect.anything() });
    expect(Buffer.compare(readQcow2Guest(volume.snapshot(IMAGE_PATH)), guest)).toBe(0);
    await resume(IMAGE_PATH, {}, testHost(volume));
    const { clusters } = readNaively(volume.snapshot(IMAGE_PATH));
    expect(clusters.filter(({ kind }) => kind === "compressed")).toHaveLength(7);
  });

  test.each([
    [{ compress: true, compact: false }, 1],
    [{ compress: true }, 0],
    [{ compact: true }, 0],
  ])("%o ends where a used cluster is counted too often, with %i such", async (wish, left) => {
    const { bytes, guest } = built({ kinds: ["text", "noise"], spareClusters: 2 });
    const leaky = new DataView(bytes.buffer);
    const { hostOffset, guestCluster } = readNaively(bytes).clusters[1] as {
      hostOffset: number;
      guestCluster: number;
    };
    leaky.setUint16(HostCluster.refcountBlock * 4096 + 2 * (hostOffset / 4096), 2);
    leaky.setUint8(HostCluster.l2 * 4096 + 8 * guestCluster, 0);
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const { check } = await convert(IMAGE_PATH, "qcow2", wish, testHost(volume));
    expect(check).toMatchObject({ before: { leaks: 1 }, after: { leaks: left, corruptions: 0 } });
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
    const image = await openImage(memoryStorage(volume.snapshot(IMAGE_PATH)));
    expect(await digestGuest(await openGuestView([image]), "sha256")).toBe(
      createHash("sha256").update(guest).digest("hex"),
    );
  });

  test("with zstd it says who can't read it", async () => {
    const { bytes, guest } = built();
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    const options = { compress: true, options: { compression_type: "zstd" } };
    const planned = await plan(IMAGE_PATH, "qcow2", options, testHost(volume));
    expect(planned.report.notes).toEqual(["compression_type=zstd is read by QEMU 5.1 and later only"]);
    const { notes } = await convert(IMAGE_PATH, "qcow2", options, testHost(volume));
    expect(notes).toEqual(planned.report.notes);
    expect(Buffer.compare(readQcow2Guest(volume.snapshot(IMAGE_PATH)), guest)).toBe(0);
  });
});

describe("what can't be compressed is refused before anything is written", () => {
  const { zstdCompress } = zlib();
  afterEach(() => {
    Object.assign(zlib(), { zstdCompress });
  });

  test("formats that store nothing compressed", async () => {
    expect(await refusedEverywhere(built().bytes, { compress: true }, "qed")).toContain("it stores nothing compressed");
  });

  test("refcounts that are too narrow, asked for or found", async () => {
    const asked = { compress: true, options: { refcount_bits: "8" } };
    expect(await refusedEverywhere(built().bytes, asked)).toContain("refcounts of 8 bits");
    const narrow = built({ refcountOrder: 3 }).bytes;
    expect(await refusedEverywhere(narrow, { compress: true })).toContain("-o refcount_bits=16");
    const kept = { compress: true, options: { lazy_refcounts: "on" } };
    expect(await refusedEverywhere(narrow, kept)).toContain("-o refcount_bits=16");
    const volume = new MemoryVolume({ [IMAGE_PATH]: narrow });
    const widened = { compress: true, options: { refcount_bits: "16" } };
    expect(await convert(IMAGE_PATH, "qcow2", widened, testHost(volume))).toMatchObject({ changed: true });
  });

  test("another method where streams of one are there already", async () => {
    const bytes = built({ kinds: [...KINDS, "compressed"] }).bytes;
    const options = { options: { compression_type: "zstd" } };
    expect(await refusedEverywhere(bytes, { ...options, compress: true })).toContain("compressed clusters are zlib's");
    expect(await refusedEverywhere(bytes, options)).toContain("compressed clusters are zlib's");
  });

  test("zstd on a Node that has none", async () => {
    Object.assign(zlib(), { zstdCompress: undefined });
    const options = { compress: true, options: { compression_type: "zstd" } };
    expect(await refusedEverywhere(built().bytes, options)).toContain("run it with Node 24");
    const zstd = built({ compression: "zstd" }).bytes;
    expect(await refusedEverywhere(zstd, { compress: true })).toContain("run it with Node 24");
  });
});
