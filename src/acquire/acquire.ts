/** From a URL to disk images on this disk: downloaded, proven, unpacked, all in one pass, and only then given their names. */

import { mkdir, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatSize, ImageError } from "../index.ts";
import { extractImages } from "./archive.ts";
import type { Bytes } from "./byte-reader.ts";
import type { ChecksumList } from "./checksum-list.ts";
import { type Digest, expectedDigest, verifyDigest } from "./digest.ts";
import { type ByteSource, Download, type DownloadRequest } from "./download.ts";
import { type CachedDownload, cacheKey, type DownloadCache, type KeptDownload } from "./download-cache.ts";
import { cleanName, downloadName, lastSegment } from "./file-name.ts";
import { type GitHub, releaseAsset } from "./github-asset.ts";
import type { Headers } from "./http-request.ts";
import { finishPart, partName, refuseTaken, removePart } from "./part.ts";
import { DEFAULT_LIMITS, DEFAULT_RETRIES, type DownloadProgress, type Limits, type Retries } from "./settings.ts";
import { shownUrl, sourceUrl } from "./source-url.ts";
import { SparseFile, type SparseLimits } from "./sparse-file.ts";
import { type Unpacking, unpacked, unpackingOf } from "./unpacking.ts";

export interface AcquireRequest {
  /** https; http to this machine itself. */
  readonly url: string;
  /** Of the bytes as they are downloaded. */
  readonly digest?: Digest | undefined;
  /** Where `digest` isn't given: the list that must name the file. */
  readonly checksums?: ChecksumList | undefined;
  /** For the URL's own origin; never sent on to another. */
  readonly headers?: Headers | undefined;
}

export interface AcquireSettings {
  /** Made where it is missing. */
  readonly outputDirectory: string;
  readonly github?: GitHub | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly retries?: Retries | undefined;
  readonly cache?: DownloadCache | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

export interface Acquired {
  /** Below the output directory; an archive may give several. */
  readonly paths: readonly string[];
  /** Of the bytes as they were downloaded. */
  readonly digest: Digest;
  /** As downloaded. */
  readonly bytes: number;
  readonly fromCache: boolean;
  /** What a user must hear: one sentence each. */
  readonly warnings: readonly string[];
}

/** A file that changes while it is downloaded is begun anew so many times. */
const MAX_FRESH_STARTS = 2;

/**
 * Nothing bears its own name before its digest is proven; what failed leaves nothing behind.
 *
 * @throws UsageError for a URL or digest that can't be used, ImageError for all that goes wrong
 */
export async function acquire(request: AcquireRequest, settings: AcquireSettings): Promise<Acquired> {
  const url = sourceUrl(request.url);
  const limits = { ...DEFAULT_LIMITS, ...settings.limits };
  const deadline = AbortSignal.timeout(limits.seconds * 1000);
  const signal = settings.signal ? AbortSignal.any([settings.signal, deadline]) : deadline;
  try {
    const task = await prepare(url, request, settings, limits, signal);
    for (let start = 0; ; start++) {
      try {
        return await perform({ ...task, cache: start === 0 ? task.cache : undefined });
      } catch (error) {
        const isAnew = error instanceof ImageError && ["changed-underneath", "no-space"].includes(error.kind);
        // What was to go into the cache may be what takes the space.
        const mayHelp = isAnew && (error.kind !== "no-space" || (start === 0 && task.cache !== undefined));
        if (!mayHelp || start === MAX_FRESH_STARTS) throw error;
      }
    }
  } catch (error) {
    throw signal.aborted ? aborted(url, limits, deadline) : error;
  }
}

interface Task {
  readonly url: URL;
  readonly expected: Digest | undefined;
  readonly unpacking: Unpacking;
  /** The file's or, for an archive, the folder's. */
  readonly path: string;
  readonly download: DownloadRequest;
  readonly cache: DownloadCache | undefined;
  readonly limits: Limits;
}

async function prepare(
  url: URL,
  request: AcquireRequest,
  settings: AcquireSettings,
  limits: Limits,
  signal: AbortSignal,
): Promise<Task> {
  const retries = settings.retries ?? DEFAULT_RETRIES;
  const asset = settings.github && (await releaseAsset(url, settings.github, { limits, retries, signal }));
  const name = (asset && cleanName(asset.name)) ?? downloadName(url);
  const listed = request.digest ?? request.checksums?.digestOf(asset?.name ?? lastSegment(url));
  const expected = listed && expectedDigest(listed);
  const unpacking = unpackingOf(name);
  const path = join(settings.outputDirectory, cleanName(unpacking.name) ?? name);
  await mkdir(settings.outputDirectory, { recursive: true });
  await refuseTaken(path);
  const download: DownloadRequest = {
    url: asset?.url ?? url,
    headers: {},
    credentials: asset?.credentials ?? request.headers ?? {},
    algorithm: expected?.algorithm ?? "sha256",
    limits,
    retries,
    signal,
    onProgress: settings.onProgress ?? (() => {}),
  };
  return { url, expected, unpacking, path, download, cache: settings.cache, limits };
}

async function perform(task: Task): Promise<Acquired> {
  const warnings = task.expected ? [] : [unprovenWarning(task.url)];
  const known = task.cache && task.expected && (await task.cache.restore(cacheKey(task.url, task.expected)));
  const fromDigest = known && (await fromCache(task, known, warnings));
  if (fromDigest) return fromDigest;

  const download = await Download.open(task.download);
  try {
    const identity = task.expected ?? (download.etag === undefined ? undefined : { etag: download.etag });
    const key = identity && cacheKey(task.url, identity);
    if (task.cache && key !== undefined && task.expected === undefined) {
      const restored = await task.cache.restore(key);
      const fromEtag = restored && (await fromCache(task, restored, warnings));
      if (fromEtag) return fromEtag;
    }
    if (download.total === undefined && task.expected === undefined) warnings.push(unknownLengthWarning(task.url));
    const kept = key === undefined ? undefined : await task.cache?.keep(key, download.total);
    try {
      const placed = await place(task, download, task.expected, kept);
      await kept?.finish(placed.digest);
      return { ...placed, fromCache: false, warnings };
    } catch (error) {
      await kept?.giveUp();
      throw error;
    }
  } finally {
    download.drop();
  }
}

/** Undefined where what the cache gave can't be used; a warning tells. */
async function fromCache(task: Task, cached: CachedDownload, warnings: string[]): Promise<Acquired | undefined> {
  try {
    const placed = await place(task, cached, task.expected ?? cached.kept, undefined);
    return { ...placed, fromCache: true, warnings };
  } catch (error) {
    task.download.signal.throwIfAborted();
    if (error instanceof ImageError && ["in-use", "no-space"].includes(error.kind)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    warnings.push(`What the cache gave for ${shownUrl(task.url)} is not used: ${reason}`);
    return undefined;
  } finally {
    await cached.remove();
  }
}

/** All bytes of the source to their place, under their own name only once they are what was expected. */
async function place(
  task: Task,
  source: ByteSource,
  expected: Digest | undefined,
  kept: KeptDownload | undefined,
): Promise<Pick<Acquired, "paths" | "digest" | "bytes">> {
  const { path, unpacking, url } = task;
  const { signal } = task.download;
  const what = shownUrl(url);
  const limits = await spaceFor(source, task);
  const part = partName(path);
  const bytes = source.bytes();
  let received = 0;
  const counted = async function* (): Bytes & AsyncGenerator<Uint8Array> {
    for (let next = await bytes.next(); !next.done; next = await bytes.next()) {
      signal.throwIfAborted();
      received += next.value.length;
      await kept?.write(next.value);
      yield next.value;
    }
  };
  try {
    const whole = counted();
    const content = bounded(unpacked(whole, unpacking.codec, what), limits.length, signal, what);
    const names = unpacking.isArchive
      ? await extractImages(content, part, limits, what)
      : await writeFile(content, part, limits);
    // A codec may stop before the end; the digest is of everything.
    for await (const _ of whole);
    const digest = source.digest();
    if (expected) verifyDigest(what, expected, digest);
    signal.throwIfAborted();
    await finishPart(part, path, unpacking.isArchive ? "folder" : "file");
    return { paths: names.map((name) => join(path, name)), digest, bytes: received };
  } finally {
    // A decoder that failed may still wait for bytes.
    source.drop();
    await bytes.return(undefined);
    await removePart(part);
  }
}

async function writeFile(content: Bytes, path: string, limits: SparseLimits): Promise<readonly string[]> {
  const file = await SparseFile.create(path, limits);
  try {
    for await (const chunk of content) await file.write(chunk);
    await file.finish();
  } finally {
    await file.abandon();
  }
  return [""];
}

/** However little of it is written: a bomb of zeros needs no space. */
async function* bounded(bytes: Bytes, limit: number, signal: AbortSignal, what: string): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of bytes) {
    signal.throwIfAborted();
    length += chunk.length;
    if (length > limit) {
      throw new ImageError("out-of-bounds", `Cannot unpack ${what}: it is larger than ${formatSize(limit)}`, {
        operation: "unpack",
      });
    }
    yield chunk;
  }
}

/** What may be written; throws ImageError `no-space` where the download alone wouldn't fit. */
async function spaceFor({ total = 0 }: ByteSource, { path, limits, url }: Task): Promise<SparseLimits> {
  const { bavail, bsize } = await statfs(dirname(path));
  const free = bavail * bsize;
  if (total > free) {
    const sizes = `it has ${formatSize(total)}, and ${formatSize(free)} are free in ${dirname(path)}`;
    throw new ImageError("no-space", `Cannot download ${shownUrl(url)}: ${sizes}; free some space`, {
      path,
      operation: "download",
    });
  }
  return { length: limits.unpackedBytes, allocated: free };
}

function aborted(url: URL, { seconds }: Limits, deadline: AbortSignal): ImageError {
  const why = deadline.aborted ? `it took longer than ${seconds} s` : "it was cancelled";
  return new ImageError("interrupted", `Cannot download ${shownUrl(url)}: ${why}; nothing of it was kept`, {
    operation: "download",
  });
}

function unprovenWarning(url: URL): string {
  return `Nothing proves that ${shownUrl(url)} is what you expect: add sha256:HEX or sha512:HEX, or name its list by checksums`;
}

function unknownLengthWarning(url: URL): string {
  return `Nothing proves that ${shownUrl(url)} came whole: the server doesn't say how long it is`;
}
