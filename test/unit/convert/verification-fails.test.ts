/**
 * A conversion's verification that fails, at each of its points: a bit flips on its way to the file or from it, or a write
 * gets lost. The image is put back byte for byte; where that can't be, the journal stands and the message says what to do.
 */

import { describe, expect, test } from "vitest";
import { convert } from "../../../src/convert/convert.ts";
import { rollback } from "../../../src/convert/recover.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { buildQedImage } from "../../formats/qed/builder.ts";
import { IMAGE_PATH, testHost } from "../../support/crash-scenario.ts";
import {
  BESIDE,
  CASES,
  type Call,
  type Case,
  CLUSTER,
  callsOf,
  endingOf,
  expectFinished,
  expectPutBack,
  expectStandingAndBack,
  guestOf,
  lied,
  placesIn,
  SPARSE,
  sha256,
  WAYS,
} from "../../support/lying-trial.ts";
import { flipped, LyingVolume } from "../../support/lying-volume.ts";

describe.each(CASES)("before the commit: $name", (way) => {
  const { image, options } = way;

  test("a bit flips in what is written past the old end, or all of it is lost", async () => {
    const { writes } = await callsOf(way);
    const additive = writes.filter(({ stage, hostOffset }) => stage !== "committed" && hostOffset >= image.length);
    const kinds = new Set<string>();
    for (const [turn, { hostOffset, bytes }] of additive.entries()) {
      const lies: ((written: Uint8Array) => Uint8Array | undefined)[] = [
        () => undefined,
        ...placesIn(bytes).map((at) => (written: Uint8Array) => flipped(written, at, at % 8)),
      ];
      for (const lie of lies) {
        let count = 0;
        const ending = await lied(way, {
          write: (at, written) => (at >= image.length && count++ === turn ? lie(written) : written),
        });
        // Without a checksum nobody reads data: who asks for that is told so.
        if (options.checksum === "none" && ending.error === undefined) {
          expect(sha256(bytes), `write ${turn} at ${hostOffset}`).toSatisfy(() => isData(way, bytes));
          continue;
        }
        expectPutBack(ending, image);
        kinds.add(ending.error?.kind ?? "");
      }
    }
    expect(kinds).toContain("verification-failed");
    for (const kind of kinds) expect(["verification-failed", "corrupt"]).toContain(kind);
  });

  test("a read lies once after the journal was made: put back, or left with its journal, or of no matter", async () => {
    const { reads } = await callsOf(way);
    const first = reads.findIndex(({ stage }) => stage !== "inspected");
    const last = reads.findIndex(({ stage }) => stage === "committed");
    const ends = await sweepReads(way, first, last);
    expect(ends.kinds).toContain("verification-failed");
    expect(ends.putBack).toBeGreaterThan(0);
  });
});

describe.each(CASES)("after the commit: $name", (way) => {
  const { image, options } = way;

  test("a read lies once until the target is verified: put back, or left with its journal, or of no matter", async () => {
    const kept = { ...way, options: { ...options, keepUndo: true } };
    const { reads } = await callsOf(kept);
    const first = reads.findIndex(({ stage }) => stage === "committed");
    const ends = await sweepReads(kept, first, reads.length);
    expect(ends.kinds).toContain("verification-failed");
    expect(ends.putBack).toBeGreaterThan(0);
  });

  test("the commit itself is lost: the image is the source still", async () => {
    const ending = await lied(way, { write: (at, bytes) => (at === 0 ? undefined : bytes) });
    expectPutBack(ending, image);
  });

  test("the new tables are read wrong from then on: put back, since nobody else wrote", async () => {
    const { writes } = await callsOf(way);
    const tables = writes.filter(({ stage, hostOffset }) => stage !== "committed" && hostOffset >= image.length).at(-1);
    const at = tables?.hostOffset ?? 0;
    const ending = await lied(way, {
      read(hostOffset, bytes, stage) {
        // The first entry's lowest address byte: another cluster.
        if (stage !== "committed" || hostOffset + bytes.length <= at || hostOffset > at + (tables?.bytes.length ?? 0))
          return;
        for (let skip = 0; skip < bytes.length; skip++) {
          if (hostOffset + skip >= at && bytes[skip] !== 0) bytes[skip] = 0;
        }
      },
    });
    expect(ending.error?.message).toMatch(/its mapping differs .*; the image was put back as it was$/);
    expectPutBack(ending, image);
  });

  test("the commit's sector reaches the file with a flipped bit: told, or of no matter", async () => {
    const { writes } = await callsOf(way);
    const commit = writes.find(({ hostOffset }) => hostOffset === 0) as Call;
    for (const at of placesIn(commit.bytes)) {
      let isFirst = true;
      const ending = await lied(way, {
        write(hostOffset, bytes) {
          if (hostOffset !== 0 || !isFirst) return bytes;
          isFirst = false;
          return flipped(bytes, at, at % 8);
        },
      });
      // A field may bear another value without harm, such as more entries than the L1 table needs.
      if (ending.error === undefined) await expectFinished(ending, way);
      else if (ending.error.rolledBack) expectPutBack(ending, image);
      else expect(ending.error).toMatchObject({ journal: BESIDE.journal });
    }
  });
});

/** True where what was written is guest data that was moved, not tables. */
function isData({ image }: Case, bytes: Uint8Array): boolean {
  return Buffer.from(image).includes(Buffer.from(bytes.subarray(0, 512)));
}

/** One lie for each of the reads [first, end), in one bit of it. */
async function sweepReads(way: Case, first: number, end: number): Promise<{ kinds: Set<string>; putBack: number }> {
  const kinds = new Set<string>();
  let putBack = 0;
  for (let turn = first; turn < end; turn++) {
    for (const share of [0, 0.3, 0.9]) {
      let count = 0;
      const ending = await lied(way, {
        read(_, bytes) {
          if (count++ !== turn || bytes.length === 0) return;
          const used = placesIn(bytes);
          const at = used[Math.floor(used.length * share)] ?? Math.floor(bytes.length * share);
          bytes.set(flipped(bytes, at, turn % 8));
        },
      });
      const { error, volume } = ending;
      if (error?.rolledBack) {
        expectPutBack(ending, way.image);
        kinds.add(error.kind);
        putBack++;
      } else if (error !== undefined) {
        await expectStandingAndBack(ending, way.image);
      } else if (way.options.keepUndo === true) {
        expect(Object.keys(volume.snapshots())).toEqual([IMAGE_PATH, BESIDE.undo]);
        if (way.options.checksum !== "none")
          expect(await guestOf(volume.snapshot(IMAGE_PATH))).toBe(await guestOf(way.image));
        await rollback(IMAGE_PATH, {}, testHost(volume));
        expect(sha256(volume.snapshot(IMAGE_PATH))).toBe(sha256(way.image));
      } else if (way.options.checksum !== "none") {
        await expectFinished(ending, way);
      }
    }
  }
  return { kinds, putBack };
}

describe("each of the points says what is wrong", () => {
  const [toQcow2, moved, toQed] = WAYS as [Case, Case, Case, Case];
  const additive = (way: Case, lie: (bytes: Uint8Array, hostOffset: number) => Uint8Array) =>
    lied(way, { write: (at, bytes) => (at >= way.image.length ? lie(bytes, at) : bytes) });

  test("a table: an entry is gone", async () => {
    const firstEntry = toQcow2.image.length;
    const ending = await additive(toQcow2, (bytes, at) => {
      expect(at).toBe(firstEntry);
      return new Uint8Array(bytes).fill(0, 0, 8);
    });
    expect(ending.error?.kind).toBe("verification-failed");
    expect(ending.error?.message).toContain("does not read as it was written");
    expectPutBack(ending, toQcow2.image);
  });

  test("a size: the disk's in the header", async () => {
    for (const [way, place] of [
      [toQcow2, 30],
      [toQed, 49],
    ] as const) {
      const ending = await lied(way, {
        write: (at, bytes, stage) => (at === 0 && stage !== "committed" ? flipped(bytes, place, 5) : bytes),
      });
      expect(ending.error?.kind).toBe("verification-failed");
      expect(ending.error?.message).toContain("its new header does not read as written");
      expectPutBack(ending, way.image);
    }
  });

  test("a count: one of the refcounts is another", async () => {
    const ending = await additive(toQcow2, (bytes) => {
      // The last bytes that say anything are the last refcounts.
      const last = bytes.findLastIndex((byte) => byte !== 0);
      return flipped(bytes, last);
    });
    expect(ending.error?.kind).toBe("verification-failed");
    expect(ending.error?.message).toContain("does not read as it was written");
    expectPutBack(ending, toQcow2.image);
  });

  test("a byte: one bit of a moved cluster", async () => {
    let isFirst = true;
    const ending = await additive(moved, (bytes) => {
      const lie = isFirst ? flipped(bytes, 700) : bytes;
      isFirst = false;
      return lie;
    });
    expect(ending.error?.kind).toBe("verification-failed");
    expect(ending.error?.message).toMatch(/its guest's checksum is [0-9a-f]{64}, the source's [0-9a-f]{64}; /);
    expectPutBack(ending, moved.image);
  });

  test.each([toQcow2, toQed])("a digest: what stays is read differently ($name)", async (way) => {
    const data = Buffer.from(way.image).indexOf(Buffer.from(buildQedImage(SPARSE).guest.subarray(0, 512)));
    expect(data).toBeGreaterThan(0);
    const ending = await lied(way, {
      read(hostOffset, bytes, stage) {
        const at = data - hostOffset;
        if (stage === "journaled" && at >= 0 && at < bytes.length) bytes.set(flipped(bytes, at));
      },
    });
    expect(ending.error?.kind).toBe("verification-failed");
    expect(ending.error?.message).toMatch(/its guest's checksum is [0-9a-f]{64}, the source's [0-9a-f]{64}; /);
    expectPutBack(ending, way.image);
  });

  /** A cluster that nothing refers to is counted, in 16 bits. */
  const countOneMore = (bytes: Uint8Array) => {
    let entry = 0;
    while (bytes[2 * entry] !== 0 || bytes[2 * entry + 1] !== 0) entry++;
    bytes[2 * entry + 1] = 1;
  };

  test("the file alone, after the commit: a table, a count, a leak", async () => {
    const { writes } = await callsOf(toQcow2);
    const [added] = writes.filter(({ hostOffset }) => hostOffset >= toQcow2.image.length) as [Call];
    const refcounts = added.hostOffset + added.bytes.length - CLUSTER;
    const block = Number(Buffer.from(added.bytes).readBigUInt64BE(refcounts - added.hostOffset));
    for (const [place, lie, message, most] of [
      [added.hostOffset, (bytes: Uint8Array) => bytes.fill(0, 0, 8), "its mapping differs from the plan's at guest", 1],
      [refcounts, (bytes: Uint8Array) => bytes.set(flipped(bytes, 1)), "its check found 7 corruptions", 1],
      [block, countOneMore, "its check found 0 corruptions and 1 leak: ", Number.POSITIVE_INFINITY],
    ] as const) {
      let lies = 0;
      const ending = await lied(toQcow2, {
        read(hostOffset, bytes, stage) {
          if (stage === "committed" && hostOffset === place && lies++ < most) lie(bytes);
        },
      });
      expect(lies).toBeGreaterThan(0);
      expect(ending.error?.kind).toBe("verification-failed");
      expect(ending.error?.message).toContain(message);
      expectPutBack(ending, toQcow2.image);
    }
  });
});

describe("the last check, when the undo was given up: the journal stands, and there is no way back to be promised", () => {
  const expectStanding = ({ error, volume }: Awaited<ReturnType<typeof lied>>) => {
    expect(error).toMatchObject({ journal: BESIDE.journal });
    expect(["verification-failed", "corrupt"]).toContain(error?.kind);
    expect(error?.rolledBack ?? false).toBe(false);
    expect(error?.message).toContain(`inplace-convert resume ${IMAGE_PATH}`);
    expect(error?.message).not.toContain("rollback");
    expect(volume.has(BESIDE.journal)).toBe(true);
  };

  test("a table that settling writes is lost: it is written once more", async () => {
    const way = WAYS[2] as Case;
    const { writes } = await callsOf(way);
    const header = writes.findLastIndex(({ hostOffset }) => hostOffset === 0);
    expect(writes[header]?.stage).toBe("committed");
    let count = 0;
    const ending = await lied(way, { write: (_, bytes) => (count++ === header - 1 ? undefined : bytes) });
    expect(ending.error).toBeUndefined();
    await expectFinished(ending, way);
  });

  test("a table that settling writes is lost, and lost again: said of the place, with nothing settled on top of it", async () => {
    const way = WAYS[2] as Case;
    const { writes } = await callsOf(way);
    const header = writes.findLastIndex(({ hostOffset }) => hostOffset === 0);
    const lost = writes[header - 1] as Call;
    let count = 0;
    const ending = await lied(way, {
      write: (hostOffset, bytes) => (count++ >= header - 1 && hostOffset === lost.hostOffset ? undefined : bytes),
    });
    expectStanding(ending);
    expect(ending.error?.message).toMatch(/Cannot settle .*: host offset 0x[0-9a-f]+ does not read as it was written/);
  });

  test("the file stays longer than settling leaves it: leaks", async () => {
    const way = WAYS[2] as Case;
    let sizes = 0;
    const ending = await lied(way, {
      resize(_, stage) {
        if (stage === "committed") sizes++;
        return stage !== "committed";
      },
    });
    expect(sizes).toBeGreaterThan(0);
    expectStanding(ending);
    expect(ending.error?.message).toMatch(/its last check found 0 corruptions and [1-9]\d* leaks/);
  });

  test("a table is read wrong by it", async () => {
    // In what was zeroed of the old format there is something to settle, so that the file is opened anew.
    const way = WAYS[1] as Case;
    const volume = new MemoryVolume({ [IMAGE_PATH]: way.image });
    const lying: LyingVolume = new LyingVolume(volume, IMAGE_PATH, {
      read(hostOffset, bytes) {
        // The journal's records by now: intent, prepared, verified.
        const at = bytes.findIndex((byte) => byte !== 0);
        if (lying.journalWrites >= 3 && hostOffset >= way.image.length && at >= 0) bytes.set(flipped(bytes, at));
      },
    });
    expectStanding(await endingOf(volume, () => convert(IMAGE_PATH, way.to, way.options, testHost(lying))));
  });
});
