/** The action on every Node at hand: the one that runners have, and whichever the machine has beside it. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fileHandler, sha256, startServer } from "../support/http-server.ts";
import { corruptOne } from "./broken-images.ts";
import { Runner } from "./runner.ts";

/** By version; one alone where the machine's own is the same, which the test's name then says. */
function nodes(): readonly (readonly [version: string, path: string])[] {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  const own = folders.map((folder) => join(folder, "node")).find(existsSync);
  const all = new Set([process.execPath, ...(own === undefined ? [] : [realpathSync(own)])]);
  return [...all].map((path) => [spawnSync(path, ["--version"], { encoding: "utf8" }).stdout.trim(), path]);
}

test.each(nodes())("%s: download, convert, check, repair, plan, collect, post", async (_, node) => {
  const runner = new Runner(node);
  const guest = runner.makeImage("disk.qed", "qed");
  const bytes = readFileSync(runner.path("disk.qed"));
  const server = await startServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.on("/far.qed", fileHandler(bytes));
  const image = `disk.qed\n${server.origin}/far.qed sha256:${sha256(bytes).hex}`;
  const inputs = { image, "target-format": "qcow2", "cross-check": "require" } as const;

  const planned = await runner.main({ ...inputs, mode: "plan" });
  expect([planned.exitCode, JSON.parse(planned.outputs.matrix ?? "").include.length]).toEqual([0, 2]);
  const converted = await runner.main({ ...inputs, report: "report.html" });
  expect([converted.exitCode, converted.log.match(/Warning:/g)]).toEqual([0, null]);
  for (const name of ["disk.qcow2", "far.qcow2"]) {
    expect(runner.cleanFormat(name)).toBe("qcow2");
    expect(runner.guestDigest(name)).toBe(guest);
  }
  expect(await runner.post()).toMatchObject({ exitCode: 0 });
  corruptOne(runner.path("disk.qcow2"));
  const repaired = await runner.main({ mode: "check", repair: "all", image: "*.qcow2", report: "checked.json" });
  expect(repaired).toMatchObject({ exitCode: 0, outputs: { changed: "true", "check-result": "clean" } });
  expect(runner.guestDigest("disk.qcow2")).toBe(guest);
  expect(await runner.post()).toMatchObject({ exitCode: 0 });
  const collected = await runner.main({ mode: "collect", reports: "*.json", shards: "2" });
  expect(collected).toMatchObject({ exitCode: 0, outputs: { changed: "true", "check-result": "clean" } });
});
