import { describe, expect, it } from "vitest";
import { RangeSet } from "../../../../../src/bytes/range-set.ts";
import { flagsOf, NO_FLAGS } from "../../../../../src/bytes/struct.ts";
import { parseHeader } from "../../../../../src/formats/qcow2/header/header.ts";
import { qcow2Target } from "../../../../../src/formats/qcow2/target/target.ts";
import { ExtentState, ExtentTableBuilder } from "../../../../../src/image/extent.ts";
import type { BackingFile } from "../../../../../src/image/source.ts";
import type { Commit } from "../../../../../src/image/target.ts";
import type { TargetOptionValues } from "../../../../../src/image/target-options.ts";
import { backingFile, plainSource } from "../../../../formats/qcow2/target-image.ts";

const CLUSTER = 4096;
const VIRTUAL_SIZE = 3 * CLUSTER;

interface Scene {
  readonly backing?: BackingFile;
  readonly options?: TargetOptionValues;
  readonly used?: RangeSet;
  readonly oldHeader?: Uint8Array;
}

/** A source's header cluster full of 0xee, but for its backing name. */
function oldHeaderWith(backing: BackingFile | undefined, size = CLUSTER): Uint8Array {
  const header = new Uint8Array(size).fill(0xee);
  if (backing) header.set(backing.nameBytes.subarray(0, size - backing.hostOffset), backing.hostOffset);
  return header;
}

function commitOf(scene: Scene): { commit: Commit; cluster: Uint8Array } {
  const source = plainSource({ clusterSize: CLUSTER, virtualSize: VIRTUAL_SIZE, backing: scene.backing });
  const builder = new ExtentTableBuilder();
  builder.append(VIRTUAL_SIZE, ExtentState.data, CLUSTER);
  const draft = qcow2Target.openConversionTarget(source, scene.options ?? {}, new Set());
  const space = { oldFileSize: 4 * CLUSTER, additiveStart: 4 * CLUSTER };
  const mapped = qcow2Target.map(draft, builder.finish(VIRTUAL_SIZE), space);
  const oldHeader = scene.oldHeader ?? oldHeaderWith(scene.backing);
  const commit = qcow2Target.copyHeader(mapped, source, oldHeader, scene.used ?? usedBy(scene.backing));
  const cluster = oldHeader.slice();
  for (const { hostOffset, bytes } of commit.extras) cluster.set(bytes, hostOffset);
  cluster.set(commit.sector, 0);
  return { commit, cluster };
}

/** What a QED source uses of its header cluster. */
function usedBy(backing: BackingFile | undefined): RangeSet {
  const used = RangeSet.of({ start: 0, end: 64 });
  if (backing) used.add(backing.hostOffset, backing.hostOffset + backing.nameBytes.length);
  return used;
}

describe("the commit sector of a qcow2 target", () => {
  it("is a whole header, and zeros", () => {
    const { commit, cluster } = commitOf({ options: { refcount_bits: 1, lazy_refcounts: true } });
    expect(commit.extras).toEqual([]);
    expect(commit.sector).toHaveLength(512);
    expect(commit.sector.subarray(112).every((byte) => byte === 0)).toBe(true);
    expect(parseHeader(cluster)).toMatchObject({
      version: 3,
      clusterSize: CLUSTER,
      virtualSize: VIRTUAL_SIZE,
      refcountBits: 1,
      incompatible: NO_FLAGS,
      compatible: flagsOf(0),
      autoclear: NO_FLAGS,
      headerLength: 112,
      l1EntryCount: 1,
      l1TableHostOffset: 5 * CLUSTER,
      refcountTableHostOffset: 7 * CLUSTER,
      refcountTableClusterCount: 1,
      snapshotCount: 0,
      backing: undefined,
    });
  });

  it("of version 2 has 72 bytes and the end mark", () => {
    const { commit, cluster } = commitOf({ options: { compat: "0.10" } });
    expect(commit.sector.subarray(72).every((byte) => byte === 0)).toBe(true);
    expect(parseHeader(cluster)).toMatchObject({ version: 2, refcountBits: 16, headerLength: 72 });
  });

  it.each([
    ["0.10", "raw", 512 - 72 - 24],
    ["1.1", "raw", 512 - 112 - 24],
    ["1.1", undefined, 512 - 112 - 8],
    ["1.1", "longformatname", 512 - 112 - 32],
  ])("of compat %s, format %s holds names up to %i bytes", (compat, format, longest) => {
    const fitting = commitOf({ backing: backingFile("n".repeat(longest), format, 64), options: { compat } });
    expect(fitting.commit.extras).toEqual([]);
    expect(parseHeader(fitting.cluster).backing).toMatchObject({
      name: "n".repeat(longest),
      format,
      hostOffset: 512 - longest,
    });
    const longer = commitOf({ backing: backingFile("n".repeat(longest + 1), format, 64), options: { compat } });
    expect(longer.commit.extras).toHaveLength(1);
    expect(parseHeader(longer.cluster).backing).toMatchObject({ name: "n".repeat(longest + 1), format });
  });

  it("keeps the name's bytes, whatever their encoding", () => {
    const nameBytes = Uint8Array.from({ length: 255 }, (_, at) => at + 1);
    const { cluster } = commitOf({ backing: { nameBytes, name: "?", format: "raw", hostOffset: 64 } });
    expect(parseHeader(cluster).backing?.nameBytes).toEqual(nameBytes);
  });

  it("puts a long name behind what the source uses, never into sector 0", () => {
    const backing = backingFile("n".repeat(1000), "raw", 64);
    const { commit, cluster } = commitOf({ backing });
    expect(commit.extras).toEqual([{ hostOffset: 1064, bytes: backing.nameBytes }]);
    expect(parseHeader(cluster).backing).toMatchObject({ name: backing.name, hostOffset: 1064 });
    expect(cluster.subarray(512, 1064)).toEqual(oldHeaderWith(backing).subarray(512, 1064));
  });

  it("puts a long name into the first gap that holds it", () => {
    const backing = backingFile("n".repeat(500), "raw", 64);
    const used = RangeSet.of({ start: 0, end: 600 }, { start: 1099, end: 2000 }, { start: 2500, end: CLUSTER });
    expect(commitOf({ backing, used }).commit.extras[0]?.hostOffset).toBe(2000);
    used.add(2499, 2500);
    expect(() => commitOf({ backing, used })).toThrow(expect.objectContaining({ kind: "unsupported" }));
  });

  it("does not look for room past the file's first bytes", () => {
    const backing = backingFile("n".repeat(900), "raw", 64);
    const oldHeader = oldHeaderWith(backing, 1800);
    expect(() => commitOf({ backing, oldHeader })).toThrow(expect.objectContaining({ kind: "unsupported" }));
  });

  it("does not look for room past its own first cluster", () => {
    const backing = backingFile("n".repeat(900), "raw", 64);
    const used = RangeSet.of({ start: 0, end: CLUSTER - 100 });
    const oldHeader = oldHeaderWith(backing, 2 * CLUSTER);
    expect(() => commitOf({ backing, oldHeader, used })).toThrow(expect.objectContaining({ kind: "unsupported" }));
  });

  it("points at a name that lies where it may stay", () => {
    const backing = backingFile("n".repeat(900), "raw", 2048);
    const { commit, cluster } = commitOf({ backing });
    expect(commit.extras).toEqual([]);
    expect(parseHeader(cluster).backing).toMatchObject({ name: backing.name, hostOffset: 2048 });
  });

  it("keeps the part of such a name that lies in sector 0", () => {
    const backing = backingFile("name/".repeat(100), "raw", 136);
    const { commit, cluster } = commitOf({ backing });
    expect(commit.extras).toEqual([]);
    expect(parseHeader(cluster).backing).toMatchObject({ name: backing.name, hostOffset: 136 });
    expect(commitOf({ backing: { ...backing, hostOffset: 135 } }).commit.extras).toHaveLength(1);
  });

  it("writes the name anew where the old bytes are not the name", () => {
    const backing = backingFile("n".repeat(900), "raw", 2048);
    const { commit } = commitOf({ backing, oldHeader: new Uint8Array(CLUSTER) });
    expect(commit.extras).toEqual([{ hostOffset: 512, bytes: backing.nameBytes }]);
  });
});
