/** Journals and undos that released builds left, as bytes: each still leads on and back as it did with the build that made it. */

import { describe, expect, test } from "vitest";
import { check } from "../../../src/convert/check.ts";
import { checksum } from "../../../src/convert/reading/checksum.ts";
import { info } from "../../../src/convert/reading/info.ts";
import { resume, rollback } from "../../../src/convert/recover.ts";
import { Journal } from "../../../src/journal/journal.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { type KeptFacts, type KeptSituation, keptSituations, type Recovered } from "../../corpus/journals/kept.ts";
import { recordsIn } from "../../corpus/journals/records.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";

const FOLDER = "/vm/";
const situations = keptSituations();

function volumeOf({ image, files }: KeptSituation): MemoryVolume {
  const beside = Object.entries(files).map(([name, bytes]) => [FOLDER + name, bytes]);
  return new MemoryVolume({ [IMAGE_PATH]: image, ...Object.fromEntries(beside) });
}

/** How it went and what is there then, said as the build that made the journal was asked. */
async function recovered(situation: KeptSituation, recover: typeof resume): Promise<Recovered> {
  const volume = volumeOf(situation);
  const error: unknown = await recover(IMAGE_PATH, {}, testHost(volume)).then(
    () => undefined,
    (error) => error,
  );
  const outcome = error === undefined ? "done" : /^Nothing to/.test((error as Error).message) ? "nothing" : "refused";
  const names = Object.keys(volume.snapshots()).filter((path) => path !== IMAGE_PATH);
  const left = names.map((path) => path.slice(FOLDER.length)).sort();
  const isSource = Buffer.compare(volume.snapshot(IMAGE_PATH), situation.source) === 0;
  const { format } = await info(IMAGE_PATH, {}, volume);
  const { corruptions, checkErrors, leaks } = await check(IMAGE_PATH, {}, testHost(volume));
  const guestDigest = await checksum(IMAGE_PATH, {}, volume).then(
    (report) => report.checksum,
    () => null,
  );
  return { outcome, format, guestDigest, isClean: corruptions + checkErrors + leaks === 0, isSource, left };
}

describe.each(situations)("$name", (situation) => {
  const { facts } = situation;

  test("resume ends where it did", async () => {
    expect(await recovered(situation, resume)).toEqual(facts.resume);
  });

  test("rollback ends where it did", async () => {
    expect(await recovered(situation, rollback)).toEqual(facts.rollback);
  });

  test("every field of its records is read", async () => {
    const volume = volumeOf(situation);
    const journal = (await Journal.find(volume, IMAGE_PATH)) as Journal;
    const path = facts.files.at(-1) as string;
    const [first, ...rest] = recordsIn(situation.files[path] as Uint8Array);
    const { work } = journal;
    const { intent, prepared } = work;
    expect(intent).toMatchObject(first?.facts as object);
    const told = (record: string) => rest.findLast(({ facts }) => facts.record === record);
    expect(prepared).toEqual(told("prepared")?.facts);
    expect(work).toMatchObject({
      verified: told("verified") !== undefined,
      undoGivenUp: told("verified")?.facts.undoGivenUp === true,
      rolledBack: told("rolled-back") !== undefined,
    });
    const blob = Buffer.from(first?.blob as Uint8Array);
    if (work.kind === "repair") {
      const patches = work.steps.flatMap((step) => step.patches);
      const pieces = [...patches.map(({ before }) => before), ...patches.map(({ after }) => after)];
      expect(Buffer.concat(pieces).equals(blob)).toBe(true);
    } else if (work.kind === "conversion") {
      const { sector, extras, savedHeader, lastSector, foundHeader } = work;
      const parts = Buffer.concat([sector, ...extras.map(({ bytes }) => bytes), savedHeader]);
      expect(parts.subarray(0, blob.length).equals(blob)).toBe(true);
      expect(parts.subarray(blob.length).every((byte) => byte === 0)).toBe(true);
      expect(Buffer.compare(lastSector, told("new-header")?.blob ?? sector)).toBe(0);
      expect(foundHeader && Buffer.from(foundHeader)).toEqual(told("found-header")?.blob);
    }
    await journal.close();
  });
});

describe("what is kept", () => {
  const records = situations.flatMap(({ files }) => Object.values(files).flatMap(recordsIn));

  test("has every kind of record, every purpose and every scope", () => {
    const kinds = new Set(records.map(({ facts }) => facts.record));
    expect(kinds).toEqual(
      new Set(["intent", "repair", "pointer", "prepared", "verified", "new-header", "found-header", "rolled-back"]),
    );
    expect(new Set(records.map(({ facts }) => facts.purpose))).toEqual(
      new Set([undefined, "convert", "roll-back", "setmap"]),
    );
    expect(new Set(records.map(({ facts }) => facts.scope))).toEqual(new Set([undefined, "leaks", "all"]));
  });

  test.each([
    ["intent", "sourceEnd"],
    ["intent", "alsoHolds"],
    ["repair", "added"],
  ])("has records of kind %s with and without %s", (kind, field) => {
    const has = records.filter(({ facts }) => facts.record === kind).map(({ facts }) => facts[field] !== undefined);
    expect(new Set(has)).toEqual(new Set([true, false]));
  });

  test("every recovery but one ends, without anything left beside the image, and clean but for what was so before", () => {
    const names = (isOdd: (facts: KeptFacts) => boolean) =>
      situations.filter(({ facts }) => isOdd(facts)).map(({ name }) => name);
    const both = ({ resume, rollback }: KeptFacts) => [resume, rollback];
    expect(names((facts) => both(facts).some(({ outcome }) => outcome === "refused"))).toEqual([
      "repair-qcow2-undo-given-up",
    ]);
    expect(names((facts) => both(facts).some(({ left }) => left.length > 0))).toEqual(["repair-qcow2-undo-given-up"]);
    expect(names(({ resume }) => !resume.isClean)).toEqual([
      "qcow2-to-qed-leaks-kept-committed",
      "setmap-qed-prepared",
    ]);
    expect(names(({ source, rollback }) => source.isClean && !rollback.isClean)).toEqual([]);
  });

  test("the guest is the source's, but where it was to change", () => {
    const changed = (which: "resume" | "rollback") =>
      situations.filter(({ facts }) => facts[which].guestDigest !== facts.source.guestDigest).map(({ name }) => name);
    // The broken QED images have no guest that can be read before.
    expect(changed("resume")).toEqual([
      "qcow2-to-qcow2-found-header",
      "repair-qed-between-steps",
      "repair-qed-undo-kept",
      "setmap-qed-committed",
    ]);
    expect(changed("rollback")).toEqual(["qcow2-to-qcow2-found-header"]);
  });

  test("a way back to the very bytes is promised wherever the undo was not given up", () => {
    const inexact = situations.filter(({ facts }) => !facts.rollback.isSource).map(({ name }) => name);
    expect(inexact).toEqual([
      "elsewhere-qcow2-to-qed-new-header",
      "older-qcow2-to-qed-new-header",
      // A guest wrote there, which stays.
      "qcow2-to-qcow2-found-header",
      "qcow2-to-qed-half-settled",
      "qcow2-to-qed-new-header",
      "qcow2-to-qed-new-header-written",
      "qcow2-to-qed-undo-given-up",
      "qcow2-to-qed-way-back-prepared",
      "repair-qcow2-undo-given-up",
    ]);
  });
});
