/** A disk in several files, in memory: what every byte may say of it, and what is opened, and closed again. */

import { describe, expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { inside } from "../../../../src/formats/registry.ts";
import { openVmdk } from "../../../../src/formats/vmdk/image.ts";
import { GuestReader } from "../../../../src/image/guest/reader.ts";
import { openGuestView } from "../../../../src/image/guest/view.ts";
import { checkOf } from "../../../../src/image/source.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { buildDescriptor, flatExtent, sparseExtent } from "../../../formats/vmdk/builder.ts";
import { buildSparse } from "../../../formats/vmdk/sparse/builder.ts";
import { SPLIT_SPARSE } from "../../../formats/vmdk/split-cases.ts";
import { seededRandom } from "../../../support/random.ts";

const FIRST = buildSparse({ virtualSize: 12 * 4096 - 1024, data: [0, 4, 9], isPart: "no room", isRedundant: true });
const SECOND = buildSparse({ virtualSize: 6 * 4096, data: [1], zero: [2], isPart: "room", phase: 3 });
const FLAT = Buffer.alloc(8192, "flat ");
const FILES: Readonly<Record<string, Buffer>> = { "a.vmdk": FIRST.bytes, "b.vmdk": SECOND.bytes, "c.raw": FLAT };
const LINES = [
  sparseExtent("a.vmdk", FIRST.guest.length / 512),
  "RW 8 ZERO",
  flatExtent("c.raw", 16),
  sparseExtent("b.vmdk", SECOND.guest.length / 512),
];
const TEXT = buildDescriptor({ createType: SPLIT_SPARSE, extents: LINES });
const GUEST = Buffer.concat([FIRST.guest, Buffer.alloc(4096), FLAT, SECOND.guest]);

type Files = Readonly<Record<string, Buffer>>;

async function open(text: Buffer, files: Files, opened: string[] = []) {
  return openVmdk({
    inside,
    main: memoryStorage(text, "/vm/disk.vmdk"),
    async beside(name) {
      const bytes = files[name];
      if (bytes === undefined) throw new ImageError("io", `Cannot open ${name}`, { path: name });
      opened.push(name);
      return memoryStorage(bytes, `/vm/${name}`);
    },
  });
}

async function guestOf(text: Buffer, files: Files): Promise<Buffer> {
  const image = await open(text, files);
  await checkOf(image);
  await image.getMetadataRanges();
  image.getSpecificInfo();
  const guest = Buffer.alloc(Math.min(image.virtualSize, 2 ** 20));
  await new GuestReader(await openGuestView([image])).read(0, guest);
  return guest;
}

test("each file is opened once, and nothing else is", async () => {
  const opened: string[] = [];
  await open(TEXT, FILES, opened);
  expect(opened).toEqual(["a.vmdk", "c.raw", "b.vmdk"]);
  expect(Buffer.compare(await guestOf(TEXT, FILES), GUEST)).toBe(0);
});

test("with compressed grains it is refused by the file's name", async () => {
  const stream = buildSparse({ virtualSize: 6 * 4096, data: [1], isPart: "no room", isStream: true });
  await expect(open(TEXT, { ...FILES, "b.vmdk": stream.bytes })).rejects.toMatchObject({
    message: expect.stringMatching(/b.vmdk, a part of its disk, holds compressed grains/),
  });
});

test("a check tells of each file what is wrong in it, and where that is in the disk", async () => {
  const second = Buffer.from(SECOND.bytes);
  second.writeUInt32LE(90_000, (SECOND.tableOffsets.get(0) as number) + 4 * 3);
  second.writeUInt8(1, 72);
  const found = await checkOf(await open(TEXT, { ...FILES, "b.vmdk": second }));
  const start = GUEST.length - SECOND.guest.length + 3 * 4096;
  expect(found).toMatchObject({ checkErrors: 1, warnings: 1 });
  expect(found.findings.map(({ message }) => message)).toEqual([
    expect.stringMatching(new RegExp(`^b.vmdk: The grain of guest offset 0x${start.toString(16)} `)),
    expect.stringMatching(/^b.vmdk: The image is marked as in use/),
  ]);
});

describe("whatever a byte says", () => {
  test("it is told as what it is, and nothing is read that is not there", async () => {
    const random = seededRandom(2_047);
    const kinds = new Map<string, number>();
    for (let turn = 0; turn < 1200; turn++) {
      const files = Object.fromEntries(Object.entries(FILES).map(([name, bytes]) => [name, Buffer.from(bytes)]));
      const text = Buffer.from(TEXT);
      const name = random.pick(["text", "a.vmdk", "b.vmdk"]);
      const bytes = name === "text" ? text : (files[name] as Buffer);
      // Where a header, a directory or a table is; all of the text.
      const limit = name === "text" ? text.length : 12_288;
      for (let count = random.below(3); count >= 0; count--) {
        const at = random.chance(0.5) ? random.below(Math.min(limit, 80)) : random.below(limit);
        bytes[at] = random.pick([0, 1, 0x7f, 0xff, 0x20, 0x39, (bytes[at] as number) ^ (1 << random.below(8))]);
      }
      const kind = await guestOf(text, files).then(
        () => "read",
        (error: unknown) => {
          if (!(error instanceof ImageError)) throw error;
          return error.kind;
        },
      );
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect(kinds.get("read")).toBeGreaterThan(100);
    expect(kinds.get("corrupt")).toBeGreaterThan(100);
  });
});
