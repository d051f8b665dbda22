/** The corpus: what is accepted keeps its guest, what is refused is refused by name with nothing written. */

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GiB } from "../../src/bytes/align.ts";
import { ImageError } from "../../src/bytes/image-error.ts";
import { convert, plan } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { checksum } from "../../src/convert/reading/checksum.ts";
import { info } from "../../src/convert/reading/info.ts";
import { map } from "../../src/convert/reading/map.ts";
import { type Host, thisHost } from "../../src/convert/session/host.ts";
import { MemoryVolume } from "../../src/storage/memory.ts";
import { type CorpusCase, kindOf } from "../corpus/case.ts";
import { corpus } from "../corpus/make.ts";
import { testHost } from "../support/crash-scenario.ts";
import { sampled } from "../support/oracle-sample.ts";
import { assertClean, run } from "../support/qemu-tools.ts";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-corpus-"));
  path = join(folder, "disk.img");
});
afterEach(() => rm(folder, { recursive: true }));

const named = ({ format }: CorpusCase) => (format === undefined ? {} : { format });

const filesOf = ({ bytes, beside }: CorpusCase) => ({ ...beside, "disk.img": bytes });

async function put(case_: CorpusCase): Promise<void> {
  for (const [name, bytes] of Object.entries(filesOf(case_))) await writeFile(join(folder, name), bytes);
}

/** Where a case lies while it is tried: in files, where QEMU is asked of it as well, else in memory. */
interface Place {
  readonly host: Host;
  put(case_: CorpusCase): Promise<void>;
  filesNow(): Promise<Record<string, Uint8Array>>;
}

function inFiles(): Place {
  return {
    host: thisHost(),
    put,
    filesNow: async () =>
      Object.fromEntries(
        await Promise.all((await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name))])),
      ),
  };
}

function inMemory(case_: CorpusCase): Place {
  const place = (given: CorpusCase) =>
    new MemoryVolume(
      Object.fromEntries(Object.entries(filesOf(given)).map(([name, bytes]) => [join(folder, name), bytes])),
    );
  let volume = place(case_);
  return {
    get host() {
      return testHost(volume);
    },
    put: async (given) => {
      volume = place(given);
    },
    filesNow: async () =>
      Object.fromEntries(Object.entries(volume.snapshots()).map(([name, bytes]) => [relative(folder, name), bytes])),
  };
}

async function expectUntouched(case_: CorpusCase, place: Place): Promise<void> {
  const now = await place.filesNow();
  expect(Object.keys(now).sort()).toEqual(Object.keys(filesOf(case_)).sort());
  for (const [name, bytes] of Object.entries(filesOf(case_)))
    expect(Buffer.compare(now[name] as Uint8Array, bytes), name).toBe(0);
}

/** What QEMU says of a case changes with no work of ours: of every fourth it is asked, of all with ORACLE=all. */
const asked = new Set(sampled(corpus, 4));
const asksQemu = (case_: CorpusCase) => asked.has(case_);

async function qemuSays({ name }: CorpusCase): Promise<CorpusCase["qemu"]> {
  const format = name.split("/")[1] as string;
  const said = run("qemu-img", ["info", "-f", format, path]);
  return said.then(
    () => "opens" as const,
    () => "refuses" as const,
  );
}

const withName = (kind: string) =>
  corpus.filter(({ name }) => name.startsWith(kind)).map((case_) => [case_.name, case_] as const);

describe("accepted", () => {
  it.each(withName("accept/"))("%s", async (_name, case_) => {
    const isAsked = asksQemu(case_) || (await info(path, {}, inMemory(case_).host.volume)).virtualSize > GiB;
    const place = isAsked ? inFiles() : inMemory(case_);
    await place.put(case_);
    if (isAsked) expect(await qemuSays(case_)).toBe(case_.qemu);
    const before = (await checksum(path, {}, place.host.volume)).checksum;
    const report = await convert(path, case_.target, {}, place.host);
    expect(report).toMatchObject({ changed: true, guestChecksum: { before, after: before } });
    const after = report.imageAfter ?? path;
    if (isAsked) await assertClean(after, case_.target);
    expect((await checksum(after, {}, place.host.volume)).checksum).toBe(before);
    expect(Object.keys(await place.filesNow())).toEqual([basename(after)]);
  });
});

describe("refused", () => {
  it.each(withName("refuse/"))("%s", async (_name, case_) => {
    const place = asksQemu(case_) ? inFiles() : inMemory(case_);
    await place.put(case_);
    const sentence = expect.stringMatching(/^Cannot .*[^.]$/s);
    for (const look of [info, map, checksum]) {
      const error = await look(path, named(case_), place.host.volume).catch((reason: unknown) => reason);
      if (error instanceof Error) expect(error).toMatchObject({ name: "ImageError", message: sentence });
    }
    const options: ConvertOptions = named(case_);
    await plan(path, case_.target, options, place.host).catch((error) => expect(error).toBeInstanceOf(ImageError));
    const refusal = await convert(path, case_.target, options, place.host).catch((reason: unknown) => reason);
    expect(refusal).toMatchObject({ name: "ImageError", kind: kindOf(case_), message: sentence, rolledBack: false });
    const { message, reasons, journal } = refusal as ImageError;
    expect(`${message} ${reasons.join()}`).toMatch(case_.says as RegExp);
    // Of two files the one that is wrong.
    expect(
      [path, ...Object.keys(case_.beside ?? {}).map((name) => join(folder, name))].some((each) =>
        message.includes(each),
      ),
    ).toBe(true);
    expect(journal).toBeUndefined();
    await expectUntouched(case_, place);
    if (asksQemu(case_)) expect(await qemuSays(case_)).toBe(case_.qemu);
    // Without the check nothing is written either, or, where all can be read, the guest stays what it was.
    for (const less of [{ check: false }, { check: false, checksum: "none" as const }]) {
      const before = await checksum(path, named(case_), place.host.volume).catch(() => undefined);
      const report = await convert(path, case_.target, { ...options, ...less }, place.host).catch(
        (reason: Error) => reason,
      );
      if (report instanceof Error) {
        expect(report).toBeInstanceOf(ImageError);
        await expectUntouched(case_, place);
      } else {
        expect((await checksum(report.imageAfter ?? path, {}, place.host.volume)).checksum).toBe(before?.checksum);
        await place.put(case_);
      }
    }
  });
});
