/** A registry on loopback that knows one package, and hands the same tarball out under any other path that ends in its name. */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/**
 * @param manifest the package's package.json
 * @param tarball the package as `npm pack` made it
 * @returns the registry's address, which is gone after the test
 */
export async function serveRegistry(manifest: PackageManifest, tarball: Uint8Array): Promise<string> {
  const { name, version } = manifest;
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const server = createServer(({ url = "" }, response) => {
    if (url.endsWith(`/${name}-${version}.tgz`)) response.end(tarball);
    else if (url === `/${name}`) {
      const dist = { integrity, tarball: `${address}/${name}/-/${name}-${version}.tgz` };
      const versions = { [version]: { ...manifest, dist } };
      response.end(JSON.stringify({ name, "dist-tags": { latest: version }, versions }));
    } else response.writeHead(404).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return address;
}

interface PackageManifest {
  readonly name: string;
  readonly version: string;
}
