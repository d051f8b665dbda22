/** A GPT that lies, each rule broken once with its sums put right: refused by name, and nothing read on its word. */

import { describe, expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { parseGptHeader } from "../../../../src/image/gpt/header.ts";
import { planGptRelocation } from "../../../../src/image/gpt/relocation.ts";
import { gptDisk, guestOf, mbrRecord, signEntries, signHeader } from "../../../support/gpt-disk.ts";

const H = 512;
const E = 1024;
const PARTITIONS = [[40, 79], undefined, [80, 100]] as const;

function lba(at: number, value: bigint) {
  return (disk: Buffer) => {
    disk.writeBigUInt64LE(value, H + at);
    signHeader(disk, H);
  };
}

function word(at: number, value: number) {
  return (disk: Buffer) => {
    disk.writeUInt32LE(value, H + at);
    signHeader(disk, H);
  };
}

function partition(entry: number, first: bigint, last: bigint) {
  return (disk: Buffer) => {
    disk.writeBigUInt64LE(first, E + 128 * entry + 32);
    disk.writeBigUInt64LE(last, E + 128 * entry + 40);
    signEntries(disk, H);
  };
}

const HUGE = 0xffffffffffffffffn;
const rules: readonly (readonly [name: string, damage: (disk: Buffer) => void, because: string])[] = [
  ["no header", (disk) => disk.fill(0, H, E), "its primary header is gone, though the MBR says that there is one"],
  ["two sector sizes", (disk) => disk.write("EFI PART", 4096), "sectors of 512 bytes and one for sectors of 4096"],
  ["no MBR at all", (disk) => disk.fill(0, 0, H), "there is a header, but no protective MBR"],
  ["an MBR without records", (disk) => mbrRecord(disk, 0, 0, 0, 0), "there is a header, but no protective MBR"],
  ["an MBR without its signature", (disk) => disk.fill(0, 510, 512), "there is a header, but no protective MBR"],
  ["another revision", word(8, 0x20000), "its revision is 0x20000"],
  ["a header too short", (disk) => disk.writeUInt32LE(91, H + 12), "its size is 91"],
  ["a header longer than its sector", (disk) => disk.writeUInt32LE(513, H + 12), "its size is 513"],
  ["a wrong sum", (disk) => disk.writeUInt8(1, H + 91), "its CRC-32 is wrong"],
  ["a wrong sum and a number too large", (disk) => disk.writeBigUInt64LE(HUGE, H + 32), "its CRC-32 is wrong"],
  ["another place", lba(24, 2n), "it says that it lies in sector 2"],
  ["a backup past the end", lba(32, 256n), "its alternateLba is 256, and the disk has 256 sectors"],
  [
    "a backup that can't be counted",
    lba(32, HUGE),
    "alternateLba of the GPT header: 0xffffffffffffffff is beyond 2^53",
  ],
  [
    "a backup among the partitions",
    lba(32, 222n),
    "the backup header's sector, 222, lies before the last usable one, 222",
  ],
  ["nothing usable inside the disk", lba(40, 256n), "its firstUsableLba is 256"],
  ["usable sectors past the end", lba(48, 256n), "its lastUsableLba is 256"],
  ["usable sectors that wrap", lba(48, 2n ** 53n - 1n), "its lastUsableLba is 9007199254740991"],
  ["no usable sectors", lba(48, 33n), "its usable sectors go from 34 to 33"],
  ["entries past the end", lba(72, 256n), "its entriesLba is 256"],
  ["entries over the header", lba(72, 1n), "the entries at sector 1 do not lie before the first usable sector, 34"],
  ["entries over the partitions", lba(72, 3n), "the entries at sector 3 do not lie before the first usable sector, 34"],
  ["no entries", word(80, 0), "its number of entries is 0"],
  ["too many entries", word(80, 16385), "its number of entries is 16385"],
  ["more entries than go before the partitions", word(80, 129), "the entries at sector 2 do not lie before"],
  ["small entries", word(84, 64), "its entries have 64 bytes each"],
  ["entries of an odd size", word(84, 384), "its entries have 384 bytes each"],
  ["large entries", word(84, 8192), "its entries have 8192 bytes each"],
  [
    "more bytes of entries than anyone has",
    (disk) => {
      word(80, 16384)(disk);
      word(84, 4096)(disk);
    },
    "its entries need 67108864 bytes",
  ],
  ["a wrong sum of the entries", (disk) => disk.writeUInt8(9, E + 60), "the CRC-32 of its partition entries is wrong"],
  [
    "a partition over the entries",
    partition(0, 33n, 79n),
    "partition 1 goes from sector 33 to 79, usable are 34 to 222",
  ],
  ["a partition over the backup", partition(2, 80n, 223n), "partition 3 goes from sector 80 to 223"],
  ["a partition that ends before it begins", partition(0, 79n, 78n), "partition 1 goes from sector 79 to 78"],
  [
    "a partition that can't be counted",
    partition(0, 40n, HUGE),
    "lastLba of the GPT partition entry: 0xffffffffffffffff",
  ],
];

describe("refused by name", () => {
  test.each(rules)("%s", async (_, damage, because) => {
    const disk = gptDisk({ partitions: PARTITIONS });
    damage(disk);
    for (const newSize of [disk.length, 1 << 20]) {
      const refused = planGptRelocation(guestOf(disk), { oldSize: disk.length, newSize });
      const error = await refused.catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(ImageError);
      expect(String(error)).toContain(because);
      expect(String(error)).toMatch(/^ImageError: Cannot relocate the disk's GPT: .*gpt=keep; nothing was written$/);
      expect(error).toMatchObject({ kind: because.includes("revision") ? "unsupported" : "corrupt", structure: "GPT" });
    }
  });

  test("and never by a tool that takes a grown disk for empty", async () => {
    const disk = gptDisk();
    disk.writeUInt8(1, H + 91);
    const refused = planGptRelocation(guestOf(disk), { oldSize: disk.length, newSize: 1 << 20 });
    await expect(refused).rejects.toThrow(
      "repair it before the disk grows (gdisk takes what is damaged from the backup",
    );
  });
});

test("a header without its mark is none, whatever its sum", () => {
  const disk = gptDisk();
  disk.write("EFI part", H);
  signHeader(disk, H);
  expect(() => parseGptHeader(disk.subarray(H, E), 1, 256)).toThrow("it has no signature");
});

test("what an unused entry holds means nothing", async () => {
  const disk = gptDisk({ partitions: PARTITIONS });
  partition(1, 5n, HUGE)(disk);
  expect((await planGptRelocation(guestOf(disk), { oldSize: disk.length, newSize: 1 << 20 })).steps).toHaveLength(3);
});

describe("no room at the end", () => {
  /** Its backup is gone, and the last partition reaches further than any tool would let it. */
  function crowded(): Buffer {
    const disk = gptDisk({ partitions: PARTITIONS });
    disk.fill(0, 511 * 256 + 256);
    lba(48, 250n)(disk);
    partition(2, 80n, 223n)(disk);
    return disk;
  }

  test("a partition lies there", async () => {
    const disk = crowded();
    await expect(planGptRelocation(guestOf(disk), { oldSize: disk.length, newSize: disk.length })).rejects.toThrow(
      "Cannot relocate the disk's GPT to its end: partition 3 reaches to sector 223; let the disk grow with align, or leave the GPT where it is with gpt=keep; nothing was written",
    );
    expect(
      (await planGptRelocation(guestOf(disk), { oldSize: disk.length, newSize: disk.length + 512 })).steps,
    ).toHaveLength(3);
  });

  test("the disk is hardly longer than its own front", async () => {
    const disk = gptDisk({ sectors: 67 + 1 });
    disk.fill(0, 67 * 512);
    lba(40, 35n)(disk);
    lba(48, 35n)(disk);
    await expect(planGptRelocation(guestOf(disk), { oldSize: disk.length, newSize: disk.length })).rejects.toThrow(
      "the disk has 68 sectors",
    );
  });

  test.each([512, 4096] as const)("the end is no whole sector of %d", async (sectorSize) => {
    const disk = gptDisk({ sectorSize });
    const newSize = disk.length + sectorSize / 2;
    await expect(planGptRelocation(guestOf(disk), { oldSize: disk.length, newSize })).rejects.toThrow(
      `the disk's ${newSize} bytes are no whole sectors of ${sectorSize}`,
    );
  });
});

test("no read leaves the disk or is longer than an array of entries, whatever a byte says", async () => {
  const whole = gptDisk({ partitions: PARTITIONS });
  for (let at = 446; at < E + 3 * 128; at++) {
    for (const value of [0, 0x7f, 0xff]) {
      const disk = Buffer.from(whole);
      disk.writeUInt8(value, at);
      if (at >= E) signEntries(disk, H);
      else if (disk.readUInt32LE(H + 12) < 512) signHeader(disk, H);
      const error = await planGptRelocation(guestOf(disk), { oldSize: disk.length, newSize: 1 << 20 }).catch(
        (caught) => caught,
      );
      if (error instanceof Error) expect(error).toBeInstanceOf(ImageError);
    }
  }
});
