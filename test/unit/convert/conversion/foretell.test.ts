/** A plan refuses wherever the run would, for the same reasons, all at once, and writes nothing. */

import { link, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { imageNamed, say, type Words } from "../../../../src/bytes/sentence.ts";
import { convert, plan } from "../../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../../src/convert/options/options.ts";
import type { ConversionReport } from "../../../../src/convert/report/report.ts";
import type { Host } from "../../../../src/convert/session/host.ts";
import { reasonsOf } from "../../../../src/convert/session/surroundings.ts";
import { journalNamesOf } from "../../../../src/journal/names.ts";
import { FileVolume } from "../../../../src/storage/file/file-volume.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import type { Storage, WritableStorage } from "../../../../src/storage/storage.ts";
import { buildQcow2Image } from "../../../formats/qcow2/builder.ts";
import { buildQcow2Layer } from "../../../formats/qcow2/layer.ts";
import { buildQedImage } from "../../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { RecordingVolume } from "../../../support/recording-volume.ts";
import { WrappedVolume } from "../../../support/wrapped-volume.ts";

const CLUSTER = 4096;
const qed = buildQedImage({ virtualSize: 40 * CLUSTER, data: [0, 1, 5, 9] });
const NAMES = journalNamesOf(IMAGE_PATH);

/** The reasons of a plan, having seen that the dry run and the run refuse for them too. */
async function refusedBy(path: string, options: ConvertOptions, hostNow: () => Host): Promise<readonly string[]> {
  const { report, text } = await plan(path, "qcow2", options, hostNow());
  const { refused } = report;
  expect(refused.length).toBeGreaterThan(0);
  for (const reason of refused) expect(text).toContain(reason);
  const dry = await failureOf(convert(path, "qcow2", { ...options, dryRun: true }, hostNow()));
  expect(dry.reasons).toEqual(refused);
  const run = await failureOf(convert(path, "qcow2", options, hostNow()));
  // A run stops where it meets the first of them.
  const met = run.reasons.length > 0 ? run.reasons : refused.filter((reason) => run.message.endsWith(reason));
  expect(met.length).toBeGreaterThan(0);
  for (const reason of met) expect(refused).toContain(reason);
  return refused;
}

/** In memory; also sees that the plan changed nothing, and that nothing was opened for writing but a journal. */
async function refusedInMemory(
  files: Readonly<Record<string, Uint8Array>>,
  options: ConvertOptions = {},
  arrange: (volume: MemoryVolume) => void = () => {},
  isAlive?: boolean,
): Promise<readonly string[]> {
  const fresh = () => {
    const volume = new RecordingVolume(files);
    arrange(volume.memory);
    return volume;
  };
  const hostOf = (volume: RecordingVolume): Host => {
    const host = testHost(volume);
    return isAlive === undefined ? host : { ...host, processes: { ...host.processes, isAlive: () => isAlive } };
  };
  const volume = fresh();
  await plan(IMAGE_PATH, "qcow2", options, hostOf(volume));
  expect(volume.operations.filter(({ kind }) => kind !== "open")).toEqual([]);
  expect(volume.operations).not.toContainEqual(expect.objectContaining({ path: IMAGE_PATH, access: "writing" }));
  expect(Object.keys(volume.memory.snapshots())).toEqual(Object.keys(files));
  return refusedBy(IMAGE_PATH, options, () => hostOf(fresh()));
}

async function interrupted(): Promise<Record<string, Uint8Array>> {
  const volume = new MemoryVolume({ [IMAGE_PATH]: qed.bytes });
  const stop = new AbortController();
  const options: ConvertOptions = { signal: stop.signal, onProgress: ({ stage }) => stage === "write" && stop.abort() };
  await failureOf(convert(IMAGE_PATH, "qcow2", options, testHost(volume)));
  expect(volume.has(NAMES.journal)).toBe(true);
  return volume.snapshots();
}

async function withUndo(): Promise<Record<string, Uint8Array>> {
  const volume = new MemoryVolume({ [IMAGE_PATH]: qed.bytes });
  await convert(IMAGE_PATH, "qcow2", { keepUndo: true }, testHost(volume));
  return volume.snapshots();
}

const lock = new TextEncoder().encode(
  JSON.stringify({ pid: 7, hostName: "here", bootId: "", startTime: "", nonce: "n" }),
);

describe("a plan refuses", () => {
  test("an image that a living command works on, and not one whose owner is dead", async () => {
    const files = { [IMAGE_PATH]: qed.bytes, [NAMES.lock]: lock };
    expect(await refusedInMemory(files, {}, undefined, true)).toEqual([
      `Cannot work on ${IMAGE_PATH}: ${NAMES.lock} is held by process 7 on here`.replace(/^[^:]*: /, ""),
    ]);
    const { report } = await plan(IMAGE_PATH, "qcow2", {}, testHost(new MemoryVolume(files)));
    expect(report.refused).toEqual([]);
  });

  test("an interrupted conversion, and a kept undo", async () => {
    expect(await refusedInMemory(await interrupted())).toEqual([
      expect.stringMatching(/^a conversion of it was interrupted; .*inplace-convert resume /),
    ]);
    expect(await refusedInMemory(await withUndo())).toEqual([
      expect.stringMatching(/^the undo of a conversion is kept beside it; .*inplace-convert rollback /),
    ]);
  });

  test("unless its caller ends that first", async () => {
    for (const files of [await interrupted(), await withUndo()]) {
      const { report } = await plan(IMAGE_PATH, "qcow2", { ignoreUnfinished: true }, testHost(new MemoryVolume(files)));
      expect(report.refused).toEqual([]);
    }
  });

  test("an image that someone has open, telling what could not be looked at", async () => {
    const users = { found: ["QEMU has it open", "it is attached to /dev/loop3"], blind: ["locks elsewhere"] };
    const arrange = (volume: MemoryVolume) => {
      volume.users = users;
    };
    expect(await refusedInMemory({ [IMAGE_PATH]: qed.bytes }, {}, arrange)).toEqual(users.found);
    const volume = new MemoryVolume({ [IMAGE_PATH]: qed.bytes });
    arrange(volume);
    const { report } = await plan(IMAGE_PATH, "qcow2", {}, testHost(volume));
    expect(report.notes).toEqual(users.blind);
  });

  test("a file or folder that can't be written", async () => {
    const arrange = (volume: MemoryVolume) => {
      volume.obstacles = [
        new ImageError("unsupported", say`Cannot convert ${imageNamed(IMAGE_PATH)} in place`, {
          because: "the file has 2 names",
        }),
        new ImageError("io", say`Cannot open ${imageNamed(IMAGE_PATH)}`, { because: "permission denied (EACCES)" }),
      ];
      volume.obstacle = new ImageError("io", `Cannot create ${NAMES.lock}: permission denied (EACCES)`);
    };
    expect(await refusedInMemory({ [IMAGE_PATH]: qed.bytes }, {}, arrange)).toEqual([
      `Cannot create ${NAMES.lock}: permission denied (EACCES)`,
      "the file has 2 names",
      "permission denied (EACCES)",
    ]);
  });

  test("too little space: what is allowed, what is free, and both", async () => {
    const files = { [IMAGE_PATH]: qed.bytes };
    const small = (volume: MemoryVolume) => {
      volume.free = 10;
    };
    const allowed = expect.stringMatching(/^it takes \d+ bytes for a while, more than the 1 allowed$/);
    const free = expect.stringMatching(/^it takes \d+ bytes for a while, and only 10 are free beside it$/);
    expect(await refusedInMemory(files, { maxExtraSpace: 1 })).toEqual([allowed]);
    expect(await refusedInMemory(files, {}, small)).toEqual([free]);
    expect(await refusedInMemory(files, { maxExtraSpace: 1 }, small)).toEqual([allowed, free]);
  });

  test.each(["sha256", "blkhash-sha256", "none"] as const)(
    "another guest than expected, with checksum %s",
    async (checksum) => {
      const guestChecksum = { algorithm: "sha256", hex: "AB".repeat(32) } as const;
      expect(await refusedInMemory({ [IMAGE_PATH]: qed.bytes }, { guestChecksum, checksum })).toEqual([
        expect.stringMatching(new RegExp(`^its guest's checksum is [0-9a-f]{64}, expected ${"ab".repeat(32)}$`)),
      ]);
    },
  );

  test("a name for the journal that is taken", async () => {
    const files = { [IMAGE_PATH]: qed.bytes, "/vm/journal": Buffer.from("not ours") };
    expect(await refusedInMemory(files, { journal: "/vm/journal" })).toEqual([
      expect.stringContaining("/vm/journal exists; move it away"),
    ]);
  });

  test("backing files that consent doesn't cover", async () => {
    const image = buildQcow2Layer({ virtualSize: CLUSTER, backingName: "gone.raw", backingFormat: "raw" });
    const options = { backingChain: true, options: { cluster_size: "4k" } };
    expect(await refusedInMemory({ [IMAGE_PATH]: image }, options)).toEqual([expect.stringContaining("gone.raw")]);
  });

  test("a backing file whose tables can't be followed", async () => {
    const image = buildQcow2Layer({ virtualSize: 3 * CLUSTER, backingName: "base.qcow2", backingFormat: "qcow2" });
    const { bytes: base, at } = buildQcow2Image({ clusterBits: 12 });
    base.writeBigUInt64BE((1n << 63n) | BigInt(at.data + 512), at.l2);
    const options = { backingChain: true, options: { cluster_size: "4k" } };
    expect(await refusedInMemory({ [IMAGE_PATH]: image, "/vm/base.qcow2": base }, options)).toEqual([
      expect.stringMatching(/L2|aligned/),
    ]);
  });

  test("for all reasons at once, those of the image too", async () => {
    const encrypted = buildQcow2Layer({ virtualSize: CLUSTER, encryption: 1 });
    const arrange = (volume: MemoryVolume) => {
      volume.users = { found: ["QEMU has it open"], blind: [] };
      volume.obstacles = [
        new ImageError("unsupported", say`Cannot convert ${imageNamed(IMAGE_PATH)} in place`, {
          because: "the file has 2 names",
        }),
      ];
    };
    const refused = await refusedInMemory(
      { [IMAGE_PATH]: encrypted, [NAMES.lock]: lock },
      { options: { cluster_size: "4k" } },
      arrange,
      true,
    );
    expect(refused).toEqual([
      expect.stringContaining("is held by process 7"),
      "the file has 2 names",
      "QEMU has it open",
      expect.stringContaining("encryption"),
    ]);
  });
});

test("an image that can't be read at all is refused with what else is known", async () => {
  const volume = new MemoryVolume({ [IMAGE_PATH]: Buffer.from("no image") });
  volume.users = { found: ["QEMU has it open"], blind: [] };
  const error = await failureOf(plan(IMAGE_PATH, "qcow2", {}, testHost(volume)));
  expect(error).toMatchObject({
    kind: "not-this-format",
    reasons: ["QEMU has it open", expect.stringMatching(/magic/)],
  });
});

test("a reason is what comes after the image's name, however short that is", () => {
  const reasons = (path: string, what: Words, because: string) =>
    reasonsOf(new ImageError("io", what, { because }), path).map(String);
  const its = "the file has 2 names";
  expect(reasons("a", say`Cannot convert ${imageNamed("a")} in place`, its)).toEqual([its]);
  expect(reasons("o", say`Cannot work on ${imageNamed("o")}`, "o.inplace-lock is held")).toEqual([
    "o.inplace-lock is held",
  ]);
  expect(reasons("a: b", say`Cannot open ${imageNamed("a: b")}`, "it is a folder")).toEqual(["it is a folder"]);
  const other = "Cannot create a.inplace-lock: permission denied";
  expect(reasons("a", say`Cannot create ${imageNamed("a.inplace-lock")}`, "permission denied")).toEqual([other]);
  const advised = new ImageError("io", say`Cannot open ${imageNamed("a")}`, { because: its, remedy: "copy it" });
  expect(reasonsOf(advised, "a").map(String)).toEqual([`${its}; copy it`]);
});

/** Remembers which bytes are read. */
class ReadingVolume extends WrappedVolume {
  readonly read = new Set<number>();

  override async openForReading(path: string): Promise<Storage> {
    const storage = (await super.openForReading(path)) as WritableStorage;
    const { read } = this;
    return {
      path,
      size: () => storage.size(),
      close: () => storage.close(),
      async read(hostOffset, into) {
        for (let at = hostOffset; at < hostOffset + into.length; at += CLUSTER) read.add(Math.floor(at / CLUSTER));
        return storage.read(hostOffset, into);
      },
    };
  }
}

test("guest data is read only for a checksum that is asked for", async () => {
  const dataClusters = [...qed.dataOffsets.values()].map((hostOffset) => hostOffset / CLUSTER);
  const readOf = async (options: ConvertOptions) => {
    const volume = new ReadingVolume(new MemoryVolume({ [IMAGE_PATH]: qed.bytes }));
    await plan(IMAGE_PATH, "qcow2", options, testHost(volume));
    return dataClusters.filter((cluster) => volume.read.has(cluster));
  };
  // The end of the file may be looked at.
  expect((await readOf({ maxExtraSpace: 1 })).length).toBeLessThan(2);
  expect(await readOf({ guestChecksum: { algorithm: "sha256", hex: "ab".repeat(32) } })).toEqual(dataClusters);
});

describe("on a real file system", () => {
  async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "inplace-foretell-"));
    try {
      await act(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  const here = () => ({ ...testHost(new FileVolume()) });

  async function untouched(folder: string, act: () => Promise<unknown>): Promise<void> {
    const [names, before] = [await readdir(folder), await stat(folder, { bigint: true })];
    await act();
    expect(await readdir(folder)).toEqual(names);
    expect((await stat(folder, { bigint: true })).mtimeNs).toBe(before.mtimeNs);
  }

  test("links: the symbolic one by its own words, the hard one by the number of names", async () => {
    await inFolder(async (folder) => {
      const image = join(folder, "disk.qed");
      await writeFile(image, qed.bytes);
      await symlink("disk.qed", join(folder, "link"));
      await untouched(folder, () => plan(join(folder, "link"), "qcow2", {}, here()));
      expect(await refusedBy(join(folder, "link"), {}, here)).toEqual([
        "it is a symbolic link; name the file that it points to",
      ]);
      await link(image, join(folder, "other"));
      await untouched(folder, () => plan(image, "qcow2", {}, here()));
      expect(await refusedBy(image, {}, here)).toEqual([
        "the file has 2 names (hard links); copy it to one of its own",
      ]);
    });
  });

  test("a name that leaves no room for the longest one beside it", async () => {
    await inFolder(async (folder) => {
      for (const length of [240, 250]) {
        const image = join(folder, "n".repeat(length));
        await writeFile(image, qed.bytes);
        await untouched(folder, () => plan(image, "qcow2", {}, here()));
        expect(await refusedBy(image, {}, here)).toEqual([expect.stringMatching(/^its name is too long /)]);
        expect((await readdir(folder)).length).toBe(1);
        await rm(image);
      }
      const image = join(folder, "n".repeat(239));
      await writeFile(image, qed.bytes);
      const { report } = await plan(image, "qcow2", {}, here());
      expect(report.refused).toEqual([]);
    });
  });

  test("a journal in a folder that isn't there", async () => {
    await inFolder(async (folder) => {
      const image = join(folder, "disk.qed");
      await writeFile(image, qed.bytes);
      const journal = join(folder, "gone/journal");
      expect(await refusedBy(image, { journal }, here)).toEqual([
        expect.stringContaining("it does not exist (ENOENT); make it first"),
      ]);
    });
  });

  test("what is as it should be is planned, and nothing of it changes", async () => {
    await inFolder(async (folder) => {
      const image = join(folder, "disk.qed");
      await writeFile(image, qed.bytes);
      let report: ConversionReport | undefined;
      await untouched(folder, async () => {
        report = (await plan(image, "qcow2", {}, here())).report;
      });
      expect(report?.refused).toEqual([]);
    });
  });
});
