/** What callers without types hand over: one UsageError, and nothing is opened, read or written. */

import { describe, expect, test } from "vitest";
import { UsageError } from "../../../../src/bytes/image-error.ts";
import { check } from "../../../../src/convert/check.ts";
import { compact } from "../../../../src/convert/compact.ts";
import { convert, plan } from "../../../../src/convert/convert.ts";
import { makeDemoImage } from "../../../../src/convert/demo-image.ts";
import { usageMistakes } from "../../../../src/convert/options/usage.ts";
import { crossCheckMistake } from "../../../../src/convert/proof/cross-check.ts";
import { checksum } from "../../../../src/convert/reading/checksum.ts";
import { compare } from "../../../../src/convert/reading/compare.ts";
import { info } from "../../../../src/convert/reading/info.ts";
import { map } from "../../../../src/convert/reading/map.ts";
import { unfinished } from "../../../../src/convert/reading/unfinished.ts";
import { resume, rollback } from "../../../../src/convert/recover.ts";
import { refuseTakenName, renameImage } from "../../../../src/convert/rename.ts";
import { setmap } from "../../../../src/convert/setmap.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import type { Volume } from "../../../../src/storage/storage.ts";
import { buildQedImage } from "../../../formats/qed/builder.ts";
import { testHost } from "../../../support/crash-scenario.ts";

/** Whatever is called of it is remembered. */
function watched(): { readonly volume: Volume; readonly calls: string[] } {
  const calls: string[] = [];
  const memory = new MemoryVolume({ disk: buildQedImage({ virtualSize: 16384, data: [0], leaks: 2 }).bytes });
  const volume = new Proxy<Volume>(memory, {
    get(target, name: keyof Volume) {
      const value = target[name];
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        calls.push(name);
        return (value as (...words: unknown[]) => unknown).apply(target, given);
      };
    },
  });
  return { volume, calls };
}

type Call = (path: never, options: never, volume: Volume) => Promise<unknown>;

const functions: Readonly<Record<string, Call>> = {
  convert: (path, options, volume) => convert(path, "qcow2", options, testHost(volume)),
  plan: (path, options, volume) => plan(path, "qcow2", options, testHost(volume)),
  compact: (path, options, volume) => compact(path, options, testHost(volume)),
  check: (path, options, volume) => check(path, options, testHost(volume)),
  resume: (path, options, volume) => resume(path, options, testHost(volume)),
  rollback: (path, options, volume) => rollback(path, options, testHost(volume)),
  setmap: (path, options, volume) => setmap(path, 0, 4096, 4096, options, testHost(volume)),
  checksum: (path, options, volume) => checksum(path, options, volume),
  "compare, first": (path, options, volume) => compare(path, "disk", options, volume),
  "compare, second": (path, options, volume) => compare("disk", path, options, volume),
  info: (path, options, volume) => info(path, options, volume),
  map: (path, options, volume) => map(path, options, volume),
};

/** Where a name leads is looked up by `looks`; nothing is opened or made. */
async function refused(call: Call, path: unknown, options: unknown, looks: readonly string[] = []): Promise<string> {
  const { volume, calls } = watched();
  const error = await call(path as never, options as never, volume).then(
    (value) => value,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UsageError);
  expect(calls.filter((name) => !looks.includes(name))).toEqual([]);
  return (error as UsageError).message;
}

const NO_FLAGS = ["true", "false", "", 0, 1, null, {}, []];
const NO_TEXTS = ["", 7, null, false, {}, ["disk"], "a\0b"];
const NO_FUNCTIONS = ["log", null, true, {}];
const NO_SIGNALS = [true, "stop", null, {}, new AbortController()];
const NO_FORMATS = ["", "floppy", 2, null, true, ["qed"]];
const NO_ALGORITHMS = ["md5", "SHA256", "", null, true, 256];

const openOptions = { format: NO_FORMATS, backingChain: NO_FLAGS, onProgress: NO_FUNCTIONS, signal: NO_SIGNALS };
const recoveryOptions = { onProgress: NO_FUNCTIONS, signal: NO_SIGNALS };
const writingOptions = {
  ...openOptions,
  keepUndo: NO_FLAGS,
  layout: NO_FLAGS,
  journal: NO_TEXTS,
  onJournal: NO_FUNCTIONS,
  crossCheck: ["maybe", "", null, true, false],
};
const NO_SIZES = ["1k", "1024", "", null, Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5, 2 ** 60, 10n];
const compactOptions = {
  ...writingOptions,
  check: NO_FLAGS,
  sparseSize: [...NO_SIZES, 1, 1000, 4097],
  maxExtraSpace: NO_SIZES,
  compact: [true],
  keepLeaks: [true],
  drop: [["leaks"]],
};
const convertOptions = {
  ...writingOptions,
  dryRun: NO_FLAGS,
  check: NO_FLAGS,
  keepLeaks: NO_FLAGS,
  compress: NO_FLAGS,
  compact: NO_FLAGS,
  allowProbedGuest: NO_FLAGS,
  reproducible: NO_FLAGS,
  sparseSize: [...NO_SIZES, 1, 1000, 4097],
  allowDataLoss: [true],
  checksum: NO_ALGORITHMS,
  verify: ["half", "", null, true],
  maxExtraSpace: NO_SIZES,
  drop: ["bitmaps", new Set(["bitmaps"]), ["bitmap"], ["bitmaps", ""], [null], null, true, { bitmaps: true }],
  options: [
    "cluster_size=64k",
    null,
    new Map([["cluster_size", "64k"]]),
    ["cluster_size=64k"],
    { cluster_size: 65536 },
    { lazy_refcounts: true },
    { cluster_size: "3x" },
    { color: "red" },
  ],
  guestChecksum: [
    "ab".repeat(32),
    null,
    { algorithm: "md5", hex: "ab".repeat(16) },
    { algorithm: "sha256", hex: "ab" },
    { algorithm: "sha256" },
    { hex: "ab".repeat(32) },
    { algorithm: "sha256", hex: "ab".repeat(32), covers: "guest" },
  ],
};

const wrongOptions: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> = {
  convert: convertOptions,
  plan: convertOptions,
  compact: compactOptions,
  check: {
    ...writingOptions,
    repair: [false, true, "off", null, "", "ALL", "leak", 1, ["all"], {}],
    allowDataLoss: NO_FLAGS,
    forceShare: NO_FLAGS,
    onFinding: NO_FUNCTIONS,
    drop: [["snapshots"]],
  },
  resume: { ...recoveryOptions, format: ["qed"] },
  rollback: { ...recoveryOptions, format: ["qed"] },
  setmap: { ...openOptions, keepUndo: [true] },
  checksum: { ...openOptions, algorithm: NO_ALGORITHMS, checksum: ["sha256"] },
  "compare, first": { ...openOptions, formatA: NO_FORMATS, formatB: NO_FORMATS, format: ["qed"] },
  info: openOptions,
  map: openOptions,
};

describe("a wrong option", () => {
  const cases = Object.entries(wrongOptions).flatMap(([name, options]) =>
    Object.entries(options).map(([option, values]) => [name, option, values] as const),
  );
  test.each(cases)("%s: %s", async (name, option, values) => {
    for (const value of values) {
      const message = await refused(functions[name] as Call, "disk", { [option]: value });
      expect(message).toMatch(/^Cannot /);
    }
  });

  test.each(Object.entries(functions))("%s: options that are none, and keys that nobody knows", async (_name, call) => {
    for (const options of [
      null,
      "all",
      5,
      true,
      [],
      new Map(),
      new (class Options {})(),
      Object.create({ repair: "all" }),
    ]) {
      await refused(call, "disk", options);
    }
    await refused(call, "disk", Object.create(Object.assign(Object.create(null), { repair: "all" })));
    for (const key of ["bogus", "keep-undo", "Repair", "toString", "__proto"]) {
      expect(await refused(call, "disk", { [key]: true })).toContain(key);
    }
  });

  test("all of them are told at once", async () => {
    const options = { keepUndo: "yes", verify: "half", options: { color: "red" }, drop: ["all"], bogus: 1 };
    const message = await refused(functions.convert as Call, 5, options);
    for (const word of ["path", "keepUndo", "verify", "color", "drop all", "bogus"]) expect(message).toContain(word);
    expect(usageMistakes("qcow2", options as never)).toHaveLength(5);
  });
});

describe("a wrong path", () => {
  test.each(Object.entries(functions))("%s", async (_name, call) => {
    for (const path of [...NO_TEXTS, undefined, Buffer.from("disk"), new URL("file:///disk")]) {
      await refused(call, path, {});
    }
  });

  test("of what takes no options", async () => {
    for (const path of [...NO_TEXTS, undefined]) {
      const { volume, calls } = watched();
      const asked = [
        unfinished(path as never, volume),
        renameImage(path as never, "new", testHost(volume)),
        renameImage("disk", path as never, testHost(volume)),
        refuseTakenName("disk", path as never, volume),
        makeDemoImage(path as never),
      ];
      for (const call of asked) await expect(call).rejects.toBeInstanceOf(UsageError);
      expect(calls).toEqual([]);
    }
  });
});

test("a wrong target format, offset or wish", async () => {
  for (const format of [...NO_FORMATS, undefined]) {
    const { volume, calls } = watched();
    for (const ask of [convert, plan]) {
      await expect(ask("disk", format as never, {}, testHost(volume))).rejects.toBeInstanceOf(UsageError);
    }
    expect(calls).toEqual([]);
  }
  for (const wrong of ["0", "64k", -4096, Number.NaN, 0.5, null, undefined, 0n]) {
    const { volume, calls } = watched();
    for (const [guest, host, length] of [
      [wrong, 4096, 4096],
      [0, wrong, 4096],
      [0, 4096, wrong],
    ]) {
      const call = setmap("disk", guest as never, host as never, length as never, {}, testHost(volume));
      await expect(call).rejects.toBeInstanceOf(UsageError);
    }
    expect(calls).toEqual([]);
  }
  await expect(crossCheckMistake("maybe" as never)).rejects.toBeInstanceOf(UsageError);
});

test("a journal in one of the image's own names is told before anything is opened", async () => {
  for (const journal of ["disk", "disk.inplace-lock", "./disk.inplace-undo"]) {
    const looks = ["realFolderOf", "facts"];
    await refused(functions.convert as Call, "disk", { journal }, looks);
    await refused(functions.plan as Call, "disk", { journal }, looks);
    await refused(functions.check as Call, "disk", { journal, repair: "all" }, looks);
  }
});

test("what is unfinished is ignored by plans and dry runs alone", async () => {
  await refused(functions.convert as Call, "disk", { ignoreUnfinished: true });
  const { volume } = watched();
  await convert("disk", "qcow2", { ignoreUnfinished: true, dryRun: true }, testHost(volume));
});

test("what is right passes, and what is undefined is left out", async () => {
  const { volume } = watched();
  const before = await (volume as MemoryVolume).openForReading("disk");
  const size = await before.size();
  const { verdict, changed } = await check(
    "disk",
    { repair: undefined, keepUndo: undefined } as never,
    testHost(volume),
  );
  expect({ verdict, changed }).toEqual({ verdict: "leaks", changed: false });
  expect(await before.size()).toBe(size);
  const options = {
    drop: ["leaks", "bitmaps", "snapshots"],
    maxExtraSpace: 2 ** 30,
    format: undefined,
    checksum: "sha256",
  };
  const report = await convert("disk", "qcow2", Object.assign(Object.create(null), options), testHost(volume));
  expect(report.guestChecksum?.algorithm).toBe("sha256");
});

test("what -o says of a source is known to each command that opens one, and no more of -o", async () => {
  for (const name of ["info", "map", "checksum", "check"]) {
    const call = functions[name] as Call;
    for (const wrong of ["size_from=chs", null, { size_from: 1 }]) await refused(call, "disk", { options: wrong });
    expect(await refused(call, "disk", { options: { size_from: "both" } })).toContain("expected current or chs");
    expect(await refused(call, "disk", { options: { table_size: "2" } })).toContain(
      "option table_size: it says nothing",
    );
  }
  await refused(functions["compare, first"] as Call, "disk", { options: { size_from: "chs" } });
  const { volume } = watched();
  const ofQed = { options: { size_from: "chs" } };
  for (const name of Object.keys({ info, plan, convert })) {
    await expect((functions[name] as Call)("disk" as never, ofQed as never, volume)).rejects.toThrow(UsageError);
  }
});

test("a source's options are none of the target's, whose mistakes are told beside them", () => {
  expect(usageMistakes("qcow2", { options: { size_from: "chs", compat: "1.1" } })).toEqual([]);
  expect(usageMistakes("qcow2", { options: { size_from: "half", compat: "2" } })).toHaveLength(2);
});
