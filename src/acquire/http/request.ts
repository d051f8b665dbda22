/** One HTTP request with its redirects: https on every hop, credentials for the first origin alone, no stalls. */

import * as http from "node:http";
import * as https from "node:https";
import { ImageError } from "../../index.ts";
import { redirected, shownUrl } from "../source/source-url.ts";

export type Headers = Readonly<Record<string, string>>;

export interface HttpRequest {
  readonly url: URL;
  /** For every hop. */
  readonly headers?: Headers;
  /** For the origin of `url` alone; once a redirect leaves it they are gone. */
  readonly credentials?: Headers;
  readonly signal: AbortSignal;
  /** How long the other side may say nothing. */
  readonly stallMilliseconds: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** As sent: nothing is decoded. Must be read to its end or dropped. */
  readonly body: AsyncIterableIterator<Buffer>;
  drop(): void;
}

const MAX_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];

/** A connection that failed in a way that another try may mend. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** @throws ConnectionLost, or ImageError where no other try would help */
export async function httpRequest(request: HttpRequest): Promise<HttpAnswer> {
  let { url, credentials } = request;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const message = await send(url, { ...request.headers, ...credentials }, request);
    const status = message.statusCode ?? 0;
    const { location } = message.headers;
    if (!REDIRECTS.includes(status) || location === undefined) {
      return {
        status,
        headers: message.headers,
        body: chunksOf(message, url, request.stallMilliseconds),
        drop: () => void message.destroy(),
      };
    }
    message.destroy();
    const next = redirected(url, location);
    if (next.origin !== url.origin) credentials = undefined;
    url = next;
  }
  throw new ImageError("unsupported", `Cannot download ${shownUrl(request.url)}: more than ${MAX_REDIRECTS} redirects`);
}

/** A short answer's bytes; throws ImageError `out-of-bounds` beyond `maxLength` of them. */
export async function bytesOf({ body }: HttpAnswer, maxLength: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxLength) throw new ImageError("out-of-bounds", `Cannot read ${what}: more than ${maxLength} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(url: URL, headers: Headers, { signal, stallMilliseconds }: HttpRequest): Promise<http.IncomingMessage> {
  const isSecure = url.protocol === "https:";
  // Plain http goes to this machine itself only, never through a proxy.
  const agent = isSecure ? new https.Agent({ proxyEnv: process.env }) : new http.Agent();
  const all = { "user-agent": "inplace-convert", "accept-encoding": "identity", ...headers };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? https : http).get(url, { agent, headers: all, signal });
    const timer = setTimeout(() => request.destroy(stalled(url, stallMilliseconds)), stallMilliseconds);
    request.on("response", (message) => {
      clearTimeout(timer);
      // What goes wrong before anyone reads is told to whoever reads.
      message.on("error", () => {});
      resolve(message);
    });
    request.on("error", (error) => {
      clearTimeout(timer);
      reject(lost(error, url));
    });
  });
}

async function* chunksOf(message: http.IncomingMessage, url: URL, stallMilliseconds: number): AsyncGenerator<Buffer> {
  // Only while we wait: a reader that takes its time is no stall.
  let isWaiting = true;
  const timer = setTimeout(() => {
    if (isWaiting) message.destroy(stalled(url, stallMilliseconds));
  }, stallMilliseconds);
  try {
    for await (const chunk of message) {
      isWaiting = false;
      yield chunk;
      isWaiting = true;
      timer.refresh();
    }
    if (!message.complete) throw new ConnectionLost(`Cannot read on from ${shownUrl(url)}: the connection was cut`);
  } catch (error) {
    throw lost(error, url);
  } finally {
    clearTimeout(timer);
    message.destroy();
  }
}

function stalled(url: URL, milliseconds: number): ConnectionLost {
  return new ConnectionLost(`Cannot read on from ${shownUrl(url)}: nothing came for ${milliseconds / 1000} s`);
}

const PASSING = /^(?:ECONN\w+|EPIPE|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ERR_STREAM_PREMATURE_CLOSE|HPE_\w+)$/;

/** The error as ours; one that passes as ConnectionLost. An abort stays as it is. */
function lost(error: unknown, url: URL): unknown {
  if (error instanceof ConnectionLost || error instanceof ImageError) return error;
  const { code, message, name } = error as NodeJS.ErrnoException;
  if (name === "AbortError") return error;
  const text = `Cannot reach ${shownUrl(url)}: ${message || code}`;
  if (code !== undefined && PASSING.test(code)) return new ConnectionLost(text, { cause: error });
  return new ImageError("io", text, { operation: "download", cause: error });
}
