/** The lock: whom it keeps out, whose is taken over, and what becomes of it when two try at once. */

import { describe, expect, test } from "vitest";
import { Lock } from "../../../src/journal/lock.ts";
import { journalNamesOf } from "../../../src/journal/names.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import type { Storage, WritableStorage } from "../../../src/storage/storage.ts";
import type { LockOwner, ProcessTable } from "../../../src/storage/users/process-table.ts";
import { FailingVolume } from "../../support/failing-volume.ts";
import { WrappedStorage, WrappedVolume } from "../../support/wrapped-volume.ts";

const IMAGE = "/vm/disk.img";
const { lock: LOCK } = journalNamesOf(IMAGE);

/** A process; `alive` are the pids that this one sees, on its own host only. */
function process(pid: number, alive: ReadonlySet<number>): ProcessTable {
  return {
    self: { pid, hostName: "here", bootId: "boot", startTime: "0" },
    isAlive: (owner) => (owner.hostName === "here" ? alive.has(owner.pid) : undefined),
  };
}

function ownedBy(owner: Partial<LockOwner>): Uint8Array {
  const whole: LockOwner = { pid: 7, hostName: "here", bootId: "boot", startTime: "0", nonce: "seven", ...owner };
  return new TextEncoder().encode(JSON.stringify(whole));
}

describe("a lock that is there", () => {
  test("of a living process keeps everyone out, and stands", async () => {
    const volume = new MemoryVolume({ [LOCK]: ownedBy({}) });
    await expect(Lock.acquire(volume, IMAGE, process(8, new Set([7, 8])))).rejects.toMatchObject({
      kind: "in-use",
      message: expect.stringContaining("process 7 on here"),
    });
    expect(volume.snapshot(LOCK)).toEqual(ownedBy({}));
  });

  test("of a host that can't be looked at keeps everyone out, and says what to do", async () => {
    const volume = new MemoryVolume({ [LOCK]: ownedBy({ hostName: "there" }) });
    await expect(Lock.acquire(volume, IMAGE, process(8, new Set([8])))).rejects.toMatchObject({
      kind: "in-use",
      message: expect.stringContaining("remove the lock"),
    });
    expect(volume.has(LOCK)).toBe(true);
  });

  test.each([
    ["a dead owner's", ownedBy({})],
    ["an empty one", new Uint8Array(0)],
    ["one of zeros, as a cut can leave it", new Uint8Array(100)],
    ["half a one", ownedBy({}).subarray(0, 20)],
    ["its beginning, the rest zeros", new Uint8Array([...ownedBy({}).subarray(0, 9), 0, 0])],
  ])("%s is taken over, and nothing is left after the release", async (_, bytes) => {
    const volume = new MemoryVolume({ [LOCK]: bytes });
    const lock = await Lock.acquire(volume, IMAGE, process(8, new Set([8])));
    await lock.refuseLost();
    expect(Object.keys(volume.snapshots())).toEqual([LOCK]);
    await lock.release();
    expect(volume.snapshots()).toEqual({});
  });
});

test("what a cut left of a lock that was taken over goes with the release", async () => {
  const volume = new MemoryVolume({ [journalNamesOf(IMAGE).aside]: ownedBy({}) });
  const lock = await Lock.acquire(volume, IMAGE, process(8, new Set([8])));
  await lock.release();
  expect(volume.snapshots()).toEqual({});
});

describe("a lock that no cut can have left is somebody's", () => {
  const text = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  const owner = JSON.parse(new TextDecoder().decode(ownedBy({})));

  test.each([
    ["null", "null"],
    ["a note of the user's", "do not touch"],
    ["another version's", { version: 2, owner: "somebody" }],
    ["a pid that is none", { ...owner, pid: "7" }],
    ["a pid of a group", { ...owner, pid: -7 }],
    ["a broken pid", { ...owner, pid: 0.5 }],
    ["no host", { ...owner, hostName: undefined }],
    ["a host that is no text", { ...owner, hostName: 1 }],
    ["no start of the machine", { ...owner, bootId: null }],
    ["a namespace that is no text", { ...owner, pidNamespace: {} }],
  ])("%s", async (_, bytes) => {
    const volume = new MemoryVolume({ [LOCK]: text(bytes) });
    await expect(Lock.acquire(volume, IMAGE, process(8, new Set([8])))).rejects.toMatchObject({
      kind: "in-use",
      message: expect.stringMatching(/if no command works on the image, remove the lock/),
    });
    expect(volume.snapshots()).toEqual({ [LOCK]: text(bytes) });
  });
});

test("a dead owner's lock that can't be moved says why", async () => {
  const memory = new MemoryVolume({ [LOCK]: ownedBy({}) });
  const volume = new FailingVolume(memory, { kind: "rename", nth: 1, code: "EACCES", isLasting: true });
  await expect(Lock.acquire(volume, IMAGE, process(8, new Set([8])))).rejects.toMatchObject({
    kind: "io",
    message: expect.stringContaining("EACCES"),
  });
  expect(memory.snapshots()).toEqual({ [LOCK]: ownedBy({}) });
});

test("of many that take a dead owner's lock over at once, one at most goes on", async () => {
  for (let round = 0; round < 50; round++) {
    const volume = new MemoryVolume({ [LOCK]: ownedBy({}) });
    const pids = [11, 12, 13, 14];
    const alive = new Set(pids);
    const tries = await Promise.allSettled(pids.map((pid) => Lock.acquire(volume, IMAGE, process(pid, alive))));
    const locks = tries.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const still = await Promise.allSettled(locks.map((lock) => lock.refuseLost()));
    expect(still.filter(({ status }) => status === "fulfilled").length).toBeLessThanOrEqual(1);
    for (const lock of locks) await lock.release();
    // What is left belongs to one that gave up: the next takes it over.
    const next = await Lock.acquire(volume, IMAGE, process(20, new Set([20])));
    await next.release();
    expect(volume.snapshots()).toEqual({});
  }
});

test("a lock that another command holds by now is noticed, and not released", async () => {
  const volume = new MemoryVolume({});
  const lock = await Lock.acquire(volume, IMAGE, process(8, new Set([8])));
  const other = new MemoryVolume({ [LOCK]: ownedBy({}) });
  for (const [from, to] of [[other, volume]] as const) {
    await to.remove(LOCK);
    await (await to.createExclusively(LOCK))?.write(0, from.snapshot(LOCK));
  }
  await expect(lock.refuseLost()).rejects.toMatchObject({ kind: "in-use" });
  await lock.release();
  expect(volume.snapshot(LOCK)).toEqual(ownedBy({}));
});

/** Between our look at a lock and what we do with it, another command does the same. */
class RacedVolume extends WrappedVolume {
  raced: (() => Promise<void>) | undefined;
  readonly #when: "rename" | "isSameFile";

  constructor(inner: MemoryVolume, when: "rename" | "isSameFile", raced: () => Promise<void>) {
    super(inner);
    this.#when = when;
    this.raced = raced;
  }

  async #race(): Promise<void> {
    const { raced } = this;
    this.raced = undefined;
    await raced?.();
  }

  override async rename(from: string, to: string): Promise<void> {
    if (this.#when === "rename") await this.#race();
    await super.rename(from, to);
  }

  override async isSameFile(path: string, storage: Storage): Promise<boolean> {
    if (this.#when === "isSameFile") await this.#race();
    return super.isSameFile(path, storage);
  }
}

const living = ownedBy({ pid: 9, nonce: "nine" });

async function theirsNow(memory: MemoryVolume): Promise<void> {
  await memory.remove(LOCK);
  await (await memory.createExclusively(LOCK))?.write(0, living);
}

test("a living owner's lock that was taken aside by mistake is put back", async () => {
  const memory = new MemoryVolume({ [LOCK]: ownedBy({}) });
  const volume = new RacedVolume(memory, "rename", () => theirsNow(memory));
  await expect(Lock.acquire(volume, IMAGE, process(8, new Set([8, 9])))).rejects.toMatchObject({ kind: "in-use" });
  expect(memory.snapshots()).toEqual({ [LOCK]: living });
});

test("a lock that was taken over before our name was in it is not ours", async () => {
  const memory = new MemoryVolume({});
  const volume = new RacedVolume(memory, "isSameFile", () => theirsNow(memory));
  await expect(Lock.acquire(volume, IMAGE, process(8, new Set([8, 9])))).rejects.toMatchObject({ kind: "in-use" });
  expect(memory.snapshots()).toEqual({ [LOCK]: living });
});

/** A disk that says at a file's end what it could not keep, as network file systems do. */
class LateVolume extends WrappedVolume {
  openCount = 0;

  protected override wrap(storage: WritableStorage): WrappedStorage {
    this.openCount++;
    const closed = () => this.openCount--;
    return new (class extends WrappedStorage {
      override async close(): Promise<void> {
        closed();
        await super.close();
        throw new Error("EDQUOT");
      }
    })(storage);
  }
}

describe("a close that fails", () => {
  test("keeps no lock from going", async () => {
    const memory = new MemoryVolume({});
    const lock = await Lock.acquire(new LateVolume(memory), IMAGE, process(8, new Set([8])));
    await lock.release();
    expect(memory.snapshots()).toEqual({});
  });

  test("does not hide why there is no lock, nor leave one", async () => {
    const memory = new MemoryVolume({});
    const full = new FailingVolume(memory, { kind: "write", nth: 1, code: "ENOSPC", leaves: "half" });
    const taken = Lock.acquire(new LateVolume(full), IMAGE, process(8, new Set([8])));
    await expect(taken).rejects.toMatchObject({ kind: "no-space" });
    expect(memory.snapshots()).toEqual({});
  });
});

test("a look at the lock that fails leaves neither it nor an open file", async () => {
  const memory = new MemoryVolume({});
  const volume = new (class extends LateVolume {
    override async isSameFile(): Promise<boolean> {
      throw new Error("EIO");
    }
  })(memory);
  await expect(Lock.acquire(volume, IMAGE, process(8, new Set([8])))).rejects.toThrow("EIO");
  expect(memory.snapshots()).toEqual({});
  expect(volume.openCount).toBe(0);
});

test("a lock that another command made while ours could not be written stays", async () => {
  const memory = new MemoryVolume({});
  const volume = new (class extends WrappedVolume {
    protected override wrap(storage: WritableStorage): WrappedStorage {
      return new (class extends WrappedStorage {
        override async write(): Promise<void> {
          await theirsNow(memory);
          throw new Error("ENOSPC");
        }
      })(storage);
    }
  })(memory);
  await expect(Lock.acquire(volume, IMAGE, process(8, new Set([8, 9])))).rejects.toThrow("ENOSPC");
  expect(memory.snapshots()).toEqual({ [LOCK]: living });
});

test("a full disk leaves no lock", async () => {
  const memory = new MemoryVolume({});
  const volume = new FailingVolume(memory, { kind: "write", nth: 1, code: "ENOSPC", leaves: "half" });
  await expect(Lock.acquire(volume, IMAGE, process(8, new Set([8])))).rejects.toMatchObject({ kind: "no-space" });
  expect(memory.snapshots()).toEqual({});
});
