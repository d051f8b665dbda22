/** Whatever lies wherever: the tables of a qcow2 target say exactly that, and its refcounts count exactly what they say. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { qcow2Target } from "../../src/formats/qcow2/target/target.ts";
import { ExtentState, ExtentTableBuilder } from "../../src/image/extent.ts";
import { qcow2InMemory } from "../formats/qcow2/in-memory.ts";
import { type NaiveCluster, readNaively } from "../formats/qcow2/naive-reader.ts";
import { plainSource } from "../formats/qcow2/target-image.ts";

interface Piece {
  readonly kind: "data" | "zero" | "unallocated" | "compressed";
  readonly clusterCount: number;
  /** For the order of hosts, and where in its cluster compressed data begins. */
  readonly key: number;
}

const pieces = fc.array(
  fc.record<Piece>({
    kind: fc.constantFrom("data", "zero", "unallocated", "compressed"),
    clusterCount: fc.integer({ min: 1, max: 90 }),
    key: fc.integer({ min: 0, max: 2 ** 20 }),
  }),
  { maxLength: 12 },
);

describe("the tables of a qcow2 target", () => {
  it("say where everything lies, and count it", () => {
    fc.assert(
      fc.property(
        pieces,
        fc.integer({ min: 9, max: 12 }),
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 0, max: 7 }),
        (drawn, clusterBits, refcountOrder, tailSectors) => {
          const clusterSize = 2 ** clusterBits;
          const mayCompress = refcountOrder >= 4;
          const { extents, expected, end } = layInFile(drawn, clusterSize, tailSectors * 512, mayCompress);
          const source = plainSource({ format: "qcow2", clusterSize, virtualSize: extents.virtualSize });
          const options = { refcount_bits: 2 ** refcountOrder };
          const draft = qcow2Target.openConversionTarget(source, options, new Set());
          const mapped = qcow2Target.map(draft, extents.table, { oldFileSize: end, additiveStart: end });
          const image = readNaively(qcow2InMemory(mapped, source));
          expect(image.clusters).toEqual(expected);
          expect(sorted(image.refcounts)).toEqual(sorted(image.references));
        },
      ),
      { numRuns: 300, seed: 2 },
    );
  });
});

/** Puts the pieces into the file in the order of their keys, compressed ones packed, and leaves a gap now and then. */
function layInFile(drawn: readonly Piece[], clusterSize: number, tail: number, mayCompress: boolean) {
  const hosts = new Map<Piece, number>();
  let end = clusterSize;
  for (const piece of [...drawn].sort((a, b) => a.key - b.key)) {
    if (piece.kind === "data") {
      end = Math.ceil(end / clusterSize + (piece.key % 3)) * clusterSize;
      hosts.set(piece, end);
      end += piece.clusterCount * clusterSize;
    } else if (piece.kind === "compressed" && mayCompress) {
      hosts.set(piece, end);
      end += piece.clusterCount * 100;
      // The format counts whole sectors: the last one may not reach into data.
      end = Math.ceil(end / 512) * 512;
    }
  }
  const builder = new ExtentTableBuilder();
  const expected: NaiveCluster[] = [];
  const put = (length: number, piece: Piece, index: number): void => {
    const guestCluster = Math.floor(builder.end / clusterSize);
    const host = hosts.get(piece);
    if (piece.kind === "data" && host !== undefined) {
      const hostOffset = host + index * clusterSize;
      builder.append(length, ExtentState.data, hostOffset);
      expected.push({ guestCluster, kind: "data", hostOffset, storedLength: 0 });
    } else if (piece.kind === "compressed" && host !== undefined) {
      const hostOffset = host + index * 100;
      const storedLength =
        (Math.ceil((hostOffset + 100) / 512) - Math.floor(hostOffset / 512)) * 512 - (hostOffset % 512);
      builder.append(length, ExtentState.compressed, hostOffset, storedLength);
      expected.push({ guestCluster, kind: "compressed", hostOffset, storedLength });
    } else if (piece.kind === "zero") {
      builder.append(length, ExtentState.zero);
      expected.push({ guestCluster, kind: "zero", hostOffset: 0, storedLength: 0 });
    } else builder.append(length, ExtentState.unallocated);
  };
  for (const [row, piece] of drawn.entries()) {
    for (let index = 0; index < piece.clusterCount; index++) {
      const isLast = row === drawn.length - 1 && index === piece.clusterCount - 1;
      put(isLast && tail > 0 ? Math.min(tail, clusterSize) : clusterSize, piece, index);
    }
  }
  const virtualSize = builder.end;
  const alignedEnd = Math.ceil(end / clusterSize) * clusterSize;
  return { extents: { table: builder.finish(virtualSize), virtualSize }, expected, end: alignedEnd };
}

function sorted(counts: ReadonlyMap<number, number>): [number, number][] {
  return [...counts].sort(([a], [b]) => a - b);
}
