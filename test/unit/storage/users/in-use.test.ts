import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type FileLock,
  findLockHolders,
  findOtherUsers,
  locksOn,
  parseLocks,
} from "../../../../src/storage/users/in-use.ts";

/** Lines as Linux 5.15 to 6.18 printed them. */
const REAL = `1: OFDLCK ADVISORY  READ -1 fe:00:2147135 203 203
2: OFDLCK ADVISORY  READ -1 fe:00:2147135 201 201
3: OFDLCK ADVISORY  READ -1 fe:00:2147135 103 103
4: OFDLCK ADVISORY  READ -1 fe:00:2147135 100 101
5: FLOCK  ADVISORY  WRITE 770 00:19:1234 0 EOF
6: POSIX  ADVISORY  READ  1013 08:01:263042 128 128
6: -> POSIX  ADVISORY  WRITE 1014 08:01:263042 128 128
7: LEASE  ACTIVE    READ  55 103:05:99 0 EOF
8: POSIX  ADVISORY  WRITE 12 <none>:0 0 EOF
`;

/** What stat says of a file on fe:00: 12 bits of major number above 8 of the minor. */
const DEVICE_FE_00 = 0xfe00n;
const INODE = 2147135n;

function lock(changes: Partial<FileLock>): FileLock {
  const qemus = { kind: "OFDLCK", access: "READ", processId: -1, firstByte: 201, lastByte: 201 };
  return { ...qemus, deviceMajor: 0xfe, deviceMinor: 0, inode: INODE, ...changes };
}

describe("parseLocks", () => {
  test("reads every kind of line", () => {
    const locks = parseLocks(REAL);
    expect(locks).toHaveLength(8);
    expect(locks[0]).toEqual(lock({ firstByte: 203, lastByte: 203 }));
    expect(locks[4]).toMatchObject({ kind: "FLOCK", processId: 770, deviceMinor: 0x19, lastByte: Infinity });
    expect(locks[6]).toMatchObject({ processId: 1014, inode: 263042n, firstByte: 128 });
    expect(locks[7]).toMatchObject({ kind: "LEASE", deviceMajor: 0x103, deviceMinor: 5 });
  });

  test("no locks", () => expect(parseLocks("")).toEqual([]));

  test.each(["garbage", "1: OFDLCK ADVISORY READ -1 fe:00:x 100 101", "1: OFDLCK ADVISORY READ -1 fe:00:5 100"])(
    "does not pass over what it can't read: %s",
    (line) => expect(() => parseLocks(line)).toThrow(/^Cannot understand \/proc\/locks/),
  );
});

describe("locksOn", () => {
  const on = (changes: Partial<FileLock>, device = DEVICE_FE_00): boolean =>
    locksOn({ device, inode: INODE }, [lock(changes)]).length === 1;

  test("QEMU's bytes of the same inode", () => {
    expect(locksOn({ device: DEVICE_FE_00, inode: INODE }, parseLocks(REAL))).toHaveLength(4);
    expect(on({ inode: 1n })).toBe(false);
  });

  test.each([
    [99, 99, false],
    [99, 100, true],
    [100, 100, true],
    [299, 299, true],
    [300, 300, false],
    [0, Number.POSITIVE_INFINITY, true],
  ])("bytes %d to %d", (firstByte, lastByte, expected) => expect(on({ firstByte, lastByte })).toBe(expected));

  test("another device number acquits only what is neither QEMU's nor on an anonymous device", () => {
    expect(on({ deviceMinor: 1 })).toBe(true);
    const whole = { kind: "FLOCK", processId: 9, firstByte: 0, lastByte: Number.POSITIVE_INFINITY };
    expect(on(whole)).toBe(true);
    expect(on({ ...whole, deviceMajor: 8 })).toBe(false);
    expect(on({ ...whole, deviceMajor: 0, deviceMinor: 0x2e })).toBe(true);
    expect(on({ ...whole, deviceMajor: 8 }, 0x2en)).toBe(true);
  });

  test("large device numbers are spread as Linux spreads them", () => {
    const whole = { kind: "FLOCK", processId: 9, firstByte: 0, deviceMajor: 0x12345, deviceMinor: 0x6789ab };
    // makedev(0x12345, 0x6789ab), as the C library computes it
    expect(on(whole, 0x12006789345abn)).toBe(true);
    expect(on(whole, 0x34567abn)).toBe(false);
  });
});

describe("findOtherUsers", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "inplace-in-use-"));
    await mkdir(join(folder, "proc/self/ns"), { recursive: true });
    await mkdir(join(folder, "sys/block/loop0/loop"), { recursive: true });
    await mkdir(join(folder, "sys/block/loop1"), { recursive: true });
    await mkdir(join(folder, "sys/block/sda/loop"), { recursive: true });
    await symlink("pid:[4026531836]", join(folder, "proc/self/ns/pid"));
    await writeFile(join(folder, "proc/locks"), "");
    await writeFile(join(folder, "disk.qed"), "image");
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function look(platform: NodeJS.Platform = "linux") {
    const facts = await stat(join(folder, "disk.qed"), { bigint: true });
    const system = { platform, proc: join(folder, "proc"), sys: join(folder, "sys") };
    return findOtherUsers("images/disk.qed", { device: facts.dev, inode: facts.ino }, "anew", system);
  }
  const backing = (text: string) => writeFile(join(folder, "sys/block/loop0/loop/backing_file"), text);

  test("nobody", async () => expect(await look()).toEqual({ found: [], writers: [], blind: [] }));

  test("QEMU, named once however many bytes it locks", async () => {
    const { ino } = await stat(join(folder, "disk.qed"));
    await writeFile(join(folder, "proc/locks"), REAL.replaceAll("2147135", String(ino)));
    const { found, writers } = await look();
    expect(found).toEqual([expect.stringMatching(/^QEMU has it open for writing: a lock/)]);
    expect(writers).toEqual(found);
    const { dev, ino: inode } = await stat(join(folder, "disk.qed"), { bigint: true });
    const system = { platform: "linux", proc: join(folder, "proc"), sys: join(folder, "sys") } as const;
    expect(await findLockHolders({ device: dev, inode }, system)).toMatchObject({ found, writers });
  });

  test("QEMU that only reads is no writer", async () => {
    const { ino } = await stat(join(folder, "disk.qed"));
    const lock = (at: number, byte: number) => `${at}: OFDLCK ADVISORY  READ -1 fe:00:${ino} ${byte} ${byte}\n`;
    await writeFile(join(folder, "proc/locks"), lock(1, 100) + lock(2, 203));
    const { found, writers } = await look();
    expect(found).toEqual([expect.stringMatching(/^QEMU has it open: a lock/)]);
    expect(writers).toEqual([]);
  });

  test("a loop device over it", async () => {
    await backing(`${join(folder, "disk.qed")}\n`);
    expect((await look()).found).toEqual(["it is attached to /dev/loop0"]);
  });

  test("a loop device over another file", async () => {
    await backing(`${join(folder, "proc/locks")}\n`);
    expect(await look()).toEqual({ found: [], writers: [], blind: [] });
  });

  test("a loop device over a name that can't be seen from here", async () => {
    await backing("/elsewhere/disk.qed (deleted)\n");
    expect((await look()).blind).toEqual(["the file behind /dev/loop0, which has the same name"]);
    await backing("/elsewhere/other.qed\n");
    expect((await look()).blind).toEqual([]);
  });

  test("what can't be looked at is said", async () => {
    await rm(join(folder, "proc/self"), { recursive: true });
    expect((await look()).blind).toEqual(["locks of processes outside this container (/proc/locks)"]);
    await writeFile(join(folder, "proc/locks"), "garbage");
    await rm(join(folder, "sys"), { recursive: true });
    const everything = ["file locks (/proc/locks)", "loop devices (/sys/block)"];
    expect(await look()).toEqual({ found: [], writers: [], blind: everything });
    expect((await look("darwin")).blind).toEqual(["file locks and open files on darwin"]);
  });
});
