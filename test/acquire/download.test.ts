/** Downloads from a real server that misbehaves in the ways that servers do. */

import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { acquireInto, failureOf, instantRetries, type TestFolder, testFolder } from "../support/acquiring.ts";
import { fileHandler, redirectHandler, sha256, startServer, type TestServer } from "../support/http-server.ts";

const content = randomBytes(300_000);
let server: TestServer;
let folder: TestFolder;
beforeEach(async () => {
  server = await startServer();
  folder = testFolder();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const url = (path = "/disk.qcow2") => `${server.origin}${path}`;
/** What the client took; for servers that cut then. */
const taken = { received: 0 };
const onProgress = ({ received }: { received: number }) => {
  taken.received = received;
};
const path = (name = "disk.qcow2") => join(folder.path, name);

test("a file with its digest: bytes, digest, no warning", async () => {
  server.on("/disk.qcow2", fileHandler(content));
  const seen: number[] = [];
  const acquired = await acquireInto(
    folder,
    { url: url(), digest: sha256(content) },
    { onProgress: ({ received, total }) => void seen.push(received, total ?? -1) },
  );
  expect(acquired).toEqual({
    paths: [path()],
    digest: sha256(content),
    bytes: content.length,
    diskBytes: content.length,
    fromCache: false,
    warnings: [],
    notes: [],
  });
  expect(readFileSync(path())).toEqual(content);
  expect(folder.names()).toEqual(["disk.qcow2"]);
  expect(seen.slice(-2)).toEqual([content.length, content.length]);
});

test("sha512 is computed where it is expected", async () => {
  server.on("/disk.qcow2", fileHandler(content));
  const hex = createHash("sha512").update(content).digest("hex");
  const { digest } = await acquireInto(folder, { url: url(), digest: { algorithm: "sha512", hex: hex.toUpperCase() } });
  expect(digest).toEqual({ algorithm: "sha512", hex });
});

test("without a digest it says so", async () => {
  server.on("/disk.qcow2", fileHandler(content));
  const { warnings } = await acquireInto(folder, { url: `${url()}?secret=1` });
  expect(warnings).toEqual([expect.stringContaining(`Nothing proves that ${url()} is what you expect`)]);
});

test("a wrong digest leaves nothing behind", async () => {
  server.on("/disk.qcow2", fileHandler(content));
  const error = await failureOf(acquireInto(folder, { url: url(), digest: sha256(Buffer.from("other")) }));
  expect(error).toMatchObject({ kind: "verification-failed", message: expect.stringContaining("Cannot trust") });
  expect(folder.names()).toEqual([]);
});

test("redirects, relative ones too, up to ten", async () => {
  server.on("/disk.qcow2", redirectHandler("a/b", 301));
  server.on("/a/b", redirectHandler("../c", 307));
  server.on("/c", redirectHandler(`${server.origin}/d`, 308));
  server.on("/d", fileHandler(content));
  const { paths } = await acquireInto(folder, { url: url() });
  expect(paths).toEqual([path()]);

  server.on("/loop.qcow2", redirectHandler("/loop.qcow2"));
  const error = await failureOf(acquireInto(folder, { url: url("/loop.qcow2") }));
  expect(error.message).toContain("more than 10 redirects");
  expect(server.seen.filter((request) => request.url === "/loop.qcow2")).toHaveLength(11);
});

test("a redirect away from https is refused, whatever it leads to", async () => {
  server.on("/disk.qcow2", redirectHandler("http://example.com/disk.qcow2"));
  const error = await failureOf(acquireInto(folder, { url: url() }));
  expect(error).toMatchObject({ kind: "unsupported", message: expect.stringContaining("is not https") });
});

test("headers go to the first origin alone, and never again once it was left", async () => {
  await using other = await startServer();
  server.on("/disk.qcow2", redirectHandler("/same"));
  server.on("/same", redirectHandler(`${other.origin}/there`));
  other.on("/there", redirectHandler(url("/back")));
  server.on("/back", fileHandler(content));
  await acquireInto(folder, { url: url(), headers: { authorization: "Basic c2VjcmV0", "x-token": "secret" } });
  const sent = [...server.seen, ...other.seen].map((request) => [
    request.url,
    request.headers.authorization,
    request.headers["x-token"],
  ]);
  expect(sent).toEqual([
    ["/disk.qcow2", "Basic c2VjcmV0", "secret"],
    ["/same", "Basic c2VjcmV0", "secret"],
    ["/back", undefined, undefined],
    ["/there", undefined, undefined],
  ]);
});

test.each([
  ["ETag", { etag: '"one"' }],
  ["Last-Modified", { lastModified: "Sat, 21 Nov 2026 10:00:00 GMT" }],
])("a cut connection goes on by Range with %s", async (_, validator) => {
  server.on("/disk.qcow2", fileHandler(content, { ...validator, cutAfter: [100_000, 50_000], taken }));
  const retries = instantRetries();
  await acquireInto(folder, { url: url(), digest: sha256(content) }, { retries, onProgress });
  expect(readFileSync(path())).toEqual(content);
  const [first, second, third] = server.seen;
  expect(first?.headers.range).toBeUndefined();
  expect(second?.headers.range).toBe("bytes=100000-");
  expect(second?.headers["if-range"]).toBe(Object.values(validator)[0]);
  expect(third?.headers.range).toBe("bytes=150000-");
  expect(retries.waits).toEqual([1000, 2000]);
});

test("without a validator, or where ranges are ignored, it reads again from the start and proves that it is the same", async () => {
  server.on("/disk.qcow2", fileHandler(content, { cutAfter: [100_000], taken }));
  await acquireInto(folder, { url: url(), digest: sha256(content) }, { onProgress });
  expect(server.seen[1]?.headers.range).toBeUndefined();
  expect(readFileSync(path())).toEqual(content);

  server.on("/b.qcow2", fileHandler(content, { etag: '"one"', hasRanges: false, cutAfter: [100_000], taken }));
  await acquireInto(folder, { url: url("/b.qcow2"), digest: sha256(content) }, { onProgress });
  expect(readFileSync(path("b.qcow2"))).toEqual(content);
});

test("a weak ETag is no validator", async () => {
  server.on("/disk.qcow2", fileHandler(content, { etag: 'W/"one"', cutAfter: [100_000], taken }));
  await acquireInto(folder, { url: url() }, { onProgress });
  expect(server.seen[1]?.headers).not.toHaveProperty("range");
});

test("a file that changes meanwhile is begun anew", async () => {
  const other = randomBytes(content.length);
  server.on(
    "/disk.qcow2",
    fileHandler((count) => (count === 0 ? content : other), { cutAfter: [100_000], taken }),
  );
  await acquireInto(folder, { url: url(), digest: sha256(other) }, { onProgress });
  expect(readFileSync(path())).toEqual(other);
  expect(server.seen).toHaveLength(3);

  server.on(
    "/restless.qcow2",
    fileHandler(() => randomBytes(300_000), { cutAfter: Array(20).fill(100_000), taken }),
  );
  const error = await failureOf(acquireInto(folder, { url: url("/restless.qcow2") }, { onProgress }));
  expect(error.kind).toBe("changed-underneath");
  expect(folder.names()).toEqual(["disk.qcow2"]);
});

test("a 206 from elsewhere or of another length is not believed", async () => {
  for (const [range, why] of [
    ["bytes 5-299999/300000", "the server sent"],
    ["bytes 100000-299999/400000", "its length or ETag is another"],
  ] as const) {
    server.on("/disk.qcow2", (request, response, count) => {
      if (count % 2 === 0 || request.headers.range === undefined) {
        fileHandler(content, { etag: '"a"', cutAfter: [100_000], taken })(request, response, 0);
        return;
      }
      response.writeHead(206, { "content-range": range }).end(content.subarray(100_000));
    });
    const error = await failureOf(acquireInto(folder, { url: url() }, { onProgress }));
    expect(error).toMatchObject({ kind: "changed-underneath", message: expect.stringContaining(why) });
  }
});

test("5xx and 429 pass: it waits as told, else twice as long each time", async () => {
  server.on("/disk.qcow2", (request, response, count) => {
    if (count === 0) response.writeHead(503).end();
    else if (count === 1) response.writeHead(429, { "retry-after": "7" }).end();
    else if (count === 2) response.writeHead(500).end();
    else if (count === 3) response.writeHead(429, { "retry-after": "100000" }).end();
    else fileHandler(content)(request, response, 0);
  });
  const retries = instantRetries();
  await acquireInto(folder, { url: url() }, { retries });
  expect(retries.waits).toEqual([1000, 7000, 4000, 60_000]);
});

test("it gives up after so many tries, and at once where no try would help", async () => {
  server.on("/disk.qcow2", (_, response) => response.writeHead(502).end());
  const error = await failureOf(acquireInto(folder, { url: url() }, { retries: instantRetries(2) }));
  expect(error).toMatchObject({ kind: "io", message: expect.stringContaining("502 (3 tries)") });
  expect(server.seen).toHaveLength(3);

  const missing = await failureOf(acquireInto(folder, { url: url("/none.qcow2") }));
  expect(missing.message).toContain("the server answered 404");
  expect(server.seen).toHaveLength(4);
});

test("a refused connection is tried again", async () => {
  const gone = await startServer();
  await gone[Symbol.asyncDispose]();
  const retries = instantRetries(2);
  const error = await failureOf(acquireInto(folder, { url: `${gone.origin}/disk.qcow2` }, { retries }));
  expect(error.message).toMatch(/Cannot reach .*ECONNREFUSED.*\(3 tries\)/);
  expect(retries.waits).toHaveLength(2);
});

test("a body shorter than announced fails, and says where it ended", async () => {
  server.on("/disk.qcow2", fileHandler(content, { contentLength: 400_000, cutAfter: Array(9).fill(300_000) }));
  const error = await failureOf(acquireInto(folder, { url: url() }, { retries: instantRetries(1) }));
  expect(error.kind).toBe("io");
  expect(folder.names()).toEqual([]);
});

test("a body of unknown length comes whole, with a warning where nothing proves it", async () => {
  server.on("/disk.qcow2", fileHandler(content, { contentLength: null }));
  const { warnings } = await acquireInto(folder, { url: url() });
  expect(warnings.join()).toContain("doesn't say how long it is");
  expect(readFileSync(path())).toEqual(content);
  server.on("/b.qcow2", fileHandler(content, { contentLength: null, cutAfter: [100_000], taken }));
  await acquireInto(folder, { url: url("/b.qcow2"), digest: sha256(content) }, { onProgress });
  expect(readFileSync(path("b.qcow2"))).toEqual(content);
});

test("a body over the allowed size is refused, announced or not", async () => {
  const limits = { downloadBytes: 200_000 };
  server.on("/disk.qcow2", fileHandler(content));
  server.on("/b.qcow2", fileHandler(content, { contentLength: null }));
  for (const name of ["/disk.qcow2", "/b.qcow2"]) {
    const error = await failureOf(acquireInto(folder, { url: url(name) }, { limits }));
    expect(error).toMatchObject({ kind: "out-of-bounds", message: expect.stringContaining("larger than 195 KiB") });
  }
  expect(folder.names()).toEqual([]);
});

test("a server that says nothing is left, before and within the body", async () => {
  server.on("/disk.qcow2", () => {});
  server.on("/b.qcow2", (_, response) => response.writeHead(200, { "content-length": 10 }).write("12345"));
  for (const name of ["/disk.qcow2", "/b.qcow2"]) {
    const settings = { limits: { stallSeconds: 0.05 }, retries: instantRetries(1) };
    const error = await failureOf(acquireInto(folder, { url: url(name) }, settings));
    expect(error.message).toContain("nothing came for 0.05 s (2 tries)");
  }
});

test("an end to all of it: a deadline, a signal", async () => {
  server.on("/disk.qcow2", (_, response) => response.writeHead(200, { "content-length": 10 }).write("12345"));
  const late = await failureOf(acquireInto(folder, { url: url() }, { limits: { seconds: 0.05 } }));
  expect(late).toMatchObject({ kind: "interrupted", message: expect.stringContaining("longer than 0.05 s") });
  const controller = new AbortController();
  const onProgress = () => controller.abort();
  const stopped = await failureOf(acquireInto(folder, { url: url() }, { signal: controller.signal, onProgress }));
  expect(stopped).toMatchObject({ kind: "interrupted", message: expect.stringContaining("it was cancelled") });
  expect(folder.names()).toEqual([]);
});

test("while it comes it doesn't look finished", async () => {
  const names: string[][] = [];
  server.on("/disk.qcow2", fileHandler(content));
  await acquireInto(folder, { url: url() }, { onProgress: () => void names.push(folder.names()) });
  expect(names.flat().every((name) => /^disk\.qcow2\.part-[0-9a-f]{8}$/.test(name))).toBe(true);
  expect(names.length).toBeGreaterThan(0);
});

test("an existing name is refused beforehand, and one that turns up meanwhile isn't replaced", async () => {
  writeFileSync(path(), "mine");
  const error = await failureOf(acquireInto(folder, { url: url() }));
  expect(error).toMatchObject({ kind: "in-use", message: expect.stringContaining("it exists; move it away first") });
  expect(server.seen).toHaveLength(0);

  server.on("/late.qcow2", fileHandler(content));
  const onProgress = () => writeFileSync(path("late.qcow2"), "mine too");
  const late = await failureOf(acquireInto(folder, { url: url("/late.qcow2") }, { onProgress }));
  expect(late.kind).toBe("in-use");
  expect(readFileSync(path("late.qcow2"), "utf8")).toBe("mine too");
  expect(folder.names()).toEqual(["disk.qcow2", "late.qcow2"]);
});

test("more than the free space is refused before a byte is written", async () => {
  server.on("/disk.qcow2", (_, response) => {
    response.writeHead(200, { "content-length": 2 ** 51 });
    response.write("x");
  });
  const error = await failureOf(acquireInto(folder, { url: url() }, { limits: { downloadBytes: 2 ** 52 } }));
  expect(error).toMatchObject({ kind: "no-space", message: expect.stringContaining("it has 2 PiB, and") });
  expect(folder.names()).toEqual([]);
});

test("a body encoded by the server is refused; a gzip file that it calls gzip is none", async () => {
  server.on("/disk.qcow2", (_, response) => response.writeHead(200, { "content-encoding": "br" }).end("x"));
  const error = await failureOf(acquireInto(folder, { url: url() }));
  expect(error.message).toContain("the server encodes it as br");
});

test("the name is the URL's, made harmless; what the server proposes is not looked at", async () => {
  server.on("/a%2F..%2Fb%1b%5B2J.qcow2", (request, response) => {
    response.setHeader("content-disposition", 'attachment; filename="../../evil"');
    fileHandler(content)(request, response, 0);
  });
  await acquireInto(folder, { url: url("/a%2F..%2Fb%1b%5B2J.qcow2") });
  expect(folder.names()).toEqual(["a_.._b_[2J.qcow2"]);
});
