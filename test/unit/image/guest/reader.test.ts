import * as zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { ImageError } from "../../../../src/bytes/image-error.ts";
import { ExtentState, ExtentTableBuilder } from "../../../../src/image/extent.ts";
import { inflateCluster } from "../../../../src/image/guest/inflate.ts";
import { GuestReader } from "../../../../src/image/guest/reader.ts";
import { composeGuestView, type GuestLayer } from "../../../../src/image/guest/view.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import type { Storage } from "../../../../src/storage/storage.ts";

const CLUSTER = 4096;

function layer(storage: Storage, fill: (table: ExtentTableBuilder) => void): GuestLayer {
  const table = new ExtentTableBuilder();
  fill(table);
  return {
    storage,
    extents: table.finish(table.end),
    virtualSize: table.end,
    clusterSize: CLUSTER,
    compression: "zlib",
    inflate: (stored) => inflateCluster("zlib", stored, CLUSTER),
  };
}

async function readAll(...layers: GuestLayer[]): Promise<string> {
  const into = Buffer.alloc(layers[0]?.virtualSize ?? 0, "?");
  await new GuestReader(composeGuestView(layers)).read(0, into);
  return into.toString("latin1").replaceAll("\0", ".");
}

const letters = (text: string): Storage => memoryStorage(Buffer.from(text), text);

describe("GuestReader", () => {
  test("takes data from its place, and zeros from nowhere", async () => {
    const one = layer(letters("ABCDEF"), (table) => {
      table.append(2, ExtentState.data, 4);
      table.append(1, ExtentState.zero);
      table.append(1, ExtentState.unallocated);
      table.append(2, ExtentState.data, 0);
    });
    expect(await readAll(one)).toBe("EF..AB");
  });

  test("a preallocated zero reads as zeros, whatever lies at its place", async () => {
    expect(await readAll(layer(letters("ABCD"), (table) => table.append(4, ExtentState.zero, 0)))).toBe("....");
  });

  test("a file that ends inside its last cluster goes on with zeros", async () => {
    expect(await readAll(layer(letters("ABC"), (table) => table.append(6, ExtentState.data, 1)))).toBe("BC....");
  });

  test("unallocated falls through, zero does not", async () => {
    const top = layer(letters("ABCD"), (table) => {
      table.append(2, ExtentState.unallocated);
      table.append(2, ExtentState.zero);
      table.append(2, ExtentState.unallocated);
    });
    expect(
      await readAll(
        top,
        layer(letters("abcdef"), (table) => table.append(6, ExtentState.data, 0)),
      ),
    ).toBe("ab..ef");
  });

  test("beyond the end of a backing file there are zeros, though a file further down is longer", async () => {
    const open = (length: number) => layer(letters(""), (table) => table.append(length, ExtentState.unallocated));
    const bottom = layer(letters("abcdefgh"), (table) => table.append(8, ExtentState.data, 0));
    expect(await readAll(open(6), bottom)).toBe("abcdef");
    expect(await readAll(open(8), open(3), bottom)).toBe("abc.....");
  });

  test("reads past the end of the disk as zeros, so that its last unit can be copied whole", async () => {
    const reader = new GuestReader(
      composeGuestView([layer(letters("ABCDEF"), (table) => table.append(4, ExtentState.data, 0))]),
    );
    const into = Buffer.alloc(4, "?");
    await reader.read(2, into);
    expect(into.toString("latin1")).toBe("CD\0\0");
    await reader.read(100, into);
    expect(into.toString("latin1")).toBe("\0\0\0\0");
    await expect(reader.read(-1, into)).rejects.toThrow(ImageError);
  });

  test("inflates a cluster once for many small reads", async () => {
    const stored = zlib.deflateRawSync(Buffer.alloc(CLUSTER, "abcdefg"));
    let inflations = 0;
    const compressed = layer(memoryStorage(stored), (table) =>
      table.append(CLUSTER, ExtentState.compressed, 0, stored.length),
    );
    const counted = {
      ...compressed,
      inflate(bytes: Uint8Array) {
        inflations++;
        return compressed.inflate(bytes);
      },
    };
    const reader = new GuestReader(composeGuestView([counted]));
    for (let at = 0; at < CLUSTER; at += 512) {
      const into = Buffer.alloc(512);
      await reader.read(at, into);
      expect(into[0]).toBe("abcdefg".charCodeAt(at % 7));
    }
    expect(inflations).toBe(1);
  });

  test("a compressed cluster below is seen from wherever the layers above leave it open", async () => {
    const cluster = Buffer.from(Uint8Array.from({ length: CLUSTER }, (_, at) => 0x30 + (at >> 9)));
    const stored = zlib.deflateRawSync(cluster);
    const below = layer(memoryStorage(stored), (table) =>
      table.append(CLUSTER, ExtentState.compressed, 0, stored.length),
    );
    const middle = layer(letters("x".repeat(1024)), (table) => {
      table.append(512, ExtentState.data, 0);
      table.append(CLUSTER - 512, ExtentState.unallocated);
    });
    const top = layer(letters("y".repeat(512)), (table) => {
      table.append(1024, ExtentState.unallocated);
      table.append(512, ExtentState.data, 0);
      table.append(CLUSTER - 1536, ExtentState.unallocated);
    });
    const bySector = (text: string) => text.replace(/(.)\1{511}/g, "$1");
    expect(bySector(await readAll(top, middle, below))).toBe("x1y34567");
    const part = Buffer.alloc(600);
    await new GuestReader(composeGuestView([top, middle, below])).read(2048 - 100, part);
    expect(part.toString("latin1")).toBe(`${"3".repeat(100)}${"4".repeat(500)}`);
  });

  test("names the place of a cluster that does not inflate", async () => {
    const broken = layer(letters("no stream"), (table) => table.append(CLUSTER, ExtentState.compressed, 3, 6));
    await expect(readAll(broken)).rejects.toMatchObject({ kind: "corrupt", hostOffset: 3, path: "no stream" });
  });

  test("hands on the storage's error, once every other read has ended", async () => {
    let underWay = 0;
    const storage: Storage = {
      ...letters(""),
      async read(hostOffset, into) {
        underWay++;
        await new Promise((resolve) => setImmediate(resolve));
        if (hostOffset === 5) throw new ImageError("io", "Cannot read it");
        await new Promise((resolve) => setImmediate(resolve));
        underWay--;
        return into.length;
      },
    };
    const scattered = layer(storage, (table) => {
      for (let place = 9; place >= 0; place--) table.append(1, ExtentState.data, place * 5);
    });
    await expect(readAll(scattered)).rejects.toThrow("Cannot read it");
    expect(underWay).toBe(1);
  });
});
