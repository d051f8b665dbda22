/** Images that are downloaded first: what lands where, what is refused, what the cache saves, what a cancelled job leaves. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { startCacheServer } from "../support/cache-server.ts";
import { fileHandler, redirectHandler, sha256, startServer, type TestServer } from "../support/http-server.ts";
import { tarBytes } from "../support/tar-bytes.ts";
import { Runner } from "./runner.ts";

/** The cache service, to be asked by a step in the runner's own workspace. */
async function cacheOf(runner: Runner) {
  const cache = await startCacheServer(runner.temp);
  onTestFinished(() => cache[Symbol.asyncDispose]());
  return { ...cache, environment: { ...cache.environment, GITHUB_WORKSPACE: runner.workspace } };
}

const QCOW2 = { "target-format": "qcow2" } as const;

/** A server with `/disk.qed`, which the runner no longer has. */
async function served(): Promise<{ runner: Runner; server: TestServer; bytes: Buffer; guest: string; digest: string }> {
  const runner = new Runner();
  const guest = runner.makeImage("disk.qed", "qed");
  const bytes = readFileSync(runner.path("disk.qed"));
  runner.remove("disk.qed");
  const server = await startServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.on("/disk.qed", fileHandler(bytes));
  return { runner, server, bytes, guest, digest: `sha256:${sha256(bytes).hex}` };
}

test("downloaded, proven, converted, renamed, every output set", async () => {
  const { runner, server, bytes, guest, digest } = await served();
  const image = `${server.origin}/disk.qed ${digest} guest-sha256:${guest}`;
  const { exitCode, annotations, outputs } = await runner.main({ image, ...QCOW2, checksum: "sha256" });
  expect({ exitCode, annotations }).toEqual({ exitCode: 0, annotations: [] });
  expect(runner.names).toEqual(["disk.qcow2"]);
  expect(runner.cleanFormat("disk.qcow2")).toBe("qcow2");
  expect(outputs).toMatchObject({
    image: "disk.qcow2",
    format: "qcow2",
    "checksum-after": guest,
    "cache-hit": "false",
    "sha256-file": runner.sha256("disk.qcow2"),
  });
  expect(JSON.parse(outputs.images ?? "")).toMatchObject([
    {
      image: "disk.qcow2",
      "renamed-from": `${server.origin}/disk.qed`,
      download: { url: `${server.origin}/disk.qed`, digest, bytes: bytes.length, "from-cache": false },
    },
  ]);
  expect(await runner.post()).toMatchObject({ exitCode: 0 });
});

test("a list of checksums, a folder for downloads, and a file beside a URL", async () => {
  const { runner, server, bytes, digest } = await served();
  const packed = gzipSync(bytes);
  server.on("/packed.qed.gz", fileHandler(packed));
  runner.makeImage("local.qed", "qed");
  const list = `${digest.slice(7)}  disk.qed\n${sha256(packed).hex} *packed.qed.gz\n`;
  server.on("/SHA256SUMS", fileHandler(Buffer.from(list)));
  const { exitCode, outputs } = await runner.main({
    image: `local.qed\n${server.origin}/disk.qed\n${server.origin}/packed.qed.gz`,
    checksums: `${server.origin}/SHA256SUMS`,
    "output-directory": "new/folder",
    ...QCOW2,
  });
  expect(exitCode).toBe(0);
  expect(runner.names).toEqual(["local.qcow2", "new"]);
  expect(readdirSync(runner.path("new/folder")).sort()).toEqual(["disk.qcow2", "packed.qcow2"]);
  const images = JSON.parse(outputs.images ?? "") as { readonly image: string; readonly notes: readonly string[] }[];
  expect(images.map(({ image, notes }) => [image, notes])).toEqual([
    ["local.qcow2", []],
    ["new/folder/disk.qcow2", []],
    ["new/folder/packed.qcow2", []],
  ]);
});

test("a digest that is missing is said loudly, one that is wrong ends it with nothing left", async () => {
  const { runner, server, digest } = await served();
  const wrong = await runner.main({ image: `${server.origin}/disk.qed sha256:${"0".repeat(64)}`, ...QCOW2 });
  expect(wrong.exitCode).toBe(1);
  expect(wrong.annotations).toMatchObject([{ kind: "error", message: expect.stringContaining(digest.slice(7)) }]);
  expect(wrong.outputs).not.toHaveProperty("image");
  expect(JSON.parse(wrong.outputs.images ?? "")).toMatchObject([{ image: `${server.origin}/disk.qed` }]);
  expect(runner.names).toEqual([]);
  const missing = await runner.main({ image: `${server.origin}/disk.qed`, ...QCOW2 });
  expect(missing.exitCode).toBe(0);
  expect(missing.annotations).toMatchObject([{ kind: "warning", message: expect.stringContaining("Nothing proves") }]);
  expect(missing.summary).toContain("Nothing proves");
});

test("what can't be used is told before anything is fetched", async () => {
  const { runner, server } = await served();
  writeFileSync(runner.path("SHA256SUMS"), "no list at all\n");
  const { exitCode, annotations } = await runner.main({
    image: `${server.origin}/disk.qed\n${server.origin}/folder/\n${server.origin}/other/disk.qed`,
    checksums: "SHA256SUMS",
    ...QCOW2,
  });
  expect(exitCode).toBe(1);
  expect(annotations).toHaveLength(1);
  for (const words of ["must end in a file name", "both would be called disk.qed", "SHA256SUMS"]) {
    expect(annotations[0]?.message).toContain(words);
  }
  expect(server.seen).toEqual([]);
  expect(runner.names).toEqual(["SHA256SUMS"]);
});

test("a name that is taken is refused before it is fetched, a file that is not there after", async () => {
  const { runner, server } = await served();
  writeFileSync(runner.path("disk.qcow2"), "someone's");
  const image = `${server.origin}/disk.qed\n${server.origin}/gone.qed`;
  const { exitCode, annotations } = await runner.main({ image, ...QCOW2 });
  expect(exitCode).toBe(1);
  // Nothing lies there, so that no file is named.
  expect(annotations.map(({ file }) => file)).toEqual([undefined, undefined]);
  expect(annotations.map(({ title }) => title)).toEqual([
    expect.stringContaining("/disk.qed failed: in-use"),
    expect.stringContaining("/gone.qed failed: io"),
  ]);
  expect(annotations[0]?.message).toContain("disk.qcow2 exists");
  expect(annotations[1]?.message).toContain("404");
  expect(server.seen.map(({ url }) => url)).toEqual(["/gone.qed"]);
  expect(readFileSync(runner.path("disk.qcow2"), "utf8")).toBe("someone's");
});

test("headers go to the first host alone, and neither they nor a token are ever printed", async () => {
  const { runner, server, bytes, digest } = await served();
  const other = await startServer();
  onTestFinished(() => other[Symbol.asyncDispose]());
  other.on("/elsewhere.qed", fileHandler(bytes));
  server.on("/moved.qed", redirectHandler(`${other.origin}/elsewhere.qed`));
  const { exitCode, log } = await runner.main({
    image: `${server.origin}/moved.qed ${digest}`,
    headers: "X-Secret: very-secret-value\n",
    "github-token": "ghs_verysecrettoken",
    ...QCOW2,
  });
  expect(exitCode).toBe(0);
  expect(server.seen[0]?.headers["x-secret"]).toBe("very-secret-value");
  expect(other.seen[0]?.headers).not.toHaveProperty("x-secret");
  expect([...server.seen, ...other.seen].map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  const masks = log.split("\n").filter((line) => line.startsWith("::add-mask::"));
  expect(masks).toEqual(["::add-mask::very-secret-value", "::add-mask::ghs_verysecrettoken"]);
  expect(log.replaceAll(/^::add-mask::.*$/gm, "")).not.toMatch(/very-secret-value|verysecrettoken/);
});

test("mode check downloads too, and a dry run does not", async () => {
  const { runner, server, digest } = await served();
  const image = `${server.origin}/disk.qed ${digest}`;
  const dry = await runner.main({ image, ...QCOW2, "dry-run": "true" });
  expect([dry.exitCode, server.seen.length]).toEqual([1, 0]);
  expect(dry.annotations[0]?.message).toContain("use mode plan");
  const { exitCode, outputs } = await runner.main({ image, mode: "check" });
  expect(exitCode).toBe(0);
  expect(outputs).toMatchObject({ image: "disk.qed", "check-result": "clean", format: "qed" });
});

test("the cache: saved by post after success alone, and restored without asking the server", async () => {
  const { runner, server, digest } = await served();
  const cache = await cacheOf(runner);
  const image = `${server.origin}/disk.qed ${digest}`;
  const run = (more: object) => runner.main({ image, ...QCOW2, ...more }, undefined, cache.environment);
  // It fails after the download: nothing is kept.
  expect(await run({ image: `${image} guest-sha256:${"0".repeat(64)}` })).toMatchObject({ exitCode: 1 });
  await runner.post(cache.environment);
  expect(cache.entries.size).toBe(0);
  runner.remove("disk.qed");

  expect(await run({ cache: "false" })).toMatchObject({ exitCode: 0 });
  await runner.post(cache.environment);
  expect([cache.entries.size, cache.calls]).toEqual([0, ["GetCacheEntryDownloadURL"]]);
  runner.remove("disk.qcow2");

  const first = await run({});
  expect(first).toMatchObject({ exitCode: 0, outputs: { "cache-hit": "false" } });
  expect(cache.entries.size).toBe(0);
  expect(await runner.post(cache.environment)).toMatchObject({ exitCode: 0 });
  expect(cache.entries.size).toBe(1);
  runner.remove("disk.qcow2");

  const asked = server.seen.length;
  const second = await run({});
  expect(second).toMatchObject({ exitCode: 0, outputs: { "cache-hit": "true" } });
  expect(server.seen).toHaveLength(asked);
  expect(runner.cleanFormat("disk.qcow2")).toBe("qcow2");
});

test("a cache that fails costs nothing but time", async () => {
  const { runner, server, digest } = await served();
  const cache = await cacheOf(runner);
  for (const call of ["GetCacheEntryDownloadURL", "CreateCacheEntry"]) cache.failing.set(call, 404);
  const inputs = { image: `${server.origin}/disk.qed ${digest}`, ...QCOW2, cache: "true" } as const;
  expect(await runner.main(inputs, undefined, cache.environment)).toMatchObject({ exitCode: 0 });
  expect(await runner.post(cache.environment)).toMatchObject({ exitCode: 0 });
});

test.each(["SIGINT", "SIGTERM"] as const)("%s during a download: it ends soon, and nothing is left", async (signal) => {
  const { runner, server } = await served();
  server.on("/slow.qed", (_, response) => {
    response.writeHead(200, { "content-length": 1_000_000 });
    response.write("QED\0");
    runner.signal(signal);
  });
  const { exitCode, annotations } = await runner.main({ image: `${server.origin}/slow.qed`, ...QCOW2 });
  expect(exitCode).toBe(1);
  expect(annotations[0]?.message).toContain("cancelled");
  expect(runner.names).toEqual([]);
  expect(await runner.post()).toMatchObject({ exitCode: 0 });
});

test("max-extra-space binds the download, and what it leaves the conversion", async () => {
  const { runner, server, bytes, digest } = await served();
  const image = `${server.origin}/disk.qed ${digest}`;
  const small = await runner.main({ image, ...QCOW2, "max-extra-space": "300k" });
  expect(small.exitCode).toBe(1);
  expect(small.annotations[0]?.message).toContain("max-extra-space allows 300 KiB");
  expect(runner.names).toEqual([]);
  // The file alone fits, and leaves nothing.
  const pages = Array.from({ length: Math.ceil(bytes.length / 4096) }, (_, page) =>
    bytes.subarray(page * 4096, (page + 1) * 4096),
  );
  const taken = 4096 * pages.filter((page) => page.some((byte) => byte !== 0)).length;
  server.on("/disk.qed.gz", fileHandler(gzipSync(bytes)));
  const packed = { image: `${server.origin}/disk.qed.gz`, ...QCOW2 };
  const tight = await runner.main({ ...packed, "max-extra-space": `${taken}` });
  expect(tight.exitCode).toBe(1);
  const [annotation] = tight.annotations.filter(({ kind }) => kind === "error");
  expect(annotation).toMatchObject({ file: "disk.qed", message: expect.stringContaining("more than the 0 allowed") });
  runner.remove("disk.qed");
  expect(await runner.main({ image, ...QCOW2, "max-extra-space": "1G" })).toMatchObject({ exitCode: 0 });
});

test("an archive's manifest: what it proves is told, a contradiction leaves nothing", async () => {
  const { runner, server, bytes } = await served();
  const ova = (hex: string) => [
    { name: "box.mf", content: Buffer.from(`SHA256(disk.qed)= ${hex}\n`) },
    { name: "disk.qed", content: bytes },
  ];
  server.on("/good.ova", fileHandler(tarBytes(ova(sha256(bytes).hex))));
  server.on("/bad.ova", fileHandler(tarBytes(ova("0".repeat(64)))));
  const good = await runner.main({ image: `${server.origin}/good.ova`, ...QCOW2, report: "report.json" });
  expect(good.exitCode).toBe(0);
  const words = "proof against corruption, not against forgery";
  expect(good.summary).toContain(words);
  expect(readFileSync(runner.path("report.json"), "utf8")).toContain(words);
  const bad = await runner.main({ image: `${server.origin}/bad.ova`, ...QCOW2 });
  expect(bad.exitCode).toBe(1);
  expect(bad.annotations[0]?.message).toContain("its manifest box.mf says");
  expect(bad.outputs).not.toHaveProperty("image");
  expect(runner.names).toEqual(["good", "report.json"]);
});

test("one guest digest for two images: nothing is kept", async () => {
  const { runner, server, bytes, guest } = await served();
  const parts = ["a.qed", "b.qed"].map((name) => ({ name, content: bytes }));
  server.on("/two.tar", fileHandler(tarBytes(parts)));
  const { exitCode, annotations } = await runner.main({
    image: `${server.origin}/two.tar guest-sha256:${guest}`,
    ...QCOW2,
  });
  expect(exitCode).toBe(1);
  expect(annotations[0]?.message).toContain("Cannot expect one guest digest of the 2 images");
  expect(runner.names).toEqual([]);
});
