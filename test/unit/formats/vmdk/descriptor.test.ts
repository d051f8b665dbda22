/** What a descriptor says, read as it stands; what a new one says, and what a flat VMDK as a target refuses. */

import { describe, expect, test } from "vitest";
import { UsageError } from "../../../../src/bytes/image-error.ts";
import { whyNoPlainName } from "../../../../src/bytes/plain-name.ts";
import { RangeSet } from "../../../../src/bytes/range-set.ts";
import { parseDescriptor, refusing } from "../../../../src/formats/vmdk/descriptor.ts";
import { FLAT_KIND, freshDescriptor } from "../../../../src/formats/vmdk/fresh-descriptor.ts";
import { vmdkTarget } from "../../../../src/formats/vmdk/target.ts";
import { ExtentState, ExtentTableBuilder } from "../../../../src/image/extent.ts";
import { type ConversionOptions, DISK_ALONE } from "../../../../src/image/source.ts";
import type { TargetOptionValues } from "../../../../src/image/target-options.ts";
import { buildDescriptor, flatExtent } from "../../../formats/vmdk/builder.ts";

const FLAT = { subformat: "monolithicFlat" } as const;
const parse = (bytes: Uint8Array) => parseDescriptor(bytes, refusing("disk.vmdk"));

const rawOf = (virtualSize: number, more: Partial<ConversionOptions> = {}): ConversionOptions => ({
  ...DISK_ALONE,
  format: "raw",
  virtualSize,
  clusterSize: 65_536,
  clustersPerTable: 0,
  sharingSize: 65_536,
  usedHeader: RangeSet.of({ start: 0, end: virtualSize }),
  ...more,
});

function commitOf(fileName: string, virtualSize: number, options: TargetOptionValues) {
  const draft = vmdkTarget.openConversionTarget(rawOf(virtualSize), options, new Set());
  const extents = new ExtentTableBuilder();
  extents.append(virtualSize, ExtentState.data, 0);
  const space = { oldFileSize: virtualSize, additiveStart: virtualSize };
  const mapped = vmdkTarget.map(draft, extents.finish(virtualSize), space);
  return vmdkTarget.copyHeader(mapped, rawOf(virtualSize), new Uint8Array(512), new RangeSet(), { fileName });
}

test("extents of every kind, with three values and with seven", () => {
  const { extents, cid, parentCid, createType, values, placeOf } = parse(
    buildDescriptor({
      createType: "custom",
      cid: "FFFFFFFE",
      extents: ["RW 63 ZERO", 'RDONLY 2048 SPARSE "a b.vmdk"', 'NOACCESS 4 VMFSRAW "c" 128 uuid device  '],
    }),
  );
  expect([cid, parentCid, createType]).toEqual([0xffff_fffe, 0xffff_ffff, "custom"]);
  expect(extents).toMatchObject([
    { access: "RW", sectors: 63, type: "ZERO", fileName: "", offset: undefined },
    { access: "RDONLY", sectors: 2048, type: "SPARSE", fileName: "a b.vmdk", offset: undefined },
    { access: "NOACCESS", sectors: 4, type: "VMFSRAW", fileName: "c", offset: 128 },
  ]);
  expect(values.get("ddb.adaptertype")).toBe("ide");
  expect(placeOf("CID")).toBe(buildDescriptor({}).indexOf("CID="));
});

test("no text of a megabyte takes long, whatever its lines are", () => {
  for (const piece of ["RW 1 FLAT ", "a=", '"', "= \n", "RW\t", 'ddb.x = "', "\n", "  "]) {
    const text = Buffer.alloc(1024 * 1024, piece);
    expect(() => parse(text)).toThrow(/Cannot open/);
  }
  const many = buildDescriptor({ extents: Array.from({ length: 9000 }, () => flatExtent("a", 1)) });
  expect(() => parse(many)).toThrow(/over 8192 extents/);
});

test("no value takes long that is nearly one: 4000 spaces were 47 seconds", () => {
  const begun = performance.now();
  const { values } = parse(buildDescriptor({ more: [`a=${" ".repeat(100_000)}"b"c`, "d =  e ", 'f="', 'g=" h "'] }));
  expect([values.get("a"), values.get("d"), values.get("f"), values.get("g")]).toEqual([
    undefined,
    "e",
    undefined,
    "h",
  ]);
  expect(performance.now() - begun).toBeLessThan(2000);
});

test("an extent whose line is broken in two, as QEMU reads it all the same, is not passed over", () => {
  const extents = [flatExtent("disk.raw", 8), 'RW\n8 FLAT "more.raw" 0'];
  expect(() => parse(buildDescriptor({ extents }))).toThrow(/an extent's line can't be read/);
});

describe("a new one", () => {
  const textOf = (size: number, adapter: "ide" | "lsilogic", seed?: string) =>
    Buffer.from(
      freshDescriptor("disk.raw", size, adapter, FLAT_KIND, seed === undefined ? undefined : { seed }),
    ).toString();

  test("has a geometry that ends inside the disk, and no more cylinders than an IDE disk has", () => {
    expect(textOf(512, "ide")).toMatch(/RW 1 FLAT "disk.raw" 0\n[\s\S]*cylinders = "1"/);
    expect(textOf(2 ** 40, "ide")).toMatch(/cylinders = "16383"[\s\S]*heads = "16"[\s\S]*sectors = "63"/);
    expect(textOf(20 * 2 ** 30, "lsilogic")).toMatch(/cylinders = "2610"[\s\S]*heads = "255"/);
  });

  test("has an id of eight digits that is by chance or by the guest, never that of no parent", () => {
    const idOf = (text: string) => /\nCID=([0-9a-f]{8})\n/.exec(text)?.[1];
    const ids = Array.from({ length: 50 }, () => idOf(textOf(512, "ide")));
    expect(new Set(ids).size).toBeGreaterThan(40);
    expect(ids).not.toContain("ffffffff");
    expect(idOf(textOf(512, "ide", "a"))).toBe(idOf(textOf(512, "ide", "a")));
    expect(idOf(textOf(512, "ide", "a"))).not.toBe(idOf(textOf(512, "ide", "b")));
  });
});

describe("as a target", () => {
  test.each([{ subformat: "twoGbMaxExtentFlat" }, { subformat: "twoGbMaxExtentSparse" }])("never: %j", (options) => {
    const draft = () => vmdkTarget.openConversionTarget(rawOf(4096), options, new Set());
    expect(draft).toThrow(UsageError);
    expect(draft).toThrow(/use monolithicFlat, monolithicSparse, streamOptimized/);
  });

  test("sparse where nothing else is said, as for qemu-img", () => {
    const draft = vmdkTarget.openConversionTarget(rawOf(4096), {}, new Set());
    expect(draft.options).toEqual({ subformat: "monolithicSparse", adapter_type: "ide" });
    expect(draft.placement.linearBase).toBeUndefined();
  });

  test("no disk of no bytes, no snapshots, no backing file", () => {
    const refusalsOf = (size: number, more: Partial<ConversionOptions>) =>
      vmdkTarget.openConversionTarget(rawOf(size, more), FLAT, new Set()).refusals.join();
    expect(refusalsOf(0, {})).toContain("0 bytes");
    expect(refusalsOf(512, { snapshotCount: 2 })).toContain("2 snapshots");
    const backing = { nameBytes: new Uint8Array(1), name: "b", format: undefined, hostOffset: 0 };
    expect(refusalsOf(512, { backing })).toContain("backing file");
  });

  test.each([
    ["disk.raw", "disk.vmdk"],
    ["disk-flat.vmdk", "disk.vmdk"],
    ["disk.img", "disk.vmdk"],
    ["disk", "disk.vmdk"],
    ["disk.of.a-long-extension", "disk.of.a-long-extension.vmdk"],
    [".raw", ".raw.vmdk"],
  ])("the descriptor of %s is %s", (fileName, name) => {
    expect(commitOf(fileName, 512, FLAT)).toMatchObject({ kind: "name", named: { name, comes: true }, extras: [] });
  });

  test("the descriptor of before comes back where it speaks of this disk, else a fresh one under its name", () => {
    const before = buildDescriptor({ extents: [flatExtent("disk.raw", 8)], more: ['ddb.uuid = "60 00"'] });
    const options = {
      ...FLAT,
      descriptor: before.toString("hex"),
      descriptor_name: Buffer.from("old name.vmdk").toString("hex"),
    };
    const kept = commitOf("disk.raw", 4096, options);
    expect([kept.named?.name, Buffer.compare(kept.sector, before)]).toEqual(["old name.vmdk", 0]);
    for (const [fileName, size] of [
      ["other.raw", 4096],
      ["disk.raw", 8192],
    ] as const) {
      const fresh = commitOf(fileName, size, options);
      expect(fresh.named?.name).toBe("old name.vmdk");
      expect(Buffer.from(fresh.sector).toString()).toContain(`RW ${size / 512} FLAT "${fileName}" 0`);
    }
    const elsewhere = { ...options, descriptor_name: Buffer.from("../passwd").toString("hex") };
    expect(commitOf("disk.raw", 4096, elsewhere).named?.name).toBe("disk.vmdk");
  });
});

test.each([
  "",
  ".",
  "..",
  "a/b",
  "a\\b",
  "/a",
  "a\0",
  "a\n",
  'a"',
  "nbd:x",
  "C:x",
  "\ufffd",
  "\ud800",
  "x".repeat(256),
])("no plain name: %j", (name) => expect(whyNoPlainName(name)).toEqual(expect.any(String)));

test.each(["a", "a b", "disk-flat.vmdk", "...", "-f", "dïsk", "x".repeat(255)])("a plain name: %j", (name) =>
  expect(whyNoPlainName(name)).toBeUndefined(),
);
