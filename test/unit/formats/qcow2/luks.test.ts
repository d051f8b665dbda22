import { describe, expect, test } from "vitest";
import type { Qcow2Header } from "../../../../src/formats/qcow2/header/header.ts";
import { readLuks } from "../../../../src/formats/qcow2/luks.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";

const AT = 4096;
const SIZE = 592;

/** A file with a LUKS header at AT, byte for byte as the specification has it. */
function fileWith(cipher: string, mode: string, keyBytes: number): Buffer {
  const file = Buffer.alloc(AT + SIZE);
  const header = file.subarray(AT);
  header.write("LUKS\xba\xbe", "latin1");
  header.writeUInt16BE(1, 6);
  header.write(cipher, 8);
  header.write(mode, 40);
  header.write("sha256", 72);
  header.writeUInt32BE(4040, 104);
  header.writeUInt32BE(keyBytes, 108);
  header.writeUInt32BE(10_065, 164);
  header.write("ca026d5f-fe2b-45b9-839b-c7edb4875dbd", 168);
  for (let slot = 0; slot < 8; slot++) {
    const at = 208 + slot * 48;
    header.writeUInt32BE(slot === 1 ? 0x00ac71f3 : 0x0000dead, at);
    header.writeUInt32BE(40_009, at + 4);
    header.writeUInt32BE(8 + slot * 504, at + 40);
    header.writeUInt32BE(4000, at + 44);
  }
  return file;
}

function read(file: Buffer, length = SIZE, encryption: "luks" | "aes" = "luks") {
  const header = { encryption, extensions: { encryptionHeader: { hostOffset: AT, length } } };
  return readLuks(memoryStorage(file), header as unknown as Qcow2Header, file.length);
}

test("all that is no secret", async () => {
  const slots = Array.from({ length: 8 }, (_, slot) => ({ active: false, keyOffset: (8 + slot * 504) * 512 }));
  const taken = { active: true, iters: 40_009, keyOffset: 262_144, stripes: 4000 };
  expect(await read(fileWith("aes", "xts-plain64", 64))).toEqual({
    ivgenAlg: "plain64",
    detachedHeader: false,
    hashAlg: "sha256",
    cipherAlg: "aes-256",
    uuid: "ca026d5f-fe2b-45b9-839b-c7edb4875dbd",
    format: "luks",
    cipherMode: "xts",
    slots: slots.with(1, taken),
    payloadOffset: 2_068_480,
    masterKeyIters: 10_065,
  });
});

test("a hash of the start values, and a key that is one", async () => {
  const found = await read(fileWith("serpent", "cbc-essiv:sha512", 16));
  expect(found).toMatchObject({
    cipherAlg: "serpent-128",
    cipherMode: "cbc",
    ivgenAlg: "essiv",
    ivgenHashAlg: "sha512",
  });
});

describe("nothing, and no error, where", () => {
  const good = fileWith("aes", "xts-plain64", 64);
  const changed = (at: number, value: number) => {
    const file = Buffer.from(good);
    file[AT + at] = value;
    return file;
  };

  test.each([
    ["there is another mark", changed(0, 0x4d), undefined, undefined],
    ["it is of another version", changed(7, 2), undefined, undefined],
    ["the file ends inside it", good.subarray(0, -1), undefined, undefined],
    ["the image says that it is shorter", good, SIZE - 1, undefined],
    ["the image is encrypted otherwise", good, undefined, "aes"],
  ] as const)("%s", async (_what, file, length, encryption) => {
    expect(await read(Buffer.from(file), length, encryption)).toBeUndefined();
  });
});
