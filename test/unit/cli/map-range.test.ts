import { expect, test } from "vitest";
import { run } from "./world.ts";

const stored = { depth: 0, present: true, zero: false, data: true, compressed: false };
const hole = { depth: 0, present: false, zero: true, data: false, compressed: false };
const entries = [
  { ...stored, start: 0, length: 65536, offset: 327680 },
  { ...hole, start: 65536, length: 983040 },
  { ...stored, start: 1048576, length: 65536, offset: 393216 },
];
const map = async () => ({ image: "a", covers: "guest" as const, files: ["a"], entries });

test("cut at both ends, with the place in the file", async () => {
  const { stdout } = await run("map --start-offset 32K --max-length 64k --output json a", { map });
  expect(JSON.parse(stdout)).toEqual([
    { ...stored, start: 32768, length: 32768, offset: 360448 },
    { ...hole, start: 65536, length: 32768 },
  ]);
  const text = (await run("map -s 1M -l 0x8000 a", { map })).stdout;
  expect(text.split("\n").slice(1)).toEqual(["0x100000        0x8000          0x60000         a", ""]);
});

test("past the end, and of no length, is one entry that says nothing, as qemu-img has it", async () => {
  for (const [words, start] of [
    ["--start-offset 8M", 8388608],
    ["--max-length 0", 0],
  ] as const) {
    const { stdout } = await run(`map ${words} --output json a`, { map });
    expect(JSON.parse(stdout)).toEqual([{ ...hole, zero: false, start, length: 0 }]);
    expect((await run(`map ${words} a`, { map })).stdout).toBe(
      "Offset          Length          Mapped to       File\n",
    );
  }
});

test("no more than the disk; without either, all of it", async () => {
  const { stdout } = await run("map --start-offset 1088k --max-length 9M --output json a", { map });
  expect(JSON.parse(stdout)).toEqual([{ ...hole, zero: false, start: 1114112, length: 0 }]);
  expect(JSON.parse((await run("map --output json a", { map })).stdout)).toEqual(entries);
});

test("what is no size is refused before the image is opened", async () => {
  for (const words of ["--start-offset x", "--max-length -5"]) {
    expect(await run(`map a ${words}`)).toMatchObject({ exitCode: 2, calls: [] });
  }
});
