/** A GPT's backup moved to the new end: what is written and in which order, and what no step may disturb. */

import { describe, expect, test } from "vitest";
import { noteOfStrandedGpt, planGptRelocation } from "../../../../src/image/gpt/relocation.ts";
import {
  type GptDisk,
  gptDisk,
  grown,
  guestOf,
  mbrRecord,
  patched,
  signHeader,
  tableAt,
  wholeGpt,
} from "../../../support/gpt-disk.ts";

const PARTITIONS = [[40, 79], undefined, [80, 100]] as const;

function plan(disk: Buffer, newSize = disk.length) {
  return planGptRelocation(guestOf(disk), { oldSize: disk.length, newSize });
}

/** The disk grown and relocated, and everything that changed. */
async function relocated(disk: Buffer, newSize = disk.length) {
  const { steps, ...rest } = await plan(disk, newSize);
  const patches = steps.flatMap((step) => step.patches);
  return { ...rest, steps, patches, disk: patched(grown(disk, newSize), patches) };
}

const layouts: readonly { readonly name: string; readonly layout: GptDisk; readonly by: number }[] = [
  { name: "sectors of 512", layout: { partitions: PARTITIONS }, by: 2048 * 512 },
  { name: "by one sector, over the old backup", layout: { partitions: PARTITIONS }, by: 512 },
  { name: "sectors of 4096", layout: { sectorSize: 4096, partitions: PARTITIONS }, by: 1 << 20 },
  { name: "a long header", layout: { sectorSize: 4096, headerSize: 4096, partitions: PARTITIONS }, by: 1 << 20 },
  { name: "four entries", layout: { entryCount: 4, partitions: PARTITIONS }, by: 4096 },
  { name: "five large entries", layout: { entryCount: 5, entrySize: 256, partitions: PARTITIONS }, by: 4096 },
  { name: "entries elsewhere", layout: { entriesLba: 4, firstUsable: 40, partitions: PARTITIONS }, by: 4096 },
  { name: "no partition", layout: {}, by: 1 << 20 },
];

describe.each(layouts)("$name", ({ layout, by }) => {
  const sectorSize = layout.sectorSize ?? 512;
  const disk = gptDisk(layout);
  const newSize = disk.length + by;
  const before = wholeGpt(disk, sectorSize);

  test("is whole at the new end, with the same partitions, and usable up to the backup", async () => {
    const after = await relocated(disk, newSize);
    expect(after.sectorSize).toBe(sectorSize);
    const entriesLength = Math.ceil(before.entries.length / sectorSize);
    const lastUsable = newSize / sectorSize - 2 - entriesLength;
    expect(wholeGpt(after.disk, sectorSize)).toEqual({ ...before, lastUsable });
    expect(after.disk.readUInt32LE(458)).toBe(newSize / sectorSize - 1);
  });

  test("nothing else changes, and what changes is told with what it was", async () => {
    const after = await relocated(disk, newSize);
    const places = after.patches.map(({ guestOffset, after: bytes }) => [guestOffset, bytes.length]);
    const length = Math.ceil(before.entries.length / sectorSize) * sectorSize;
    const isEmpty = before.entries.every((byte) => byte === 0);
    expect(places).toEqual([
      ...(isEmpty ? [] : [[newSize - sectorSize - length, length]]),
      [newSize - sectorSize, sectorSize],
      [sectorSize, 512],
      [0, 512],
    ]);
    // Undone in reverse it is the grown disk again.
    const back = after.patches.toReversed().map((each) => ({ ...each, before: each.after, after: each.before }));
    expect(patched(after.disk, back).equals(grown(disk, newSize))).toBe(true);
  });

  test("after every write the primary is right, at most one sector of it changed at once, and its backup is there", async () => {
    const { steps } = await plan(disk, newSize);
    expect(steps.map((step) => step.patches.length > 0 && step.purpose)).toHaveLength(3);
    let now = grown(disk, newSize);
    for (const [at, step] of steps.entries()) {
      const sectors = step.patches.flatMap(({ guestOffset, before: old, after }) =>
        Array.from({ length: after.length / 512 }, (_, sector) => ({
          guestOffset: guestOffset + sector * 512,
          before: old.subarray(sector * 512, sector * 512 + 512),
          after: after.subarray(sector * 512, sector * 512 + 512),
        })),
      );
      if (at > 0) expect(sectors).toHaveLength(1);
      // Each alone, and all up to it: any mixture leaves the primary as it is.
      for (const sector of sectors) {
        for (const mixture of [patched(now, [sector]), patched(now, sectors.slice(0, sectors.indexOf(sector) + 1))]) {
          expect(tableAt(mixture, 1, sectorSize).entries.equals(before.entries)).toBe(true);
        }
      }
      now = patched(now, sectors);
      if (at > 0) wholeGpt(now, sectorSize);
      // Planned anew where it was cut off, it ends in the same disk.
      const rest = await relocated(now);
      expect(rest.disk.equals((await relocated(disk, newSize)).disk)).toBe(true);
      expect(rest.steps).toHaveLength(at === 0 ? 2 : 2 - at);
    }
  });

  test("where it is already, nothing is to be done", async () => {
    expect(await plan(disk)).toEqual({ sectorSize, steps: [], notes: [] });
    const after = await relocated(disk, newSize);
    expect((await plan(after.disk)).steps).toEqual([]);
  });
});

describe("a backup that is not what it should be is made anew", () => {
  const disk = gptDisk({ partitions: PARTITIONS });
  const last = disk.length - 512;
  const damages: Readonly<Record<string, (disk: Buffer) => void>> = {
    "is gone": (bad) => bad.fill(0, last),
    "has another mark": (bad) => {
      bad.write("EFI part", last);
      signHeader(bad, last);
    },
    "is not where the primary says": (bad) => {
      bad.writeUInt8(254, 512 + 32);
      signHeader(bad, 512);
    },
    "has a wrong sum": (bad) => bad.writeUInt8(1, last + 20),
    "has other entries": (bad) => bad.writeUInt8(1, last - 32 * 512),
    "points elsewhere": (bad) => {
      bad.writeUInt8(2, last + 32);
      signHeader(bad, last);
    },
    "is another disk's": (bad) => {
      bad.write("another disk's", last + 56);
      signHeader(bad, last);
    },
    "has its entries inside the usable sectors": (bad) => {
      bad.copy(bad, 102 * 512, last - 32 * 512, last);
      bad.writeUInt8(102, last + 72);
      signHeader(bad, last);
    },
  };
  test.each(Object.keys(damages))("it %s", async (name) => {
    const bad = Buffer.from(disk);
    damages[name]?.(bad);
    expect(() => wholeGpt(bad)).toThrow();
    expect(wholeGpt((await relocated(bad)).disk)).toEqual(wholeGpt(disk));
    const newSize = disk.length + (1 << 20);
    expect(wholeGpt((await relocated(bad, newSize)).disk).entries).toEqual(wholeGpt(disk).entries);
  });

  test("a disk that was grown before", async () => {
    const stranded = grown(disk, 1 << 20);
    expect(() => wholeGpt(stranded)).toThrow();
    const { steps, disk: moved } = await relocated(stranded);
    expect(steps).toHaveLength(3);
    expect(wholeGpt(moved).lastUsable).toBe(2048 - 34);
  });
});

describe("the MBR", () => {
  const newSize = 1 << 20;
  const last = newSize / 512 - 1;

  function recordsOf(disk: Buffer) {
    return [0, 1, 2, 3].map((at) => disk.subarray(446 + 16 * at, 462 + 16 * at).toString("hex"));
  }

  test("has the address of the new end, where it said that of the old one", async () => {
    const disk = gptDisk();
    disk.set([3, 4, 0], 451);
    const { disk: moved } = await relocated(disk, newSize);
    // 2047 = 32 x 63 + 31: head 32, sector 32 counted from 1.
    expect(recordsOf(moved)[0]).toBe("00000000ee20200001000000ff070000");
  });

  test("has no address where it had none", async () => {
    const { disk: moved } = await relocated(gptDisk(), newSize);
    expect(recordsOf(moved)[0]).toBe("00000000eeffffff01000000ff070000");
  });

  test("says the high bits of a cylinder, and all ones past the last", async () => {
    const disk = gptDisk();
    disk.set([3, 4, 0], 451);
    const ends = async (sectors: number) => {
      const { steps } = await plan(disk, sectors * 512);
      return [...(steps.at(-1)?.patches[0]?.after.subarray(451, 454) ?? [])];
    };
    // Sector 1 of head 0 of cylinder 768; the last one that can be said; the one after it.
    expect(await ends(768 * 16065 + 1)).toEqual([0, 0xc1, 0]);
    expect(await ends(1024 * 16065)).toEqual([254, 0xff, 0xff]);
    expect(await ends(1024 * 16065 + 1)).toEqual([0xff, 0xff, 0xff]);
  });

  test("never shrinks, and ends at 32 bits", async () => {
    const disk = gptDisk();
    disk.writeUInt32LE(0xffffffff, 458);
    expect((await plan(disk, newSize)).steps).toHaveLength(2);
    const { steps } = await plan(gptDisk(), 5 * 2 ** 40);
    expect(Buffer.from(steps[2]?.patches[0]?.after ?? []).readUInt32LE(458)).toBe(0xffffffff);
  });

  test("of a hybrid only the protective record grows, where it covered the disk", async () => {
    const disk = gptDisk({ partitions: PARTITIONS });
    mbrRecord(disk, 2, 0x83, 40, 40);
    const { disk: moved, notes } = await relocated(disk, newSize);
    expect(moved.readUInt32LE(458)).toBe(last);
    expect(recordsOf(moved).slice(1)).toEqual(recordsOf(disk).slice(1));
    expect(notes).toEqual(["The MBR is a hybrid one: its own partitions stay as they are"]);
  });

  test.each([
    { name: "in front of what it shows", covered: 39, start: 40, size: 40 },
    { name: "with something past the old end", covered: 255, start: 250, size: 100 },
  ])("of a hybrid with the protective record $name nothing changes", async ({ covered, start, size }) => {
    const disk = gptDisk({ partitions: PARTITIONS });
    mbrRecord(disk, 0, 0xee, 1, covered);
    mbrRecord(disk, 1, 0x83, start, size);
    const { disk: moved, steps } = await relocated(disk, newSize);
    expect(steps).toHaveLength(2);
    expect(recordsOf(moved)).toEqual(recordsOf(disk));
    wholeGpt(moved);
  });

  test("the protective record may be any of the four", async () => {
    const disk = gptDisk();
    mbrRecord(disk, 0, 0, 0, 0);
    mbrRecord(disk, 3, 0xee, 1, 255);
    expect((await relocated(disk, newSize)).disk.readUInt32LE(446 + 48 + 12)).toBe(last);
  });
});

describe("a disk without a GPT", () => {
  const plain = gptDisk();
  mbrRecord(plain, 0, 0x83, 1, 100);
  const empty = Buffer.alloc(1 << 16);
  const mbrOnly = Buffer.from(plain);
  mbrOnly.fill(0, 512);

  test.each([
    [
      "an old GPT behind an MBR",
      plain,
      "The disk has an MBR in front of a GPT that is no longer in use: there is nothing to relocate",
    ],
    ["an MBR", mbrOnly, "The disk has no GPT: there is nothing to relocate"],
    ["nothing", empty, "The disk has no GPT: there is nothing to relocate"],
    ["no byte", Buffer.alloc(0), "The disk has no GPT: there is nothing to relocate"],
  ])("%s: nothing is to be done, and it is said", async (_, disk, note) => {
    expect(await plan(disk, 1 << 20)).toEqual({ sectorSize: undefined, steps: [], notes: [note] });
    expect(await noteOfStrandedGpt(guestOf(disk), { oldSize: disk.length, newSize: 1 << 20 })).toBeUndefined();
  });

  test("a protective record has to begin at the header", async () => {
    const disk = gptDisk();
    disk.writeUInt32LE(2, 454);
    expect((await plan(disk, 1 << 20)).sectorSize).toBeUndefined();
  });
});

describe("a note where the disk grows and its GPT doesn't", () => {
  const note = /^The GPT's backup header is not at the end of the disk: .*gpt=relocate/;

  test.each([512, 4096] as const)("sectors of %d", async (sectorSize) => {
    const disk = gptDisk({ sectorSize });
    const oldSize = disk.length;
    const newSize = oldSize + (1 << 20);
    expect(await noteOfStrandedGpt(guestOf(disk), { oldSize, newSize })).toMatch(note);
    expect(await noteOfStrandedGpt(guestOf(disk), { oldSize, newSize: oldSize })).toBeUndefined();
    const stranded = grown(disk, newSize);
    expect(await noteOfStrandedGpt(guestOf(stranded), { oldSize: newSize, newSize })).toMatch(note);
  });

  test("a damaged one is stranded all the same, and is no news where nothing grows", async () => {
    const disk = gptDisk();
    disk.writeUInt8(1, 530);
    const oldSize = disk.length;
    expect(await noteOfStrandedGpt(guestOf(disk), { oldSize, newSize: oldSize + 512 })).toMatch(note);
    expect(await noteOfStrandedGpt(guestOf(disk), { oldSize, newSize: oldSize })).toBeUndefined();
  });

  test("nothing but the MBR's word is no GPT to be stranded", async () => {
    const disk = gptDisk();
    disk.fill(0, 512, 1024);
    const sizes = { oldSize: disk.length, newSize: 1 << 20 };
    expect(await noteOfStrandedGpt(guestOf(disk), sizes)).toBeUndefined();
  });

  test("a failing read is no answer", async () => {
    const failing = { read: () => Promise.reject(new Error("EIO")) };
    const sizes = { oldSize: 1 << 20, newSize: 1 << 20 };
    await expect(noteOfStrandedGpt(failing, sizes)).rejects.toThrow("EIO");
    await expect(planGptRelocation(failing, sizes)).rejects.toThrow("EIO");
    const disk = gptDisk();
    const lastingOnce = {
      read: (guestOffset: number, into: Uint8Array) =>
        guestOffset === 0 ? guestOf(disk).read(0, into) : failing.read(),
    };
    const same = { oldSize: disk.length, newSize: disk.length };
    await expect(noteOfStrandedGpt(lastingOnce, same)).rejects.toThrow("EIO");
  });
});

test("a disk does not shrink", async () => {
  await expect(plan(gptDisk(), 512)).rejects.toThrow(RangeError);
});
