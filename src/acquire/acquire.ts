/** From a URL to disk images on this disk: downloaded, proven, unpacked, all in one pass, and only then given their names. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../index.ts";
import { type CachedDownload, cacheKey, type DownloadCache } from "./cache/download-cache.ts";
import type { ChecksumList } from "./checksum/checksum-list.ts";
import { Download, type DownloadRequest } from "./http/download.ts";
import { type GitHub, releaseAsset } from "./http/github-asset.ts";
import type { Headers } from "./http/request.ts";
import { outputFolderMistake } from "./output-folder.ts";
import { refuseTaken } from "./part.ts";
import { type Placed, type PlaceTask, place } from "./place.ts";
import { type Digest, expectedDigest } from "./source/digest.ts";
import { cleanName, downloadName, lastSegment } from "./source/file-name.ts";
import {
  DEFAULT_LIMITS,
  DEFAULT_RETRIES,
  type DownloadProgress,
  type Limits,
  type Retries,
} from "./source/settings.ts";
import { shownUrl, sourceUrl } from "./source/source-url.ts";
import { unpackingOf } from "./unpack/unpacking.ts";

export interface AcquireRequest {
  /** https; http to this machine itself. */
  readonly url: string;
  /** Of the bytes as they are downloaded. */
  readonly digest?: Digest | undefined;
  /** Where `digest` isn't given: the list that must name the file. */
  readonly checksums?: ChecksumList | undefined;
  /** For the URL's own origin; never sent on to another. */
  readonly headers?: Headers | undefined;
  /** Called with the images' names below the URL's own place before they are kept; throws where they are not wanted. */
  readonly accept?: ((names: readonly string[]) => void) | undefined;
}

export interface AcquireSettings {
  /** Made where it is missing. */
  readonly outputDirectory: string;
  readonly github?: GitHub | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Bytes of disk that one download may take: what it unpacks to, and what is kept of it for the cache. */
  readonly maxExtraSpace?: number | undefined;
  readonly retries?: Retries | undefined;
  readonly cache?: DownloadCache | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** What is kept for the cache is part of `diskBytes`. */
export interface Acquired extends Placed {
  readonly fromCache: boolean;
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
      const attempt = { hasCopy: false };
      try {
        return await perform({ ...task, cache: start === 0 ? task.cache : undefined }, attempt);
      } catch (error) {
        const isAnew = error instanceof ImageError && ["changed-underneath", "no-space"].includes(error.kind);
        // What was to go into the cache, or came out of it, may be what takes the space.
        const mayHelp = isAnew && (error.kind !== "no-space" || attempt.hasCopy);
        if (!mayHelp || start === MAX_FRESH_STARTS) throw error;
      }
    }
  } catch (error) {
    throw signal.aborted ? aborted(url, limits, deadline) : error;
  }
}

interface Task extends PlaceTask {
  readonly expected: Digest | undefined;
  readonly download: DownloadRequest;
  readonly cache: DownloadCache | undefined;
}

/** Whether the packed bytes lay on the disk too. */
interface Attempt {
  hasCopy: boolean;
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
  await makeFolder(settings.outputDirectory);
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
  const { cache, maxExtraSpace = Number.POSITIVE_INFINITY } = settings;
  const accept = request.accept ?? (() => {});
  return { url, expected, unpacking, path, download, signal, cache, limits, maxExtraSpace, accept };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    const why = (await outputFolderMistake(path)) ?? `Cannot use ${path}: ${(cause as Error).message}`;
    throw new ImageError("io", `${why}; name another folder`, { path, operation: "download", cause });
  }
}

async function perform(task: Task, attempt: Attempt): Promise<Acquired> {
  const warnings = task.expected ? [] : [unprovenWarning(task.url)];
  const known = task.cache && task.expected && (await task.cache.restore(cacheKey(task.url, task.expected)));
  const fromDigest = known && (await fromCache(task, known, warnings, attempt));
  if (fromDigest) return fromDigest;

  const download = await Download.open(task.download);
  try {
    const identity = task.expected ?? (download.etag === undefined ? undefined : { etag: download.etag });
    const key = identity && cacheKey(task.url, identity);
    if (task.cache && key !== undefined && task.expected === undefined) {
      const restored = await task.cache.restore(key);
      const fromEtag = restored && (await fromCache(task, restored, warnings, attempt));
      if (fromEtag) return fromEtag;
    }
    if (download.total === undefined && task.expected === undefined) warnings.push(unknownLengthWarning(task.url));
    const kept = key === undefined ? undefined : await task.cache?.keep(key, download.total);
    attempt.hasCopy = kept !== undefined;
    try {
      const placed = await place(task, download, task.expected, kept);
      await kept?.finish(placed.digest);
      const diskBytes = placed.diskBytes + (kept?.diskBytes ?? 0);
      return { ...placed, diskBytes, fromCache: false, warnings: [...warnings, ...placed.warnings] };
    } catch (error) {
      await kept?.giveUp();
      throw error;
    }
  } finally {
    download.drop();
  }
}

/** Undefined where what the cache gave can't be used; a warning tells. */
async function fromCache(
  task: Task,
  cached: CachedDownload,
  warnings: string[],
  attempt: Attempt,
): Promise<Acquired | undefined> {
  attempt.hasCopy = true;
  try {
    const placed = await place(task, cached, task.expected ?? cached.kept, undefined);
    return { ...placed, fromCache: true, warnings: [...warnings, ...placed.warnings] };
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
