/** OVAs read and converted in memory: where the disk's grains lie, what is proven, dropped and refused, and what can't change it. */

import { describe, expect, test } from "vitest";
import { check } from "../../../../src/convert/check.ts";
import { convert, plan } from "../../../../src/convert/convert.ts";
import { info } from "../../../../src/convert/reading/info.ts";
import { map } from "../../../../src/convert/reading/map.ts";
import { rollback } from "../../../../src/convert/recover.ts";
import { openImage, probeFormat } from "../../../../src/formats/registry.ts";
import { eachExtent } from "../../../../src/image/extent.ts";
import { GuestReader } from "../../../../src/image/guest/reader.ts";
import { openGuestView } from "../../../../src/image/guest/view.ts";
import { MemoryVolume, memoryStorage } from "../../../../src/storage/memory.ts";
import { buildOva, type OvaDescription, ovfText } from "../../../formats/ova/builder.ts";
import { buildSparse, type SparseDescription } from "../../../formats/vmdk/sparse/builder.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { failureOf } from "../../../support/failure-of.ts";

const KiB = 1024;
/** Its first grain lies behind where a qcow2 has its header, as in those that VMware's and VirtualBox's programs make. */
const FAR: SparseDescription = {
  virtualSize: 20 * 64 * KiB,
  data: [0, 1, 2, 9, 19],
  grainSize: 64 * KiB,
  isStream: true,
  level: 0,
};
const BIG_OVF = `${ovfText("disk.vmdk")}${" ".repeat(70 * KiB)}`;

const built = buildSparse(FAR);
const box = (more: Partial<OvaDescription> = {}) =>
  buildOva({
    disk: built.bytes,
    ovf: BIG_OVF,
    manifest: "SHA256",
    more: [{ name: "box.nvram", content: Buffer.alloc(700) }],
    ...more,
  });

async function guestOf(bytes: Uint8Array): Promise<Uint8Array> {
  const image = await openImage(memoryStorage(bytes));
  const guest = new Uint8Array(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return guest;
}

function volumeOf(bytes: Uint8Array): MemoryVolume {
  return new MemoryVolume({ [IMAGE_PATH]: bytes });
}

describe("a stream in an archive", () => {
  const { bytes, diskAt } = box();

  test("becomes a qcow2 whose clusters are its grains where they lie: nothing moves", async () => {
    const volume = volumeOf(bytes);
    const before = [...eachExtent(await (await openImage(memoryStorage(bytes))).getMapping())];
    const stored = before.filter(({ hostOffset }) => hostOffset >= 0);
    expect(stored.map(({ hostOffset }) => hostOffset)).toEqual(
      [...built.grainOffsets.values()].map((at) => diskAt + at + 14),
    );
    const report = await convert(IMAGE_PATH, "qcow2", {}, testHost(volume));
    expect(report).toMatchObject({ sourceFormat: "ova", bytesMoved: 0, path: [{ step: "switch", to: "qcow2" }] });
    const after = volume.snapshot(IMAGE_PATH);
    expect(Buffer.compare(after.subarray(diskAt, bytes.length), bytes.subarray(diskAt))).toBe(0);
    expect((await probeFormat(memoryStorage(after))).name).toBe("qcow2");
    expect(Buffer.compare(await guestOf(after), built.guest)).toBe(0);
  });

  test("what is not the disk is told as left behind, and the proof in words that promise no more", async () => {
    const { dropped, notes } = await convert(IMAGE_PATH, "qcow2", {}, testHost(volumeOf(bytes)));
    expect(dropped).toEqual(["the archive's box.ovf", "the archive's box.mf", "the archive's box.nvram"]);
    const proven =
      /box\.mf in .* agrees with box\.ovf \(SHA256\), disk\.vmdk \(SHA256\): .* against corruption, not against forgery/;
    expect(notes.join()).toMatch(proven);
    expect((await plan(IMAGE_PATH, "qcow2", {}, testHost(volumeOf(bytes)))).report.notes.join()).toMatch(proven);
    expect((await check(IMAGE_PATH, {}, testHost(volumeOf(bytes)))).notes.join()).toMatch(proven);
  });

  test("its way back closes: no undo of several steps is promised", async () => {
    const failure = await failureOf(convert(IMAGE_PATH, "raw", { keepUndo: true }, testHost(volumeOf(bytes))));
    expect(failure.message).toMatch(/ova can only be read so far/);
  });

  test("one switch leads back to every byte while its undo is kept", async () => {
    const volume = volumeOf(bytes);
    await convert(IMAGE_PATH, "qcow2", { keepUndo: true }, testHost(volume));
    await rollback(IMAGE_PATH, {}, testHost(volume));
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), bytes)).toBe(0);
  });

  test("info tells where the disk lies, map where the guest's bytes do", async () => {
    expect(await info(IMAGE_PATH, {}, volumeOf(bytes))).toMatchObject({
      format: "ova",
      virtualSize: FAR.virtualSize,
      clusterSize: 64 * KiB,
      formatSpecific: {
        type: "ova",
        data: {
          disk: {
            name: "disk.vmdk",
            hostOffset: diskAt,
            length: built.bytes.length,
            format: "vmdk",
            formatSpecific: { createType: "streamOptimized" },
          },
          members: [{ name: "box.ovf" }, { name: "box.mf" }, { name: "disk.vmdk" }, { name: "box.nvram", length: 700 }],
        },
      },
    });
    const { entries } = await map(IMAGE_PATH, {}, volumeOf(bytes));
    expect(entries.filter(({ data }) => data)).toHaveLength(3);
  });
});

describe("what lies behind an archive's end", () => {
  test.each([
    ["of two blocks of zeros", {}],
    ["of one", { hasEnd: false, behind: Buffer.alloc(512) }],
  ])("%s changes nothing of it", async (_, more) => {
    const { bytes } = box(more);
    const { bytes: other } = buildOva({ disk: buildSparse({ ...FAR, data: [3] }).bytes });
    for (const behind of [other, Buffer.alloc(1000, 0xff)]) {
      const image = await openImage(memoryStorage(Buffer.concat([bytes, behind])));
      expect([...eachExtent(await image.getMapping())]).toEqual([
        ...eachExtent(await (await openImage(memoryStorage(bytes))).getMapping()),
      ]);
      expect(image.getConversionOptions().grownEnd).toBeUndefined();
    }
  });

  test("without an end new tables lie behind zeros that are one", async () => {
    // So that the file ends where a cluster does: there would be none between.
    const short = box({ hasEnd: false, manifest: undefined as never });
    const missing = 64 * KiB - ((short.bytes.length + 512) % (64 * KiB));
    const { bytes } = buildOva({
      disk: built.bytes,
      ovf: BIG_OVF,
      more: [
        { name: "box.nvram", content: Buffer.alloc(700) },
        { name: "fill", content: Buffer.alloc(missing, 1) },
      ],
      hasEnd: false,
    });
    expect(bytes.length % (64 * KiB)).toBe(0);
    const volume = volumeOf(bytes);
    await convert(IMAGE_PATH, "qcow2", { keepUndo: true }, testHost(volume));
    const after = volume.snapshot(IMAGE_PATH);
    expect(after.subarray(bytes.length, bytes.length + 1024).every((byte) => byte === 0)).toBe(true);
    const asItWas = Buffer.concat([bytes.subarray(0, 512), after.subarray(512)]);
    expect(Buffer.compare(await guestOf(asItWas), built.guest)).toBe(0);
  });
});

describe("the check", () => {
  test("finds what the manifest contradicts at its member, and what the disk's own finds where that lies in the file", async () => {
    const disk = Buffer.from(built.bytes);
    const { bytes, diskAt } = box({
      disk,
      manifestText: `SHA1(disk.vmdk)= ${"0".repeat(40)}\nSHA256(gone)= ${"0".repeat(64)}\n`,
    });
    const marker = built.grainOffsets.get(9) as number;
    bytes.writeUInt32LE(0xffff_ffff, diskAt + marker + 8);
    const heard: string[] = [];
    const { corruptions, findings, exitCode } = await check(
      IMAGE_PATH,
      { onFinding: ({ kind }) => heard.push(kind) },
      testHost(volumeOf(bytes)),
    );
    expect({ corruptions, exitCode }).toEqual({ corruptions: 3, exitCode: 2 });
    expect(findings).toMatchObject([
      { kind: "member-missing", message: "Its manifest box.mf names gone, which isn't in it" },
      {
        kind: "digest-mismatch",
        hostOffset: diskAt,
        message: expect.stringMatching(
          /^Its member disk\.vmdk has sha1 [0-9a-f]{40}, and its manifest box\.mf says 0{40}$/,
        ),
      },
      {
        kind: "grain-marker",
        hostOffset: diskAt + marker,
        message: expect.stringContaining(
          `In its disk disk.vmdk, from host offset 0x${diskAt.toString(16)} on: The grain`,
        ),
      },
    ]);
    expect(heard).toEqual(findings.map(({ kind }) => kind));
  });

  test("a manifest that contradicts stops the conversion, and without a check nothing reads it", async () => {
    const { bytes } = box({ manifestText: `SHA256(box.nvram)= ${"0".repeat(64)}\n` });
    const volume = volumeOf(bytes);
    expect(await failureOf(convert(IMAGE_PATH, "qcow2", {}, testHost(volume)))).toMatchObject({
      kind: "corrupt",
      message: expect.stringMatching(/the check found 1 error, first: Its member box\.nvram has sha256/),
    });
    expect(Buffer.compare(volume.snapshot(IMAGE_PATH), bytes)).toBe(0);
    const { notes } = await convert(IMAGE_PATH, "qcow2", { check: false }, testHost(volume));
    expect(notes.join()).not.toMatch(/manifest/);
    expect(Buffer.compare(await guestOf(volume.snapshot(IMAGE_PATH)), built.guest)).toBe(0);
  });

  test("is told of as it reads, and stops where it is asked to, with nothing written", async () => {
    const { bytes } = box();
    const seen: number[] = [];
    const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }) => {
      if (stage === "check" && total === bytes.length) seen.push(done);
    };
    await convert(IMAGE_PATH, "qcow2", { onProgress }, testHost(volumeOf(bytes)));
    expect(seen.at(-1)).toBe(Buffer.byteLength(BIG_OVF) + built.bytes.length);
    const volume = volumeOf(bytes);
    const controller = new AbortController();
    const stop = {
      signal: controller.signal,
      onProgress: ({ stage }: { stage: string }) => stage === "check" && controller.abort(),
    };
    expect(
      await failureOf(
        convert(IMAGE_PATH, "qcow2", { ...stop, onProgress: (each) => void stop.onProgress(each) }, testHost(volume)),
      ),
    ).toMatchObject({
      kind: "interrupted",
      message: expect.stringContaining("Stopped while checking"),
    });
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(bytes) });
  });

  test("a manifest that says nothing of the disk is no proof of it, and that is told", async () => {
    const { bytes } = box({ manifestText: "MD5(disk.vmdk)= 00\n" });
    const { notes, exitCode } = await check(IMAGE_PATH, {}, testHost(volumeOf(bytes)));
    expect(notes).toEqual([expect.stringMatching(/box\.mf in .* proves nothing of disk\.vmdk$/)]);
    expect(exitCode).toBe(0);
  });
});

test("a tar header in a guest's own first bytes makes no OVA of its disk", async () => {
  const bytes = Buffer.alloc(4096);
  bytes.write("ustar\0", 257, "latin1");
  const footer = Buffer.from(bytes);
  expect((await openImage(memoryStorage(footer), "raw", { allowMarkedRaw: true })).virtualSize).toBe(4096);
  await expect(openImage(memoryStorage(footer), "raw")).rejects.toThrow(/it is an ova image/);
});
