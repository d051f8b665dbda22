import { describe, expect, test } from "vitest";
import { RangeSet } from "../../../src/bytes/range-set.ts";
import { enumerateStates } from "../../support/every-state.ts";
import { cutAfter, type DiskState, eachCut, OUTCOMES, PowerCut, sampleState } from "../../support/power-cut.ts";
import { seededRandom } from "../../support/random.ts";
import { RecordingVolume } from "../../support/recording-volume.ts";

const SECTOR = 512;
const filled = (byte: number, length = SECTOR): Uint8Array => new Uint8Array(length).fill(byte);

/** Sectors that hold one byte all over as that byte's number, anything else as `?`. */
function sectors(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "none";
  let text = "";
  for (let at = 0; at < bytes.length; at += SECTOR) {
    const sector = bytes.subarray(at, at + SECTOR);
    text += sector.every((byte) => byte === sector[0]) ? String(sector[0]) : "?";
  }
  return text;
}

/** All states of the cut after everything, one word a state, sorted: `name:sectors,...`. */
function words(volume: RecordingVolume, limit?: number): string[] {
  const { isExhaustive, states } = enumerateStates(cutAfter(volume.log, volume.operations.length), limit);
  expect(isExhaustive).toBe(true);
  const found = [...states].map(word);
  expect(new Set(found).size).toBe(found.length);
  return found.sort();
}

function word(state: DiskState): string {
  const paths = Object.keys(state).sort();
  return paths.map((path) => `${path}:${sectors(state[path])}`).join(",");
}

describe("sectors", () => {
  test("each is old or new by itself", async () => {
    const volume = new RecordingVolume({ a: filled(1, 2 * SECTOR) });
    await (await volume.openForWriting("a")).write(0, filled(2, 2 * SECTOR));
    expect(words(volume)).toEqual(["a:11", "a:12", "a:21", "a:22"]);
  });

  test("any unsynced version may be there", async () => {
    const volume = new RecordingVolume({ a: filled(1) });
    const file = await volume.openForWriting("a");
    for (const byte of [2, 3]) await file.write(0, filled(byte));
    expect(words(volume)).toEqual(["a:1", "a:2", "a:3"]);
    await file.write(0, filled(1));
    expect(words(volume)).toEqual(["a:1", "a:2", "a:3"]);
  });

  test("a write of a part keeps the rest of its sector", async () => {
    const volume = new RecordingVolume({ a: filled(1) });
    await (await volume.openForWriting("a")).write(100, filled(2, 100));
    expect(words(volume)).toEqual(["a:1", "a:?"]);
  });

  test("a punched one is old or zeros, until the sync; none past the end is touched", async () => {
    const volume = new RecordingVolume({ a: filled(1, 4 * SECTOR) });
    const file = await volume.openForWriting("a");
    await file.punch?.(RangeSet.of({ start: 0, end: SECTOR }, { start: 3 * SECTOR, end: 9 * SECTOR }));
    expect(words(volume)).toEqual(["a:0110", "a:0111", "a:1110", "a:1111"]);
    await file.sync();
    expect(words(volume)).toEqual(["a:0110"]);
    await file.punch?.(RangeSet.of({ start: SECTOR + 100, end: SECTOR + 200 }));
    await file.write(0, filled(2));
    expect(words(volume)).toEqual(["a:0110", "a:0?10", "a:2110", "a:2?10"]);
  });

  test("what was synced never changes", async () => {
    const volume = new RecordingVolume({ a: filled(1, 3 * SECTOR) });
    const file = await volume.openForWriting("a");
    await file.write(0, filled(2));
    await file.sync();
    expect(words(volume)).toEqual(["a:211"]);
    await file.write(SECTOR, filled(3));
    expect(words(volume)).toEqual(["a:211", "a:231"]);
    await file.sync();
    expect(words(volume)).toEqual(["a:231"]);
    expect(cutAfter(volume.log, volume.operations.length).isSettled).toBe(true);
  });

  test("a sync of one file is none of another", async () => {
    const volume = new RecordingVolume({ a: filled(1), b: filled(1) });
    const [a, b] = [await volume.openForWriting("a"), await volume.openForWriting("b")];
    await a.write(0, filled(2));
    await b.write(0, filled(2));
    await a.sync();
    expect(words(volume)).toEqual(["a:2,b:1", "a:2,b:2"]);
  });
});

describe("sizes", () => {
  test("are independent of the data: fresh sectors may be zeros", async () => {
    const volume = new RecordingVolume({ a: filled(1) });
    await (await volume.openForWriting("a")).write(SECTOR, filled(2));
    expect(words(volume)).toEqual(["a:1", "a:10", "a:12"]);
  });

  test("any of several may be there", async () => {
    const volume = new RecordingVolume({ a: filled(1, 2 * SECTOR) });
    const file = await volume.openForWriting("a");
    await file.resize(4 * SECTOR);
    await file.resize(3 * SECTOR);
    expect(words(volume)).toEqual(["a:11", "a:110", "a:1100"]);
    await file.sync();
    expect(words(volume)).toEqual(["a:110"]);
  });

  test("a cut file that grew again shows old bytes, zeros or new ones, never more", async () => {
    const volume = new RecordingVolume({ a: filled(1, 2 * SECTOR) });
    const file = await volume.openForWriting("a");
    await file.resize(0);
    await file.write(SECTOR, filled(2));
    const expected = ["a:"];
    for (const first of [0, 1]) for (const second of [0, 1, 2]) expected.push(`a:${first}${second}`);
    expect(words(volume)).toEqual(expected);
    await file.sync();
    expect(words(volume)).toEqual(["a:02"]);
  });

  test("and so does one that was only set longer again", async () => {
    const volume = new RecordingVolume({ a: filled(1, 2 * SECTOR) });
    const file = await volume.openForWriting("a");
    await file.resize(0);
    await file.resize(2 * SECTOR);
    expect(words(volume)).toEqual(["a:", "a:00", "a:01", "a:10", "a:11"]);
    await file.sync();
    expect(words(volume)).toEqual(["a:00"]);
  });

  test("what was cut off and synced is gone", async () => {
    const volume = new RecordingVolume({ a: filled(1, 9 * SECTOR) });
    const file = await volume.openForWriting("a");
    await file.resize(8 * SECTOR);
    await file.sync();
    await file.resize(9 * SECTOR);
    expect(words(volume)).toEqual(["a:11111111", "a:111111110"]);
  });

  test("a file cut inside a block may lose the rest of that block before its size changes", async () => {
    const volume = new RecordingVolume({ a: filled(1, 10 * SECTOR) });
    await (await volume.openForWriting("a")).resize(6 * SECTOR);
    expect(words(volume)).toEqual(["a:111111", "a:1111110011", "a:1111110111", "a:1111111011", "a:1111111111"]);
  });

  test("a synced tail of a journal stays when its sector is written on", async () => {
    const volume = new RecordingVolume({ a: filled(1, 100) });
    await (await volume.openForWriting("a")).write(100, filled(2, 50));
    const { states } = enumerateStates(cutAfter(volume.log, volume.operations.length));
    const kept = [...states].map(({ a }) => a?.subarray(0, 100));
    expect(kept).toEqual([filled(1, 100), filled(1, 100), filled(1, 100)]);
  });

  test("the sampler also stops growth at a sector between", async () => {
    const volume = new RecordingVolume({ a: filled(1) });
    await (await volume.openForWriting("a")).write(SECTOR, filled(2, 8 * SECTOR));
    const random = seededRandom(1);
    const cut = cutAfter(volume.log, volume.operations.length);
    const sizes = new Set(Array.from({ length: 200 }, () => cut.sample("each-sector-random", random).a?.length));
    expect([...sizes].every((size) => size !== undefined && size % SECTOR === 0 && size >= SECTOR)).toBe(true);
    expect(sizes.size).toBe(9);
  });
});

describe("names", () => {
  test("an unsynced file can vanish, be empty, be there in part", async () => {
    const volume = new RecordingVolume();
    await (await volume.createExclusively("a"))?.write(0, filled(1, 2 * SECTOR));
    expect(words(volume)).toEqual(["", "a:", "a:00", "a:01", "a:10", "a:11"]);
  });

  test("a synced file without a sync of its folder can lose its name, never its bytes", async () => {
    const volume = new RecordingVolume();
    const file = await volume.createExclusively("a");
    await file?.write(0, filled(1));
    await file?.sync();
    expect(words(volume)).toEqual(["", "a:1"]);
    await volume.syncFolderOf("a");
    expect(words(volume)).toEqual(["a:1"]);
  });

  test("a durable name alone promises no bytes", async () => {
    const volume = new RecordingVolume();
    await (await volume.createExclusively("a"))?.write(0, filled(1));
    await volume.syncFolderOf("a");
    expect(words(volume)).toEqual(["a:", "a:0", "a:1"]);
  });

  test("a removal may persist or not, also before an earlier creation", async () => {
    const volume = new RecordingVolume({ a: filled(1) });
    await volume.createExclusively("b");
    await volume.remove("a");
    await volume.remove("a");
    expect(words(volume)).toEqual(["", "a:1", "a:1,b:", "b:"]);
    await volume.syncFolderOf("a");
    expect(words(volume)).toEqual(["b:"]);
  });

  test("a rename is atomic and may replace", async () => {
    const volume = new RecordingVolume({ a: filled(1), b: filled(2) });
    await volume.rename("a", "b");
    expect(words(volume)).toEqual(["a:1,b:2", "b:1"]);
    expect(volume.memory.snapshots()).toEqual({ b: filled(1) });
  });

  test("a renamed file whose creation is in doubt has one of its names or none", async () => {
    const volume = new RecordingVolume();
    await volume.createExclusively("a");
    await volume.rename("a", "b");
    expect(words(volume)).toEqual(["", "a:", "b:"]);
  });

  test("a name made anew is another file", async () => {
    const volume = new RecordingVolume({ a: filled(1) });
    const old = await volume.openForWriting("a");
    await volume.remove("a");
    const made = await volume.createExclusively("a");
    await made?.write(0, filled(3));
    await made?.sync();
    await old.write(0, filled(9));
    expect(words(volume)).toEqual(["", "a:1", "a:3", "a:9"]);
  });

  test("a name made anew never costs the file that had it before", async () => {
    const volume = new RecordingVolume({ a: filled(1) });
    await volume.rename("a", "b");
    await volume.createExclusively("a");
    expect(words(volume)).toEqual(["a:,b:1", "a:1", "b:1"]);
  });

  test("a removal takes away its own file's name alone", async () => {
    const volume = new RecordingVolume({ a: filled(1), b: filled(2) });
    await volume.rename("b", "a");
    await volume.remove("a");
    expect(words(volume)).toEqual(["", "a:1,b:2", "a:2"]);
  });

  test("folders are synced each by itself; a rename between two needs both", async () => {
    const volume = new RecordingVolume({ "one/a": filled(1) });
    await volume.createExclusively("two/b");
    await volume.syncFolderOf("one/x");
    expect(words(volume)).toEqual(["one/a:1", "one/a:1,two/b:"]);
    await volume.rename("one/a", "two/a");
    await volume.syncFolderOf("two/x");
    expect(words(volume)).toEqual(["one/a:1,two/b:", "two/a:1,two/b:"]);
    await volume.syncFolderOf("one/x");
    expect(words(volume)).toEqual(["two/a:1,two/b:"]);
  });

  test("a change synced before an earlier one of another folder stays", async () => {
    const volume = new RecordingVolume();
    await volume.createExclusively("one/a");
    await volume.createExclusively("two/b");
    await volume.syncFolderOf("two/b");
    expect(words(volume)).toEqual(["one/a:,two/b:", "two/b:"]);
  });
});

describe("a failed sync", () => {
  async function afterFailure(): Promise<{ volume: RecordingVolume; file: { failSync(): void } & object }> {
    const volume = new RecordingVolume({ a: filled(1, 2 * SECTOR) });
    const file = await volume.openForWriting("a");
    await file.write(0, filled(2, 2 * SECTOR));
    return { volume, file: file as never };
  }

  test("is no barrier, and a later one does not mend it", async () => {
    const { volume, file } = await afterFailure();
    file.failSync();
    const doubt = ["a:11", "a:12", "a:21", "a:22"];
    expect(words(volume)).toEqual(doubt);
    await (await volume.openForWriting("a")).sync();
    expect(words(volume)).toEqual(doubt);
  });

  test("what is written anew and synced is durable", async () => {
    const { volume, file } = await afterFailure();
    file.failSync();
    const again = await volume.openForWriting("a");
    await again.write(0, filled(2));
    await again.sync();
    expect(words(volume)).toEqual(["a:21", "a:22"]);
  });

  test("leaves sizes in doubt until the end is written or set anew", async () => {
    const volume = new RecordingVolume({ a: filled(1) });
    const file = await volume.openForWriting("a");
    await file.write(SECTOR, filled(2));
    (file as never as { failSync(): void }).failSync();
    await file.sync();
    expect(words(volume)).toEqual(["a:1", "a:10", "a:12"]);
    await file.resize(2 * SECTOR);
    await file.sync();
    expect(words(volume)).toEqual(["a:10", "a:12"]);
    (file as never as { failSync(): void }).failSync();
    await file.write(SECTOR, filled(2));
    await file.sync();
    expect(words(volume)).toEqual(["a:12"]);
  });

  test("the write of the last byte settles a size as well", async () => {
    const volume = new RecordingVolume({ a: filled(1) });
    const file = await volume.openForWriting("a");
    await file.write(SECTOR, filled(2));
    (file as never as { failSync(): void }).failSync();
    await file.write(SECTOR, filled(2));
    await file.sync();
    expect(words(volume)).toEqual(["a:12"]);
  });

  test("of a folder keeps its names in doubt until one succeeds", async () => {
    const volume = new RecordingVolume();
    await volume.createExclusively("a");
    volume.failFolderSync("a");
    expect(words(volume)).toEqual(["", "a:"]);
    await volume.syncFolderOf("a");
    expect(words(volume)).toEqual(["a:"]);
  });
});

describe("outcomes", () => {
  /** Two durable sectors, of which the first is written twice, two fresh ones, and a new file. */
  async function busy(): Promise<PowerCut> {
    const volume = new RecordingVolume({ a: filled(1, 2 * SECTOR) });
    const file = await volume.openForWriting("a");
    await file.write(0, filled(2, 4 * SECTOR));
    await file.write(0, filled(3));
    await volume.createExclusively("b");
    return cutAfter(volume.log, volume.operations.length);
  }

  async function samples(outcome: (typeof OUTCOMES)[number]): Promise<string[]> {
    const [cut, random] = [await busy(), seededRandom(7)];
    return [...new Set(Array.from({ length: 300 }, () => word(cut.sample(outcome, random))))].sort();
  }

  test.each([
    ["all-old", ["a:11"]],
    ["all-new", ["a:3222,b:"]],
    ["one-sector-new", ["a:1100,b:".replace("11", "12"), "a:1102,b:", "a:1120,b:", "a:3100,b:"]],
    ["one-sector-old", ["a:1222,b:", "a:3122,b:", "a:3202,b:", "a:3220,b:"]],
    ["sizes-only", ["a:1100,b:"]],
    ["names-only", ["a:11,b:"]],
    ["zeros-if-fresh", ["a:3200,b:"]],
    ["torn-between-versions", ["a:2222,b:", "a:3222,b:"]],
  ] as const)("%s", async (outcome, expected) => {
    expect(await samples(outcome)).toEqual([...expected].sort());
  });

  test("each-sector-random reaches every state", async () => {
    const cut = await busy();
    const { isExhaustive, states } = enumerateStates(cut);
    expect(isExhaustive).toBe(true);
    const random = seededRandom(3);
    const sampled = new Set(Array.from({ length: 5000 }, () => word(cut.sample("each-sector-random", random))));
    for (const state of states) expect(sampled).toContain(word(state));
  });

  test("a write that is torn where nothing has two versions is new up to a sector", async () => {
    const volume = new RecordingVolume({ a: filled(1, 3 * SECTOR) });
    await (await volume.openForWriting("a")).write(0, filled(2, 3 * SECTOR));
    const random = seededRandom(5);
    const torn = Array.from({ length: 100 }, () => word(sampleState(volume.log, 2, "torn-between-versions", random)));
    expect([...new Set(torn)].sort()).toEqual(["a:111", "a:211", "a:221"]);
  });

  test("where nothing is in doubt, each is the same", async () => {
    const cut = new PowerCut({ a: filled(1, 700) });
    for (const outcome of OUTCOMES) expect(cut.sample(outcome, seededRandom(1))).toEqual({ a: filled(1, 700) });
  });
});

describe("enumerateStates", () => {
  test("gives strata beyond its limit, and says so", async () => {
    const volume = new RecordingVolume({ a: filled(1, 20 * SECTOR) });
    await (await volume.openForWriting("a")).write(0, filled(2, 13 * SECTOR));
    const { isExhaustive, states } = enumerateStates(cutAfter(volume.log, 2), 100);
    const found = [...states].map(word);
    expect(isExhaustive).toBe(false);
    expect(found).toHaveLength(100);
    for (let at = 0; at < 13; at++) {
      const [ones, twos] = ["1".repeat(13), "2".repeat(13)];
      expect(found).toContain(`a:${ones.slice(0, at)}2${ones.slice(at + 1)}1111111`);
      expect(found).toContain(`a:${twos.slice(0, at)}1${twos.slice(at + 1)}1111111`);
    }
  });

  test("twelve sectors are the full product", async () => {
    const volume = new RecordingVolume({ a: filled(1, 12 * SECTOR) });
    await (await volume.openForWriting("a")).write(0, filled(2, 12 * SECTOR));
    expect(words(volume)).toHaveLength(4096);
  });

  test("several versions of a sector count each", async () => {
    const volume = new RecordingVolume({ a: filled(1, 8 * SECTOR) });
    const file = await volume.openForWriting("a");
    for (const byte of [2, 3]) await file.write(0, filled(byte, 8 * SECTOR));
    const cut = cutAfter(volume.log, volume.operations.length);
    expect(enumerateStates(cut, 3 ** 8).isExhaustive).toBe(true);
    expect(enumerateStates(cut, 3 ** 8 - 1).isExhaustive).toBe(false);
  });

  test("many names in doubt are too many", async () => {
    const volume = new RecordingVolume();
    for (let at = 0; at < 13; at++) await volume.createExclusively(`f${at}`);
    expect(enumerateStates(cutAfter(volume.log, 13)).isExhaustive).toBe(false);
  });
});

test("eachCut goes from before the first operation to after the last", async () => {
  const volume = new RecordingVolume({ a: filled(1) });
  const file = await volume.openForWriting("a");
  await file.write(0, filled(2));
  await file.sync();
  const seen: string[] = [];
  for (const { count, cut } of eachCut(volume.log)) {
    seen.push(`${count} ${word(cut.sample("all-old", seededRandom(1)))} ${cut.isSettled}`);
  }
  expect(seen).toEqual(["0 a:1 true", "1 a:1 true", "2 a:1 false", "3 a:2 true"]);
});
