/** Which look for other users may be shared: the one with which a command begins, never the last before a commit. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { check } from "../../../src/convert/check.ts";
import { convert } from "../../../src/convert/convert.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import type { Look, OtherUsers, Storage, Volume, WritableStorage } from "../../../src/storage/storage.ts";
import { buildQcow2Image } from "../../formats/qcow2/builder.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import { cutAtCommit } from "../../support/cut-conversion.ts";
import { failureOf } from "../../support/failure-of.ts";
import { WAYS } from "../../support/lying-trial.ts";
import { WrappedStorage, WrappedVolume } from "../../support/wrapped-volume.ts";

const QED = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3], leaks: 2 }).bytes;

/** What a command does, one word each: its looks, and its writes below the image's old end, the commit among them. */
class WatchedVolume extends WrappedVolume {
  readonly deeds: ("shared" | "anew" | "locks" | "overwrites")[] = [];
  readonly #oldEnd: number;

  constructor(files: Readonly<Record<string, Uint8Array>>, oldEnd: number) {
    super(new MemoryVolume(files));
    this.#oldEnd = oldEnd;
  }

  override otherUsers(storage: Storage, look: Look = "anew"): Promise<OtherUsers> {
    this.deeds.push(typeof look === "object" ? "shared" : look);
    return super.otherUsers(storage, look);
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    if (storage.path !== IMAGE_PATH) return super.wrap(storage);
    const [deeds, oldEnd] = [this.deeds, this.#oldEnd];
    return new (class extends WrappedStorage {
      override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
        if (hostOffset < oldEnd) deeds.push("overwrites");
        await super.write(hostOffset, bytes);
      }
    })(storage);
  }
}

/** The looks right before each write over what was there. */
const lastLooks = ({ deeds }: WatchedVolume) => deeds.filter((_, at) => deeds[at + 1] === "overwrites");

describe.each(WAYS)("$name", ({ image, to, options }) => {
  test("begins with what others have seen, and looks itself before its commit", async () => {
    const volume = new WatchedVolume({ [IMAGE_PATH]: image }, image.length);
    await convert(IMAGE_PATH, to, options, testHost(volume));
    expect(volume.deeds[0]).toBe("shared");
    expect(volume.deeds[1]).toBe("anew");
    expect(lastLooks(volume).length).toBeGreaterThan(0);
    expect(lastLooks(volume)).not.toContain("shared");
  });

  test.each([
    ["resume", resume],
    ["rollback", rollback],
  ])("%s looks itself from the beginning", async (_, recover) => {
    const run = (volume: Volume) => convert(IMAGE_PATH, to, options, testHost(volume));
    const volume = new WatchedVolume(await cutAtCommit({ [IMAGE_PATH]: image }, run, "committed"), image.length);
    await recover(IMAGE_PATH, {}, testHost(volume));
    expect(volume.deeds[0]).toBe("anew");
    expect(lastLooks(volume)).not.toContain("shared");
  });
});

test("a repair begins with what others have seen, and looks itself before it writes", async () => {
  const { bytes, at } = buildQcow2Image({ clusterBits: 12 });
  bytes.writeUInt16BE(7, at.refcountBlock + (at.l2 / at.clusterSize) * 2);
  const volume = new WatchedVolume({ [IMAGE_PATH]: bytes }, bytes.length);
  await check(IMAGE_PATH, { repair: "all" }, testHost(volume));
  expect(volume.deeds[0]).toBe("shared");
  expect(lastLooks(volume).length).toBeGreaterThan(0);
  expect(lastLooks(volume)).not.toContain("shared");
});

/** Says when it has the file open, and closes it when it is told something. */
function opener(path: string) {
  return spawn("sh", ["-c", 'exec 3<>"$0"; echo open; read _', path], { stdio: ["pipe", "pipe", "ignore"] });
}

test.runIf(process.platform === "linux")(
  "who opens the image for writing right after a shared look keeps it from being committed",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "inplace-looks-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, "disk.qed");
    await writeFile(path, QED);
    // However long the other process takes to start, all of this happens within the time for which a look is shared.
    const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now());
    onTestFinished(() => clock.mockRestore());
    let other: ReturnType<typeof opener> | undefined;
    onTestFinished(() => void other?.kill());
    const onJournal = async () => {
      other = opener(path);
      await once(other.stdout, "data");
    };
    const failure = await failureOf(convert(path, "qcow2", { onJournal }));
    expect(failure).toMatchObject({ kind: "in-use", journal: expect.stringContaining("disk.qed.inplace-journal") });
    expect(failure.message).toContain(`process ${other?.pid} (sh) has it open for writing`);
    expect((await readFile(path)).subarray(0, 512).equals(QED.subarray(0, 512))).toBe(true);
    other?.stdin.end("\n");
    await once(other as NonNullable<typeof other>, "exit");
    await rollback(path);
    expect((await readFile(path)).equals(QED)).toBe(true);
  },
);
