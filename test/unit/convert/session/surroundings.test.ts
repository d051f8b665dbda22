/** Obstacles in a run and in a plan: all are told at once, and what is none is not in the way. */

import { describe, expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { imageNamed, say } from "../../../../src/bytes/sentence.ts";
import { check } from "../../../../src/convert/check.ts";
import { convert, plan } from "../../../../src/convert/convert.ts";
import { Journal } from "../../../../src/journal/journal.ts";
import { journalNamesOf } from "../../../../src/journal/names.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import type { WritableStorage } from "../../../../src/storage/storage.ts";
import { buildQedImage } from "../../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { cutAtCommit } from "../../../support/cut-at-commit.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { WrappedStorage, WrappedVolume } from "../../../support/wrapped-volume.ts";

const IMAGE = new Uint8Array(buildQedImage({ virtualSize: 8 * 4096, data: [0, 3] }).bytes);
const NAMES = journalNamesOf(IMAGE_PATH);

describe("obstacles", () => {
  const obstructed = () => {
    const volume = new MemoryVolume({ [IMAGE_PATH]: IMAGE });
    volume.obstacle = new ImageError("io", `Cannot create ${NAMES.lock}: permission denied`);
    volume.obstacles = [
      new ImageError("unsupported", say`Cannot convert ${imageNamed(IMAGE_PATH)} in place`, {
        because: "the file has 2 names",
      }),
    ];
    return volume;
  };

  test("a run refuses with the first, and has all as its reasons", async () => {
    for (const run of [
      (volume: MemoryVolume) => convert(IMAGE_PATH, "qcow2", {}, testHost(volume)),
      (volume: MemoryVolume) => check(IMAGE_PATH, { repair: "all" }, testHost(volume)),
    ]) {
      const volume = obstructed();
      const error = await failureOf(run(volume));
      expect(error).toMatchObject({ kind: "io", message: `Cannot create ${NAMES.lock}: permission denied` });
      expect(error.reasons).toEqual([`Cannot create ${NAMES.lock}: permission denied`, "the file has 2 names"]);
      expect(volume.snapshots()).toEqual({ [IMAGE_PATH]: IMAGE });
    }
  });

  test("that a name is too long for the file system is told once", async () => {
    const cause = Object.assign(new Error("ENAMETOOLONG"), { code: "ENAMETOOLONG" });
    const volume = new (class extends WrappedVolume {
      override async obstacleToCreating(path: string): Promise<ImageError | undefined> {
        return new ImageError("io", `Cannot create ${path}: its name is too long`, { cause });
      }
    })(new MemoryVolume({ [IMAGE_PATH]: IMAGE }));
    const error = await failureOf(convert(IMAGE_PATH, "qcow2", { journal: "/vm/journal" }, testHost(volume)));
    expect(error.reasons).toEqual([`Cannot create ${NAMES.lock}: its name is too long`]);
  });

  test("a folder for the journal that can't be written is one, in a plan too", async () => {
    const volume = new (class extends WrappedVolume {
      override async obstacleToCreating(path: string): Promise<ImageError | undefined> {
        return path.startsWith("/sealed/") ? new ImageError("io", `Cannot create ${path}: sealed`) : undefined;
      }
    })(new MemoryVolume({ [IMAGE_PATH]: IMAGE }));
    const { report } = await plan(IMAGE_PATH, "qcow2", { journal: "/sealed/journal" }, testHost(volume));
    expect(report.refused).toEqual(["Cannot create /sealed/journal: sealed"]);
    const error = await failureOf(convert(IMAGE_PATH, "qcow2", { journal: "/sealed/journal" }, testHost(volume)));
    expect(error.message).toBe("Cannot create /sealed/journal: sealed");
  });
});

describe("a journal that says that all was rolled back", () => {
  const rolledBack = async () => {
    const volume = new MemoryVolume(await cutAtCommit(IMAGE, "qcow2", {}, "prepared"));
    const journal = (await Journal.find(volume, IMAGE_PATH)) as Journal;
    await journal.append({ record: "rolled-back" });
    await journal.close();
    return new MemoryVolume({ ...volume.snapshots(), [IMAGE_PATH]: IMAGE });
  };

  test("is no obstacle to a plan, which leaves it alone", async () => {
    const volume = await rolledBack();
    const before = volume.snapshots();
    expect((await plan(IMAGE_PATH, "qcow2", {}, testHost(volume))).report.refused).toEqual([]);
    expect(volume.snapshots()).toEqual(before);
  });

  test("is cleared by a run", async () => {
    const volume = await rolledBack();
    await convert(IMAGE_PATH, "qcow2", {}, testHost(volume));
    expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH]);
  });
});

test("a plan that finds a journal leaves no file open", async () => {
  const open = new Set<object>();
  const volume = new (class extends WrappedVolume {
    protected override wrap(storage: WritableStorage): WrappedStorage {
      const opened = new (class extends WrappedStorage {
        override async close(): Promise<void> {
          open.delete(opened);
          await super.close();
        }
      })(storage);
      open.add(opened);
      return opened;
    }
  })(new MemoryVolume(await cutAtCommit(IMAGE, "qcow2", {}, "prepared")));
  expect((await plan(IMAGE_PATH, "qcow2", {}, testHost(volume))).report.refused).toHaveLength(1);
  expect(open.size).toBe(0);
});
