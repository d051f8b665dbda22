/** Which look for other users may be shared: the one with which a command begins, never the last before a commit. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { KiB, MiB } from "../../../src/bytes/align.ts";
import type { RangeSet } from "../../../src/bytes/range-set.ts";
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
import { BESIDE, type Case, WAYS } from "../../support/lying-trial.ts";
import { WrappedStorage, WrappedVolume } from "../../support/wrapped-volume.ts";

const QED = buildQedImage({ virtualSize: 8 * 4096, data: [0, 3], leaks: 2 }).bytes;

/** What a command does, one word each: its looks, and what it overwrites, cuts or punches of the image, the commit among them. */
class WatchedVolume extends WrappedVolume {
  readonly deeds: ("shared" | "anew" | "locks" | "overwrites")[] = [];
  /** Whether somebody else has the image open by now. */
  isOpen = false;
  /** Each time a record of the journal has become durable. */
  onRecord = () => {};
  onSync = () => {};
  readonly #oldEnd: number;

  constructor(files: Readonly<Record<string, Uint8Array>>, oldEnd: number) {
    super(new MemoryVolume(files));
    this.#oldEnd = oldEnd;
  }

  override async otherUsers(storage: Storage, look: Look = "anew"): Promise<OtherUsers> {
    this.deeds.push(typeof look === "object" ? "shared" : look);
    return this.isOpen ? { found: ["somebody has it open for writing"], blind: [] } : super.otherUsers(storage, look);
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    const { deeds } = this;
    const oldEnd = this.#oldEnd;
    const recorded = () => this.onRecord();
    const synced = () => this.onSync();
    if (storage.path === BESIDE.journal)
      return new (class extends WrappedStorage {
        override async sync(): Promise<void> {
          await super.sync();
          recorded();
        }
      })(storage);
    if (storage.path !== IMAGE_PATH) return super.wrap(storage);
    return new (class extends WrappedStorage {
      override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
        if (hostOffset < oldEnd) deeds.push("overwrites");
        await super.write(hostOffset, bytes);
      }

      override async resize(size: number): Promise<void> {
        if (size < (await this.size())) deeds.push("overwrites");
        await super.resize(size);
      }

      override async sync(): Promise<void> {
        await super.sync();
        synced();
      }

      override async punch(ranges: RangeSet): Promise<RangeSet> {
        if (ranges.total > 0) deeds.push("overwrites");
        return super.punch(ranges);
      }
    })(storage);
  }

  get overwriteCount(): number {
    return this.deeds.filter((deed) => deed === "overwrites").length;
  }

  get image(): Uint8Array {
    return (this.inner as MemoryVolume).snapshot(IMAGE_PATH);
  }
}

/** The looks right before each write over what was there. */
const lastLooks = ({ deeds }: WatchedVolume) => deeds.filter((_, at) => deeds[at + 1] === "overwrites");

const NOT_COMPACTED = { format: "raw", compact: false } as const;
const RAW = Buffer.alloc(MiB);
RAW.fill(7, 0, 8 * KiB);
RAW.fill(9, 600 * KiB, 650 * KiB);

/** Where a step writes to places that nobody uses below the image's end, or they are given back once it is done. */
const TAKING: Case[] = [
  { name: "raw to vdi", image: RAW, from: "raw", to: "vdi", options: { format: "raw" } },
  { name: "raw to vhdx", image: RAW, from: "raw", to: "vhdx", options: { format: "raw" } },
  { name: "raw to qcow2, not compacted", image: RAW, from: "raw", to: "qcow2", options: NOT_COMPACTED },
  { ...(WAYS[2] as Case), name: "qcow2 to raw", to: "raw" },
];

/** Somebody opens the image once the command has looked, and is seen before what is there goes. */
async function expectSeenAfterFirstLook(volume: WatchedVolume, perform: () => Promise<unknown>): Promise<void> {
  const looked = volume.otherUsers.bind(volume);
  volume.otherUsers = async (storage, look) => {
    const seen = await looked(storage, look);
    volume.isOpen = true;
    return seen;
  };
  expect(await failureOf(perform())).toMatchObject({ kind: "in-use" });
  // A header is written once more as it was found.
  expect(volume.overwriteCount).toBeLessThanOrEqual(1);
}

describe.each([...WAYS, ...TAKING])("$name", ({ image, to, options }) => {
  test("begins with what others have seen, and looks itself before its commit", async () => {
    const volume = new WatchedVolume({ [IMAGE_PATH]: image }, image.length);
    await convert(IMAGE_PATH, to, options, testHost(volume));
    expect(volume.deeds[0]).toBe("shared");
    expect(volume.deeds[1]).toBe("anew");
    expect(lastLooks(volume).length).toBeGreaterThan(0);
    expect(lastLooks(volume)).not.toContain("shared");
  });
});

describe.each(WAYS)("$name", ({ image, to, options }) => {
  test("a look that is shared behind the commit began when that was durable", async () => {
    let clock = 1000;
    const now = vi.spyOn(performance, "now").mockImplementation(() => clock);
    onTestFinished(() => now.mockRestore());
    const volume = new WatchedVolume({ [IMAGE_PATH]: image }, image.length);
    volume.onSync = () => clock++;
    const looked = volume.otherUsers.bind(volume);
    const since: number[] = [];
    volume.otherUsers = (storage, look) => {
      if (typeof look === "object") since.push(look.since - clock);
      return looked(storage, look);
    };
    await convert(IMAGE_PATH, to, options, testHost(volume));
    expect(since).toEqual([-100, 0]);
  });

  test("who opens the image while a record becomes durable has nothing of it overwritten", async () => {
    const runUntil = async (last: number) => {
      const volume = new WatchedVolume({ [IMAGE_PATH]: image }, image.length);
      let records = 0;
      let before = 0;
      volume.onRecord = () => {
        if (++records !== last) return;
        volume.isOpen = true;
        before = volume.overwriteCount;
      };
      const failure = await convert(IMAGE_PATH, to, options, testHost(volume)).catch((error: unknown) => error);
      return { failure, records, since: volume.overwriteCount - before };
    };
    const { records } = await runUntil(Number.POSITIVE_INFINITY);
    expect(records).toBeGreaterThan(2);
    for (let last = 1; last <= records; last++) {
      const { failure, since } = await runUntil(last);
      expect(since).toBe(0);
      if (last < records) expect(failure).toMatchObject({ kind: "in-use" });
    }
  });

  test.each(
    (["prepared", "committed"] as const).flatMap((which) => [
      { name: "resume", recover: resume, which },
      { name: "rollback", recover: rollback, which },
    ]),
  )("$name of what is $which sees who came after its first look", async ({ recover, which }) => {
    const run = (volume: Volume) => convert(IMAGE_PATH, to, options, testHost(volume));
    const volume = new WatchedVolume(await cutAtCommit({ [IMAGE_PATH]: image }, run, which), image.length);
    const before = volume.image;
    await expectSeenAfterFirstLook(volume, () => recover(IMAGE_PATH, {}, testHost(volume)));
    expect(volume.image).toEqual(before);
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

test("who came since the image was settled is looked for before zeros are given back", async () => {
  const volume = new WatchedVolume({ [IMAGE_PATH]: RAW }, RAW.length);
  await convert(IMAGE_PATH, "qcow2", NOT_COMPACTED, testHost(volume));
  expect(volume.deeds.slice(-2)).toEqual(["anew", "overwrites"]);
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

test.each([
  ["resume", resume, "prepared"],
  ["rollback", rollback, "finished"],
] as const)("%s of a repair sees who came after its first look", async (_, recover, state) => {
  const { bytes, at } = buildQcow2Image({ clusterBits: 12 });
  bytes.writeUInt16BE(7, at.refcountBlock + (at.l2 / at.clusterSize) * 2);
  const made = new MemoryVolume({ [IMAGE_PATH]: bytes });
  const stop = new AbortController();
  const options = { repair: "all", keepUndo: true, signal: stop.signal } as const;
  if (state === "finished") await check(IMAGE_PATH, options, testHost(made));
  else {
    const onJournal = () => stop.abort();
    await failureOf(check(IMAGE_PATH, { ...options, onJournal }, testHost(made)));
  }
  const volume = new WatchedVolume(made.snapshots(), bytes.length);
  const before = volume.image;
  await expectSeenAfterFirstLook(volume, () => recover(IMAGE_PATH, {}, testHost(volume)));
  expect(volume.image).toEqual(before);
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
