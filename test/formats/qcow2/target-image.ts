/** Makes a file whose guest clusters lie in shuffled places, as a source would leave it, and turns it into a qcow2. */

import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alignUp } from "../../../src/bytes/align.ts";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { qcow2Target } from "../../../src/formats/qcow2/target/target.ts";
import { ExtentState, type ExtentTable, ExtentTableBuilder } from "../../../src/image/extent.ts";
import type { BackingFile, ConversionOptions } from "../../../src/image/source.ts";
import { DISK_ALONE } from "../../../src/image/source.ts";
import type { MappedDraft } from "../../../src/image/target.ts";
import type { TargetOptionValues } from "../../../src/image/target-options.ts";

export interface GuestShape {
  readonly clusterSize: number;
  readonly virtualSize: number;
  readonly seed: number;
  /** How likely a guest cluster is data, and zero; the rest is unallocated. */
  readonly dataShare: number;
  readonly zeroShare: number;
  /** Unused host clusters after each used one, at most. */
  readonly maxGap: number;
}

export interface SourceFile {
  readonly path: string;
  readonly rawPath: string;
  readonly fileSize: number;
  readonly extents: ExtentTable;
}

/** mulberry32: numbers in [0, 1), the same for each seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function scratchFolder(): string {
  return mkdtempSync(join(tmpdir(), "inplace-convert-qcow2-"));
}

export function removeScratch(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Options of a source that has nothing but data; fields are overridden as a test needs it. */
export function plainSource(fields: Partial<ConversionOptions>): ConversionOptions {
  return {
    ...DISK_ALONE,
    format: "qed",
    virtualSize: 0,
    clusterSize: 65_536,
    sharingSize: 65536,
    compression: "zlib",
    usedHeader: RangeSet.of({ start: 0, end: 64 }),
    clustersPerTable: 512,
    ...fields,
  };
}

export function backingFile(name: string, format: string | undefined, hostOffset: number): BackingFile {
  return { nameBytes: new TextEncoder().encode(name), name, format, hostOffset };
}

/** Writes the source's body (header cluster of garbage, data clusters) and the raw disk that the guest must see. */
export function makeSource(folder: string, name: string, shape: GuestShape, rawBase?: string): SourceFile {
  const { clusterSize, virtualSize } = shape;
  const random = seededRandom(shape.seed);
  const guestClusterCount = Math.ceil(virtualSize / clusterSize);
  const states = Array.from({ length: guestClusterCount }, () => {
    const drawn = random();
    if (drawn < shape.dataShare) return ExtentState.data;
    return drawn < shape.dataShare + shape.zeroShare ? ExtentState.zero : ExtentState.unallocated;
  });
  const hosts: number[] = [];
  let nextHost = 1;
  for (const state of states) {
    if (state !== ExtentState.data) continue;
    hosts.push(nextHost * clusterSize);
    nextHost += 1 + Math.floor(random() * (shape.maxGap + 1));
  }
  shuffle(hosts, random);

  const path = join(folder, `${name}.img`);
  const rawPath = join(folder, `${name}.raw`);
  const file = openSync(path, "w");
  const raw = openSync(rawPath, "w");
  if (rawBase !== undefined) writeSync(raw, readFileSync(rawBase));
  ftruncateSync(raw, virtualSize);
  writeSync(file, new Uint8Array(Math.min(clusterSize, 4096)).fill(0xee), 0, undefined, 0);
  let fileSize = clusterSize;
  const builder = new ExtentTableBuilder();
  for (const [index, state] of states.entries()) {
    const guestOffset = index * clusterSize;
    const length = Math.min(clusterSize, virtualSize - guestOffset);
    if (state === ExtentState.data) {
      const hostOffset = hosts.pop() as number;
      builder.append(length, state, hostOffset);
      for (const at of new Set([0, length - 512])) {
        const pattern = new Uint8Array(512).fill(1 + Math.floor(random() * 254));
        writeSync(file, pattern, 0, 512, hostOffset + at);
        writeSync(raw, pattern, 0, 512, guestOffset + at);
        fileSize = Math.max(fileSize, hostOffset + at + 512);
      }
      // Over a backing file the rest of the cluster is zeros too.
      if (rawBase !== undefined && length > 1024)
        writeSync(raw, new Uint8Array(length - 1024), 0, length - 1024, guestOffset + 512);
    } else {
      builder.append(length, state);
      if (state === ExtentState.zero && rawBase !== undefined)
        writeSync(raw, new Uint8Array(length), 0, length, guestOffset);
    }
  }
  ftruncateSync(file, fileSize);
  closeSync(file);
  closeSync(raw);
  return { path, rawPath, fileSize, extents: builder.finish(virtualSize) };
}

/** Plans and performs the switch to qcow2 on the file; returns the draft. */
export function convertToQcow2(
  file: Pick<SourceFile, "path" | "fileSize" | "extents">,
  source: ConversionOptions,
  options: TargetOptionValues,
  usedHeader = RangeSet.of({ start: 0, end: 64 }),
): MappedDraft {
  const draft = qcow2Target.openConversionTarget(source, options, new Set());
  if (draft.refusals.length > 0) throw new Error(draft.refusals.join("; "));
  const alignment = Math.max(source.clusterSize, draft.clusterSize);
  const space = { oldFileSize: file.fileSize, additiveStart: alignUp(file.fileSize, alignment) };
  const mapped = qcow2Target.map(draft, file.extents, space);
  const descriptor = openSync(file.path, "r+");
  const oldHeader = new Uint8Array(Math.min(file.fileSize, Math.max(draft.clusterSize, 4096)));
  readSync(descriptor, oldHeader, 0, oldHeader.length, 0);
  const { extras, sector } = qcow2Target.copyHeader(mapped, source, oldHeader, usedHeader);
  let written = 0;
  let end = 0;
  for (const { hostOffset, bytes } of mapped.additiveWrites()) {
    if (hostOffset < Math.max(end, space.additiveStart)) throw new Error(`write at ${hostOffset} is out of order`);
    if (bytes.length > 1_048_576) throw new Error(`write of ${bytes.length} bytes is too long`);
    writeSync(descriptor, bytes, 0, bytes.length, hostOffset);
    end = hostOffset + bytes.length;
    written += bytes.length;
  }
  if (written !== mapped.metadataBytes || end !== mapped.fileSize)
    throw new Error("the writes are not what was announced");
  for (const { hostOffset, bytes } of extras) writeSync(descriptor, bytes, 0, bytes.length, hostOffset);
  writeSync(descriptor, sector, 0, sector.length, 0);
  closeSync(descriptor);
  return mapped;
}

function shuffle(values: number[], random: () => number): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [values[last], values[other]] = [values[other] as number, values[last] as number];
  }
}
