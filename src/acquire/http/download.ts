/**
 * A download as one unbroken stream of bytes: where the connection is cut it goes on by Range (RFC 9110, section 14),
 * and where the server can't, it reads again from the start and proves that the beginning is still the same.
 */

import { createHash, type Hash } from "node:crypto";
import { formatSize, ImageError } from "../../index.ts";
import type { Digest, DigestAlgorithm } from "../source/digest.ts";
import type { DownloadProgress, Limits, Retries } from "../source/settings.ts";
import { shownUrl } from "../source/source-url.ts";
import { ConnectionLost, type Headers, type HttpAnswer } from "./request.ts";
import { RetryBudget, requestWithRetries } from "./retry.ts";

export interface DownloadRequest {
  readonly url: URL;
  readonly headers: Headers;
  readonly credentials: Headers;
  readonly algorithm: DigestAlgorithm;
  readonly limits: Limits;
  readonly retries: Retries;
  readonly signal: AbortSignal;
  onProgress(progress: DownloadProgress): void;
}

/** Bytes that come from somewhere, and their digest. */
export interface ByteSource {
  /** Undefined where it isn't known before the end. */
  readonly total: number | undefined;
  /** All of them, once. */
  bytes(): AsyncGenerator<Buffer>;
  /** Of the bytes that were given out. */
  digest(): Digest;
  /** Nobody wants more of it: whoever waits for bytes gets an error. */
  drop(): void;
}

/** After so much progress the next failure counts as the first. */
const FRESH_START_BYTES = 2 ** 20;

export class Download implements ByteSource {
  readonly total: number | undefined;
  /** A strong one: the same ETag, the same bytes. */
  readonly etag: string | undefined;
  readonly #request: DownloadRequest;
  readonly #first: HttpAnswer;
  readonly #budget: RetryBudget;
  readonly #hash: Hash;
  readonly #dropping: AbortController;
  #received = 0;

  /** @param dropping ends whatever the request's signal would */
  constructor(request: DownloadRequest, first: HttpAnswer, budget: RetryBudget, dropping: AbortController) {
    this.#request = request;
    this.#first = first;
    this.#budget = budget;
    this.#dropping = dropping;
    this.#hash = createHash(request.algorithm);
    this.total = contentLength(first);
    this.etag = strongEtag(first);
    this.#refuseUnfit(first);
  }

  /** Asks for it and reads the answer's head. Throws ImageError. */
  static async open(asked: DownloadRequest): Promise<Download> {
    const dropping = new AbortController();
    const request = { ...asked, signal: AbortSignal.any([asked.signal, dropping.signal]) };
    const budget = new RetryBudget(request.retries, request.signal);
    const first = await requestWithRetries(httpRequestOf(request, {}), [200], budget);
    try {
      return new Download(request, first, budget, dropping);
    } catch (error) {
      first.drop();
      throw error;
    }
  }

  /** Throws ImageError `io` when it can't go on, `changed-underneath` where the server now has something else. */
  async *bytes(): AsyncGenerator<Buffer> {
    let body: AsyncIterable<Buffer> = this.#first.body;
    let fresh = 0;
    for (;;) {
      try {
        for await (const chunk of body) {
          this.#count(chunk);
          fresh += chunk.length;
          if (fresh >= FRESH_START_BYTES) this.#budget.reset();
          yield chunk;
        }
        if (this.total === undefined || this.#received === this.total) return;
        throw new ConnectionLost(
          `Cannot read on from ${this.#shown}: it ended at byte ${this.#received} of ${this.total}`,
        );
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        await this.#budget.next(error);
        fresh = 0;
        body = this.#goOn();
      }
    }
  }

  digest(): Digest {
    return { algorithm: this.#request.algorithm, hex: this.#hash.copy().digest("hex") };
  }

  drop(): void {
    this.#dropping.abort();
  }

  get #shown(): string {
    return shownUrl(this.#request.url);
  }

  #count(chunk: Buffer): void {
    const { limits, onProgress } = this.#request;
    this.#received += chunk.length;
    if (this.#received > limits.downloadBytes) throw this.#tooLarge();
    if (this.total !== undefined && this.#received > this.total) {
      throw this.#changed(`more came than the ${this.total} bytes that were announced`);
    }
    this.#hash.update(chunk);
    onProgress({ received: this.#received, total: this.total });
  }

  /** The bytes from where we are. */
  async *#goOn(): AsyncGenerator<Buffer> {
    const validator = this.etag ?? this.#first.headers["last-modified"];
    const from = this.#received;
    const canRange = from > 0 && validator !== undefined;
    const range: Headers = canRange ? { range: `bytes=${from}-`, "if-range": validator } : {};
    const answer = await requestWithRetries(httpRequestOf(this.#request, range), [200, 206, 416], this.#budget);
    try {
      if (answer.status === 416) throw this.#changed("it ends before the byte where the connection was cut");
      if (answer.status === 206) {
        this.#refuseOtherRange(answer, from);
        yield* answer.body;
      } else {
        this.#refuseUnfit(answer);
        yield* this.#afterSameStart(answer, from);
      }
    } finally {
      answer.drop();
    }
  }

  #refuseOtherRange(answer: HttpAnswer, from: number): void {
    const { "content-range": range = "" } = answer.headers;
    const [, start, size] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? [];
    if (Number(start) !== from) throw this.#changed(`asked for byte ${from}, the server sent "${range}"`);
    const isSame = size === "*" || this.total === undefined || Number(size) === this.total;
    const etag = strongEtag(answer);
    if (!isSame || (etag !== undefined && etag !== this.etag)) throw this.#changed("its length or ETag is another");
  }

  async *#afterSameStart(answer: HttpAnswer, length: number): AsyncGenerator<Buffer> {
    const total = contentLength(answer);
    if (total !== undefined && this.total !== undefined && total !== this.total) {
      throw this.#changed(`its length was ${this.total}, now it is ${total}`);
    }
    const start = createHash(this.#request.algorithm);
    let isProven = false;
    let seen = 0;
    for await (const chunk of answer.body) {
      const known = chunk.subarray(0, Math.max(0, length - seen));
      const rest = chunk.subarray(known.length);
      seen += chunk.length;
      if (!isProven) {
        start.update(known);
        if (seen < length) continue;
        if (start.digest("hex") !== this.digest().hex) throw this.#changed("its beginning is another");
        isProven = true;
      }
      if (rest.length > 0) yield rest;
    }
    if (!isProven) throw new ConnectionLost(`Cannot read on from ${this.#shown}: it ended at byte ${seen}`);
  }

  #refuseUnfit(answer: HttpAnswer): void {
    const { "content-encoding": encoding = "identity" } = answer.headers;
    // Many servers say gzip of a file that is gzip by itself; its bytes are those of the file.
    const isFilesOwn = /^(?:x-)?gzip$/.test(encoding) && /\.t?gz$/i.test(this.#request.url.pathname);
    if (encoding !== "identity" && encoding !== "" && !isFilesOwn) {
      throw new ImageError("unsupported", `Cannot download ${this.#shown}: the server encodes it as ${encoding}`);
    }
    const total = contentLength(answer);
    if (total !== undefined && total > this.#request.limits.downloadBytes) throw this.#tooLarge();
  }

  #tooLarge(): ImageError {
    const limit = formatSize(this.#request.limits.downloadBytes);
    return new ImageError("out-of-bounds", `Cannot download ${this.#shown}: it is larger than ${limit}`, {
      operation: "download",
    });
  }

  #changed(how: string): ImageError {
    return new ImageError("changed-underneath", `Cannot go on with ${this.#shown}: ${how}`, { operation: "download" });
  }
}

function httpRequestOf({ url, headers, credentials, limits, signal }: DownloadRequest, range: Headers) {
  const stallMilliseconds = limits.stallSeconds * 1000;
  return { url, headers: { ...headers, ...range }, credentials, signal, stallMilliseconds };
}

function contentLength({ headers }: HttpAnswer): number | undefined {
  const text = headers["content-length"];
  const length = text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(length) ? length : undefined;
}

function strongEtag({ headers: { etag } }: HttpAnswer): string | undefined {
  return etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : undefined;
}
