import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Qcow2Image } from "../../../../src/formats/qcow2/image.ts";
import { qcow2Target } from "../../../../src/formats/qcow2/target/target.ts";
import { ExtentState, ExtentTableBuilder } from "../../../../src/image/extent.ts";
import type { Moves, Rearranger } from "../../../../src/image/rearranger.ts";
import { copiesOf } from "../../../../src/image/rearranger.ts";
import type { Write } from "../../../../src/image/write.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { shuffledQcow2 } from "../../../formats/qcow2/any-image.ts";
import { buildQcow2Image } from "../../../formats/qcow2/builder.ts";
import { COMPRESSED, COPIED, HostCluster, Qcow2Bytes } from "../../../formats/qcow2/bytes.ts";
import { qcow2InMemory } from "../../../formats/qcow2/in-memory.ts";
import { readNaively, readQcow2Guest } from "../../../formats/qcow2/naive-reader.ts";
import { plainSource } from "../../../formats/qcow2/target-image.ts";
import { tearEpoch } from "../../../support/apply-epoch.ts";
import { compactInMemory, shuffleInMemory } from "../../../support/compaction.ts";
import { failureOf } from "../../../support/failure-of.ts";
import { seededRandom } from "../../../support/random.ts";

const { open } = Qcow2Image;
const SIZE = 4096;

async function rearrangerOf(bytes: Uint8Array): Promise<Rearranger> {
  return await (await open(memoryStorage(bytes))).openRearranger();
}

async function checkOf(bytes: Uint8Array) {
  const { corruptions, leaks, checkErrors, warnings } = await (await open(memoryStorage(bytes))).check();
  return { corruptions, leaks, checkErrors, warnings };
}
const CLEAN = { corruptions: 0, leaks: 0, checkErrors: 0, warnings: 0 };

/** Clusters that go, each by itself. */
function moves(...list: readonly (readonly [from: number, to: number])[]): Moves {
  return {
    count: list.length,
    fromHostOffset: Float64Array.from(list, ([from]) => from * SIZE),
    toHostOffset: Float64Array.from(list, ([, to]) => to * SIZE),
    length: Float64Array.from(list, () => SIZE),
  };
}

function perform(image: Qcow2Bytes, writes: readonly Write[]): void {
  for (const { hostOffset, bytes } of writes) image.bytes.set(bytes, hostOffset);
}

const places = (writes: readonly Write[]) => writes.map(({ hostOffset, bytes }) => [hostOffset, bytes.length]);

describe("the qcow2 rearranger", () => {
  it("makes a file as short as what it holds", async () => {
    const { bytes, guest } = shuffledQcow2();
    const { bytes: after } = await compactInMemory(bytes, { open, movesAtOnce: 2 });
    expect(Buffer.compare(readQcow2Guest(after), guest)).toBe(0);
    expect(await checkOf(after)).toEqual(CLEAN);
    expect(readNaively(after).references.size * SIZE).toBe(after.length);
  });

  it("lists all that may be moved, runs as one, and not the header", async () => {
    const { pieces, used, unitSize } = await piecesOf(new Qcow2Bytes({ spareClusters: 3 }).bytes);
    expect(pieces).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((cluster) => [cluster, 1]));
    expect([used.markedCount, used.markedEnd, unitSize]).toEqual([9, 9, SIZE]);
    const { bytes } = new Qcow2Bytes({ clusterBits: 9, dataClusters: 0, virtualSize: 65 * 64 * 512, spareClusters: 1 });
    const l1 = HostCluster.l1 * 512;
    // The L1 table of 65 entries goes on where the L2 table was, which moves behind it.
    bytes.copyWithin(l1 + 1024, l1 + 512, l1 + 1024);
    bytes.fill(0, l1 + 512, l1 + 1024).writeBigUInt64BE(COPIED | BigInt(l1 + 1024), l1);
    bytes.writeUInt16BE(1, HostCluster.refcountBlock * 512 + 5 * 2);
    expect((await piecesOf(bytes)).pieces).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
      [5, 1],
    ]);
  });

  it("counts what comes as it was counted, and what was left no more, once it is followed", async () => {
    const image = new Qcow2Bytes({ spareClusters: 2 });
    const rearranger = await rearrangerOf(image.bytes);
    const coming = moves([8, 9]);
    const block = HostCluster.refcountBlock * SIZE;
    const raised = await rearranger.recount(undefined, coming);
    expect(places(raised)).toEqual([[block, 512]]);
    expect([...(raised[0]?.bytes.subarray(16, 22) ?? [])]).toEqual([0, 1, 0, 1, 0, 0]);
    perform(image, raised);
    perform(image, await rearranger.repoint(coming));
    rearranger.follow(coming);
    const next = moves([7, 8]);
    // One place is left and taken again, by the same sector: as if nothing had been.
    const both = await rearranger.recount(coming, next);
    expect(both).toEqual(raised);
    rearranger.follow(next);
    expect([...((await rearranger.recount(next, undefined))[0]?.bytes.subarray(14, 20) ?? [])]).toEqual([
      0, 0, 0, 1, 0, 1,
    ]);
    expect(await rearranger.recount(coming, undefined)).toEqual([]);
  });

  it("writes a refcount block that moves whole, with the counts of the same epoch", async () => {
    const image = new Qcow2Bytes({ spareClusters: 3 });
    const rearranger = await rearrangerOf(image.bytes);
    const coming = moves([HostCluster.refcountBlock, 9], [8, 10]);
    const writes = await rearranger.recount(undefined, coming);
    expect(places(writes)).toEqual([
      [HostCluster.refcountBlock * SIZE, 512],
      [9 * SIZE, SIZE],
    ]);
    expect(Buffer.from(writes[1]?.bytes ?? []).readUInt16BE(10 * 2)).toBe(1);
    expect(copiesOf(coming, writes)).toEqual([{ fromHostOffset: 8 * SIZE, toHostOffset: 10 * SIZE, length: SIZE }]);
  });

  it("writes words of a table that moves at both its places, and the header's sector whole", async () => {
    const image = new Qcow2Bytes({ spareClusters: 3 });
    const rearranger = await rearrangerOf(image.bytes);
    const writes = await rearranger.repoint(
      moves([HostCluster.l2, 9], [5, 10], [6, 11], [HostCluster.refcountTable, 12]),
    );
    expect(places(writes)).toEqual([
      [0, 512],
      [image.l1Entry(0), 8],
      [image.l2Entry(0), 16],
      [9 * SIZE, 16],
    ]);
    expect(Buffer.from(writes[0]?.bytes ?? []).readBigUInt64BE(48)).toBe(BigInt(12 * SIZE));
    expect(Buffer.from(writes[1]?.bytes ?? []).readBigUInt64BE(0)).toBe(COPIED | BigInt(9 * SIZE));
    expect(Buffer.from(writes[3]?.bytes ?? []).readBigUInt64BE(8)).toBe(COPIED | BigInt(11 * SIZE));
  });

  it("moves several pieces as one run, but copies no refcount block among them", async () => {
    const image = new Qcow2Bytes({ spareClusters: 8 });
    const guest = readQcow2Guest(image.bytes);
    const rearranger = await rearrangerOf(image.bytes);
    const run = { ...moves([1, 9]), length: Float64Array.of(8 * SIZE) };
    const counts = await rearranger.recount(undefined, run);
    const copies = copiesOf(run, counts);
    expect(copies.map((copy) => [copy.fromHostOffset, copy.toHostOffset, copy.length].map((at) => at / SIZE))).toEqual([
      [1, 9, 1],
      [3, 11, 6],
    ]);
    perform(image, counts);
    for (const { fromHostOffset, toHostOffset, length } of copies) {
      image.bytes.copyWithin(toHostOffset, fromHostOffset, fromHostOffset + length);
    }
    perform(image, await rearranger.repoint(run));
    rearranger.follow(run);
    perform(image, await rearranger.recount(run, undefined));
    image.bytes.fill(0xee, SIZE, 9 * SIZE);
    expect(Buffer.compare(readQcow2Guest(image.bytes), guest)).toBe(0);
    expect(await checkOf(image.bytes)).toEqual(CLEAN);
  });

  it("re-points nothing where a word is another than it was", async () => {
    const image = new Qcow2Bytes({ spareClusters: 3 });
    const rearranger = await rearrangerOf(image.bytes);
    image.set64(image.l2Entry(1), COPIED | BigInt(9 * SIZE));
    expect(await failureOf(rearranger.repoint(moves([6, 10])))).toMatchObject({
      kind: "changed-underneath",
      hostOffset: image.l2Entry(1),
      message: "Cannot rearrange memory: the word at host offset 0x4008 does not point at 0x6000 any more",
    });
    expect(await rearranger.repoint(moves([5, 10]))).toHaveLength(1);
    image.set64(image.l2Entry(0), COMPRESSED | BigInt(5 * SIZE));
    await expect(rearranger.repoint(moves([5, 10]))).rejects.toThrow("does not point at 0x5000 any more");
  });

  it("counts nothing anew where a refcount became 0", async () => {
    const image = new Qcow2Bytes({ spareClusters: 1 });
    const rearranger = await rearrangerOf(image.bytes);
    image.setRefcount(8, 0);
    expect(await failureOf(rearranger.recount(undefined, moves([8, 9])))).toMatchObject({
      kind: "changed-underneath",
      hostOffset: 8 * SIZE,
    });
  });

  it("moves nothing onto what is used, nor half of anything", async () => {
    const rearranger = await rearrangerOf(new Qcow2Bytes({ spareClusters: 1 }).bytes);
    expect(() => rearranger.follow(moves([7, 10], [8, 10]))).toThrow("two moves lead to one cluster");
    expect(() => rearranger.follow(moves([0, 9]))).toThrow("no piece that can go lies whole at cluster 0");
    expect(() => rearranger.follow(moves([8, 7]))).toThrow("cluster 7 is used already");
    expect(() => rearranger.follow(moves([9, 10]))).toThrow("no piece that can go lies whole at cluster 9");
    expect(() => rearranger.follow({ ...moves([8, 9]), length: Float64Array.of(2 * SIZE) })).toThrow(
      "no piece that can go lies whole at cluster 9",
    );
  });

  it("bars the places whose counts lie in no block", async () => {
    const image = new Qcow2Bytes({ clusterBits: 9, spareClusters: 600 });
    const rearranger = await rearrangerOf(image.bytes);
    expect([...(rearranger.barred?.each() ?? [])]).toEqual([{ start: 256 * 512, end: Number.MAX_SAFE_INTEGER }]);
    // The block of the places from 512 on.
    image.set64(512 + 16, BigInt(9 * 512)).setRefcount(9, 1);
    const [hole, behind] = [...((await rearrangerOf(image.bytes)).barred?.each() ?? [])];
    expect(hole).toEqual({ start: 256 * 512, end: 512 * 512 });
    expect(behind?.start).toBe(768 * 512);
  });

  it("makes refcount blocks for places that none counts, and what lies behind them goes there", async () => {
    const { bytes, guest } = farImage();
    expect([...((await rearrangerOf(bytes)).barred?.each() ?? [])][0]).toEqual({ start: 256 * 512, end: 1024 * 512 });
    const random = seededRandom(5);
    const purposes = new Set<string>();
    const { bytes: after } = await compactInMemory(bytes, {
      open,
      movesAtOnce: 40,
      beforeEpoch: async (file, epoch) => {
        purposes.add(epoch.purpose);
        const torn = tearEpoch(file, epoch, random);
        expect(Buffer.compare(readQcow2Guest(torn), guest), epoch.purpose).toBe(0);
        expect(await checkOf(torn), epoch.purpose).toMatchObject({ corruptions: 0, checkErrors: 0 });
      },
    });
    expect([...purposes].slice(0, 2)).toEqual([
      "write refcount blocks for places to come",
      "list these refcount blocks",
    ]);
    expect(Buffer.compare(readQcow2Guest(after), guest)).toBe(0);
    expect(await checkOf(after)).toEqual(CLEAN);
    // Header, two blocks and their table, L1, five L2 tables.
    expect(after.length).toBe((300 + 10) * 512);
  });

  it("makes no block where the refcount table lists one meanwhile", async () => {
    const { bytes } = farImage();
    const rearranger = await rearrangerOf(bytes);
    expect(await rearranger.unbar?.(256 * 512)).toEqual([]);
    const entry = Number(Buffer.from(bytes.buffer).readBigUInt64BE(48)) + 8;
    bytes[entry + 6] = 2;
    expect(await failureOf(rearranger.unbar?.(257 * 512) ?? Promise.resolve())).toMatchObject({
      kind: "changed-underneath",
      hostOffset: entry,
    });
  });

  it("keeps streams that lie across clusters in one piece, and their places in it", async () => {
    const { bytes, guest } = compressedImage();
    const { pieces } = await piecesOf(bytes);
    expect(pieces).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 1],
      [7, 2],
    ]);
    const { bytes: after } = await compactInMemory(bytes, { open, movesAtOnce: 9 });
    expect(await checkOf(after)).toEqual(CLEAN);
    expect(after.length).toBe(7 * SIZE);
    expect(Buffer.compare(readQcow2Guest(after).subarray(0, guest.length), guest)).toBe(0);
    const { clusters } = readNaively(after);
    expect(clusters.map(({ hostOffset }) => hostOffset)).toEqual([5 * SIZE + 100, 5 * SIZE + 3000, 6 * SIZE + 2000]);
  });

  it("moves what the end of the file cuts as if zeros followed", async () => {
    const whole = new Qcow2Bytes({ spareClusters: 0 });
    const guest = readQcow2Guest(whole.bytes);
    guest.fill(0, 3 * SIZE + 512, 4 * SIZE);
    const { bytes: shuffled } = await shuffleInMemory(
      whole.bytes.subarray(0, 8 * SIZE + 512),
      { open, movesAtOnce: 4 },
      seededRandom(3),
      5,
    );
    expect(Buffer.compare(readQcow2Guest(shuffled), guest)).toBe(0);
    expect(await checkOf(shuffled)).toEqual(CLEAN);
  });

  it("moves what active tables and snapshots share, all pointers at once", async () => {
    const { bytes } = buildQcow2Image({ snapshot: true, bitmap: true });
    const guest = guestsOf(bytes);
    const random = seededRandom(4);
    const play = {
      open,
      movesAtOnce: 5,
      beforeEpoch: async (file: Uint8Array, epoch: Parameters<typeof tearEpoch>[1]) => {
        const torn = tearEpoch(file, epoch, random);
        expect(guestsOf(torn), epoch.purpose).toEqual(guest);
        expect(await checkOf(torn), epoch.purpose).toMatchObject({ corruptions: 0, checkErrors: 0 });
      },
    };
    const { bytes: shuffled } = await shuffleInMemory(bytes, play, random, 60);
    expect(guestsOf(shuffled)).toEqual(guest);
    const { bytes: after } = await compactInMemory(shuffled, play);
    expect(await checkOf(after)).toEqual(CLEAN);
    expect(after.length).toBe(bytes.length);
    expect((await open(memoryStorage(after))).getConversionOptions().bitmapNames).toEqual(["old"]);
  });

  it("re-points the bitmap directory wherever the header names it", async () => {
    const { bytes, at } = buildQcow2Image({ clusterBits: 12, bitmap: true });
    // Behind an extension that fills the header's first sector.
    bytes.copyWithin(104 + 608, 104, 104 + 64).fill(0, 104, 104 + 608);
    bytes.writeUInt32BE(0x1234_5678, 104);
    bytes.writeUInt32BE(600, 108);
    const rearranger = await rearrangerOf(bytes);
    const [write] = await rearranger.repoint(moves([at.bitmapDirectory / SIZE, 20]));
    expect([write?.hostOffset, write?.bytes.length]).toEqual([104 + 608 + 24, 8]);
    const { bytes: shuffled } = await shuffleInMemory(bytes, { open, movesAtOnce: 3 }, seededRandom(7), 20);
    expect(await checkOf(shuffled)).toEqual(CLEAN);
    expect((await open(memoryStorage(shuffled))).getConversionOptions().bitmapNames).toEqual(["old"]);
  });

  it("counts nothing for places left whose block is gone", async () => {
    const { bytes } = farImage();
    const rearranger = await rearrangerOf(bytes);
    expect(
      await rearranger.recount(
        { ...moves([300, 300]), fromHostOffset: Float64Array.of(300 * 512), length: Float64Array.of(512) },
        undefined,
      ),
    ).toEqual([]);
  });

  it("clears autoclear bits that it doesn't know before anything else", async () => {
    const { bytes } = buildQcow2Image({ autoclear: 1n << 40n, bitmap: true });
    const [step, ...others] = (await rearrangerOf(bytes)).beforehand ?? [];
    expect(others).toEqual([]);
    expect(places(step?.writes ?? [])).toEqual([[0, 512]]);
    expect(Buffer.from(step?.writes[0]?.bytes ?? []).readBigUInt64BE(88)).toBe(1n);
    expect((await rearrangerOf(buildQcow2Image({ bitmap: true }).bytes)).beforehand).toEqual([]);
  });

  it("leaves an encryption header where it is", async () => {
    const image = new Qcow2Bytes({ spareClusters: 2 }).set32(112, 0x0537be77).set32(116, 16);
    image
      .set64(120, BigInt(10 * SIZE))
      .set64(128, 600n)
      .setRefcount(10, 1);
    const { pieces, used } = await piecesOf(image.bytes);
    expect(pieces.map(([cluster]) => cluster)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([used.has(9), used.has(10), used.markedEnd]).toEqual([false, true, 11]);
  });
});

describe("tidying a qcow2", () => {
  it("takes empty L2 tables out of every L1, and then their counts", async () => {
    const { bytes, at } = buildQcow2Image({ snapshot: true });
    bytes.fill(0, at.l2, at.l2 + at.clusterSize);
    for (const place of [at.data, at.data + at.clusterSize])
      bytes.writeUInt16BE(0, at.refcountBlock + (place / 512) * 2);
    const rearranger = await rearrangerOf(bytes);
    const steps = await rearranger.tidy();
    expect(steps.map(({ purpose, repoints }) => [purpose, repoints])).toEqual([
      ["take empty L2 tables out", true],
      ["lower the counts of what nobody points at", false],
    ]);
    expect(places(steps[0]?.writes ?? [])).toEqual([
      [at.l1, 8],
      [at.snapshots + at.clusterSize, 8],
    ]);
    expect(rearranger.used.has(at.l2 / 512)).toBe(false);
    for (const { writes } of steps) for (const write of writes) bytes.set(write.bytes, write.hostOffset);
    expect(await checkOf(bytes)).toEqual(CLEAN);
    expect(await rearranger.tidy()).toEqual([]);
  });

  it("keeps a table of zeros, which hide what lies below", async () => {
    const image = new Qcow2Bytes({ dataClusters: 0 });
    image.set64(image.l2Entry(3), 1n);
    expect(await (await rearrangerOf(image.bytes)).tidy()).toEqual([]);
  });

  it("gives up no table that was written to", async () => {
    const image = new Qcow2Bytes({ dataClusters: 0 });
    const rearranger = await rearrangerOf(image.bytes);
    image.set64(image.l2Entry(3), 1n);
    expect(await failureOf(rearranger.tidy())).toMatchObject({
      kind: "changed-underneath",
      hostOffset: image.l2Entry(0),
    });
  });

  it("lowers leaked counts, of any width and whose clusters share a byte", async () => {
    for (const refcountOrder of [0, 1, 2, 3, 4, 5, 6]) {
      const image = new Qcow2Bytes({ spareClusters: 5, refcountOrder });
      for (const cluster of [9, 10, 13]) image.setRefcount(cluster, 1);
      expect((await checkOf(image.bytes)).leaks).toBe(3);
      const steps = await (await rearrangerOf(image.bytes)).tidy();
      expect(steps).toHaveLength(1);
      perform(image, steps[0]?.writes ?? []);
      expect(await checkOf(image.bytes)).toEqual(CLEAN);
    }
  });

  it("takes refcount blocks out that count places behind the end alone, itself among them, and no other", async () => {
    const image = new Qcow2Bytes({ clusterBits: 9, spareClusters: 600 });
    const block = (index: number, cluster: number, counter: number) => {
      image.set64(512 + index * 8, BigInt(cluster * 512));
      image.bytes.writeUInt16BE(1, counter + (cluster % 256) * 2);
    };
    block(1, 20, 2 * 512);
    block(2, 512, 512 * 512);
    expect(await checkOf(image.bytes)).toEqual(CLEAN);
    const rearranger = await rearrangerOf(image.bytes);
    const steps = await rearranger.tidy();
    expect(steps.map(({ writes }) => places(writes))).toEqual([[[512 + 16, 8]], [[512 + 8, 8]], [[2 * 512, 512]]]);
    for (const { writes } of steps) {
      perform(image, writes);
      expect(await checkOf(image.bytes)).toMatchObject({ corruptions: 0, checkErrors: 0 });
    }
    expect(await checkOf(image.bytes)).toEqual(CLEAN);
    expect(rearranger.used.markedEnd).toBe(9);
    expect(await rearranger.tidy()).toEqual([]);
  });
});

describe("a qcow2 that can't be rearranged", () => {
  const refusal = async (bytes: Uint8Array) => {
    const { kind, message } = (await failureOf(rearrangerOf(bytes))) as { kind: string; message: string };
    return [kind, message.replace("Cannot rearrange memory: ", "")];
  };

  it("has its data elsewhere, or where LUKS wants it", async () => {
    const image = new Qcow2Bytes().set32(76, 4);
    expect((await refusal(image.bytes))[1]).toContain("its guest data lies in another file");
    const luks = new Qcow2Bytes().set32(32, 2);
    expect((await refusal(luks.bytes))[1]).toContain("its clusters are encrypted by where they lie in the file (LUKS)");
  });

  it("is not what it says: dirty, corrupt, with wrong counts, shared places, cut off", async () => {
    const repair = "; repair it first: inplace-convert check -r all memory";
    expect(await refusal(new Qcow2Bytes().set32(76, 1).bytes)).toEqual([
      "corrupt",
      `its refcounts may be stale (dirty bit)${repair}`,
    ]);
    expect((await refusal(new Qcow2Bytes().set32(76, 2).bytes))[1]).toContain("it is marked corrupt (corrupt bit)");
    expect(await refusal(new Qcow2Bytes().setRefcount(6, 0).bytes)).toEqual([
      "corrupt",
      `Cluster 6 at host offset 0x6000 has refcount 0, but 1 reference${repair}`,
    ]);
    const shared = new Qcow2Bytes().setRefcount(5, 2);
    shared.set64(shared.l2Entry(0), BigInt(5 * SIZE)).set64(shared.l2Entry(9), BigInt(5 * SIZE));
    expect((await refusal(shared.bytes))[1]).toContain("is the data of several guest ranges");
    const cut = new Qcow2Bytes({ dataClusters: 0 });
    expect((await refusal(cut.bytes.subarray(0, cut.bytes.length - 512)))[1]).toContain(
      "its L2 table at host offset 0x4000 goes on past the end of the file, which was cut off",
    );
  });
});

async function piecesOf(bytes: Uint8Array) {
  const rearranger = await rearrangerOf(bytes);
  const { count, hostOffset, length } = rearranger.pieces();
  const { unitSize, used } = rearranger;
  const pieces = Array.from({ length: count }, (_, row) => [
    (hostOffset[row] as number) / unitSize,
    (length[row] as number) / unitSize,
  ]);
  return { pieces, used, unitSize };
}

/** 300 clusters of data from cluster 1024 on, and nothing between the header and them: places 256 to 1023 have no block. */
function farImage(): { bytes: Uint8Array<ArrayBuffer>; guest: Uint8Array } {
  const [clusterSize, dataStart, length] = [512, 1024 * 512, 300 * 512];
  const builder = new ExtentTableBuilder();
  builder.append(length, ExtentState.data, dataStart);
  const source = plainSource({ format: "qcow2", clusterSize, virtualSize: length });
  const draft = qcow2Target.openConversionTarget(source, {}, new Set());
  const space = { oldFileSize: dataStart + length, additiveStart: dataStart + length };
  const bytes = qcow2InMemory(qcow2Target.map(draft, builder.finish(length), space), source);
  const random = seededRandom(6);
  for (let at = dataStart; at < dataStart + length; at++) bytes[at] = random.below(256);
  return { bytes, guest: bytes.slice(dataStart, dataStart + length) };
}

/** Three streams in clusters 7 and 8, the second across both; clusters 5 and 6 are free. */
function compressedImage(): { bytes: Uint8Array; guest: Uint8Array } {
  const image = new Qcow2Bytes({ dataClusters: 4 });
  image.set64(image.l2Entry(3), 0n);
  const random = seededRandom(1);
  const guest = Buffer.alloc(3 * SIZE);
  const first = 7 * SIZE;
  for (const [index, start] of [first + 100, first + 3000, first + SIZE + 2000].entries()) {
    const plain = guest.subarray(index * SIZE, (index + 1) * SIZE).fill(index + 1);
    for (let at = 0; at < 1200; at++) plain[at] = random.below(256);
    const stream = deflateRawSync(plain, { windowBits: 12 });
    const sectors = Math.ceil(((start % 512) + stream.length) / 512) - 1;
    image.set64(image.l2Entry(index), COMPRESSED | (BigInt(sectors) << 58n) | BigInt(start));
    image.bytes.set(stream, start);
  }
  for (const [cluster, count] of [
    [5, 0],
    [6, 0],
    [7, 2],
    [8, 2],
  ] as const)
    image.setRefcount(cluster, count);
  return { bytes: image.bytes, guest };
}

/** Guest clusters 0 to 2 by the active tables and by the one snapshot's. */
function guestsOf(file: Uint8Array): string[] {
  const bytes = Buffer.from(file);
  const at = (place: number) => Number(bytes.readBigUInt64BE(place) % 2n ** 56n);
  return [at(40), at(at(64))].map((l1) =>
    [0, 1, 2]
      .map((index) => {
        const entry = at(at(l1) + index * 8);
        return entry < 512 ? `${entry}` : bytes.toString("hex", entry, entry + 512);
      })
      .join(),
  );
}
