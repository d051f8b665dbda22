/** The cache service of a runner (its second version) on the loopback, as @actions/cache talks to it. */

import type { IncomingMessage } from "node:http";
import { startServer, type TestServer } from "./http-server.ts";

export interface CacheServer extends AsyncDisposable {
  /** What a runner sets for its actions. */
  readonly environment: Readonly<Record<string, string>>;
  /** By key: the archive as it was uploaded. */
  readonly entries: Map<string, Buffer>;
  /** Names of the calls, in their order. */
  readonly calls: string[];
  /** Calls that are answered by this status. */
  readonly failing: Map<string, number>;
}

const SERVICE = "/twirp/github.actions.results.api.v1.CacheService/";

export async function startCacheServer(temp: string): Promise<CacheServer> {
  const server: TestServer = await startServer();
  const entries = new Map<string, Buffer>();
  const calls: string[] = [];
  const failing = new Map<string, number>();
  const uploads = new Map<string, Buffer>();
  const blob = (key: string) => {
    const path = `/blob/${encodeURIComponent(key)}`;
    server.on(path, (request, response) => {
      if (request.method === "PUT") {
        void bodyOf(request).then((body) => {
          uploads.set(key, body);
          response.writeHead(201).end();
        });
      } else response.end(entries.get(key));
    });
    return `${server.origin}${path}`;
  };
  const on = (call: string, answer: (asked: Record<string, string>) => object) =>
    server.on(`${SERVICE}${call}`, (request, response) => {
      calls.push(call);
      void bodyOf(request).then((body) => {
        const status = failing.get(call);
        response.setHeader("content-type", "application/json");
        if (status !== undefined) response.writeHead(status).end("{}");
        else response.end(JSON.stringify(answer(JSON.parse(body.toString()))));
      });
    });
  on("GetCacheEntryDownloadURL", ({ key = "" }) =>
    entries.has(key) ? { ok: true, signed_download_url: blob(key), matched_key: key } : { ok: false },
  );
  on("CreateCacheEntry", ({ key = "" }) =>
    entries.has(key) ? { ok: false } : { ok: true, signed_upload_url: blob(key) },
  );
  on("FinalizeCacheEntryUpload", ({ key = "" }) => {
    const upload = uploads.get(key);
    if (upload) entries.set(key, upload);
    return { ok: upload !== undefined, entry_id: "1" };
  });
  return {
    environment: {
      ACTIONS_CACHE_SERVICE_V2: "true",
      ACTIONS_RESULTS_URL: `${server.origin}/`,
      ACTIONS_RUNTIME_TOKEN: "x",
      RUNNER_TEMP: temp,
      GITHUB_WORKSPACE: temp,
    },
    entries,
    calls,
    failing,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
