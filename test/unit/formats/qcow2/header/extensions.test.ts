import { describe, expect, it } from "vitest";
import {
  BitmapsExtension,
  EncryptionExtension,
  ExtensionType,
  encodeFeatureNames,
  encodeHeaderExtensions,
  type FeatureName,
  parseHeaderExtensions,
} from "../../../../../src/formats/qcow2/header/extensions.ts";

const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);

function parse(extensions: readonly { type: number; data: Uint8Array }[], end = 4096) {
  const cluster = new Uint8Array(4096);
  cluster.set(encodeHeaderExtensions(extensions), 112);
  return parseHeaderExtensions(cluster, 112, end);
}

describe("header extensions", () => {
  it("come back as they were encoded, known or not", () => {
    const names: FeatureName[] = [
      { kind: "incompatible", bit: 0, name: "dirty bit" },
      { kind: "autoclear", bit: 63, name: "n".repeat(46) },
    ];
    const bitmaps = new Uint8Array(BitmapsExtension.size);
    BitmapsExtension.encode({ bitmapCount: 2, reserved: 0, directorySize: 96, directoryOffset: 65_536 }, bitmaps);
    const encryption = new Uint8Array(EncryptionExtension.size);
    EncryptionExtension.encode({ headerOffset: 131_072, headerLength: 2_068_480 }, encryption);
    const parsed = parse([
      { type: ExtensionType.backingFormat, data: text("qcow2") },
      { type: 0x12345678, data: text("unknown bytes") },
      { type: ExtensionType.featureNames, data: encodeFeatureNames(names) },
      { type: ExtensionType.bitmaps, data: bitmaps },
      { type: ExtensionType.encryption, data: encryption },
      { type: ExtensionType.dataFileName, data: text("guest.raw") },
    ]);
    expect(parsed).toMatchObject({
      backingFormat: "qcow2",
      featureNames: names,
      bitmaps: { bitmapCount: 2, directorySize: 96, directoryHostOffset: 65_536 },
      encryptionHeader: { hostOffset: 131_072, length: 2_068_480 },
      dataFileName: "guest.raw",
      unknown: [{ type: 0x12345678, hostOffset: 112 + 16 + 8, data: text("unknown bytes") }],
      end: 112 + 16 + 24 + (8 + 96) + 32 + 24 + 24 + 8,
    });
    expect(parsed.all).toHaveLength(6);
  });

  it("end at their mark, whatever follows", () => {
    const cluster = new Uint8Array(4096).fill(0xff);
    cluster.set(encodeHeaderExtensions([]), 104);
    expect(parseHeaderExtensions(cluster, 104, 4096)).toMatchObject({ all: [], end: 112 });
  });

  it("may end without a mark where the backing name begins", () => {
    const data = text("abcdefgh");
    expect(parse([{ type: 7, data }], 112 + 16)).toMatchObject({ unknown: [{ type: 7 }], end: 128 });
    expect(parse([{ type: 7, data }], 112 + 20)).toMatchObject({ unknown: [{ type: 7 }], end: 128 });
  });

  it.each<[string, { type: number; data: Uint8Array }, string]>([
    ["a format name of 16 bytes", { type: ExtensionType.backingFormat, data: text("f".repeat(16)) }, "at most 15"],
    ["a bitmaps extension of 16 bytes", { type: ExtensionType.bitmaps, data: new Uint8Array(16) }, "expected 24"],
    ["an encryption pointer of 8 bytes", { type: ExtensionType.encryption, data: new Uint8Array(8) }, "expected 16"],
    [
      "65,536 bitmaps",
      { type: ExtensionType.bitmaps, data: new Uint8Array([0, 1, 0, 0, ...new Uint8Array(20)]) },
      "at most 65535",
    ],
  ])("with %s are refused", (_, extension, message) => {
    expect(() => parse([extension])).toThrow(expect.objectContaining({ kind: "corrupt" }));
    expect(() => parse([extension])).toThrow(message);
  });

  it("of a type that comes twice count by the last, as in QEMU", () => {
    const format = (name: string) => ({ type: ExtensionType.backingFormat, data: text(name) });
    expect(parse([format("raw"), format("qcow2")])).toMatchObject({ backingFormat: "qcow2", all: [{}, {}] });
  });

  it("longer than their room are refused", () => {
    const tooLong = { type: 9, data: new Uint8Array(64) };
    expect(() => parse([tooLong], 112 + 8 + 63)).toThrow("do not fit");
    expect(parse([tooLong], 112 + 8 + 64).unknown).toHaveLength(1);
    const cluster = new Uint8Array(4096);
    new DataView(cluster.buffer).setUint32(112, 9);
    new DataView(cluster.buffer).setUint32(116, 0xffff_ffff);
    expect(() => parseHeaderExtensions(cluster, 112, 4096)).toThrow("4294967295 bytes do not fit");
  });
});
