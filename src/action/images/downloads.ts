/** The lines of `image` that are URLs: each downloaded to the output directory, with what is to be told about it. */

import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import {
  type Acquired,
  acquire,
  type ChecksumList,
  cacheUse,
  DownloadCache,
  discardPending,
  downloadName,
  type GitHub,
  outputFolderMistake,
  type PendingSave,
  readChecksums,
  refuseTaken,
  shownUrl,
  sourceUrl,
  unpackingOf,
} from "../../acquire/index.ts";
import { lastSegment } from "../../acquire/source/file-name.ts";
import { counted, ImageError, UsageError } from "../../index.ts";
import type { DownloadDigest, UrlLine } from "../inputs/image-lines.ts";
import { inputMistake } from "../inputs/input-mistakes.ts";
import type { AcquireInputs, Inputs } from "../inputs/inputs.ts";
import type { Download } from "../results/image-result.ts";
import { namedImages, newFormatOf } from "./named-images.ts";
import type { ImageToDo } from "./work.ts";

export interface Downloaded {
  readonly paths: readonly string[];
  readonly download: Download;
  /** That it takes on the disk. */
  readonly diskBytes: number;
  /** What its own manifest proves of it. */
  readonly notes: readonly string[];
}

/** Between two lines about one download's progress. */
const LINE_EVERY_MS = 10_000;

export class Downloads {
  readonly #inputs: AcquireInputs;
  readonly #urls: readonly UrlLine[];
  readonly #maxExtraSpace: number | undefined;
  readonly #checksums: ChecksumList | undefined;
  readonly #cache: DownloadCache;
  readonly #signal: AbortSignal;

  private constructor(
    { acquire: inputs, urls, convertOptions }: Inputs,
    checksums: ChecksumList | undefined,
    signal: AbortSignal,
  ) {
    this.#inputs = inputs;
    this.#urls = urls;
    this.#maxExtraSpace = convertOptions.maxExtraSpace;
    this.#checksums = checksums;
    this.#signal = signal;
    // Its place is part of an entry's identity, so that it must be the same in every run.
    const folder = join(process.env.RUNNER_TEMP || tmpdir(), "inplace-convert-cache");
    this.#cache = new DownloadCache(folder, cacheUse(inputs.cache, process.env));
  }

  /** Reads the list of checksums; all mistakes in one UsageError each. */
  static async prepare(
    allInputs: Inputs,
    signal: AbortSignal,
  ): Promise<{ readonly downloads: Downloads | undefined; readonly mistakes: readonly string[] }> {
    const { acquire: inputs, urls } = allInputs;
    const mistakes = urlMistakes(urls, inputs).map((mistake) => inputMistake("image", mistake));
    const folder = await outputFolderMistake(outputDirectory(inputs));
    if (folder !== undefined) mistakes.push(inputMistake("output-directory", folder));
    let checksums: ChecksumList | undefined;
    try {
      const settings = { headers: inputs.headers, github: gitHubOf(inputs), signal };
      if (inputs.checksums !== undefined) checksums = await readChecksums(inputs.checksums, settings);
    } catch (error) {
      mistakes.push(inputMistake("checksums", error instanceof Error ? error.message : String(error)));
    }
    if (mistakes.length > 0) return { downloads: undefined, mistakes };
    return { downloads: new Downloads(allInputs, checksums, signal), mistakes };
  }

  /**
   * Its images with the names that they will have.
   *
   * @param paths of what was downloaded; before that where it will lie, for an archive the folder, which must be free
   */
  async namesOf(line: UrlLine, inputs: Inputs, paths?: readonly string[]): Promise<readonly ImageToDo[]> {
    const { url, guestChecksum } = line;
    const place = placeOf(url, this.#inputs);
    if (paths === undefined) await refuseTaken(place);
    const images = (paths ?? [place]).map((path) => ({ path, guestChecksum }));
    return namedImages(images, newFormatOf(inputs));
  }

  /** That of the line, else the list's. Throws ImageError where the list doesn't name the file. */
  digestOf({ url, digest }: UrlLine): DownloadDigest | undefined {
    return digest ?? this.#checksums?.digestOf(lastSegment(new URL(url)));
  }

  /** Throws ImageError and UsageError; then nothing of it is left. */
  async fetch({ url, digest, guestChecksum }: UrlLine, log: (line: string) => void): Promise<Downloaded> {
    const shown = shownUrl(new URL(url));
    const accept = (names: readonly string[]) => {
      if (guestChecksum === undefined || names.length === 1) return;
      throw new UsageError(`Cannot expect one guest digest of the ${counted(names.length, "image")} in ${shown}`);
    };
    const got = await acquire(
      { url, digest, checksums: this.#checksums, headers: this.#inputs.headers, accept },
      {
        outputDirectory: outputDirectory(this.#inputs),
        github: gitHubOf(this.#inputs),
        cache: this.#cache,
        maxExtraSpace: this.#maxExtraSpace,
        signal: this.#signal,
        onProgress: progressLines(shown, log),
      },
    );
    return { paths: got.paths, download: downloadOf(shown, got), diskBytes: got.diskBytes, notes: got.notes };
  }

  /** Where what is fetched will lie: files, of archives folders. */
  get places(): readonly string[] {
    return this.#urls.map(({ url }) => placeOf(url, this.#inputs));
  }

  get pendingSaves(): readonly PendingSave[] {
    return this.#cache.pendingSaves;
  }

  /** What was kept for the cache is not worth keeping. */
  async discard(): Promise<void> {
    await discardPending(this.pendingSaves);
  }
}

function progressLines(shown: string, log: (line: string) => void) {
  let last = performance.now();
  return ({ received, total }: { readonly received: number; readonly total: number | undefined }) => {
    if (performance.now() - last < LINE_EVERY_MS) return;
    last = performance.now();
    log(`${shown}: download: ${total ? `${Math.floor((100 * received) / total)} %` : `${received} bytes`}`);
  };
}

/** A URL for logs and annotations: what it may hold of secrets left out. */
export function shownLine({ url }: UrlLine): string {
  return shownUrl(new URL(url));
}

function urlMistakes(urls: readonly UrlLine[], inputs: AcquireInputs): string[] {
  const places = new Map<string, string>();
  return urls.flatMap((line) => {
    try {
      const place = placeOf(line.url, inputs);
      const other = places.get(place);
      places.set(place, line.url);
      if (other === undefined) return [];
      const both = `${shownUrl(new URL(other))} and ${shownLine(line)}`;
      return [`Cannot download ${both}: both would be called ${place}; use a step with another output-directory`];
    } catch (error) {
      if (error instanceof UsageError || error instanceof ImageError) return [error.message];
      throw error;
    }
  });
}

function placeOf(url: string, inputs: AcquireInputs): string {
  return join(outputDirectory(inputs), unpackingOf(downloadName(sourceUrl(url))).name);
}

function outputDirectory(inputs: AcquireInputs): string {
  return inputs.outputDirectory ?? (relative("", process.env.GITHUB_WORKSPACE || "") || ".");
}

function gitHubOf({ githubToken }: AcquireInputs): GitHub | undefined {
  if (githubToken === undefined) return undefined;
  const { GITHUB_SERVER_URL: serverUrl, GITHUB_API_URL: apiUrl } = process.env;
  return { token: githubToken, ...(serverUrl ? { serverUrl } : {}), ...(apiUrl ? { apiUrl } : {}) };
}

function downloadOf(url: string, { digest, bytes, fromCache, warnings }: Acquired): Download {
  return { url, digest: `${digest.algorithm}:${digest.hex}`, bytes, fromCache, warnings };
}
