/** Which entries of a log count, what replaying them writes, and what of a log is refused. */

import { describe, expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { vhdxDriver } from "../../../../src/formats/vhdx/driver.ts";
import { GuestReader } from "../../../../src/image/guest/reader.ts";
import { openGuestView } from "../../../../src/image/guest/view.ts";
import type { Repair } from "../../../../src/image/repair.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { HEADERS, isSealed, KiB, MiB } from "../../../formats/vhdx/bytes.ts";
import { buildDirty, type DirtyShape, SECTOR } from "../../../formats/vhdx/dirty.ts";
import type { LogEntry, LogWrite } from "../../../formats/vhdx/log.ts";
import { readVhdxNaively } from "../../../formats/vhdx/naive-reader.ts";
import { applyRepair, applyStep, mixture } from "../../../support/apply-repair.ts";
import { openWith } from "../../../support/open-with.ts";
import { seededRandom } from "../../../support/random.ts";

const opened = (bytes: Uint8Array) => openWith(vhdxDriver, memoryStorage(bytes));
const planOf = async (bytes: Uint8Array, scope: "leaks" | "all" = "all") =>
  (await (await opened(bytes)).planRepair?.({ scope, allowDataLoss: false })) as Repair;

async function guestOf(bytes: Uint8Array): Promise<Buffer> {
  const image = await opened(bytes);
  const guest = Buffer.alloc(image.virtualSize);
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return guest;
}

/** Of the entry that ends the sequence. */
const head =
  (change: (entry: LogEntry) => Partial<LogEntry>): NonNullable<DirtyShape["change"]> =>
  ([first, last]) => [first as LogEntry, { ...(last as LogEntry), ...change(last as LogEntry) }];
const withWrite = (write: LogWrite) => head(({ writes }) => ({ writes: [...writes, write] }));

const SHAPES: Readonly<Record<string, DirtyShape>> = {
  "at the log's start": {},
  "round the log's end": { at: MiB - 2 * SECTOR },
  "an entry that goes round the log's end itself": { at: MiB - SECTOR },
  "behind entries that are done with": { done: 3 },
  "beside an older run": { hasOlder: true },
  "behind numbers of more than 32 bits": { firstNumber: 2n ** 32n - 1n },
  "a file that has to grow": { isShort: true },
  "metadata that is in the log alone": { hasMetadata: true },
  "what an older entry said of the file's length": {
    change: ([first, last]) => [{ ...(first as LogEntry), flushedFileOffset: 2 ** 40 }, last as LogEntry],
  },
  "a tail that is the head itself": { change: head(() => ({ tail: 2 * SECTOR })) },
  "a torn entry behind the head": {
    change: (entries) => {
      const torn: LogEntry = {
        ...(entries[1] as LogEntry),
        sequenceNumber: 9n,
        spoil: (bytes) => bytes.fill(3, SECTOR + 100, SECTOR + 200),
      };
      return [...entries, { ...torn, writes: [{ hostOffset: 2 * MiB, sector: Buffer.alloc(SECTOR, 9) }] }];
    },
  },
  "more descriptors than one sector has": {
    change: head(({ writes }) => ({
      writes: [
        ...Array.from({ length: 140 }, (_, at) => ({ hostOffset: 2 * MiB + (8 + at) * SECTOR, zeros: SECTOR })),
        ...writes,
      ],
    })),
  },
};

describe.each(Object.entries(SHAPES))("%s", (name, shape) => {
  test("is replayed: the guest is there before, in every mixture, and after", async () => {
    const { bytes, clean, guest } = buildDirty(shape);
    expect((await guestOf(bytes)).equals(guest)).toBe(true);
    const found = await checkOf(await opened(bytes));
    expect(found).toMatchObject({ checkErrors: 1, corruptions: 0, findings: [{ kind: "log-not-replayed" }] });
    const repair = await planOf(bytes);
    expect(await planOf(bytes, "leaks")).toEqual({ ...repair, additiveWrites: expect.anything() });
    expect(repair).toMatchObject({ corruptionsFixed: 1, losses: [], givenUp: [] });
    const random = seededRandom(5);
    for (const [at, step] of repair.steps.entries()) {
      const before = applyRepair(bytes, repair, at);
      const after = Buffer.from(before);
      applyStep(after, step);
      for (let turn = 0; turn < 2; turn++) {
        const mixed = mixture(before, after, () => random.chance(0.5));
        expect((await guestOf(mixed)).equals(guest), `${step.purpose}, ${turn}`).toBe(true);
      }
    }
    const mended = applyRepair(bytes, repair);
    expect(Buffer.from(readVhdxNaively(mended)).equals(guest)).toBe(true);
    expect(await checkOf(await opened(mended))).toMatchObject({ checkErrors: 0, findings: [] });
    expect((await planOf(mended)).steps).toEqual([]);
    // All that is not the log's or a header's is as a writer who closed it would have left it.
    // What an entry says that is done with may stay undone.
    const from = name === "a tail that is the head itself" ? 3 * MiB : 2 * MiB;
    for (const [start, end] of [
      [192 * KiB, MiB],
      [from, clean.length],
    ] as const) {
      expect(mended.subarray(start, end).equals(clean.subarray(start, end))).toBe(true);
    }
    expect(HEADERS.map((place) => isSealed(mended.subarray(place, place + SECTOR), "head"))).toEqual([true, true]);
    expect(HEADERS.map((place) => mended.readBigUInt64LE(place + 8))).toEqual([3n, 4n]);
  });
});

const refusals: readonly [string, string, RegExp, DirtyShape][] = [
  [
    "corrupt",
    "no entry",
    /holds no whole run/,
    { change: (entries) => entries.map((entry) => ({ ...entry, guid: "00000000-0000-0000-0000-000000000001" })) },
  ],
  [
    "corrupt",
    "a tail that is no entry of the run",
    /holds no whole run/,
    { change: head(() => ({ tail: 10 * SECTOR })) },
  ],
  [
    "corrupt",
    "numbers with a gap",
    /holds no whole run/,
    {
      change: (entries) =>
        entries.map((entry, at) => ({
          ...entry,
          sequenceNumber: BigInt(7 + 3 * at),
          tail: 2 * SECTOR * (1 - at) + 4 * SECTOR,
        })),
    },
  ],
  [
    "corrupt",
    "number 0",
    /holds no whole run/,
    { change: ([, last]) => [{ ...(last as LogEntry), sequenceNumber: 0n, tail: 0 }] },
  ],
  [
    "corrupt",
    "a descriptor of another number",
    /holds no whole run/,
    { change: ([first]) => [{ ...(first as LogEntry), change: (bytes) => bytes.writeBigUInt64LE(8n, 64 + 24) }] },
  ],
  [
    "corrupt",
    "data of another number",
    /holds no whole run/,
    { change: ([first]) => [{ ...(first as LogEntry), change: (bytes) => bytes.writeUInt32LE(8, 2 * SECTOR - 4) }] },
  ],
  [
    "corrupt",
    "less data than its descriptors say",
    /holds no whole run/,
    { change: ([first]) => [{ ...(first as LogEntry), change: (bytes) => bytes.write("desc", 96, "latin1") }] },
  ],
  [
    "corrupt",
    "a place at no sector",
    /holds no whole run/,
    { change: ([first]) => [{ ...(first as LogEntry), change: (bytes) => bytes.writeBigUInt64LE(513n, 64 + 16) }] },
  ],
  [
    "corrupt",
    "a place beyond 2^53",
    /holds no whole run/,
    {
      change: ([first]) => [{ ...(first as LogEntry), change: (bytes) => bytes.writeBigUInt64LE(1n << 60n, 64 + 16) }],
    },
  ],
  [
    "corrupt",
    "an entry longer than the log",
    /holds no whole run/,
    { change: ([first]) => [{ ...(first as LogEntry), change: (bytes) => bytes.writeUInt32LE(2 * MiB, 8) }] },
  ],
  [
    "out-of-bounds",
    "a file that was cut",
    /6291456 bytes where its log says 7340032/,
    { change: head(() => ({ flushedFileOffset: 7 * MiB })) },
  ],
  [
    "corrupt",
    "a file of more than any disk takes",
    /says that the file has/,
    { change: head(() => ({ lastFileOffset: 2 ** 48 })) },
  ],
  [
    "corrupt",
    "a write on the headers",
    /writes on its headers, at 0x20000/,
    { change: withWrite({ hostOffset: 128 * KiB, zeros: SECTOR }) },
  ],
  [
    "corrupt",
    "a write on the log",
    /writes on itself, at 0xff000/,
    { change: withWrite({ hostOffset: MiB - SECTOR, zeros: 2 * SECTOR }) },
  ],
  [
    "corrupt",
    "a write behind the file",
    /writes behind the file, at 0x600000/,
    { change: withWrite({ hostOffset: 6 * MiB, sector: Buffer.alloc(SECTOR) }) },
  ],
  [
    "unsupported",
    "more zeros than a journal holds",
    /more than 64 MiB/,
    {
      change: head(({ writes }) => ({
        lastFileOffset: 2 ** 40,
        writes: [{ hostOffset: 2 ** 32, zeros: 65 * MiB }, ...writes],
      })),
    },
  ],
  [
    "unsupported",
    "the same zeros again and again",
    /more than 64 MiB/,
    {
      change: head(({ writes }) => ({
        lastFileOffset: 2 ** 40,
        writes: [...Array.from({ length: 9 }, () => ({ hostOffset: 2 ** 32, zeros: 30 * MiB })), ...writes],
      })),
    },
  ],
];

test.each(refusals)("refused as %s: %s", async (kind, _name, says, shape) => {
  const error = await opened(buildDirty(shape).bytes).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ImageError);
  expect(error).toMatchObject({ kind, message: expect.stringMatching(says) });
});

test("a log that writes into a block of the guest's is refused by all that reads or mends", async () => {
  const image = await opened(
    buildDirty({ change: withWrite({ hostOffset: 4 * MiB, sector: Buffer.alloc(SECTOR, 1) }) }).bytes,
  );
  const said = { kind: "unsupported", message: expect.stringMatching(/writes into the guest's data/) };
  await expect(image.getMapping()).rejects.toMatchObject(said);
  await expect(image.check?.()).rejects.toMatchObject(said);
  await expect(image.planRepair?.({ scope: "all", allowDataLoss: false })).rejects.toMatchObject(said);
});

test("a header that no higher number can follow is not repaired", async () => {
  const { bytes } = buildDirty({}, { virtualSize: MiB, data: [1], sequenceNumbers: [2n ** 64n - 2n, 2n ** 64n - 1n] });
  await expect(planOf(bytes)).rejects.toThrow(/higher sequence number/);
});

test("a log that is full of beginnings is looked through once", async () => {
  const { bytes } = buildDirty();
  const logAt = MiB;
  // Each sector begins an entry that claims all of the log.
  const entry = Buffer.from(bytes.subarray(logAt, logAt + SECTOR));
  entry.writeUInt32LE(MiB, 8);
  for (let at = 0; at < MiB; at += SECTOR) entry.copy(bytes, logAt + at);
  await expect(opened(bytes)).rejects.toThrow(/no whole run/);
});
