/** Downloads that are unpacked on their way, listed by checksums, or assets of a release. */

import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DownloadCache, readChecksums } from "../../src/acquire/index.ts";
import { buildOva } from "../formats/ova/builder.ts";
import { acquireInto, failureOf, instantRetries, type TestFolder, testFolder } from "../support/acquiring.ts";
import { fileHandler, redirectHandler, sha256, startServer, type TestServer } from "../support/http-server.ts";
import { tarBytes } from "../support/tar-bytes.ts";

const image = Buffer.concat([randomBytes(50_000), Buffer.alloc(1_000_000), randomBytes(10_000)]);
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
const url = (path: string) => `${server.origin}${path}`;

test("a compressed image loses its suffix; the digest is of what came over the wire", async () => {
  const packed = gzipSync(image);
  server.on("/disk.img.gz", fileHandler(packed));
  const acquired = await acquireInto(folder, { url: url("/disk.img.gz"), digest: sha256(packed) });
  expect(acquired).toMatchObject({ paths: [join(folder.path, "disk.img")], bytes: packed.length });
  expect(readFileSync(join(folder.path, "disk.img")).equals(image)).toBe(true);
});

test("a cut in the middle of a compressed image goes on in the same pass", async () => {
  const packed = gzipSync(image);
  const taken = { received: 0 };
  const onProgress = ({ received }: { received: number }) => {
    taken.received = received;
  };
  server.on("/disk.img.gz", fileHandler(packed, { etag: '"a"', cutAfter: [30_000], taken }));
  await acquireInto(folder, { url: url("/disk.img.gz"), digest: sha256(packed) }, { onProgress });
  expect(server.seen[1]?.headers.range).toBe("bytes=30000-");
  expect(readFileSync(join(folder.path, "disk.img")).equals(image)).toBe(true);
});

test("padding after the compressed image is part of the digest, though its decoder stops before", async () => {
  const packed = gzipSync(image);
  const pieces = [packed, Buffer.alloc(10), Buffer.alloc(100_000)];
  const whole = Buffer.concat(pieces);
  const taken = { received: 0 };
  server.on("/disk.img.gz", (_, response) => {
    response.setHeader("content-length", whole.length);
    let sent = 0;
    // Each piece by itself: the decoder ends with the second.
    const timer = setInterval(() => {
      if (taken.received < sent) return;
      const piece = pieces.shift();
      sent += piece?.length ?? 0;
      if (piece) response.write(piece);
      else {
        clearInterval(timer);
        response.end();
      }
    }, 1);
  });
  const onProgress = ({ received }: { received: number }) => {
    taken.received = received;
  };
  const { digest, bytes } = await acquireInto(folder, { url: url("/disk.img.gz") }, { onProgress });
  expect([digest, bytes]).toEqual([sha256(whole), whole.length]);
});

test("an archive becomes a folder of its images, and appears whole", async () => {
  const archive = gzipSync(
    tarBytes([
      { name: "box.ovf", content: Buffer.from("<xml/>") },
      { name: "box-disk1.vmdk", content: image },
      { name: "more/box-disk2.vmdk.gz", content: gzipSync(image) },
    ]),
  );
  server.on("/box.tar.gz", fileHandler(archive));
  const seen: string[][] = [];
  const { paths } = await acquireInto(
    folder,
    { url: url("/box.tar.gz"), digest: sha256(archive) },
    { onProgress: () => void seen.push(folder.names()) },
  );
  expect(paths).toEqual(["box/box-disk1.vmdk", "box/more/box-disk2.vmdk"].map((name) => join(folder.path, name)));
  for (const path of paths) expect(readFileSync(path).equals(image)).toBe(true);
  expect(seen.flat().some((name) => name === "box" || name.startsWith("box/"))).toBe(false);
  expect(folder.names()).toEqual(["box", "box/box-disk1.vmdk", "box/more", "box/more/box-disk2.vmdk"]);
});

test("an archive with a wrong digest, a stray name or damage leaves nothing", async () => {
  const good = tarBytes([{ name: "a.qcow2", content: image }]);
  const stray = tarBytes([
    { name: "a.qcow2", content: image },
    { name: "../evil.qcow2", content: image },
  ]);
  server.on("/a.ova", fileHandler(good));
  server.on("/b.ova", fileHandler(stray));
  server.on("/c.ova", fileHandler(good.subarray(0, 5000)));
  const wrong = await failureOf(acquireInto(folder, { url: url("/a.ova"), digest: sha256(stray) }));
  expect(wrong.kind).toBe("verification-failed");
  expect((await failureOf(acquireInto(folder, { url: url("/b.ova") }))).message).toContain("outside of its folder");
  expect((await failureOf(acquireInto(folder, { url: url("/c.ova") }))).message).toContain("it is cut off");
  expect(folder.names()).toEqual([]);
});

test("an archive that contradicts its own manifest leaves nothing, plain or packed, and nothing is cached", async () => {
  const changed = Buffer.from(image);
  changed[40_000] = (changed[40_000] ?? 0) ^ 1;
  const mf = { name: "box.mf", content: Buffer.from(`SHA256(disk.vmdk)= ${sha256(image).hex}\n`) };
  for (const parts of [
    [mf, { name: "disk.vmdk", content: changed }],
    [{ name: "disk.vmdk", content: changed }, mf],
  ]) {
    const archive = tarBytes(parts);
    server.on("/box.ova", fileHandler(archive, { etag: '"a"' }));
    server.on("/box.tar.gz", fileHandler(gzipSync(archive), { etag: '"b"' }));
    for (const path of ["/box.ova", "/box.tar.gz"]) {
      using other = testFolder();
      const cache = new DownloadCache(join(other.path, "cache"), { mayRestore: false, maySave: true });
      const into = { outputDirectory: join(other.path, "out"), cache };
      const error = await failureOf(acquireInto(folder, { url: url(path) }, into));
      expect(error).toMatchObject({ kind: "verification-failed", message: expect.stringContaining("manifest box.mf") });
      expect(other.names().filter((name) => !/^(?:out|cache)$/.test(name))).toEqual([]);
      expect(cache.pendingSaves).toEqual([]);
    }
  }
});

test("an archive that its manifest agrees with says what that proves", async () => {
  const mf = {
    name: "box.mf",
    content: Buffer.from(`SHA256(disk.vmdk)= ${sha256(image).hex}\nSHA1(a.iso)= ${"0".repeat(40)}\n`),
  };
  const archive = tarBytes([{ name: "disk.vmdk", content: image }, mf]);
  server.on("/box.ova", fileHandler(archive));
  const { notes, warnings } = await acquireInto(folder, { url: url("/box.ova"), digest: sha256(archive) });
  expect(notes).toEqual([expect.stringContaining("proof against corruption, not against forgery")]);
  expect(warnings).toEqual([expect.stringContaining("names a.iso, which isn't in it")]);
});

test("an OVA of one disk stays one file, held to its manifest wherever that stands; cut off or contradicted it leaves nothing", async () => {
  const disk = Buffer.concat([Buffer.from("KDMV"), image]);
  const cut = (bytes: Buffer) => bytes.subarray(0, bytes.indexOf(disk) + 5000);
  for (const [turn, order] of (["ovf mf disk", "ovf disk mf"] as const).entries()) {
    const parts = order.split(" ") as ("ovf" | "mf" | "disk")[];
    const { bytes } = buildOva({ disk, diskName: "some-disk", manifest: "SHA512", order: parts });
    server.on("/box.ova.gz", fileHandler(gzipSync(bytes)));
    using other = testFolder();
    const { paths, notes } = await acquireInto(other, { url: url("/box.ova.gz") });
    expect(paths).toEqual([join(other.path, "box/box.ova")]);
    expect(readFileSync(join(other.path, "box/box.ova")).equals(bytes)).toBe(true);
    expect(notes).toEqual([
      expect.stringContaining("agrees with some-disk (SHA512): that is proof against corruption"),
    ]);
    const damaged = Buffer.from(bytes);
    damaged[bytes.indexOf(disk) + 30_000] = (bytes[bytes.indexOf(disk) + 30_000] ?? 0) ^ 1;
    for (const [wrong, kind] of [
      [damaged, "verification-failed"],
      [cut(bytes), "corrupt"],
    ] as const) {
      server.on(`/wrong${turn}.ova`, fileHandler(wrong));
      expect((await failureOf(acquireInto(folder, { url: url(`/wrong${turn}.ova`) }))).kind).toBe(kind);
      expect(folder.names()).toEqual([]);
    }
  }
});

test.each([
  ["/disk.qcow2", "<!DOCTYPE html>\n<html lang=en><head><title>\n Sign in </title></head>", 'an HTML page ("Sign in")'],
  ["/disk.img.gz", "\ufeff  <html><body>404</body></html>", "an HTML page"],
  ["/box.ova", "<!-- proxy -->\n<!doctype HTML><p>", "an HTML page"],
  ["/disk.vhd", '<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN"><html>', "an HTML page"],
  ["/disk.vmdk", '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>', "an XML document"],
  ["/disk.qed", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n", "a pointer of Git LFS"],
])("%s that isn't one is named as what it is", async (path, text, words) => {
  server.on(path, fileHandler(Buffer.from(text)));
  const error = await failureOf(acquireInto(folder, { url: url(path) }));
  expect(error).toMatchObject({ kind: "not-this-format", message: expect.stringContaining(`what came is ${words}`) });
  expect(folder.names()).toEqual([]);
});

test("a bound on the disk space that one may take: refused by its announced length, stopped by what it unpacks to", async () => {
  const noise = randomBytes(300_000);
  server.on("/disk.img", fileHandler(noise));
  const announced = await failureOf(acquireInto(folder, { url: url("/disk.img") }, { maxExtraSpace: 200_000 }));
  expect(announced).toMatchObject({
    kind: "no-space",
    message: expect.stringContaining("it has 293 KiB, and max-extra-space allows 195 KiB"),
  });

  server.on("/silent.img", (_, response) => {
    for (let at = 0; at < noise.length; at += 30_000) response.write(noise.subarray(at, at + 30_000));
    response.end();
  });
  // Well packed, and more than is allowed when it is unpacked.
  server.on("/packed.img.gz", fileHandler(gzipSync(Buffer.alloc(300_000, "a"))));
  server.on(
    "/two.tar.gz",
    fileHandler(gzipSync(tarBytes(["a.img", "b.img"].map((name) => ({ name, content: Buffer.alloc(150_000, "a") }))))),
  );
  for (const path of ["/silent.img", "/packed.img.gz", "/two.tar.gz"]) {
    const error = await failureOf(acquireInto(folder, { url: url(path) }, { maxExtraSpace: 200_000 }));
    expect(error).toMatchObject({ kind: "no-space", message: expect.stringContaining("max-extra-space") });
    expect(server.seen.filter((request) => request.url === path)).toHaveLength(1);
  }
  expect(folder.names()).toEqual([]);

  // Zeros take none.
  server.on(
    "/zeros.img.gz",
    fileHandler(gzipSync(Buffer.concat([noise.subarray(0, 100_000), Buffer.alloc(1_000_000)]))),
  );
  const { diskBytes } = await acquireInto(folder, { url: url("/zeros.img.gz") }, { maxExtraSpace: 200_000 });
  expect(diskBytes).toBeGreaterThanOrEqual(100_000);
  expect(diskBytes).toBeLessThan(110_000);
});

test("what is kept for the cache counts too, and is given up where it is what takes the space", async () => {
  const noise = randomBytes(300_000);
  server.on("/disk.img", fileHandler(noise, { etag: '"a"' }));
  const run = async (maxExtraSpace: number) => {
    using other = testFolder();
    const cache = new DownloadCache(join(other.path, "cache"), { mayRestore: false, maySave: true });
    const { diskBytes } = await acquireInto(other, { url: url("/disk.img") }, { maxExtraSpace, cache });
    return { diskBytes, saves: cache.pendingSaves.length };
  };
  expect(await run(700_000)).toEqual({ diskBytes: 600_000, saves: 1 });
  expect(await run(500_000)).toEqual({ diskBytes: 300_000, saves: 0 });
});

test("images that are not wanted leave nothing", async () => {
  server.on("/box.tar", fileHandler(tarBytes([{ name: "a.img", content: image }])));
  const accept = (names: readonly string[]) => {
    throw new Error(`not ${names.join()}`);
  };
  const error = await failureOf(acquireInto(folder, { url: url("/box.tar"), accept }));
  expect(error.message).toBe("not a.img");
  expect(folder.names()).toEqual([]);
});

test.each([
  ["/bomb.img.gz", gzipSync(Buffer.alloc(20_000_000))],
  ["/bomb.tar.gz", gzipSync(tarBytes([{ name: "a.img", content: Buffer.alloc(20_000_000) }]))],
  ["/bomb.ova", tarBytes([{ name: "a.img.gz", content: gzipSync(Buffer.alloc(20_000_000)) }])],
  ["/bomb2.tar.gz", gzipSync(tarBytes([{ name: "readme", content: Buffer.alloc(20_000_000) }]))],
])("a bomb is stopped: %s", async (path, bytes) => {
  server.on(path, fileHandler(bytes));
  const limits = { unpackedBytes: 10_000_000 };
  const error = await failureOf(acquireInto(folder, { url: url(path) }, { limits }));
  expect(error).toMatchObject({ kind: "out-of-bounds", message: expect.stringContaining("larger than 9.54 MiB") });
  expect(folder.names()).toEqual([]);
});

test("damaged data fails at once, though the server has more and is silent", async () => {
  const packed = Buffer.concat([gzipSync(image).subarray(0, 20_000), randomBytes(40_000)]);
  server.on("/disk.img.gz", (_, response) => response.writeHead(200, { "content-length": 10 ** 6 }).write(packed));
  const error = await failureOf(acquireInto(folder, { url: url("/disk.img.gz") }));
  expect(error).toMatchObject({ kind: "corrupt", message: expect.stringMatching(/^Cannot unpack .* as gzip/) });
  expect(folder.names()).toEqual([]);
});

test("a list of checksums, by URL and by path, decides", async () => {
  server.on("/latest/disk.img", fileHandler(image));
  server.on("/latest/SHA256SUMS", fileHandler(Buffer.from(`${sha256(image).hex} *disk.img\n`)));
  const checksums = await readChecksums(url("/latest/SHA256SUMS"), { retries: instantRetries() });
  const { warnings, digest } = await acquireInto(folder, { url: url("/latest/disk.img"), checksums });
  expect([warnings, digest]).toEqual([[], sha256(image)]);

  const path = join(folder.path, "SUMS");
  writeFileSync(path, `${sha256(Buffer.from("other")).hex}  other.img\n${"0".repeat(64)}  wrong.img\n`);
  const local = await readChecksums(path);
  const missing = await failureOf(acquireInto(folder, { url: url("/latest/x.img"), checksums: local }));
  expect(missing.message).toContain("it isn't listed");
  server.on("/latest/wrong.img", fileHandler(image));
  const wrong = await failureOf(acquireInto(folder, { url: url("/latest/wrong.img"), checksums: local }));
  expect(wrong.kind).toBe("verification-failed");
  await expect(readChecksums(join(folder.path, "none"))).rejects.toThrow("Cannot read the list of checksums");
});

test("a private release's asset comes through the API; the token goes nowhere else", async () => {
  await using api = await startServer();
  await using storage = await startServer();
  const asset = { name: "disk.img", url: `${api.origin}/repos/o/r/releases/assets/7` };
  const release = Buffer.from(JSON.stringify({ assets: [{ name: "x", url: "y" }, asset] }));
  api.on("/repos/o/r/releases/tags/v1", fileHandler(release));
  api.on("/repos/o/r/releases/latest", fileHandler(release));
  api.on("/repos/o/r/releases/assets/7", (request, response, count) => {
    const isJson = request.headers.accept === "application/vnd.github+json";
    if (isJson) fileHandler(Buffer.from(JSON.stringify(asset)))(request, response, count);
    else redirectHandler(`${storage.origin}/blob?signature=1`)(request, response, count);
  });
  storage.on("/blob", fileHandler(image));
  const github = { token: "secret", serverUrl: server.origin, apiUrl: api.origin };
  const byName = [url("/o/r/releases/download/v1/disk.img"), url("/o/r/releases/latest/download/disk.img"), asset.url];
  for (const each of byName) {
    using own = testFolder();
    const { paths } = await acquireInto(own, { url: each }, { github });
    expect(paths).toEqual([join(own.path, "disk.img")]);
  }
  expect(server.seen).toEqual([]);
  expect(api.seen.every(({ headers }) => headers.authorization === "Bearer secret")).toBe(true);
  expect(storage.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined, undefined]);
});

test("the token is for release assets alone; what it may not see is tried without", async () => {
  await using api = await startServer();
  server.on("/o/r/archive/v1.img", fileHandler(image));
  server.on("/o/r/releases/download/v1/disk.img", fileHandler(image));
  const github = { token: "secret", serverUrl: server.origin, apiUrl: api.origin };
  await acquireInto(folder, { url: url("/o/r/archive/v1.img") }, { github });
  await acquireInto(folder, { url: url("/o/r/releases/download/v1/disk.img") }, { github });
  expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  expect(api.seen.map((request) => request.url)).toEqual(["/repos/o/r/releases/tags/v1"]);

  // An answer that would send the token elsewhere isn't followed.
  const evil = { name: "evil.img", url: url("/evil.img") };
  api.on("/repos/o/r/releases/tags/v2", fileHandler(Buffer.from(JSON.stringify({ assets: [evil] }))));
  await failureOf(acquireInto(folder, { url: url("/o/r/releases/download/v2/evil.img") }, { github }));
  expect(server.seen.at(-1)?.url).toBe("/o/r/releases/download/v2/evil.img");
  expect(server.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
});
