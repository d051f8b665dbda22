/** A loopback server of a folder's files, as a mirror of images has them: with a list of their digests. */

import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export interface ImageServer {
  readonly folder: string;
  /** Without a slash at its end. */
  readonly url: string;
  /** Writes SHA256SUMS and SHA512SUMS of all that is there. */
  list(): void;
  digestOf(name: string): string;
}

/** Gone after the test. */
export async function serveImages(): Promise<ImageServer> {
  const folder = mkdtempSync(join(tmpdir(), "inplace-convert-served-"));
  const server = createServer((request, response) => {
    const name = (request.url ?? "/").slice(1);
    if (!readdirSync(folder).includes(name)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-length": statSync(join(folder, name)).size });
    createReadStream(join(folder, name)).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });
  const digest = (algorithm: string, name: string) =>
    createHash(algorithm)
      .update(readFileSync(join(folder, name)))
      .digest("hex");
  return {
    folder,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    digestOf: (name) => digest("sha256", name),
    list() {
      const names = readdirSync(folder).filter((name) => !name.endsWith("SUMS"));
      for (const algorithm of ["sha256", "sha512"]) {
        const lines = names.map((name) => `${digest(algorithm, name)}  ${name}\n`);
        writeFileSync(join(folder, `${algorithm.toUpperCase()}SUMS`), lines.join(""));
      }
    },
  };
}
