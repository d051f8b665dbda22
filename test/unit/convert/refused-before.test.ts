/** What is refused before the first write: nothing is written, nothing is left beside the image. */

import { describe, expect, test } from "vitest";
import type { ImageError } from "../../../src/bytes/image-error.ts";
import { check } from "../../../src/convert/check.ts";
import { convert } from "../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../src/convert/options/options.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildQcow2Image } from "../../formats/qcow2/builder.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { cutAtCommit } from "../../support/cut-conversion.ts";
import { FailingVolume } from "../../support/failing-volume.ts";
import { failureOf } from "../../support/failure-of.ts";
import { WAYS } from "../../support/lying-trial.ts";
import { repairScenarios } from "../../support/repair-scenarios.ts";
import { withPlan } from "../../support/repair-stand-in.ts";

const NAMES = journalNamesOf(IMAGE_PATH);

async function refused(
  image: Uint8Array,
  to: string,
  options: ConvertOptions = {},
  prepare: (volume: MemoryVolume) => void = () => {},
): Promise<ImageError> {
  const volume = new MemoryVolume({ [IMAGE_PATH]: image });
  prepare(volume);
  const error = await failureOf(convert(IMAGE_PATH, to, options, testHost(volume)));
  expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(image) });
  expect(error.journal).toBeUndefined();
  return error;
}

/** Writes what is there already, as another program would. */
async function touch(volume: MemoryVolume): Promise<void> {
  const other = await volume.openForWriting(IMAGE_PATH);
  await other.write(0, volume.snapshot(IMAGE_PATH).subarray(0, 1));
}

describe.each(WAYS)("$name", ({ image, to, options }) => {
  test("while QEMU has the image open", async () => {
    const error = await refused(image, to, options, (volume) => {
      volume.users = { found: ["QEMU has it open"], writers: [], blind: [] };
    });
    expect(error).toMatchObject({ kind: "in-use", reasons: ["QEMU has it open"] });
    expect(error.message).toContain(`Cannot convert ${IMAGE_PATH}: QEMU has it open; close it there first`);
  });

  test("where somebody wrote to it while it was planned", async () => {
    let isDone = false;
    let written: MemoryVolume | undefined;
    const onProgress = () => {
      if (!isDone && written) void touch(written);
      isDone = true;
    };
    const error = await refused(image, to, { ...options, onProgress }, (volume) => {
      written = volume;
    });
    expect(isDone).toBe(true);
    expect(error.kind).toBe("changed-underneath");
    expect(error.message).toContain("it was written to by another program while we worked on it");
  });

  test("where there is no space, or less is allowed", async () => {
    const bound = await refused(image, to, { ...options, maxExtraSpace: 4096 });
    expect(bound.kind).toBe("no-space");
    expect(bound.message).toContain("more than the 4096 allowed; nothing was written");
    const full = await refused(image, to, options, (volume) => {
      volume.free = 4096;
    });
    expect(full.kind).toBe("no-space");
    expect(full.message).toContain("and only 4096 are free beside it; nothing was written");
  });

  test("where its guest is another than the expected one, also without checksums of our own", async () => {
    const guestChecksum = { algorithm: "sha256", hex: "ab".repeat(32) } as const;
    for (const checksum of ["blkhash-sha256", "sha256", "none"] as const) {
      const error = await refused(image, to, { ...options, checksum, guestChecksum });
      expect(error.kind).toBe("verification-failed");
      expect(error.message).toContain(`expected ${guestChecksum.hex}; nothing was written`);
    }
  });

  test("where an earlier conversion was cut off", async () => {
    const run = (volume: Parameters<Parameters<typeof cutAtCommit>[1]>[0]) =>
      convert(IMAGE_PATH, to, options, testHost(volume));
    for (const which of ["prepared", "committed"] as const) {
      const volume = new MemoryVolume(await cutAtCommit({ [IMAGE_PATH]: image }, run, which));
      const before = volume.snapshots();
      const error = await failureOf(convert(IMAGE_PATH, to, options, testHost(volume)));
      expect(error).toMatchObject({ kind: "interrupted", journal: NAMES.journal });
      expect(error.message).toContain(`Cannot convert ${IMAGE_PATH}: a conversion of it was interrupted`);
      expect(volume.snapshots()).toEqual(before);
    }
  });
});

test("where the journal could not be made durable, and nothing of it stays", async () => {
  const [{ image, to, options }] = WAYS as [(typeof WAYS)[number]];
  for (const kind of ["write", "sync", "syncFolder"] as const) {
    const memory = new MemoryVolume({ [IMAGE_PATH]: image });
    // The first write is the lock's.
    const failing = new FailingVolume(memory, { kind, nth: kind === "write" ? 2 : 1, code: "EIO", leaves: "nothing" });
    const error = await failureOf(convert(IMAGE_PATH, to, options, testHost(failing)));
    expect(error).toMatchObject({ kind: "io", journal: undefined });
    expect(memory.snapshots()).toEqual({ [IMAGE_PATH]: image });
  }
});

test("a corrupt source, of either format", async () => {
  const qed = buildQedImage({ clusterSize: 4096, tableSize: 2, virtualSize: 40 * 4096, data: [0, 5] });
  const bytes = qed.bytes.slice();
  const l2 = qed.l2Offsets.get(0) as number;
  new DataView(bytes.buffer).setBigUint64(l2 + 8 * 9, BigInt(qed.dataOffsets.get(5) as number), true);
  expect(await refused(bytes, "qcow2")).toMatchObject({ kind: "corrupt" });

  const { bytes: qcow2, at } = buildQcow2Image({ clusterBits: 12 });
  qcow2.writeUInt16BE(0, at.refcountBlock + 2 * (at.data / at.clusterSize));
  const error = await refused(qcow2, "qed");
  expect(error.kind).toBe("corrupt");
  expect(error.message).toMatch(/the check found \d+ errors?, first: /);
});

test("an unclean source", async () => {
  const qed = buildQedImage({ clusterSize: 4096, tableSize: 2, virtualSize: 40 * 4096, data: [0, 5], features: 2n });
  expect((await refused(qed.bytes, "qcow2")).reasons).not.toEqual([]);
  expect((await refused(buildQcow2Image({ clusterBits: 12, incompatible: 1n }).bytes, "qed")).reasons).not.toEqual([]);
});

test("what the target can't hold", async () => {
  const { bytes } = buildQcow2Image({ clusterBits: 12, snapshot: true, bitmap: true });
  const error = await refused(bytes, "qed");
  expect(error.kind).toBe("unsupported");
  expect(error.reasons.length).toBeGreaterThan(1);
});

describe.each(repairScenarios())("a repair: $name", ({ damaged: { bytes, plan }, options }) => {
  test("where somebody wrote to it while it was planned", async () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: bytes });
    let isDone = false;
    const onFinding = () => {
      if (!isDone) void touch(volume);
      isDone = true;
    };
    const run = withPlan(plan, () => check(IMAGE_PATH, { ...options, onFinding }, testHost(volume)));
    const error = await failureOf(run);
    expect(error).toMatchObject({ kind: "changed-underneath", journal: undefined });
    expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: new Uint8Array(bytes) });
  });
});
