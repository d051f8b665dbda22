/** Options are read once, as they were when the call was made: what was looked at is what is used. */

import { afterEach, describe, expect, test } from "vitest";
import { UsageError } from "../../../src/bytes/image-error.ts";
import { check } from "../../../src/convert/check.ts";
import { convert, plan } from "../../../src/convert/convert.ts";
import { usageMistakes } from "../../../src/convert/options/usage.ts";
import { checksum } from "../../../src/convert/reading/checksum.ts";
import { compare } from "../../../src/convert/reading/compare.ts";
import { info } from "../../../src/convert/reading/info.ts";
import { map } from "../../../src/convert/reading/map.ts";
import { unfinished } from "../../../src/convert/reading/unfinished.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { refuseTakenName, renameImage } from "../../../src/convert/rename.ts";
import { setmap } from "../../../src/convert/setmap.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { testHost } from "../../support/crash-scenario.ts";

const { bytes } = buildQedImage({ virtualSize: 16384, data: [0], leaks: 2 });
/** A repair of it writes. */
const unclean = buildQedImage({ virtualSize: 16384, data: [0], features: 2n }).bytes;
const freshVolume = (disk = bytes) => new MemoryVolume({ disk });

async function isUntouched(volume: MemoryVolume, bytes: Uint8Array): Promise<boolean> {
  const storage = await volume.openForReading("disk");
  const found = new Uint8Array(await storage.size());
  await storage.read(0, found);
  return Buffer.compare(found, bytes) === 0;
}

/** `first` to whoever asks first, `then` to all others. */
function turning(name: string, first: unknown, then: unknown): never {
  let asked = 0;
  return {
    get [name]() {
      return asked++ === 0 ? first : then;
    },
  } as never;
}

test("a repair that was asked for writes", async () => {
  const volume = freshVolume(unclean);
  await check("disk", { repair: "all" }, testHost(volume));
  expect(await isUntouched(volume, unclean)).toBe(false);
});

describe("another value at the second look", () => {
  test("is no consent to repair", async () => {
    for (const later of ["all", "leaks"]) {
      const volume = freshVolume(unclean);
      await check("disk", turning("repair", "none", later), testHost(volume));
      expect(await isUntouched(volume, unclean)).toBe(true);
    }
  });

  test("doesn't end a dry run", async () => {
    const volume = freshVolume();
    await convert("disk", "qcow2", turning("dryRun", true, false), testHost(volume));
    expect(await isUntouched(volume, bytes)).toBe(true);
  });

  test("labels no digest wrongly", async () => {
    const { algorithm } = await checksum("disk", turning("algorithm", "sha256", "md5"), freshVolume());
    expect(algorithm).toBe("sha256");
  });
});

test("what the caller does to the options after the call changes nothing", async () => {
  const volume = freshVolume();
  const options = { dryRun: true, drop: ["bitmaps" as string], options: { cluster_size: "64k" as string } };
  const running = convert("disk", "qcow2", options as never, testHost(volume));
  Object.assign(options, { dryRun: false });
  options.drop.length = 0;
  options.options.cluster_size = "3";
  expect((await running).clusterSize).toBe(65536);
  expect(await isUntouched(volume, bytes)).toBe(true);
});

test("a signal is asked again and again, whatever object it is", async () => {
  let asked = 0;
  const signal = {
    get aborted() {
      return asked++ > 3;
    },
  } as AbortSignal;
  const volume = freshVolume();
  await expect(convert("disk", "qcow2", { signal }, testHost(volume))).rejects.toThrow(/as asked/);
});

describe("what every object inherits", () => {
  afterEach(() => {
    Reflect.deleteProperty(Object.prototype, "repair");
  });

  test("is no consent", async () => {
    Object.assign(Object.prototype, { repair: "all" });
    for (const options of [undefined, {}, Object.freeze({ keepUndo: true })]) {
      const volume = freshVolume(unclean);
      await check("disk", options, testHost(volume));
      expect(await isUntouched(volume, unclean)).toBe(true);
    }
  });
});

test("a hidden option is an option", async () => {
  const hidden = (name: PropertyKey, value: unknown) => Object.defineProperty({}, name, { value }) as never;
  await expect(check("disk", hidden("repair", true), testHost(freshVolume()))).rejects.toThrow(/repair/);
  await expect(check("disk", hidden(Symbol("repair"), "all"), testHost(freshVolume()))).rejects.toThrow(
    /Symbol\(repair\)/,
  );
});

/** Anything that throws when it is looked at. */
const unreadable: readonly unknown[] = [
  Proxy.revocable({}, {}),
  {
    get repair() {
      throw new Error("not today");
    },
  },
  {
    get keepUndo() {
      throw null;
    },
  },
].map((value) => {
  if ("revoke" in value) value.revoke();
  return "proxy" in value ? value.proxy : value;
});

test("options that can't be read are a wrong use", async () => {
  const [revoked] = unreadable;
  for (const options of [
    ...unreadable,
    { drop: revoked },
    { options: revoked },
    { guestChecksum: revoked },
    { format: revoked },
  ]) {
    const wrong = options as never;
    const volume = freshVolume();
    const host = testHost(volume);
    for (const ask of [
      () => convert("disk", "qcow2", wrong, host),
      () => plan("disk", "qcow2", wrong, host),
      () => check("disk", wrong, host),
      () => checksum("disk", wrong, volume),
      () => compare("disk", "disk", wrong, volume),
      () => info("disk", wrong, volume),
      () => map("disk", wrong, volume),
      () => resume("disk", wrong, host),
      () => rollback("disk", wrong, host),
      () => setmap("disk", 0, 4096, 4096, wrong, host),
    ]) {
      await expect(ask()).rejects.toBeInstanceOf(UsageError);
    }
    expect(usageMistakes("qcow2", wrong)).not.toEqual([]);
    expect(await isUntouched(volume, bytes)).toBe(true);
  }
  const volume = freshVolume();
  const host = testHost(volume);
  const path = revoked as never;
  for (const ask of [
    () => convert(path, "qcow2", {}, host),
    () => check(path, {}, host),
    () => compare("disk", path, {}, volume),
    () => setmap("disk", path, 0, 4096, {}, host),
    () => unfinished(path, volume),
    () => renameImage("disk", path, host),
    () => refuseTakenName(path, "new", volume),
  ]) {
    await expect(ask()).rejects.toBeInstanceOf(UsageError);
  }
});

test("a target format of any kind is told in a sentence", async () => {
  const names = [
    Symbol("qcow2"),
    Object.create(null),
    { toString: () => "qcow2" },
    ["qcow2"],
    unreadable[0],
    5,
    null,
    "",
  ];
  for (const name of names) {
    const volume = freshVolume();
    for (const ask of [convert, plan]) {
      await expect(ask("disk", name as never, {}, testHost(volume))).rejects.toBeInstanceOf(UsageError);
    }
    expect(usageMistakes(name as never)).toEqual([expect.stringMatching(/^Cannot use /)]);
    expect(await isUntouched(volume, bytes)).toBe(true);
  }
});
