import { describe, expect, test } from "vitest";
import { readAhead, Turns } from "../../../../src/image/guest/read-ahead.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("readAhead", () => {
  test("keeps the order though later jobs end first, and no more under way than asked", async () => {
    let underWay = 0;
    let most = 0;
    const results: number[] = [];
    for await (const { job, result } of readAhead([5, 4, 3, 2, 1, 0], 3, async (turns) => {
      most = Math.max(most, ++underWay);
      for (let waited = 0; waited < turns; waited++) await turn();
      underWay--;
      return turns * 10;
    })) {
      expect(result).toBe(job * 10);
      results.push(result);
    }
    expect(results).toEqual([50, 40, 30, 20, 10, 0]);
    expect(most).toBe(3);
  });

  test("a caller that stops early, and one that meets a failure, find no job under way", async () => {
    for (const failing of [-1, 2]) {
      let underWay = 0;
      const start = async (job: number): Promise<number> => {
        underWay++;
        await turn();
        await turn();
        underWay--;
        if (job === failing) throw new Error("failed");
        return job;
      };
      const walk = async () => {
        for await (const { job } of readAhead([1, 2, 3, 4, 5, 6], 4, start)) if (job === 3) break;
      };
      if (failing < 0) await walk();
      else await expect(walk()).rejects.toThrow("failed");
      expect(underWay).toBe(0);
    }
  });

  test("a job that fails while an earlier one is awaited is told in its turn", async () => {
    const seen: number[] = [];
    const walk = async () => {
      const start = async (job: number): Promise<number> => {
        if (job === 2) throw new Error("failed early");
        for (let waited = 0; waited < 5; waited++) await turn();
        return job;
      };
      for await (const { job } of readAhead([1, 2, 3], 3, start)) seen.push(job);
    };
    await expect(walk()).rejects.toThrow("failed early");
    expect(seen).toEqual([1]);
  });
});

test("Turns throws once the signal is aborted, in words that say what was stopped", async () => {
  const controller = new AbortController();
  const turns = new Turns(controller.signal, "compute the checksum of disk.qed");
  await turns.yield();
  controller.abort();
  await expect(turns.yield()).rejects.toMatchObject({
    kind: "interrupted",
    message: "Cannot compute the checksum of disk.qed: stopped, as asked",
  });
});
