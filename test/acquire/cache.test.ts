/** The real @actions/cache against its service's protocol: kept, restored, verified again, and never in the way. */

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type AcquireRequest, cacheUse, DownloadCache, discardPending, savePending } from "../../src/acquire/index.ts";
import { acquireInto, failureOf, type TestFolder, testFolder } from "../support/acquiring.ts";
import { type CacheServer, startCacheServer } from "../support/cache-server.ts";
import { fileHandler, sha256, startServer, type TestServer } from "../support/http-server.ts";

const content = Buffer.concat([randomBytes(100_000), Buffer.alloc(3_000_000), randomBytes(50_000)]);
let temp: TestFolder;
let files: TestServer;
let service: CacheServer;
beforeEach(async () => {
  temp = testFolder();
  files = await startServer();
  service = await startCacheServer(temp.path);
  for (const [name, value] of Object.entries(service.environment)) vi.stubEnv(name, value);
  vi.stubEnv("GITHUB_SERVER_URL", undefined);
  // The package tells the runner what it does.
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  files.on("/disk.img", fileHandler(content, { etag: '"one"' }));
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await service[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
  temp[Symbol.dispose]();
});

const allowed = { mayRestore: true, maySave: true };
const newCache = (use = allowed) => new DownloadCache(join(temp.path, "downloads"), use);
const proven = () => ({ url: `${files.origin}/disk.img`, digest: sha256(content) });
const unproven = () => ({ url: `${files.origin}/disk.img` });

/** One step and its post step. */
async function step(request: AcquireRequest = proven(), cache = newCache()) {
  using folder = testFolder();
  const acquired = await acquireInto(folder, request, { cache });
  expect(readFileSync(acquired.paths[0] as string).equals(content)).toBe(true);
  return { ...acquired, notes: await savePending(cache.pendingSaves) };
}

test("the second run takes it from the cache, without asking the server, and verifies it", async () => {
  const first = await step();
  expect(first).toMatchObject({ fromCache: false, warnings: [], notes: [] });
  expect(service.entries.size).toBe(1);
  const second = await step();
  expect(second).toMatchObject({ fromCache: true, warnings: [], notes: [], digest: sha256(content) });
  expect(files.seen).toHaveLength(1);
  expect(service.calls.filter((call) => call === "CreateCacheEntry")).toHaveLength(1);
  expect(temp.names().filter((name) => name.startsWith("downloads/"))).toEqual([]);
});

test("zeros are not in it, whatever tar makes of holes", async () => {
  await step();
  const [archive] = service.entries.values();
  writeFileSync(join(temp.path, "archive"), archive as Buffer);
  const list = execFileSync("tar", ["-tvf", join(temp.path, "archive")], { encoding: "utf8" });
  const sizes = [...list.matchAll(/\s(\d+) \d{4}-/g)].map(([, size]) => Number(size));
  expect(Math.max(...sizes)).toBeLessThan(300_000);
});

test("without a digest the ETag decides, and the server is asked for it", async () => {
  expect((await step(unproven())).fromCache).toBe(false);
  expect((await step(unproven())).fromCache).toBe(true);
  expect(files.seen).toHaveLength(2);
  files.on("/disk.img", fileHandler(content, { etag: '"two"' }));
  expect((await step(unproven())).fromCache).toBe(false);
  files.on("/disk.img", fileHandler(content, { etag: 'W/"weak"' }));
  expect((await step(unproven())).fromCache).toBe(false);
  expect(service.entries.size).toBe(2);
});

test.each([
  ["expected", proven],
  ["kept", unproven],
])("an entry whose bytes are not those of the %s digest is told and not used", async (_, request) => {
  const poisoned = newCache();
  using folder = testFolder();
  await acquireInto(folder, request(), { cache: poisoned });
  const data = join(poisoned.pendingSaves[0]?.folder ?? "", "data");
  writeFileSync(data, readFileSync(data).fill(1, 5, 6));
  await savePending(poisoned.pendingSaves);
  const { fromCache, warnings } = await step(request());
  expect(fromCache).toBe(false);
  expect(warnings.slice(request === proven ? 0 : 1)).toEqual([
    expect.stringMatching(/^What the cache gave for .* is not used: Cannot trust/),
  ]);
});

test.each([
  "not JSON",
  '{"digest":{"algorithm":"sha256","hex":"00"},"runs":[]}',
  `{"digest":{"algorithm":"sha256","hex":"${"0".repeat(64)}"},"runs":["x"]}`,
  `{"digest":{"algorithm":"sha256","hex":"${"0".repeat(64)}"},"runs":[0,6442450944]}`,
])("an entry whose list is %s costs nothing", async (list) => {
  const poisoned = newCache();
  using folder = testFolder();
  await acquireInto(folder, proven(), { cache: poisoned });
  writeFileSync(join(poisoned.pendingSaves[0]?.folder ?? "", "entry.json"), list);
  await savePending(poisoned.pendingSaves);
  expect(await step()).toMatchObject({ fromCache: false, warnings: [] });
});

test("an entry that is no entry costs nothing", async () => {
  await step();
  const [key] = service.entries.keys();
  for (const bytes of [Buffer.from("garbage"), Buffer.alloc(0)]) {
    service.entries.set(key as string, bytes);
    expect(await step()).toMatchObject({ fromCache: false });
  }
});

test("the same file twice at once", async () => {
  for (const isKnown of [false, true]) {
    const cache = newCache();
    using one = testFolder();
    using other = testFolder();
    const both = await Promise.all([acquireInto(one, proven(), { cache }), acquireInto(other, proven(), { cache })]);
    for (const { paths } of both) expect(readFileSync(paths[0] as string).equals(content)).toBe(true);
    expect(both.flatMap(({ warnings }) => warnings)).toEqual([]);
    expect(both.filter(({ fromCache }) => fromCache)).toHaveLength(isKnown ? 1 : 0);
    expect(cache.pendingSaves).toHaveLength(isKnown ? 0 : 1);
    expect(await savePending(cache.pendingSaves)).toEqual([]);
  }
});

test("a cache that refuses fails nothing", async () => {
  service.failing.set("GetCacheEntryDownloadURL", 403);
  service.failing.set("CreateCacheEntry", 403);
  const { fromCache, notes } = await step();
  expect(fromCache).toBe(false);
  expect(notes).toEqual([expect.stringContaining("The download was not kept in the cache")]);
});

test("a cache that is only read, or not at all, is not written", async () => {
  const readOnly = newCache({ mayRestore: true, maySave: false });
  await step(proven(), readOnly);
  expect(readOnly.pendingSaves).toEqual([]);
  await step(proven(), newCache({ mayRestore: false, maySave: false }));
  expect(service.calls).toEqual(["GetCacheEntryDownloadURL"]);
});

test("a failed download is not saved, and what is discarded leaves nothing", async () => {
  using folder = testFolder();
  const cache = newCache();
  await failureOf(acquireInto(folder, { ...proven(), digest: sha256(Buffer.from("x")) }, { cache }));
  expect(cache.pendingSaves).toEqual([]);
  await acquireInto(folder, proven(), { cache });
  expect(cache.pendingSaves).toHaveLength(1);
  await discardPending(cache.pendingSaves);
  expect(temp.names().filter((name) => name.startsWith("downloads/"))).toEqual([]);
  expect(service.entries.size).toBe(0);
});

const on = allowed;
const off = { mayRestore: false, maySave: false };
test.each([
  ["auto", {}, on],
  ["auto", { GITHUB_EVENT_NAME: "schedule", GITHUB_REF: "refs/heads/main", GITHUB_REF_TYPE: "branch" }, on],
  ["auto", { GITHUB_EVENT_NAME: "pull_request" }, on],
  ["auto", { GITHUB_REF_TYPE: "tag" }, off],
  ["auto", { GITHUB_REF: "refs/tags/v1" }, off],
  ["auto", { GITHUB_EVENT_NAME: "release" }, off],
  ["auto", { GITHUB_EVENT_NAME: "pull_request_target" }, off],
  ["auto", { GITHUB_EVENT_NAME: "workflow_run" }, off],
  ["true", { GITHUB_REF_TYPE: "tag" }, on],
  ["false", {}, off],
  ["true", { ACTIONS_CACHE_MODE: "read" }, { mayRestore: true, maySave: false }],
  ["true", { ACTIONS_CACHE_MODE: "none" }, off],
  ["true", { ACTIONS_CACHE_MODE: "write-only" }, { mayRestore: false, maySave: true }],
  ["true", { ACTIONS_CACHE_MODE: "write" }, { mayRestore: true, maySave: true }],
  ["true", { ACTIONS_RESULTS_URL: "" }, off],
  ["true", { ACTIONS_RUNTIME_TOKEN: "" }, off],
] as const)("cache: %s with %j", (choice, environment, expected) => {
  const runner = { ACTIONS_RESULTS_URL: "http://127.0.0.1:1/", ACTIONS_RUNTIME_TOKEN: "x" };
  expect(cacheUse(choice, { ...runner, ...environment })).toEqual(expected);
});
