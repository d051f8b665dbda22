import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GiB, KiB, MiB, TiB } from "../../../../src/bytes/align.ts";
import { changedView } from "../../../../src/convert/conversion/disk-wish.ts";
import { beyondCommit, cutAt } from "../../../../src/convert/undo/overlays.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../../../src/image/extent.ts";
import { digestGuest } from "../../../../src/image/guest/digest.ts";
import { inflateCluster } from "../../../../src/image/guest/inflate.ts";
import { composeGuestView, type GuestLayer, type GuestView } from "../../../../src/image/guest/view.ts";
import { ZERO_DISKS } from "../../../../src/image/guest/zero-disks.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import type { Storage } from "../../../../src/storage/storage.ts";
import { referenceBlkhash, sha256 } from "../../../support/guest-layer.ts";

function viewOf(storage: Storage, extents: ExtentTable, virtualSize: number, clusterSize = 65536): GuestView {
  const inflate = (stored: Uint8Array) => inflateCluster("zlib", stored, clusterSize);
  return composeGuestView([{ storage, extents, virtualSize, clusterSize, compression: "zlib", inflate }]);
}

function rawView(bytes: Uint8Array): GuestView {
  const table = new ExtentTableBuilder();
  table.append(bytes.length, ExtentState.data, 0);
  return viewOf(memoryStorage(bytes, "raw.img"), table.finish(bytes.length), bytes.length);
}

function emptyView(virtualSize: number, state: "zero" | "unallocated" = "unallocated"): GuestView {
  const table = new ExtentTableBuilder();
  table.append(virtualSize, ExtentState[state]);
  return viewOf(memoryStorage(new Uint8Array(0), "empty.img"), table.finish(virtualSize), virtualSize);
}

const formula = Uint8Array.from({ length: 307_712 }, (_, at) => (7 * at + Math.floor(at / 251)) % 256);
// What blksum -d sha256 of the blkhash project prints.
const vectors = [
  ["64 KiB of A", new Uint8Array(65536).fill(0x41), "2e3a5f57d5e726ee5de62db1a85ff816f4fa6ea4627807d9a51bdc4c883e165e"],
  ["1 MiB of zeros", new Uint8Array(MiB), "3dd455346755274ce76f1c555df5e05c1cdd8da4b1c70ab7c2a6b09f51bb5ce0"],
  ["a short last block", formula, "838036ba5e2bbc0f5eb9191a62476694559dfaff20be0529c2147b5d16142000"],
] as const;

describe("blkhash-sha256", () => {
  test.each(vectors)("of %s is what blksum prints", async (_name, bytes, digest) => {
    expect(await digestGuest(rawView(bytes), "blkhash-sha256")).toBe(digest);
  });

  test("of zeros is the same, stored or not", async () => {
    expect(await digestGuest(emptyView(MiB), "blkhash-sha256")).toBe(vectors[1][2]);
    expect(await digestGuest(emptyView(MiB, "zero"), "blkhash-sha256")).toBe(vectors[1][2]);
  });

  test.each([0, 1, 512, 65535, 65536, 65537, 131_071, 2 * MiB + 512])(
    "of %i bytes of zeros and of data",
    async (size) => {
      expect(await digestGuest(emptyView(size), "blkhash-sha256")).toBe(referenceBlkhash(new Uint8Array(size)));
      const bytes = new Uint8Array(size).fill(3);
      expect(await digestGuest(rawView(bytes), "blkhash-sha256")).toBe(referenceBlkhash(bytes));
    },
  );

  test("of an empty disk of 1 PiB takes no time, and is of zeros alone", async () => {
    expect(await digestGuest(emptyView(1024 * TiB), "blkhash-sha256")).toBe(ZERO_DISKS.get(1024));
    const size = 256 * MiB;
    const known = ZERO_DISKS as Map<number, string>;
    known.set(size / TiB, "known");
    try {
      expect(await digestGuest(emptyView(size), "blkhash-sha256")).toBe("known");
      for (const at of [0, size / 2, size - 65_536]) {
        const bytes = new Uint8Array(65_536).fill(1);
        const table = new ExtentTableBuilder();
        table.append(at, ExtentState.unallocated);
        table.append(65_536, ExtentState.data, 0);
        table.append(size - 65_536 - at, ExtentState.zero);
        const view = viewOf(memoryStorage(bytes, "one.img"), table.finish(size), size);
        const blocks = Buffer.alloc(size / 2048, Buffer.from(sha256(new Uint8Array(65_536)), "hex"));
        blocks.set(Buffer.from(sha256(bytes), "hex"), at / 2048);
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(size));
        expect(await digestGuest(view, "blkhash-sha256")).toBe(sha256(Buffer.concat([blocks, length])));
      }
    } finally {
      known.delete(size / TiB);
    }
  });

  test("of a disk without data reads nothing and differs from one of another size", async () => {
    const view = emptyView(100 * GiB);
    const storage: Storage = { ...memoryStorage(new Uint8Array(0)), read: () => Promise.reject(new Error("read")) };
    const unread = { ...view, layers: view.layers.map((layer) => ({ ...layer, storage })) };
    expect(await digestGuest(unread, "blkhash-sha256")).toBe(
      "300ad1efddb063822fea65ae3174cd35320939d4d0b050613628c6e1e876f8f6",
    );
    expect(await digestGuest(emptyView(100 * GiB - 512), "blkhash-sha256")).not.toBe(
      await digestGuest(view, "blkhash-sha256"),
    );
  });
});

describe("sha256", () => {
  test.each(vectors)("of %s is the raw bytes' own", async (_name, bytes) => {
    expect(await digestGuest(rawView(bytes), "sha256")).toBe(sha256(bytes));
  });

  test("of zeros that lie nowhere", async () => {
    expect(await digestGuest(emptyView(3 * MiB + 100), "sha256")).toBe(sha256(new Uint8Array(3 * MiB + 100)));
  });
});

describe("progress and interruption", () => {
  test("progress rises to the total", async () => {
    for (const algorithm of ["blkhash-sha256", "sha256"] as const) {
      const seen: [number, number][] = [];
      await digestGuest(rawView(new Uint8Array(5 * MiB + 512).fill(1)), algorithm, {
        onProgress: (done, total) => seen.push([done, total]),
      });
      expect(seen.at(-1)).toEqual([5 * MiB + 512, 5 * MiB + 512]);
      expect(seen.map(([done]) => done)).toEqual(seen.map(([done]) => done).sort((a, b) => a - b));
    }
  });

  test.each(["blkhash-sha256", "sha256"] as const)("an abort ends an endless %s of zeros", async (algorithm) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const digest = digestGuest(emptyView(4096 * TiB), algorithm, { signal: controller.signal });
    await expect(digest).rejects.toMatchObject({ kind: "interrupted" });
  });

  test("a signal that was aborted before is heard before anything is read", async () => {
    const view = rawView(new Uint8Array(65536));
    const signal = AbortSignal.abort();
    await expect(digestGuest(view, "blkhash-sha256", { signal })).rejects.toMatchObject({ kind: "interrupted" });
  });
});

describe("on worker threads", () => {
  let folder: string;
  let descriptor: number;
  const fileSize = 40 * MiB;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "guest-digest-"));
    descriptor = openSync(join(folder, "disk.raw"), "w+");
    ftruncateSync(descriptor, fileSize);
    for (let at = 0; at < fileSize; at += 3 * MiB)
      writeSync(descriptor, Buffer.alloc(200 * KiB, at / MiB + 1), 0, 200 * KiB, at);
    writeSync(descriptor, zlib.deflateRawSync(Buffer.alloc(2 * MiB, "cluster")), 0, undefined, 39 * MiB);
  });
  afterAll(() => {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  });

  /** Opened on the descriptor alone: a read on this thread is an error. */
  function sharedStorage(shared = descriptor): Storage {
    return {
      path: "disk.raw",
      descriptor: shared,
      size: async () => fileSize,
      read: () => Promise.reject(new Error("read on the main thread")),
      close: async () => {},
    };
  }

  function dataView(storage: Storage, length = fileSize - MiB): GuestView {
    const table = new ExtentTableBuilder();
    table.append(length, ExtentState.data, 0);
    return viewOf(storage, table.finish(length), length);
  }

  test("two, three and eight workers agree with this thread", async () => {
    const bytes = Buffer.alloc(fileSize - MiB);
    for (let at = 0; at < bytes.length; at += 3 * MiB) bytes.fill(at / MiB + 1, at, at + 200 * KiB);
    for (const workerCount of [2, 3, 8]) {
      expect(await digestGuest(dataView(sharedStorage()), "blkhash-sha256", { workerCount })).toBe(
        referenceBlkhash(bytes),
      );
    }
  });

  test("nothing is read on this thread of a file under an overlay, of a layer in memory, or of a file that will be cut", async () => {
    const [length, sector] = [fileSize - MiB, Buffer.alloc(512, 9)];
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < bytes.length; at += 3 * MiB) bytes.fill(at / MiB + 1, at, at + 200 * KiB);
    const digestOf = (view: GuestView) => digestGuest(view, "blkhash-sha256", { workerCount: 2 });
    bytes.set(sector);
    const committed = beyondCommit(sharedStorage(), { kind: "sector", hostOffset: 0, sector }, length);
    expect(await digestOf(dataView(committed))).toBe(referenceBlkhash(bytes));
    const step = [{ guestOffset: 3 * MiB + 512, before: Buffer.alloc(512), after: sector, what: "a sector" }];
    const change = { oldFileSize: length, fileSize: length + MiB, steps: [step] };
    const grown = Buffer.concat([bytes, Buffer.alloc(MiB)]);
    grown.set(sector, 3 * MiB + 512);
    expect(await digestOf(changedView(dataView(committed), change, "convert"))).toBe(referenceBlkhash(grown));
    expect(await digestOf(dataView(cutAt(sharedStorage(), 2 * MiB)))).toBe(
      referenceBlkhash(Buffer.alloc(length).fill(1, 0, 200 * KiB)),
    );
  });

  test("a compressed cluster longer than a batch is inflated in pieces", async () => {
    const table = new ExtentTableBuilder();
    table.append(512, ExtentState.zero);
    table.append(2 * MiB, ExtentState.compressed, 39 * MiB, 16 * KiB);
    const view = viewOf(sharedStorage(), table.finish(2 * MiB + 512), 2 * MiB + 512, 2 * MiB);
    const bytes = Buffer.concat([Buffer.alloc(512), Buffer.alloc(2 * MiB, "cluster")]);
    expect(await digestGuest(view, "blkhash-sha256", { workerCount: 2 })).toBe(referenceBlkhash(bytes));
  });

  test("a compressed cluster is seen through the layer that covers a part of it", async () => {
    const below = new ExtentTableBuilder();
    below.append(2 * MiB, ExtentState.compressed, 39 * MiB, 16 * KiB);
    const above = new ExtentTableBuilder();
    above.append(65536 + 512, ExtentState.zero);
    above.append(2 * MiB - 65536 - 512, ExtentState.unallocated);
    const [bottom] = viewOf(sharedStorage(), below.finish(2 * MiB), 2 * MiB, 2 * MiB).layers;
    const [top] = viewOf(sharedStorage(), above.finish(2 * MiB), 2 * MiB).layers;
    const bytes = Buffer.alloc(2 * MiB, "cluster").fill(0, 0, 65536 + 512);
    const view = composeGuestView([top as GuestLayer, bottom as GuestLayer]);
    expect(await digestGuest(view, "blkhash-sha256", { workerCount: 2 })).toBe(referenceBlkhash(bytes));
  });

  test("what lies past the end of the file reads as zeros, not as what was read before", async () => {
    const table = new ExtentTableBuilder();
    // Both go through the same buffer of one worker or the other: data first, then nothing.
    for (let round = 0; round < 8; round++) {
      table.append(65536, ExtentState.data, 0);
      table.append(15 * 65536, ExtentState.data, 3 * MiB);
      table.append(16 * 65536, ExtentState.data, fileSize - 512);
    }
    const [full, size] = [Buffer.alloc(fileSize), 8 * 2 * MiB];
    readSync(descriptor, full, 0, fileSize, 0);
    const tail = Buffer.alloc(MiB);
    full.copy(tail, 0, fileSize - 512);
    const round = Buffer.concat([full.subarray(0, 65536), full.subarray(3 * MiB, 3 * MiB + 15 * 65536), tail]);
    const bytes = Buffer.concat(Array.from({ length: 8 }, () => round));
    const view = viewOf(sharedStorage(), table.finish(size), size);
    expect(await digestGuest(view, "blkhash-sha256", { workerCount: 2 })).toBe(referenceBlkhash(bytes));
  });

  test("clusters at the same place of two files are two clusters", async () => {
    const path = join(folder, "other.raw");
    writeFileSync(path, zlib.deflateRawSync(Buffer.alloc(65536, "other")));
    const other = openSync(path, "r");
    writeSync(descriptor, zlib.deflateRawSync(Buffer.alloc(65536, "first")), 0, undefined, 0);
    try {
      const above = new ExtentTableBuilder();
      above.append(65536, ExtentState.compressed, 0, 512);
      above.append(65536, ExtentState.unallocated);
      const below = new ExtentTableBuilder();
      below.append(65536, ExtentState.zero);
      below.append(65536, ExtentState.compressed, 0, 512);
      const [top] = viewOf(sharedStorage(), above.finish(131_072), 131_072).layers;
      const [bottom] = viewOf(sharedStorage(other), below.finish(131_072), 131_072).layers;
      const view = composeGuestView([top as GuestLayer, bottom as GuestLayer]);
      const bytes = Buffer.concat([Buffer.alloc(65536, "first"), Buffer.alloc(65536, "other")]);
      expect(await digestGuest(view, "blkhash-sha256", { workerCount: 2 })).toBe(referenceBlkhash(bytes));
    } finally {
      closeSync(other);
      writeSync(descriptor, Buffer.alloc(4096, 1), 0, 4096, 0);
    }
  });

  test("a descriptor that can't be read is an error that names the file and the place", async () => {
    const digest = digestGuest(dataView(sharedStorage(9999)), "blkhash-sha256", { workerCount: 2 });
    await expect(digest).rejects.toMatchObject({
      name: "ImageError",
      kind: "io",
      path: "disk.raw",
      message: expect.stringMatching(/^Cannot read disk\.raw at host offset 0x/),
    });
  });

  test("a cluster that does not inflate is corrupt and named by its place", async () => {
    const table = new ExtentTableBuilder();
    table.append(65536, ExtentState.compressed, 512, 512);
    const view = viewOf(sharedStorage(), table.finish(65536), 65536);
    const digest = digestGuest(view, "blkhash-sha256", { workerCount: 2 });
    await expect(digest).rejects.toMatchObject({
      kind: "corrupt",
      hostOffset: 512,
      message: expect.stringMatching(/^Cannot inflate the zlib cluster: .* at host offset 0x200 of disk\.raw$/),
    });
  });

  test("an abort ends the workers", async () => {
    const controller = new AbortController();
    // The same 39 MiB, 4,096 times over: long enough that the abort always comes first.
    const table = new ExtentTableBuilder();
    for (let time = 0; time < 4096; time++) table.append(39 * MiB, ExtentState.data, 0);
    const view = viewOf(sharedStorage(), table.finish(4096 * 39 * MiB), 4096 * 39 * MiB);
    const digest = digestGuest(view, "blkhash-sha256", {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(digest).rejects.toMatchObject({ kind: "interrupted" });
  });
});
