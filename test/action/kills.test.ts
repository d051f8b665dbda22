/**
 * Killed at a write or sync, wherever that is, then `post`: the file is the source byte for byte, or the whole target,
 * and nothing else is left. `KILLS=all` tries every one of them.
 */

import { copyFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fewOf, qemuPairs } from "../formats/kits.ts";
import { corruptOne, leakOne } from "./broken-images.ts";
import { type Inputs, Runner } from "./runner.ts";

/** Spread evenly over a run, the last one included. */
const TRIED = 2;

interface Scenario {
  readonly from: string;
  readonly isBroken: boolean;
  readonly to: string;
  readonly inputs: Inputs;
}

const conversions = fewOf(qemuPairs).map(({ from, to }): [string, Scenario] => [
  `${from.title} to ${to.title}`,
  { from: from.name, isBroken: false, to: to.name, inputs: { "target-format": to.name } },
]);
const scenarios: Readonly<Record<string, Scenario>> = {
  ...Object.fromEntries(conversions),
  "a repair": { from: "qcow2", isBroken: true, to: "qcow2", inputs: { mode: "check", repair: "all" } },
  "a repair, then qcow2 to QED": {
    from: "qcow2",
    isBroken: true,
    to: "qed",
    inputs: { "target-format": "qed", repair: "all" },
  },
};
const cases = Object.keys(scenarios).flatMap((name) => ["pwrite64", "fsync"].map((call) => [name, call] as const));

test.each(cases)("%s, at %s", { timeout: process.env.KILLS === "all" ? 600_000 : 60_000 }, async (name, call) => {
  const { from, isBroken, to, inputs } = scenarios[name] as Scenario;
  const runner = new Runner();
  const guest = runner.makeImage("source", from);
  if (isBroken) {
    corruptOne(runner.path("source"));
    leakOne(runner.path("source"));
  }
  const original = runner.sha256("source");
  const begin = () => copyFileSync(runner.path("source"), runner.path("disk"));
  const all = { image: "disk", ...inputs };
  begin();
  const count = await runner.callsOfMain(all, call);
  expect(count).toBeGreaterThan(TRIED);
  await runner.post();
  for (const when of turns(count)) {
    for (const each of runner.names.filter((each) => each !== "source")) runner.remove(each);
    begin();
    runner.forget();
    const { exitCode } = await runner.main(all, { call, signal: "KILL", when });
    expect(exitCode, `${when}`).not.toBe(0);
    // It is a whole image before any recovery.
    expect(runner.guestDigest("disk"), `${when}`).toBe(guest);
    const post = await runner.post();
    expect(post.exitCode, `${when}: ${post.log}`).toBe(0);
    // A dead owner's lock hinders nobody: the next command takes it over.
    const names = runner.names.filter((each) => !each.endsWith(".inplace-lock"));
    expect(names, `${when}`).toEqual(["disk", "source"]);
    if (runner.sha256("disk") === original) continue;
    expect(runner.guestDigest("disk"), `${when}`).toBe(guest);
    expect(isBroken ? [from, to] : [to], `${when}`).toContain(runner.cleanFormat("disk"));
  }
});

function turns(count: number): readonly number[] {
  if (process.env.KILLS === "all") return Array.from({ length: count }, (_, index) => index + 1);
  return Array.from({ length: TRIED }, (_, index) => Math.ceil(((index + 1) * count) / TRIED));
}
