import { zstdDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Qcow2Image } from "../../../../../src/formats/qcow2/image.ts";
import { memoryStorage } from "../../../../../src/storage/memory.ts";
import { COPIED, HostCluster, Qcow2Bytes } from "../../../../formats/qcow2/bytes.ts";
import { buildEncodable, type ClusterKind } from "../../../../formats/qcow2/encodable-image.ts";
import { readNaively, readQcow2Guest } from "../../../../formats/qcow2/naive-reader.ts";
import { encodeInMemory } from "../../../../support/encoding.ts";
import { LiveBytes } from "../../../../support/live-bytes.ts";

const CLUSTER = 4096;
const MUCH = 2 ** 23;

function of(count: number, kind: ClusterKind): ClusterKind[] {
  return new Array<ClusterKind>(count).fill(kind);
}

async function checkOf(bytes: Uint8Array) {
  const { corruptions, leaks, checkErrors } = await (await Qcow2Image.open(memoryStorage(bytes))).check();
  return { corruptions, leaks, checkErrors };
}

const SOUND = { corruptions: 0, leaks: 0, checkErrors: 0 };

async function refusal(bytes: Uint8Array, maxBatchBytes = MUCH): Promise<unknown> {
  return await encodeInMemory(bytes, maxBatchBytes).catch((error: unknown) => error);
}

describe("a qcow2's plain clusters", () => {
  test("become streams side by side; what is hardly shorter, zeros and older streams stay", async () => {
    const kinds: ClusterKind[] = ["text", "noise", "text", "zero", "compressed", "text", "nothing", "blank"];
    const { bytes, guest } = buildEncodable({ kinds });
    const before = readNaively(bytes).clusters;
    const { bytes: after, units, epochCount } = await encodeInMemory(bytes, MUCH);
    expect(Buffer.compare(readQcow2Guest(after), guest)).toBe(0);
    expect(await checkOf(after)).toEqual(SOUND);
    const { clusters } = readNaively(after);
    expect(clusters.map(({ guestCluster, kind }) => [guestCluster, kind])).toEqual([
      [0, "compressed"],
      [1, "data"],
      [2, "compressed"],
      [3, "zero"],
      [4, "compressed"],
      [5, "compressed"],
      [7, "compressed"],
    ]);
    for (const stays of [1, 4]) {
      const same = ({ guestCluster }: { guestCluster: number }) => guestCluster === stays;
      expect(clusters.find(same)).toEqual(before.find(same));
    }
    const places = units.filter(({ isNew }) => isNew).toSorted((a, b) => a.to - b.to);
    expect(places).toHaveLength(4);
    for (const [at, { to }] of places.entries()) {
      if (at > 0) expect(to).toBe((places[at - 1]?.to ?? 0) + (places[at - 1]?.length ?? 0));
    }
    // Streams, entries; back before the old end, entries; counts.
    expect(epochCount).toBe(5);
    expect(Math.max(...units.filter(({ isNew }) => !isNew).map(({ to }) => to))).toBeLessThan(bytes.length);
  });

  test("that are counted twice stay plain, though one entry alone points at them", async () => {
    const image = new Qcow2Bytes({ dataClusters: 4 });
    image.set64(image.l2Entry(1), BigInt(image.hostOffset(HostCluster.data + 1)));
    image.setRefcount(HostCluster.data + 1, 2);
    const { units } = await encodeInMemory(new Uint8Array(image.bytes), MUCH);
    const from = units.filter(({ isNew }) => isNew).map((unit) => unit.from / CLUSTER);
    expect(from).toEqual([0, 2, 3].map((index) => HostCluster.data + index));
  });

  test("take no more of the file than a batch has, and places that clusters before them left", async () => {
    const { bytes, guest } = buildEncodable({ kinds: of(60, "mixed"), seed: 3 });
    const { bytes: after, longest, epochCount } = await encodeInMemory(bytes, 4 * CLUSTER);
    expect(Buffer.compare(readQcow2Guest(after), guest)).toBe(0);
    expect(await checkOf(after)).toEqual(SOUND);
    expect(epochCount).toBeGreaterThan(2 * 10);
    expect(longest - bytes.length).toBeLessThanOrEqual(4 * CLUSTER);
  });

  test("one place is enough for all of them", async () => {
    const { bytes, guest } = buildEncodable({ kinds: of(20, "text") });
    const { bytes: after, longest } = await encodeInMemory(bytes, CLUSTER);
    expect(Buffer.compare(readQcow2Guest(after), guest)).toBe(0);
    expect(longest - bytes.length).toBe(CLUSTER);
    expect(readNaively(after).clusters.every(({ kind }) => kind === "compressed")).toBe(true);
  });

  test("streams of several batches lie in one cluster, which counts them all", async () => {
    const { bytes, guest } = buildEncodable({ clusterBits: 14, kinds: of(12, "text") });
    const { bytes: after } = await encodeInMemory(bytes, 2 ** 14);
    expect(Buffer.compare(readQcow2Guest(after), guest)).toBe(0);
    expect(await checkOf(after)).toEqual(SOUND);
    expect(Math.max(...readNaively(after).refcounts.values())).toBeGreaterThan(2);
  });

  test("free clusters of the file come before what lies behind its end", async () => {
    const { bytes } = buildEncodable({ kinds: of(3, "text"), spareClusters: 4 });
    const { longest, bytes: after } = await encodeInMemory(bytes, MUCH);
    expect(longest).toBe(bytes.length);
    expect(await checkOf(after)).toEqual(SOUND);
  });

  test("a leaked cluster is taken with the count that it gets", async () => {
    const { bytes, guest } = buildEncodable({ kinds: of(3, "text"), spareClusters: 1 });
    new DataView(bytes.buffer).setUint16(HostCluster.refcountBlock * CLUSTER + 2 * (HostCluster.data + 3), 7);
    const { bytes: after } = await encodeInMemory(bytes, MUCH);
    expect(Buffer.compare(readQcow2Guest(after), guest)).toBe(0);
    expect(await checkOf(after)).toEqual(SOUND);
  });

  test("where no block counts a free cluster, one is made behind the end", async () => {
    const shape = { clusterBits: 9, refcountOrder: 6 };
    const { bytes, guest } = buildEncodable({ ...shape, kinds: of(59, "text") });
    expect(bytes.length / 512).toBe(64);
    const { bytes: after, longest } = await encodeInMemory(bytes, MUCH);
    expect(Buffer.compare(readQcow2Guest(after), guest)).toBe(0);
    expect(await checkOf(after)).toEqual(SOUND);
    expect(readNaively(after).refcounts.get(64)).toBe(1);
    expect(longest).toBeGreaterThan(bytes.length);
    // The table's other entries point nowhere and can't: each is a block past the end.
    const full = bytes.slice();
    for (let entry = 1; entry < 64; entry++) {
      new DataView(full.buffer).setBigUint64(
        HostCluster.refcountTable * 512 + entry * 8,
        BigInt(entry * 512 + 2 ** 40),
      );
    }
    expect(await refusal(full)).toMatchObject({ kind: "corrupt" });
  });

  test("by zstd where the header says so", async () => {
    const { bytes, guest } = buildEncodable({ kinds: of(5, "text"), compression: "zstd" });
    const { bytes: after, units } = await encodeInMemory(bytes, MUCH);
    expect(Buffer.compare(readQcow2Guest(after), guest)).toBe(0);
    const { from: far, to, length } = units.at(-1) as (typeof units)[0];
    const { from } = units.find((unit) => unit.isNew && unit.to === far) as (typeof units)[0];
    expect(zstdDecompressSync(after.subarray(to, to + length))).toEqual(
      Buffer.from(bytes.subarray(from, from + CLUSTER)),
    );
  });

  test("a file that ends inside its last cluster", async () => {
    const { bytes, guest } = buildEncodable({ kinds: of(4, "blank") });
    const { bytes: after } = await encodeInMemory(bytes.slice(0, -1024), MUCH);
    expect(Buffer.compare(readQcow2Guest(after), guest)).toBe(0);
    expect(await checkOf(after)).toEqual(SOUND);
  });

  test("unknown autoclear bits go before anything else is written", async () => {
    const { bytes } = buildEncodable({ kinds: of(4, "text") });
    bytes[88] = 0x40;
    const purposes: string[] = [];
    const { bytes: after } = await encodeInMemory(bytes, MUCH, async (_, { purpose }) => {
      purposes.push(purpose);
    });
    expect(after[88]).toBe(0);
    expect(purposes[0]).toBe("clear what a write breaks");
  });

  test("an entry that is another by now stops it", async () => {
    const { bytes } = buildEncodable({ kinds: of(4, "text") });
    const live = new LiveBytes(bytes.slice());
    const encoder = await (await Qcow2Image.open(live)).openEncoder({ maxBatchBytes: MUCH });
    for await (const step of encoder.steps()) {
      if (!("batch" in step)) continue;
      const entry = HostCluster.l2 * CLUSTER;
      for (const [word, what] of [
        [COPIED | 0x9000n, "another place"],
        [new DataView(bytes.buffer).getBigUint64(entry) | 1n, "zeros"],
        [0n, "nothing"],
      ] as const) {
        new DataView(live.bytes.buffer).setBigUint64(entry, word);
        await expect(step.batch.repoint(), what).rejects.toMatchObject({
          kind: "changed-underneath",
          hostOffset: entry,
        });
      }
      new DataView(live.bytes.buffer).setBigUint64(entry, new DataView(bytes.buffer).getBigUint64(entry));
      expect((await step.batch.repoint()).length).toBe(1);
      break;
    }
  });
});

describe("clusters with subclusters", () => {
  const virtualSize = 5 * 16_384 - 8192;
  const extended = () => new Qcow2Bytes({ hasSubclusters: true, clusterBits: 14, dataClusters: 5, virtualSize });

  test("become streams where all parts are data; what is stored in part stays, and the disk's last that is cut", async () => {
    const image = extended();
    image.set64(image.l2Entry(1) + 8, 0x0000_00f0_ffff_ff0fn);
    const before = image.bytes
      .subarray(HostCluster.l2 * image.clusterSize)
      .subarray(0, 80)
      .toString("hex");
    const { bytes, units } = await encodeInMemory(new Uint8Array(image.bytes), MUCH);
    expect(units.filter(({ isNew }) => isNew)).toHaveLength(3);
    expect(await checkOf(bytes)).toEqual(SOUND);
    const after = Buffer.from(bytes).subarray(HostCluster.l2 * image.clusterSize);
    for (const [index, isStream] of [true, false, true, true, false].entries()) {
      const entry = after.subarray(index * 16, index * 16 + 16);
      expect((entry.readUInt8(0) & 0x40) !== 0).toBe(isStream);
      if (isStream) expect(entry.readBigUInt64BE(8)).toBe(0n);
      else expect(entry.toString("hex")).toBe(before.slice(index * 32, index * 32 + 32));
    }
  });

  test("of which a part has gone since end the work", async () => {
    const image = extended();
    const live = new LiveBytes(new Uint8Array(image.bytes));
    const encoder = await (await Qcow2Image.open(live)).openEncoder({ maxBatchBytes: MUCH });
    for await (const step of encoder.steps()) {
      if (!("batch" in step)) continue;
      new DataView(live.bytes.buffer).setBigUint64(image.l2Entry(2) + 8, 0x0000_0001_ffff_fffen);
      await expect(step.batch.repoint()).rejects.toMatchObject({ kind: "changed-underneath" });
      break;
    }
  });
});

describe("images in which nothing is compressed", () => {
  const plain = buildEncodable({ kinds: of(4, "text") }).bytes;

  test("refcounts that are too narrow name what widens them", async () => {
    const failure = await refusal(buildEncodable({ kinds: of(4, "text"), refcountOrder: 3 }).bytes);
    expect(failure).toMatchObject({ kind: "unsupported", message: expect.stringContaining("-o refcount_bits=16") });
  });

  test("encryption, data elsewhere", async () => {
    const encrypted = plain.slice();
    encrypted[35] = 1;
    expect(await refusal(encrypted)).toMatchObject({ kind: "unsupported", message: expect.stringContaining("aes") });
    const elsewhere = plain.slice();
    elsewhere[79] = 4;
    expect(await refusal(elsewhere)).toMatchObject({ kind: "unsupported" });
  });

  test("a corrupt one", async () => {
    const corrupt = plain.slice();
    new DataView(corrupt.buffer).setUint16(HostCluster.refcountBlock * CLUSTER + 2 * HostCluster.data, 0);
    expect(await refusal(corrupt)).toMatchObject({ kind: "corrupt" });
  });

  test("where not even one cluster more is allowed", async () => {
    expect(await refusal(plain, CLUSTER - 1)).toMatchObject({ kind: "no-space" });
  });

  test("where nothing gets shorter nothing is written", async () => {
    const { bytes } = buildEncodable({ kinds: of(9, "noise") });
    bytes[88] = 0x40;
    expect(await encodeInMemory(bytes, MUCH)).toMatchObject({ epochCount: 0, units: [] });
  });
});
