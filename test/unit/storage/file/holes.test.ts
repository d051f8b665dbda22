/** Holes of real files: told, and made, by each tool alone, by none, and by tools that lie. */

import { execFileSync } from "node:child_process";
import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { chmod, mkdir, mkdtemp, open, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GiB, KiB, MiB } from "../../../../src/bytes/align.ts";
import { type Range, RangeSet } from "../../../../src/bytes/range-set.ts";
import { FileVolume } from "../../../../src/storage/file/file-volume.ts";
import { dataRangesOf } from "../../../../src/storage/file/holes.ts";
import { Puncher } from "../../../../src/storage/file/punching.ts";
import type { WritableStorage } from "../../../../src/storage/storage.ts";

const BLOCK = 4 * KiB;
const blocks = (start: number, end: number): Range => ({ start: start * BLOCK, end: end * BLOCK });

const places = new Map<string, string>();
let folder: string;
let path: string;
let tools: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-holes-"));
  path = join(folder, "disk.raw");
  tools = join(folder, "tools");
  await mkdir(tools);
});
afterEach(() => rm(folder, { recursive: true }));

/** A volume that finds the named tools alone. */
async function volumeWith(...names: readonly string[]): Promise<FileVolume> {
  for (const name of names) await symlink(whereIs(name), join(tools, name));
  return new FileVolume({ platform: "linux", searchPath: tools });
}

/** Of python its own program: what stands in PATH may be a script that needs others. */
function whereIs(name: string): string {
  const ask = () =>
    name === "python3"
      ? run("python3", "-c", "import sys; print(sys.executable)")
      : run("sh", "-c", `command -v ${name}`);
  const place = places.get(name) ?? ask();
  places.set(name, place);
  return place;
}

function run(command: string, ...words: readonly string[]): string {
  return execFileSync(command, words, { encoding: "utf8" }).trim();
}

function listed(ranges: RangeSet | undefined): readonly Range[] {
  return [...(ranges ?? expect.unreachable()).each()];
}

/** A program of the name that is this shell script. */
async function impostor(name: string, script: string): Promise<void> {
  await writeFile(join(tools, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(tools, name), 0o755);
}

/** Ones all over, but for the holes. */
async function makeFile(size: number, ...data: readonly Range[]): Promise<void> {
  const file = await open(path, "w");
  await file.truncate(size);
  for (const { start, end } of data) await file.write(Buffer.alloc(end - start, 1), 0, end - start, start);
  await file.close();
}

async function asked(volume: FileVolume): Promise<readonly Range[] | undefined> {
  const file = await volume.openForReading(path);
  const ranges = await file.dataRanges?.();
  await file.close();
  return ranges && listed(ranges);
}

async function punched(volume: FileVolume, ...ranges: readonly Range[]): Promise<readonly Range[]> {
  const file = await volume.openForWriting(path);
  try {
    return listed(await file.punch?.(RangeSet.of(...ranges)));
  } finally {
    await file.close();
  }
}

/** The file's bytes, where they begin anew to be something else. */
async function changes(): Promise<readonly (readonly [at: number, byte: number])[]> {
  const bytes = await readFile(path);
  const found: [number, number][] = [];
  for (let at = 0; at < bytes.length; at++) {
    if (at === 0 || bytes[at] !== bytes[at - 1]) found.push([at, bytes[at] as number]);
  }
  return found;
}

const takenBlocks = (): number => statSync(path).blocks / 8;

describe("what holds data", () => {
  test.each(["perl", "python3", "qemu-img"])("is told by %s alone", async (tool) => {
    const size = 5 * GiB + 3;
    await makeFile(size, blocks(2, 3), blocks(10, 14), { start: size - 2, end: size });
    const last = Math.floor(size / BLOCK) * BLOCK;
    const volume = await volumeWith(tool);
    expect(await asked(volume)).toEqual([blocks(2, 3), blocks(10, 14), { start: last, end: size }]);
    await makeFile(size, blocks(0, 1));
    expect(await asked(volume)).toEqual([blocks(0, 1)]);
    await makeFile(size);
    expect(await asked(volume)).toEqual([]);
    await makeFile(3, { start: 0, end: 3 });
    expect(await asked(volume)).toEqual([{ start: 0, end: 3 }]);
    expect(volume.notes).toEqual([]);
  });

  test("of an empty file is nothing, and nobody is asked", async () => {
    await makeFile(0);
    expect(await asked(await volumeWith())).toEqual([]);
  });

  test("of a name that became another file's is still that of the open one", async () => {
    await makeFile(8 * BLOCK, blocks(0, 2));
    const file = await (await volumeWith("perl", "qemu-img")).openForReading(path);
    await rm(path);
    await makeFile(8 * BLOCK, blocks(4, 8));
    expect(listed(await file.dataRanges?.())).toEqual([blocks(0, 2)]);
    await file.close();
  });

  test("is unknown where nothing is at hand, and a note says so", async () => {
    await makeFile(8 * BLOCK, blocks(0, 2));
    const volume = await volumeWith();
    expect(await asked(volume)).toBeUndefined();
    expect(await asked(volume)).toBeUndefined();
    expect(volume.notes).toEqual(["holes are read: nothing here tells where they are"]);
    expect(await asked(new FileVolume({ platform: "darwin", searchPath: process.env.PATH }))).toBeUndefined();
  });

  test.each([
    ["dies", "exit 1"],
    ["says nothing", ""],
    ["says rubbish", "echo 0 but true"],
    ["says rubbish for ever", "yes"],
    ["never ends its line", "cat /dev/zero"],
    ["tells no end", "echo 0 8192"],
    ["goes on behind its end", "echo end; echo 0 4096"],
    ["goes back", "echo 4096 8192; echo 0 4096; echo end"],
    ["tells ranges of nothing", "echo 4096 4096; echo end"],
    ["tells what no number holds", "echo 0 9999999999999999; echo end"],
    ["tells all and fails", "echo 0 32768; echo end; exit 1"],
    ["calls data a hole", "echo end"],
    ["calls the end of data a hole", "echo 0 4096; echo end"],
  ])("is not believed of a tool that %s", async (_, script) => {
    await makeFile(8 * BLOCK, blocks(0, 2));
    await impostor("perl", `PATH=/usr/bin:/bin; ${script}`);
    await impostor("qemu-img", "echo '[]'");
    const volume = await volumeWith();
    expect(await asked(volume)).toBeUndefined();
    await symlink(whereIs("python3"), join(tools, "python3"));
    expect(await asked(volume)).toEqual([blocks(0, 2)]);
  });

  test("may be told with holes that are none: what is joined is data", async () => {
    const data = [0, 2, 4, 40, 42, 100, 1000].map((at) => blocks(at, at + 1));
    await makeFile(2000 * BLOCK, ...data);
    const file = await open(path);
    const host = { platform: "linux", searchPath: process.env.PATH } as const;
    const told = async (max: number) => listed(await dataRangesOf(file.fd, path, 2000 * BLOCK, host, max));
    expect(await told(7)).toEqual(data);
    expect(await told(6)).toEqual([blocks(0, 5), blocks(40, 43), blocks(100, 101), blocks(1000, 1001)]);
    expect(await told(3)).toEqual([blocks(0, 101), blocks(1000, 1001)]);
    expect(await told(1)).toEqual([blocks(0, 1001)]);
    await file.close();
  });

  test("throws for a file that is closed", async () => {
    await makeFile(BLOCK);
    const file = (await (await volumeWith("perl")).openForWriting(path)) as WritableStorage;
    await file.close();
    await expect(file.dataRanges?.()).rejects.toMatchObject({ kind: "io" });
    await expect(file.punch?.(RangeSet.of(blocks(0, 1)))).rejects.toMatchObject({ kind: "io" });
  });
});

describe("space given back", () => {
  test.each(["perl", "python3", "fallocate"])("by %s alone: the ranges and no byte beside them", async (tool) => {
    await makeFile(64 * BLOCK + 5, { start: 0, end: 64 * BLOCK + 5 });
    const volume = await volumeWith(tool);
    expect(takenBlocks()).toBe(65);
    const odd = { start: 50 * BLOCK + 7, end: 50 * BLOCK + 9 };
    expect(await punched(volume, blocks(1, 3), blocks(8, 40), odd, blocks(60, 99))).toEqual([]);
    expect(await changes()).toEqual([
      [0, 1],
      [1 * BLOCK, 0],
      [3 * BLOCK, 1],
      [8 * BLOCK, 0],
      [40 * BLOCK, 1],
      [odd.start, 0],
      [odd.end, 1],
      [60 * BLOCK, 0],
    ]);
    expect(statSync(path).size).toBe(64 * BLOCK + 5);
    expect(takenBlocks()).toBeLessThanOrEqual(65 - 2 - 32 - 4);
    expect(volume.notes).toEqual([]);
  });

  test("on a file system in memory: one call with a string for a number gave a whole file away there", async () => {
    const memory = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "inplace-holes-"));
    path = join(memory, "disk.raw");
    try {
      await makeFile(64 * BLOCK, blocks(0, 64));
      expect(await punched(await volumeWith("perl"), blocks(3, 4), blocks(9, 20))).toEqual([]);
      expect((await changes()).map(([at]) => at / BLOCK)).toEqual([0, 3, 4, 9, 20]);
      expect(await asked(await volumeWith())).toEqual([blocks(0, 3), blocks(4, 9), blocks(20, 64)]);
    } finally {
      await rm(memory, { recursive: true });
    }
  });

  test.each(["perl", "python3"])("by %s in many ranges, far out", async (tool) => {
    const base = 6 * GiB;
    await makeFile(base + 800 * BLOCK, { start: base, end: base + 800 * BLOCK });
    const ranges = Array.from({ length: 400 }, (_, at) => {
      const start = base + 2 * at * BLOCK;
      return { start, end: start + BLOCK };
    });
    const volume = await volumeWith(tool);
    // A range of many pieces in front of them.
    expect(await punched(volume, blocks(0, 5 * 256 * KiB), ...ranges)).toEqual([]);
    expect(takenBlocks()).toBeLessThan(410);
    const file = await volume.openForReading(path);
    const bytes = Buffer.alloc(800 * BLOCK);
    await file.read(base, bytes);
    await file.close();
    for (let at = 0; at < bytes.length; at += 997) expect(bytes[at]).toBe(Math.floor(at / BLOCK) % 2);
  });

  test("needs few ranges where each takes a process: the rest is answered", async () => {
    await makeFile(80 * BLOCK, blocks(0, 80));
    const volume = await volumeWith("fallocate");
    const ranges = Array.from({ length: 20 }, (_, at) => blocks(4 * at, 4 * at + 1));
    expect(await punched(volume, ...ranges)).toEqual(ranges.slice(16));
    expect(volume.notes).toHaveLength(1);
  });

  test("cannot be where nothing is at hand: all is answered, nothing changed, and a note says so", async () => {
    await makeFile(8 * BLOCK, blocks(0, 8));
    const volume = await volumeWith();
    expect(await punched(volume, blocks(1, 2), blocks(4, 99))).toEqual([blocks(1, 2), blocks(4, 8)]);
    expect(volume.notes).toEqual(["not all space could be given back: nothing here punches holes into this file"]);
    const elsewhere = new FileVolume({ platform: "win32", searchPath: process.env.PATH });
    expect(await punched(elsewhere, blocks(1, 2))).toEqual([blocks(1, 2)]);
    expect(await changes()).toEqual([[0, 1]]);
  });

  test("stays where it is when there is nothing to do", async () => {
    await makeFile(8 * BLOCK, blocks(0, 8));
    const volume = await volumeWith();
    expect(await punched(volume)).toEqual([]);
    expect(await punched(volume, blocks(8, 9))).toEqual([]);
    expect(volume.notes).toEqual([]);
  });

  test.each([
    ["dies", "exit 1"],
    ["says rubbish", "echo ready; echo 0 but true"],
    ["does nothing and says so", "echo ready; while read a; do echo n; done"],
    ["does nothing and says that it did", "echo ready; while read a; do echo y; done"],
    ["stops in the middle", "echo ready; read a; echo y"],
    ["ends badly", "echo ready; while read a; do echo y; done; exit 3"],
  ])("is not believed of a tool that %s", async (_, script) => {
    await makeFile(8 * BLOCK, blocks(0, 8));
    await impostor("perl", script);
    await impostor("fallocate", "exit 0");
    const volume = await volumeWith();
    expect(await punched(volume, blocks(1, 2), blocks(4, 6))).toEqual([blocks(1, 2), blocks(4, 6)]);
    expect(await changes()).toEqual([[0, 1]]);
    await symlink(whereIs("python3"), join(tools, "python3"));
    const isHonest = script.includes("echo n");
    expect(await punched(volume, blocks(1, 2), blocks(4, 6))).toEqual(isHonest ? [blocks(1, 2), blocks(4, 6)] : []);
  });

  test.each([
    ["from the first", "kill -STOP $$"],
    ["in the middle", "echo ready; read a; kill -STOP $$"],
  ])("does not wait for a tool that was stopped %s: the next one goes on", async (_, script) => {
    await makeFile(8 * BLOCK, blocks(0, 8));
    await impostor("perl", script);
    await symlink(whereIs("python3"), join(tools, "python3"));
    const descriptor = openSync(path, "r+");
    try {
      const puncher = new Puncher(descriptor, path, { platform: "linux", searchPath: tools }, 500);
      expect(listed(await puncher.punch(8 * BLOCK, RangeSet.of(blocks(1, 2), blocks(4, 6))))).toEqual([]);
      await puncher.close();
    } finally {
      closeSync(descriptor);
    }
    expect((await changes()).map(([at]) => at / BLOCK)).toEqual([0, 1, 2, 4, 6]);
  });

  test.each([
    ["the bytes before a range", `/bin/dd if=/dev/zero of=/proc/self/fd/3 bs=1 seek=${BLOCK - 1} count=2 conv=notrunc`],
    ["the bytes behind a range", `/bin/dd if=/dev/zero of=/proc/self/fd/3 bs=1 seek=${2 * BLOCK} count=2 conv=notrunc`],
    ["the header", "/bin/dd if=/dev/zero of=/proc/self/fd/3 bs=1 count=1 conv=notrunc"],
    ["the length", `/usr/bin/truncate -s ${9 * BLOCK} /proc/self/fd/3`],
    ["the whole file", "/usr/bin/truncate -s 0 /proc/self/fd/3"],
  ])("ends with an error where a tool changed %s", async (_, harm) => {
    await makeFile(8 * BLOCK, blocks(0, 8));
    await impostor("perl", `echo ready; read a; ${harm} 2>/dev/null; echo y; while read a; do echo y; done`);
    const volume = await volumeWith("python3");
    await expect(punched(volume, blocks(1, 2), blocks(4, 6))).rejects.toMatchObject({
      kind: "io",
      operation: "punch holes into",
      path,
    });
  });

  test.each(["perl", "python3"])(
    "takes one %s for all of a file's ranges, which is no other user of it",
    async (tool) => {
      await makeFile(8 * BLOCK, blocks(0, 8));
      const starts = join(folder, "starts");
      await impostor(tool, `echo >> ${starts}\nexec ${whereIs(tool)} "$@"`);
      const volume = await volumeWith();
      const file = await volume.openForWriting(path);
      const punch = async (range: Range) => expect(listed(await file.punch?.(RangeSet.of(range)))).toEqual([]);
      await punch(blocks(1, 2));
      await punch(blocks(3, 4));
      expect(await readFile(starts, "utf8")).toBe("\n");
      // One that had it open would be found: the tool has ended, and is started anew.
      expect((await volume.otherUsers(file)).found).toEqual([]);
      await punch(blocks(5, 6));
      expect(await readFile(starts, "utf8")).toBe("\n\n");
      await file.close();
      expect((await changes()).map(([at]) => at / BLOCK)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      const again = await volume.openForReading(path);
      expect((await volume.otherUsers(again)).found).toEqual([]);
      await again.close();
    },
  );

  test("its tool keeps nobody from ending, and who waits for its end is not ended before", async () => {
    await makeFile(8 * BLOCK, blocks(0, 8));
    const volume = new URL("../../../../src/storage/file/file-volume.ts", import.meta.url).href;
    const ranges = new URL("../../../../src/bytes/range-set.ts", import.meta.url).href;
    const script = `
      import { FileVolume } from ${JSON.stringify(volume)};
      import { RangeSet } from ${JSON.stringify(ranges)};
      const volume = new FileVolume();
      const file = await volume.openForWriting(process.argv[1]);
      await file.punch(RangeSet.of({ start: 0, end: 4096 }));
      await volume.otherUsers(file);
      await file.punch(RangeSet.of({ start: 8192, end: 12288 }));
      // Left open, as by one who was stopped.
      console.log("whole");
    `;
    const words = ["--input-type=module", "--no-warnings", "--eval", script, path];
    expect(run(process.execPath, ...words)).toBe("whole");
    expect((await changes()).map(([at]) => at / BLOCK)).toEqual([0, 1, 2, 3]);
  });

  test.each([
    [-BLOCK, BLOCK],
    [0, 2 ** 60],
    [0.5, 4],
  ])("is none from %f to %f", async (start, end) => {
    await makeFile(8 * BLOCK, blocks(0, 8));
    const volume = await volumeWith("perl");
    await expect(punched(volume, { start, end })).rejects.toMatchObject({ kind: "out-of-bounds" });
    expect(await changes()).toEqual([[0, 1]]);
  });

  test("goes to the file that is open, whatever has its name by now", async () => {
    await makeFile(8 * BLOCK, blocks(0, 8));
    const file = await (await volumeWith("perl", "fallocate")).openForWriting(path);
    await rm(path);
    const other = join(folder, "other");
    await writeFile(other, Buffer.alloc(8 * BLOCK, 2));
    await symlink(other, path);
    await file.punch?.(RangeSet.of(blocks(0, 8)));
    const bytes = Buffer.alloc(8 * BLOCK, 9);
    await file.read(0, bytes);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    expect((await readFile(other)).every((byte) => byte === 2)).toBe(true);
    await file.close();
  });

  test("is no matter of the caller's variables", async () => {
    await makeFile(8 * BLOCK, blocks(0, 8));
    process.env.PERL5OPT = "-Mthere_is_no_such_module";
    try {
      expect(await punched(await volumeWith("perl"), blocks(0, 8))).toEqual([]);
    } finally {
      delete process.env.PERL5OPT;
    }
  });

  test("stays within the size where the file shrank since", async () => {
    await makeFile(2 * MiB, { start: 0, end: 2 * MiB });
    await truncate(path, 2 * BLOCK);
    expect(await punched(await volumeWith("perl"), blocks(1, 9))).toEqual([]);
    expect(await changes()).toEqual([
      [0, 1],
      [BLOCK, 0],
    ]);
    expect(statSync(path).size).toBe(2 * BLOCK);
  });
});
