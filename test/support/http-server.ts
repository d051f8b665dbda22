/** A real HTTP server on the loopback that serves files and misbehaves as told. */

import { createHash } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** Answers one request. `count` is how often this path was asked before. */
export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  readonly seen: readonly SeenRequest[];
  on(path: string, handler: Handler): void;
}

export async function startServer(): Promise<TestServer> {
  const handlers = new Map<string, Handler>();
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    const [path = ""] = url.split("?");
    const count = seen.filter((each) => each.url.split("?")[0] === path).length;
    seen.push({ method, url, headers });
    const handler = handlers.get(path);
    if (handler) handler(request, response, count);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    on: (path, handler) => void handlers.set(path, handler),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface FileManners {
  /** Strong, weak or none; without it there is no If-Range by ETag. */
  readonly etag?: string;
  readonly lastModified?: string;
  readonly hasRanges?: boolean;
  /** After so many bytes of the body the connection is cut, in the n-th answer. */
  readonly cutAfter?: readonly number[];
  /** What the client took: a cut waits for it, since what lies in buffers is lost with the connection. */
  readonly taken?: { received: number };
  /** Instead of the true one; null leaves it out. */
  readonly contentLength?: number | null;
}

/** A file served as a good server does, but for what `manners` say. */
export function fileHandler(content: Buffer | ((count: number) => Buffer), manners: FileManners = {}): Handler {
  return (request, response, count) => {
    const bytes = typeof content === "function" ? content(count) : content;
    const { etag, lastModified, hasRanges = true, cutAfter = [], contentLength, taken } = manners;
    if (etag !== undefined) response.setHeader("etag", etag);
    if (lastModified !== undefined) response.setHeader("last-modified", lastModified);
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
    const isSame = [etag, lastModified].includes(request.headers["if-range"] as string);
    const start = hasRanges && isSame && from !== undefined ? Number(from) : 0;
    const body = bytes.subarray(start);
    const length = contentLength === undefined ? body.length : contentLength;
    if (length !== null) response.setHeader("content-length", length);
    if (start > 0) {
      response.setHeader("content-range", `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
      response.statusCode = 206;
    }
    const cut = cutAfter[count];
    if (cut === undefined) {
      // In two, or Node would announce a length by itself.
      response.write(body);
      response.end();
      return;
    }
    if (taken) taken.received = start;
    response.write(body.subarray(0, cut));
    const timer = setInterval(() => {
      if (taken !== undefined && taken.received < start + cut && !response.destroyed) return;
      clearInterval(timer);
      response.destroy();
    }, 1);
  };
}

export function redirectHandler(location: string, status = 302): Handler {
  return (_, response) => response.writeHead(status, { location }).end();
}

export function sha256(bytes: Uint8Array): { readonly algorithm: "sha256"; readonly hex: string } {
  return { algorithm: "sha256", hex: createHash("sha256").update(bytes).digest("hex") };
}
