/** Layers of a guest view made from a description: the file, its mapping, and what the guest must read. */

import { createHash } from "node:crypto";
import * as zlib from "node:zlib";
import type { CompressionMethod } from "../../src/image/compression.ts";
import { ExtentState, ExtentTableBuilder, NOWHERE } from "../../src/image/extent.ts";
import { inflateCluster } from "../../src/image/guest/inflate.ts";
import type { GuestLayer } from "../../src/image/guest/view.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import type { Storage } from "../../src/storage/storage.ts";

export const CLUSTER_SIZE = 4096;

/** One stretch of guest; a compressed one is a cluster whatever its length says. `seed` varies data and its place. */
export interface Stretch {
  readonly state: keyof typeof ExtentState;
  readonly sectorCount: number;
  readonly seed: number;
}

export interface LayerDescription {
  readonly stretches: readonly Stretch[];
  readonly compression: CompressionMethod;
  /** Cut off the end of the file, so that it ends inside its last extent. */
  readonly missingTail: number;
}

export interface BuiltLayer {
  readonly file: Uint8Array;
  readonly layer: GuestLayer;
  /** The guest's bytes, one stretch after the other; undefined at what falls through. */
  readonly guest: readonly { readonly length: number; readonly bytes: Uint8Array | undefined }[];
}

/** `openFile` gives the storage for the file's bytes; in memory by default. */
export function buildLayer(
  description: LayerDescription,
  openFile: (file: Uint8Array) => Storage = (file) => memoryStorage(file),
): BuiltLayer {
  const { compression } = description;
  const stretches = description.stretches.map((stretch) => ({
    ...stretch,
    length: stretch.state === "compressed" ? CLUSTER_SIZE : stretch.sectorCount * 512,
  }));
  // Host places in the order of the seeds, so that guest and host order differ.
  const places = new Map<number, number>();
  const pieces: Uint8Array[] = [new Uint8Array(512).fill(0xee)];
  let end = 512;
  const order = stretches
    .map((_, index) => index)
    .sort((a, b) => (stretches[a]?.seed ?? 0) - (stretches[b]?.seed ?? 0));
  const contents = stretches.map(({ length, seed }) => pattern(length, seed));
  for (const index of order) {
    const content = contents[index] as Uint8Array;
    const state = stretches[index]?.state;
    if (state !== "data" && state !== "compressed") continue;
    const stored = state === "data" ? content : compress(compression, content);
    places.set(index, end);
    pieces.push(stored);
    end += stored.length;
  }
  const whole = Buffer.concat(pieces);
  const isLastCompressed = stretches[order.findLast((index) => places.has(index)) ?? -1]?.state === "compressed";
  const fileSize = Math.max(512, whole.length - (isLastCompressed ? 0 : description.missingTail));
  const file = whole.subarray(0, fileSize);

  const table = new ExtentTableBuilder();
  const guest = stretches.map(({ state, length }, index) => {
    const hostOffset = places.get(index) ?? NOWHERE;
    const content = contents[index] as Uint8Array;
    const stored = state === "compressed" ? compress(compression, content).length : 0;
    table.append(length, ExtentState[state], hostOffset, stored);
    if (state === "unallocated") return { length, bytes: undefined };
    if (state === "zero") return { length, bytes: new Uint8Array(length) };
    // What lies past the end of the file reads as zeros.
    if (state === "data") content.fill(0, Math.max(0, Math.min(length, fileSize - hostOffset)));
    return { length, bytes: content };
  });
  const virtualSize = table.end;
  return {
    file,
    guest,
    layer: {
      storage: openFile(file),
      extents: table.finish(virtualSize),
      virtualSize,
      clusterSize: CLUSTER_SIZE,
      compression,
      inflate: (bytes) => inflateCluster(compression, bytes, CLUSTER_SIZE),
    },
  };
}

/** The guest's bytes through all layers: what a layer leaves open shows the layers below, which end at their own size. */
export function materialise(layers: readonly BuiltLayer[]): Uint8Array {
  return layers.reduceRight((below: Uint8Array, { layer, guest }) => {
    const bytes = new Uint8Array(layer.virtualSize);
    bytes.set(below.subarray(0, bytes.length));
    let next = 0;
    for (const stretch of guest) {
      if (stretch.bytes !== undefined) bytes.set(stretch.bytes, next);
      next += stretch.length;
    }
    return bytes;
  }, new Uint8Array(0));
}

/** blkhash-sha256 by its definition, with no short cut. */
export function referenceBlkhash(guest: Uint8Array): string {
  const outer = createHash("sha256");
  for (let at = 0; at < guest.length; at += 65536) {
    outer.update(
      createHash("sha256")
        .update(guest.subarray(at, at + 65536))
        .digest(),
    );
  }
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(guest.length));
  return outer.update(length).digest("hex");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function compress(method: CompressionMethod, bytes: Uint8Array): Uint8Array {
  return method === "zlib" ? zlib.deflateRawSync(bytes) : zlib.zstdCompressSync(bytes);
}

/** Never zeros, except for seeds that are a multiple of 5: data that happens to be zeros is data too. */
function pattern(length: number, seed: number): Uint8Array {
  const step = (seed % 200) + 3;
  return seed % 5 === 0
    ? new Uint8Array(length)
    : Uint8Array.from({ length }, (_, at) => (at * step + (at >> 8) + seed) & 0xff);
}
