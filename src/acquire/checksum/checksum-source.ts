/** Reads a list of checksums from a path or a URL. */

import { open } from "node:fs/promises";
import { ImageError } from "../../index.ts";
import { type GitHub, releaseAsset } from "../http/github-asset.ts";
import { bytesOf, type Headers } from "../http/request.ts";
import { RetryBudget, requestWithRetries } from "../http/retry.ts";
import { DEFAULT_LIMITS, DEFAULT_RETRIES, type Limits, type Retries } from "../source/settings.ts";
import { shownUrl, sourceUrl } from "../source/source-url.ts";
import { ChecksumList, listText, MAX_LIST_BYTES } from "./checksum-list.ts";

export interface ChecksumSettings {
  readonly headers?: Headers | undefined;
  readonly github?: GitHub | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly retries?: Retries | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws UsageError for a URL that can't be used, ImageError where nothing can be read or it is no such list */
export async function readChecksums(source: string, settings: ChecksumSettings = {}): Promise<ChecksumList> {
  if (!isUrl(source)) return new ChecksumList(await readPath(source), source);
  const url = sourceUrl(source);
  const limits = { ...DEFAULT_LIMITS, ...settings.limits };
  const retries = settings.retries ?? DEFAULT_RETRIES;
  const deadline = AbortSignal.timeout(limits.seconds * 1000);
  const signal = settings.signal ? AbortSignal.any([settings.signal, deadline]) : deadline;
  const asset = settings.github && (await releaseAsset(url, settings.github, { limits, retries, signal }));
  const request = {
    url: asset?.url ?? url,
    credentials: asset?.credentials ?? settings.headers ?? {},
    signal,
    stallMilliseconds: limits.stallSeconds * 1000,
  };
  const answer = await requestWithRetries(request, [200], new RetryBudget(retries, signal));
  return new ChecksumList(listText(await bytesOf(answer, MAX_LIST_BYTES, shownUrl(url))), shownUrl(url));
}

/** `C:\x` is none. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(text);
}

async function readPath(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      if (size > MAX_LIST_BYTES) throw new Error(`it is larger than ${MAX_LIST_BYTES} bytes`);
      return listText(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (cause) {
    const { message } = cause as Error;
    throw new ImageError("io", `Cannot read the list of checksums ${path}: ${message}`, { path, cause });
  }
}
