/**
 * The real command on paths of several steps, killed at an exact call, its recoveries too, and judged each time.
 *
 * `npm test` takes a sample by seed (KILL_SEED, by default 1); KILLS=all takes every call of every path, a number so
 * many of each; KILL_ONLY the paths whose names hold the text.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHAINS, runChain, type TracedPath, tracePath } from "../support/kill-chain.ts";
import { seededRandom } from "../support/random.ts";
import { realPaths } from "../support/real-paths.ts";

const { KILLS = "2", KILL_SEED = "1", KILL_ONLY = "" } = process.env;
const paths = realPaths().filter(({ name }) => name.includes(KILL_ONLY));
const timeout = KILLS === "2" ? 120_000 : 3_600_000;
const total = { kills: 0, chains: 0 };

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inplace-path-kills-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("killed, recovered, killed, and recovered again", () => {
  it.concurrent.each(paths)("$name", { timeout }, async (path) => {
    const index = realPaths().findIndex(({ name }) => name === path.name);
    const place = await mkdtemp(join(folder, "path-"));
    const traced: TracedPath = await tracePath(path, place);
    const random = seededRandom(Number(KILL_SEED) * 101 + index);
    const { calls } = traced;
    const chosen = KILLS === "all" ? calls : random.shuffle(calls).slice(0, Number(KILLS));
    for (const [at, call] of chosen.entries()) {
      const recoveries = CHAINS[(at + index) % CHAINS.length] as (typeof CHAINS)[number];
      const kills = await runChain(traced, call, recoveries, random, join(place, `${at}`));
      total.kills += kills;
      total.chains++;
    }
  });

  it("most recoveries were killed too", () => {
    expect(total.kills).toBeGreaterThan(1.5 * total.chains);
    console.log(`${total.kills} kills in ${total.chains} chains of ${paths.length} paths`);
  });
});
