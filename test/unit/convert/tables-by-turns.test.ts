/** An epoch's tables reach the file as they were made, however many they are, out of the same two pieces of memory. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { KiB, MiB } from "../../../src/bytes/align.ts";
import { say } from "../../../src/bytes/sentence.ts";
import { executeEpoch } from "../../../src/convert/execute/execute.ts";
import { refuseWrongBytes } from "../../../src/convert/execute/written.ts";
import { type Chunk, type Epoch, freshChunk } from "../../../src/image/write.ts";
import { MemoryVolume } from "../../../src/storage/memory.ts";
import { areZeros } from "../../../src/storage/zeros.ts";

/** A stretch of the file: so many bytes of one value, behind a gap or none. */
interface Stretch {
  readonly gap: number;
  readonly length: number;
  readonly value: number;
}

function epochOf(stretches: readonly Stretch[], asked: Set<ArrayBufferLike>): Epoch {
  return {
    purpose: "write tables",
    *writes(chunk: Chunk = freshChunk) {
      let hostOffset = 0;
      for (const { gap, length, value } of stretches) {
        hostOffset += gap;
        const bytes = chunk(length);
        // What was left in memory that is used again would show.
        expect(areZeros(bytes)).toBe(true);
        if (length === MiB) asked.add(bytes.buffer);
        if (value > 0) bytes[value % length] = value;
        yield { hostOffset, bytes };
        hostOffset += length;
      }
    },
  };
}

async function written(epoch: Epoch) {
  const storage = await new MemoryVolume({ disk: new Uint8Array(0) }).openForWriting("disk");
  await executeEpoch(storage, epoch);
  await refuseWrongBytes(storage, epoch, say`Cannot trust disk`);
  const bytes = new Uint8Array(await storage.size());
  await storage.read(0, bytes);
  return bytes;
}

test("whatever lengths they have, touching or apart", async () => {
  const stretch = fc.record({
    gap: fc.constantFrom(0, 0, 512),
    length: fc.constantFrom(MiB, MiB, MiB, 512, 64 * KiB, MiB - 512),
    value: fc.nat(255),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(stretch, { minLength: 1, maxLength: 8 }), async (stretches) => {
      const epoch = epochOf(stretches, new Set());
      const expected = [...(epoch.writes?.() ?? [])];
      const found = await written(epoch);
      for (const { hostOffset, bytes } of expected) {
        expect(Buffer.compare(found.subarray(hostOffset, hostOffset + bytes.length), bytes)).toBe(0);
      }
    }),
    { numRuns: 25 },
  );
});

test("two pieces of memory serve them all, and two more who reads them back", async () => {
  const asked = new Set<ArrayBufferLike>();
  await written(
    epochOf(
      Array.from({ length: 12 }, (_, at) => ({ gap: 0, length: MiB, value: at + 1 })),
      asked,
    ),
  );
  expect(asked.size).toBe(4);
});
