import { describe, expect, it, test } from "vitest";
import { ImageError, UsageError } from "../../../../src/bytes/image-error.ts";
import { RangeSet } from "../../../../src/bytes/range-set.ts";
import { openImage, probeFormat } from "../../../../src/formats/registry.ts";
import { ExtentState, eachExtent } from "../../../../src/image/extent.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { buildMkimgVhd, buildVpc, sealed } from "../../../formats/vpc/builder.ts";
import { vpcAccepted, vpcCases, vpcUnclean } from "../../../formats/vpc/cases.ts";
import { vpcFieldSites } from "../../../formats/vpc/field-sites.ts";
import { readVpcNaively } from "../../../formats/vpc/naive-reader.ts";
import { mutate } from "../../../fuzz/mutator.ts";
import { seededRandom } from "../../../support/random.ts";

const PLAIN = { virtualSize: 40 * 4096, data: [0, 1, 5] };
const open = (bytes: Uint8Array, options = {}) => openImage(memoryStorage(bytes, "a.vhd"), undefined, { options });
const extentsOf = async (bytes: Uint8Array) => [...eachExtent(await (await open(bytes)).getMapping())];

describe("a fixed VHD", () => {
  it("is one data extent at 0, and its footer is metadata", async () => {
    const { bytes } = buildVpc(PLAIN);
    const image = await open(bytes);
    expect(image).toMatchObject({ format: "vpc", virtualSize: 163_840, fileSize: 164_352 });
    expect(await extentsOf(bytes)).toMatchObject([
      { guestOffset: 0, hostOffset: 0, length: 163_840, state: ExtentState.data },
    ]);
    expect([...(await image.getMetadataRanges()).each()]).toEqual([{ start: 163_840, end: 164_352 }]);
    expect(image.getSpecificInfo()).toEqual({ format: "vpc" });
    expect(image.check).toBeUndefined();
  });

  it("keeps its footer in what makes the same file again", async () => {
    const { bytes } = buildVpc({ ...PLAIN, reservedByte: 7 });
    const { creationOptions, forgettable, unclean } = (await open(bytes)).getConversionOptions();
    expect(creationOptions).toEqual({
      subformat: "fixed",
      force_size: true,
      footer: Buffer.from(bytes.subarray(-512)).toString("hex"),
    });
    expect([forgettable, unclean]).toEqual([[], []]);
  });

  it("shows holes where the host tells them, in whole sectors", async () => {
    const storage = memoryStorage(buildVpc(PLAIN).bytes);
    const ranges = RangeSet.of({ start: 100, end: 700 }, { start: 8192, end: 9000 }, { start: 160_000, end: 164_352 });
    const image = await openImage({ ...wrapped(storage), dataRanges: async () => ranges } as typeof storage);
    const { data, unallocated } = ExtentState;
    expect([...eachExtent(await image.getMapping())]).toMatchObject([
      { guestOffset: 0, hostOffset: 0, length: 1024, state: data },
      { guestOffset: 1024, length: 7168, state: unallocated },
      { guestOffset: 8192, hostOffset: 8192, length: 1024, state: data },
      { guestOffset: 9216, length: 150_528, state: unallocated },
      { guestOffset: 159_744, hostOffset: 159_744, length: 4096, state: data },
    ]);
    const none = await openImage({ ...wrapped(storage), dataRanges: async () => undefined } as typeof storage);
    expect((await none.getMapping()).count).toBe(1);
  });

  it("names bytes between disk and footer that nobody shows, and forgets zeros", async () => {
    const between = new Uint8Array(4096);
    const forgettableOf = async () => {
      const image = await open(buildVpc({ ...PLAIN, between }).bytes);
      expect([...(await image.getMetadataRanges()).each()]).toEqual([{ start: 163_840, end: 168_448 }]);
      const { forgettable, creationOptions } = image.getConversionOptions();
      expect(creationOptions).toEqual({ subformat: "fixed", force_size: true });
      return forgettable;
    };
    expect(await forgettableOf()).toEqual([]);
    between[4095] = 1;
    expect(await forgettableOf()).toEqual(["bytes 163840 to 167936 before the footer, which hold data"]);
  });

  it("is no clean one with a machine in saved state, or with bytes before its footer that are nobody's", async () => {
    for (const { bytes, says } of vpcUnclean) {
      expect((await open(bytes)).getConversionOptions().unclean).toEqual([expect.stringMatching(says as RegExp)]);
    }
  });
});

/** Methods of a class are no fields of a copy. */
function wrapped(storage: ReturnType<typeof memoryStorage>) {
  const read = (at: number, into: Uint8Array) => storage.read(at, into);
  return { path: storage.path, size: () => storage.size(), read, close: async () => {} };
}

test.each(vpcAccepted.map(({ name, bytes }) => [name, bytes] as const))("%s", async (_name, bytes) => {
  expect((await probeFormat(memoryStorage(bytes))).name).toBe("vpc");
  expect((await open(bytes)).virtualSize).toBe(readVpcNaively(bytes).length);
});

test.each(vpcCases.map((each) => [each.name, each] as const))("%s", async (_name, { bytes, format, says }) => {
  const error = await openImage(memoryStorage(bytes, "a.vhd"), format).catch((reason) => reason);
  expect(error).toBeInstanceOf(ImageError);
  expect(error.message).toMatch(says as RegExp);
  expect(error.message).toContain("a.vhd");
});

describe("sizes that disagree", () => {
  const { bytes, chsSize } = buildMkimgVhd();

  test("are chosen between by the user, and what is left out is named", async () => {
    expect((await open(bytes, { size_from: "current" })).virtualSize).toBe(5_242_880);
    const cut = await open(bytes, { size_from: "chs" });
    expect(cut.virtualSize).toBe(chsSize);
    expect(cut.getConversionOptions()).toMatchObject({
      forgettable: [
        "bytes 5222400 to 5242880 before the footer, which hold data, a GPT's backup header at 0x4ffe00 among it",
      ],
      creationOptions: { subformat: "fixed", force_size: true },
    });
  });

  test("are said in the action's words too", async () => {
    const error: ImageError = await open(bytes).catch((reason) => reason);
    const option = ({ name, value }: { name: string; value?: string | undefined }) => `<${name}: ${value}>`;
    const words = { option, command: () => "", key: (name: string) => name };
    expect(error.sentence.in(words)).toContain("choose with <target-format-options: size_from=current>");
  });

  test("may be chosen between where they agree too, and only a size that the file has", async () => {
    for (const size_from of ["current", "chs"]) {
      const agreeing = buildVpc({ virtualSize: 348_160, data: [], creator: "vpc ", geometry: [10, 4, 17] });
      expect((await open(agreeing.bytes, { size_from })).virtualSize).toBe(348_160);
    }
    const larger = buildVpc({ ...PLAIN, creator: "vpc ", geometry: [40, 4, 17] });
    await expect(open(larger.bytes, { size_from: "chs" })).rejects.toThrow(
      /1392640 bytes ends behind its footer .*; choose with -o size_from=current/,
    );
    expect((await open(larger.bytes, { size_from: "current" })).virtualSize).toBe(163_840);
  });

  test("are read at both ends only where they lie far apart", async () => {
    const storage = memoryStorage(
      buildVpc({ virtualSize: 12 << 20, data: [], creator: "vpc ", geometry: [1, 4, 17] }).bytes,
    );
    let bytesRead = 0;
    const read = (at: number, into: Uint8Array) => {
      bytesRead += into.length;
      return storage.read(at, into);
    };
    await expect(openImage({ ...wrapped(storage), read })).rejects.toThrow(/between them begin and end with zeros/);
    expect(bytesRead).toBeLessThan(9 << 20);
  });

  test("are read at the far end, where a backup header would be", async () => {
    const { bytes } = buildVpc({ virtualSize: 12 << 20, data: [], creator: "vpc ", geometry: [1, 4, 17] });
    Buffer.from(bytes.buffer).write("EFI PART", (12 << 20) - 512, "latin1");
    await expect(open(bytes)).rejects.toThrow(/a GPT's backup header at 0xbffe00 among it/);
  });

  test("are nothing for a wrong word, or for another format", async () => {
    await expect(open(bytes, { size_from: "both" })).rejects.toThrow(UsageError);
    const raw = memoryStorage(new Uint8Array(512));
    await expect(openImage(raw, "raw", { options: { size_from: "chs" } })).rejects.toThrow(
      "Cannot use option size_from: the image is raw",
    );
  });
});

describe("probing", () => {
  const bearing = (text: string, at: number) => {
    const { bytes } = buildVpc({ ...PLAIN, data: [] });
    Buffer.from(bytes.buffer).write(text, at, "latin1");
    return memoryStorage(bytes);
  };

  test.each([
    ["\x55\xaa", 510],
    ["ustar\0", 257],
    ["LUKS\xba\xbe", 0],
    ["CD001", 0x8001],
  ])("what a guest has of its own proves nothing: %j at %d", async (text, at) => {
    expect((await probeFormat(bearing(text, at))).name).toBe("vpc");
  });

  test.each([
    ["QFI\xfb\0\0\0\x03", "qcow2 and vpc"],
    [`${"\0".repeat(64)}\x7f\x10\xda\xbe`, "vpc and vdi"],
    ["QED\0", "qed and vpc"],
    ["QFI\xfb\0\0\0\x01", "qcow and vpc"],
    ["KDMV", "vpc and vmdk"],
    ["vhdxfile", "vpc and vhdx"],
    ["Bochs Virtual HD Image", "vpc and bochs"],
  ])("what others would take for an image is one of two: %j", async (text, names) => {
    await expect(openImage(bearing(text, 0))).rejects.toThrow(`it looks like ${names}; name it with -f`);
    expect((await openImage(bearing(text, 0), "vhd")).virtualSize).toBe(PLAIN.virtualSize);
  });
});

test("fields may lie under a right sum too: an ImageError or a disk inside the file", async () => {
  const { bytes } = buildVpc({ ...PLAIN, creator: "vpc ", geometry: [4, 4, 17] });
  const image = Buffer.from(bytes);
  const fields = vpcFieldSites(image);
  let opened = 0;
  for (let seed = 0; seed < 400; seed++) {
    const mutant = mutate(image, fields, seededRandom(seed));
    const footer = mutant.bytes.subarray(-512);
    if (footer.length === 512) sealed(footer);
    for (const options of [{}, { size_from: "current" }, { size_from: "chs" }]) {
      try {
        const found = await openImage(memoryStorage(mutant.bytes), "vpc", { options });
        const extents = [...eachExtent(await found.getMapping())];
        expect(extents.reduce((sum, { length }) => sum + length, 0)).toBe(found.virtualSize);
        expect(found.virtualSize + 512).toBeLessThanOrEqual(mutant.bytes.length);
        opened++;
      } catch (error) {
        expect(error, mutant.story.join("; ")).toBeInstanceOf(ImageError);
      }
    }
  }
  expect(opened).toBeGreaterThan(20);
});
