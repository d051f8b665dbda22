/** The watch between any two of our own calls: who else wrote is noticed, and what we wrote is not taken for theirs. */

import { beforeEach, describe, expect, test } from "vitest";
import { RangeSet } from "../../../../src/bytes/range-set.ts";
import { GuardedStorage } from "../../../../src/convert/session/guarded-storage.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import type { WritableStorage } from "../../../../src/storage/storage.ts";
import { WrappedStorage } from "../../../support/wrapped-volume.ts";

const PATH = "/vm/disk.img";

/** Counts syncs, and lets somebody write inside one; a late clock tells of each write with the next sync only. */
class WatchedStorage extends WrappedStorage {
  readonly hasLateFingerprint: boolean;
  syncCount = 0;
  duringSync: () => Promise<void> = async () => {};
  failsHalfway = false;
  #told: string | undefined;

  constructor(inner: WritableStorage, isLate: boolean) {
    super(inner);
    this.hasLateFingerprint = isLate;
  }

  override async write(hostOffset: number, bytes: Uint8Array): Promise<void> {
    await super.write(hostOffset, this.failsHalfway ? bytes.subarray(0, 1) : bytes);
    if (this.failsHalfway) throw new Error("the disk is full");
  }

  override async sync(): Promise<void> {
    this.syncCount++;
    await this.duringSync();
    await super.sync();
    this.#told = undefined;
  }

  override async fingerprint(): Promise<string> {
    if (!this.hasLateFingerprint) return super.fingerprint();
    this.#told ??= await super.fingerprint();
    return this.#told;
  }
}

let volume: MemoryVolume;
let inner: WatchedStorage;
let guarded: GuardedStorage;

async function open(isLate = false): Promise<void> {
  volume = new MemoryVolume({ [PATH]: new Uint8Array(8) });
  inner = new WatchedStorage(await volume.openForWriting(PATH), isLate);
  guarded = await GuardedStorage.over(inner);
}

async function theyWrite(): Promise<void> {
  await (await volume.openForWriting(PATH)).write(7, Uint8Array.of(9));
}

const changed = { kind: "changed-underneath", path: PATH };
const ours = Uint8Array.of(1, 2);

describe("where the clock tells at once", () => {
  beforeEach(() => open());

  test("all that is ours passes", async () => {
    await guarded.write(0, ours);
    await guarded.resize(10);
    await guarded.sync();
    await guarded.refuseChange();
    expect([...volume.snapshot(PATH)]).toEqual([1, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("what they wrote before our write, resize or sync stops it", async () => {
    await guarded.write(0, ours);
    await theyWrite();
    const theirs = [1, 2, 0, 0, 0, 0, 0, 9];
    for (const call of [() => guarded.write(0, Uint8Array.of(5)), () => guarded.resize(3), () => guarded.sync()]) {
      await expect(call()).rejects.toMatchObject(changed);
      expect([...volume.snapshot(PATH)]).toEqual(theirs);
    }
    expect(inner.syncCount).toBe(0);
    await expect(guarded.refuseChange()).rejects.toMatchObject(changed);
  });

  test("what they wrote while our sync ran is told by it", async () => {
    await guarded.write(0, ours);
    inner.duringSync = theyWrite;
    await expect(guarded.sync()).rejects.toMatchObject(changed);
  });

  test("what a write left that failed is ours", async () => {
    inner.failsHalfway = true;
    await expect(guarded.write(0, ours)).rejects.toThrow("the disk is full");
    inner.failsHalfway = false;
    await guarded.refuseChange();
    await guarded.write(0, ours);
  });
});

describe("where it tells late", () => {
  beforeEach(() => open(true));

  test("our own writes are none of theirs, whenever they are told", async () => {
    await guarded.write(0, ours);
    await guarded.sync();
    await guarded.write(4, ours);
    await guarded.sync();
    await guarded.refuseChange();
  });
});

describe("space given back", () => {
  const all = RangeSet.of({ start: 0, end: 8 });

  beforeEach(() => open());

  test("is a change of ours: looked before, and not taken for theirs", async () => {
    let looks = 0;
    guarded.lookBy(async () => {
      looks++;
    });
    await guarded.write(0, ours);
    expect((await guarded.punch?.(all))?.total).toBe(0);
    await guarded.sync();
    await guarded.punch?.(all);
    expect(looks).toBe(2);
    expect(volume.snapshot(PATH)).toEqual(new Uint8Array(8));
  });

  test("is refused after another's write, and theirs stays", async () => {
    await theyWrite();
    await expect(guarded.punch?.(all)).rejects.toMatchObject(changed);
    expect(volume.snapshot(PATH)[7]).toBe(9);
  });

  test("is no call where the file has none", async () => {
    volume.canPunch = false;
    const plain = await GuardedStorage.over(await volume.openForWriting(PATH));
    expect([plain.punch, plain.dataRanges]).toEqual([undefined, undefined]);
  });
});
