/** What a conversion takes of the disk at any moment, counted block by block, against what its plan told of it. */

import { expect, test } from "vitest";
import { KiB, MiB } from "../../../../src/bytes/align.ts";
import { RangeSet } from "../../../../src/bytes/range-set.ts";
import { convert, plan } from "../../../../src/convert/convert.ts";
import type { ConvertOptions } from "../../../../src/convert/options/options.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import type { WritableStorage } from "../../../../src/storage/storage.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { seededRandom } from "../../../support/random.ts";
import { WrappedStorage, WrappedVolume } from "../../../support/wrapped-volume.ts";

const BLOCK = 4096;
/** The lock beside the image, and blocks of which only a part is told. */
const ROUNDING = 4 * BLOCK;

/** Blocks of all files, as a file system with holes has them. */
class CountingVolume extends WrappedVolume {
  readonly files = new Map<string, Set<number>>();
  most = 0;

  count(): void {
    let blocks = 0;
    for (const each of new Set(this.files.values())) blocks += each.size;
    this.most = Math.max(this.most, blocks);
  }

  protected override wrap(storage: WritableStorage): WrappedStorage {
    return new CountingStorage(storage, this);
  }

  override async rename(from: string, to: string): Promise<void> {
    await this.inner.rename(from, to);
    this.files.set(to, this.files.get(from) ?? new Set());
    this.files.delete(from);
  }

  override async link(from: string, to: string): Promise<boolean> {
    const isMade = await this.inner.link(from, to);
    if (isMade) this.files.set(to, this.files.get(from) ?? new Set());
    return isMade;
  }

  override async remove(path: string): Promise<void> {
    await this.inner.remove(path);
    this.files.delete(path);
  }
}

class CountingStorage extends WrappedStorage {
  readonly #volume: CountingVolume;
  readonly #blocks: Set<number>;

  constructor(inner: WritableStorage, volume: CountingVolume) {
    super(inner);
    this.#volume = volume;
    this.#blocks = volume.files.get(inner.path) ?? new Set();
    volume.files.set(inner.path, this.#blocks);
  }

  override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    await super.write(hostOffset, bytes);
    for (let at = Math.floor(hostOffset / BLOCK); at * BLOCK < hostOffset + bytes.length; at++) this.#blocks.add(at);
    this.#volume.count();
  }

  override async resize(size: number): Promise<void> {
    await super.resize(size);
    for (const at of this.#blocks) if (at * BLOCK >= size) this.#blocks.delete(at);
  }

  override async punch(ranges: RangeSet): Promise<RangeSet> {
    for (const { start, end } of ranges.each()) {
      await super.write(start, new Uint8Array(Math.min(end, await this.size()) - start));
      for (let at = Math.ceil(start / BLOCK); (at + 1) * BLOCK <= end; at++) this.#blocks.delete(at);
    }
    return new RangeSet();
  }

  override async dataRanges(): Promise<RangeSet> {
    const ranges = new RangeSet();
    const size = await this.size();
    for (const at of [...this.#blocks].sort((a, b) => a - b)) ranges.add(at * BLOCK, Math.min((at + 1) * BLOCK, size));
    return ranges;
  }
}

/** Pieces of 64 KiB all over the disk, most of them in holes. */
function scattered(): Uint8Array {
  const disk = new Uint8Array(24 * MiB);
  const random = seededRandom(5);
  for (let at = 0; at < disk.length; at += 64 * KiB)
    if (random.chance(0.4)) for (let i = at; i < at + 64 * KiB; i += 7) disk[i] = random.below(256);
  return disk;
}

/** The rest of the words of `convert`, one conversion after the other in the same file. */
const CHAINS: readonly (readonly [string, ConvertOptions])[][] = [
  [
    ["vpc", { options: { subformat: "dynamic", force_size: "on" } }],
    ["raw", {}],
  ],
  [
    ["vpc", { options: { subformat: "dynamic", force_size: "on" } }],
    ["ova", {}],
  ],
  [
    ["vdi", {}],
    ["qcow2", { compact: true }],
    ["raw", {}],
  ],
  [
    ["vhdx", {}],
    ["vmdk", { options: { subformat: "streamOptimized" } }],
    ["raw", {}],
  ],
  [
    ["qcow2", { compress: true, sparseSize: 4096, compact: true }],
    ["vmdk", { options: { subformat: "streamOptimized" } }],
    ["qcow2", {}],
    ["ova", {}],
  ],
];

test.each(CHAINS.map((chain) => [chain.map(([target]) => target).join(" -> "), chain] as const))(
  "raw -> %s takes no more than was told",
  async (_, chain) => {
    const disk = scattered();
    const volume = new CountingVolume(new MemoryVolume({ [IMAGE_PATH]: disk }));
    const blocks = new Set<number>();
    for (let at = 0; at * BLOCK < disk.length; at++)
      if (disk.subarray(at * BLOCK, (at + 1) * BLOCK).some((byte) => byte !== 0)) blocks.add(at);
    volume.files.set(IMAGE_PATH, blocks);
    for (const [at, [target, options]] of chain.entries()) {
      const before = blocks.size;
      volume.most = 0;
      const wishes: ConvertOptions = {
        ...(at === 0 && { format: "raw", sparseSize: 0, compact: false }),
      };
      const host = testHost(volume);
      const { report } = await plan(IMAGE_PATH, target, { ...wishes, ...options }, host);
      await convert(IMAGE_PATH, target, { ...wishes, ...options }, host);
      const taken = (volume.most - before) * BLOCK;
      expect(taken, `${at}: ${target}`).toBeLessThanOrEqual(report.peakExtraBytes + ROUNDING);
      if (chain[at - 1]?.[0] === "vpc") {
        expect(report.path.some((step) => step.step === "switch" && step.to === "qcow")).toBe(true);
        if (target === "raw") expect(blocks.size).toBeLessThanOrEqual(before);
      }
    }
  },
);
