import { describe, expect, test } from "vitest";
import type { BlockWork } from "../../../../src/image/guest/block-work.ts";
import { HashPool, workerFile } from "../../../../src/image/guest/hash-pool.ts";

const setup = { files: [], maxBatchLength: 65536 };
const work = (): BlockWork => ({ runs: [], length: 65536, parts: new Float64Array(6) });
const script = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`);

describe("a worker that dies", () => {
  test.each([
    ["throws as it starts", 'throw new Error("no memory");', /no memory/],
    ["ends without a word", "process.exit(3);", /it ended with code 3/],
    [
      "ends in the middle of its work",
      'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => process.exit(4));',
      /it ended with code 4/,
    ],
  ])("because it %s fails every batch, waiting or to come", async (_how, source, reason) => {
    const pool = new HashPool(2, setup, script(source));
    try {
      const outcomes = await Promise.allSettled([pool.hash(work()), pool.hash(work()), pool.hash(work())]);
      expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
      await expect(pool.hash(work())).rejects.toMatchObject({ name: "ImageError", kind: "io" });
      await expect(pool.hash(work())).rejects.toThrow(reason);
    } finally {
      await pool.close();
    }
  });
});

test("a closed pool takes no more work", async () => {
  const pool = new HashPool(2, setup, workerFile() ?? script(""));
  await pool.close();
  await expect(pool.hash(work())).rejects.toMatchObject({ kind: "io" });
});
