/** setmap closes all that it opened, however it ends; what the host could not do reaches every report. */

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../../src/convert/check.ts";
import { convert, plan } from "../../../src/convert/convert.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { setmap } from "../../../src/convert/setmap.ts";
import { FileVolume } from "../../../src/storage/file/file-volume.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import type { Volume, WritableStorage } from "../../../src/storage/storage.ts";
import { Qcow2Bytes } from "../../formats/qcow2/bytes.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { type CallKind, FailingVolume } from "../../support/failing-volume.ts";
import { WrappedStorage, WrappedVolume } from "../../support/wrapped-volume.ts";

const CLUSTER = 4096;
const BASE = "/vm/base.raw";
const image = buildQedImage({
  virtualSize: 40 * CLUSTER,
  data: [0, 1, 5],
  leaks: 1,
  backingName: "base.raw",
  backingIsRaw: true,
}).bytes;
const leak = image.length - CLUSTER;
const files = { [IMAGE_PATH]: image, [BASE]: new Uint8Array(40 * CLUSTER) };

/** Counts what is open. */
class OpenCounter extends WrappedVolume {
  open = 0;
  opened = 0;

  protected override wrap(storage: WritableStorage): WrappedStorage {
    this.open++;
    this.opened++;
    let isOpen = true;
    const counted = new WrappedStorage(storage);
    counted.close = async () => {
      if (isOpen) this.open--;
      isOpen = false;
      await storage.close();
    };
    return counted;
  }
}

function run(volume: Volume, backingChain = true): Promise<unknown> {
  return setmap(IMAGE_PATH, 3 * CLUSTER, leak, CLUSTER, { backingChain }, testHost(volume));
}

describe("setmap closes what it opens", () => {
  test("when all goes well, backing files too", async () => {
    const volume = new OpenCounter(new MemoryVolume(files));
    expect(await run(volume)).toEqual({
      image: IMAGE_PATH,
      guestOffset: 3 * CLUSTER,
      hostOffset: leak,
      length: CLUSTER,
      notes: [],
    });
    expect(volume.opened).toBeGreaterThan(2);
    expect(volume.open).toBe(0);
  });

  test("when it refuses: a range in use, a journal beside it, a backing file that is gone", async () => {
    const { [BASE]: _, ...alone } = files;
    for (const [found, hostOffset] of [
      [files, CLUSTER],
      [{ ...files, [`${IMAGE_PATH}.inplace-journal-new`]: image, "/vm/other": image }, 0],
      [alone, leak],
      [{ ...files, [IMAGE_PATH]: Buffer.from("no image") }, leak],
    ] as const) {
      const volume = new OpenCounter(new MemoryVolume(found));
      const asked = setmap(IMAGE_PATH, 3 * CLUSTER, hostOffset, CLUSTER, { backingChain: true }, testHost(volume));
      await expect(asked).rejects.toThrow();
      expect(volume.open).toBe(0);
    }
  });

  test.each(["open", "create", "read", "write", "sync", "syncFolder", "rename", "remove"] as const)(
    "whichever %s fails",
    async (kind: CallKind) => {
      let struck = 0;
      for (let call = 1; call < 200; call++) {
        const failing = new FailingVolume(new MemoryVolume(files), { kind, nth: call, code: "EIO" });
        const volume = new OpenCounter(failing);
        await run(volume).catch(() => {});
        if (failing.struck.length === 0) break;
        struck++;
        expect({ call, open: volume.open }).toEqual({ call, open: 0 });
      }
      expect(struck > 0 || kind === "rename").toBe(true);
    },
  );

  test("as the descriptors of the process show", async () => {
    const folder = await mkdtemp(join(tmpdir(), "inplace-setmap-"));
    const path = join(folder, "disk.qed");
    await writeFile(path, image);
    await writeFile(join(folder, "base.raw"), files[BASE] as Uint8Array);
    try {
      const before = (await readdir("/proc/self/fd")).length;
      for (let turn = 0; turn < 5; turn++) {
        await setmap(path, 3 * CLUSTER, CLUSTER, CLUSTER, { backingChain: true }).catch(() => {});
      }
      await setmap(path, 3 * CLUSTER, leak, CLUSTER, { backingChain: true });
      expect((await readdir("/proc/self/fd")).length).toBe(before);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("what the host could not do", () => {
  class NotedVolume extends MemoryVolume {
    readonly notes = ["folders can't be synced here"];
  }
  const plain = buildQedImage({ virtualSize: 40 * CLUSTER, data: [0, 1, 5], leaks: 1 }).bytes;
  /** Nothing refers to its last cluster. */
  const leakyQcow2 = () => {
    const made = new Qcow2Bytes();
    made.set64(made.l2Entry(3), 0n);
    return made.bytes;
  };
  const noted = () => new NotedVolume({ [IMAGE_PATH]: plain });

  test("is a note of every writing command, and of a plan", async () => {
    const reports = async (volume: Volume) => [
      await plan(IMAGE_PATH, "qcow2", {}, testHost(volume)).then(({ report }) => report),
      await setmap(IMAGE_PATH, 3 * CLUSTER, plain.length - CLUSTER, CLUSTER, {}, testHost(volume)),
      await convert(IMAGE_PATH, "qed", {}, testHost(volume)),
      await convert(IMAGE_PATH, "qcow2", { keepUndo: true }, testHost(volume)),
      await rollback(IMAGE_PATH, {}, testHost(volume)),
      await convert(IMAGE_PATH, "qcow2", { keepUndo: true }, testHost(volume)),
      await resume(IMAGE_PATH, {}, testHost(volume)),
    ];
    for (const { notes } of await reports(noted())) expect(notes).toEqual(["folders can't be synced here"]);
    const mendable = new NotedVolume({ [IMAGE_PATH]: leakyQcow2() });
    const repaired = await check(IMAGE_PATH, { repair: "all", keepUndo: true }, testHost(mendable));
    expect(repaired).toMatchObject({ changed: true, notes: ["folders can't be synced here"] });
  });

  test("is told by the folder on disk, through the meter too", async () => {
    class Blind extends FileVolume {
      override async freeSpace(): Promise<number> {
        return super.freeSpace("/gone/nowhere/disk");
      }
    }
    const folder = await mkdtemp(join(tmpdir(), "inplace-notes-"));
    const path = join(folder, "disk.qed");
    await writeFile(path, plain);
    try {
      const { notes } = await convert(path, "qcow2", {}, testHost(new Blind()));
      expect(notes).toContain("the free space of the file system is unknown");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test("whoever has the image open is told in setmap's own words", async () => {
  const volume = new MemoryVolume({ [IMAGE_PATH]: buildQedImage({ virtualSize: 16384, data: [0] }).bytes });
  volume.users = { found: ["process 7 has it open"], blind: [] };
  await expect(setmap(IMAGE_PATH, 0, 0, CLUSTER, {}, testHost(volume))).rejects.toThrow(
    `Cannot set the mapping of ${IMAGE_PATH}: process 7 has it open; close it there first`,
  );
});
