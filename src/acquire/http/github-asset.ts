/** Release assets on GitHub, private ones too: their address in the API, which alone takes a token. */

import { ImageError } from "../../index.ts";
import type { Limits, Retries } from "../source/settings.ts";
import { bytesOf, type Headers } from "./request.ts";
import { RetryBudget, requestWithRetries } from "./retry.ts";

export interface GitHub {
  readonly token: string;
  /** Other than https://github.com on an enterprise's own server. */
  readonly serverUrl?: string;
  /** Other than https://api.github.com there. */
  readonly apiUrl?: string;
}

export interface ReleaseAsset {
  readonly url: URL;
  /** The file's name. */
  readonly name: string;
  readonly credentials: Headers;
}

interface Settings {
  readonly limits: Limits;
  readonly retries: Retries;
  readonly signal: AbortSignal;
}

/** A release's list of assets stays far below. */
const MAX_ANSWER = 2 ** 24;
const BY_NAME = /^\/([^/]+)\/([^/]+)\/releases\/(?:download\/([^/]+)|latest\/download)\/([^/]+)$/;
const BY_NUMBER = /^\/repos\/[^/]+\/[^/]+\/releases\/assets\/\d+$/;

/**
 * Where `url` is a release's asset that the token may read, its address in the API; undefined for any other URL, to
 * which the token never goes.
 */
export async function releaseAsset(url: URL, github: GitHub, settings: Settings): Promise<ReleaseAsset | undefined> {
  const api = (github.apiUrl ?? "https://api.github.com").replace(/\/$/, "");
  const server = new URL(github.serverUrl ?? "https://github.com");
  const credentials = { authorization: `Bearer ${github.token}`, accept: "application/octet-stream" };
  const ask = (address: string) => askApi(new URL(address), github.token, settings);

  if (url.href.startsWith(`${api}/`) && BY_NUMBER.test(url.href.slice(api.length))) {
    const found = await ask(url.href);
    return isAsset(found) ? { url, name: found.name, credentials } : undefined;
  }
  const [, owner, repository, tag, file = ""] = url.origin === server.origin ? (BY_NAME.exec(url.pathname) ?? []) : [];
  if (owner === undefined) return undefined;
  const release = tag === undefined ? "latest" : `tags/${tag}`;
  const found = await ask(`${api}/repos/${owner}/${repository}/releases/${release}`);
  const { assets = [] } = (found ?? {}) as { assets?: unknown[] };
  const asset = Array.isArray(assets) ? assets.find((each) => isAsset(each) && each.name === decoded(file)) : undefined;
  // The token goes to the API alone, whatever an answer says.
  if (!isAsset(asset) || !asset.url.startsWith(`${api}/`)) return undefined;
  return { url: new URL(asset.url), name: asset.name, credentials };
}

/** The answer's JSON; undefined where the token may not see it, so that the plain URL is tried without. */
async function askApi(url: URL, token: string, { limits, retries, signal }: Settings): Promise<unknown> {
  const credentials = { authorization: `Bearer ${token}`, accept: "application/vnd.github+json" };
  const request = { url, credentials, signal, stallMilliseconds: limits.stallSeconds * 1000 };
  const answer = await requestWithRetries(request, [200, 401, 403, 404], new RetryBudget(retries, signal));
  if (answer.status !== 200) {
    answer.drop();
    return undefined;
  }
  const bytes = await bytesOf(answer, MAX_ANSWER, `the answer of ${url.host}`);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new ImageError("io", `Cannot read the answer of ${url.host}: it is no JSON`, { cause });
  }
}

function isAsset(value: unknown): value is { readonly name: string; readonly url: string } {
  const { name, url } = (value ?? {}) as Record<string, unknown>;
  return typeof name === "string" && typeof url === "string";
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
