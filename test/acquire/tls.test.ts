/** https as the outside world speaks it: certificates are proven, and a proxy of the environment is used. */

import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer as createProxy } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestFolder, testFolder } from "../support/acquiring.ts";

const content = randomBytes(200_000);
const acquireUrl = new URL("../../src/acquire/index.ts", import.meta.url).href;
const client = `
import { acquire } from ${JSON.stringify(acquireUrl)};
const [url, outputDirectory] = process.argv.slice(1);
const retries = { count: 0, wait: async () => {} };
await acquire({ url }, { outputDirectory, retries }).catch((error) => {
  console.log(error.message);
  process.exitCode = 1;
});
`;
let folder: TestFolder;
let port: number;
const secure = createServer((request, response) => {
  if (request.url === "/away.qcow2") response.writeHead(302, { location: "http://127.0.0.1:1/x" }).end();
  else response.end(content);
});
beforeAll(async () => {
  folder = testFolder();
  const [key, cert] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  const files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert];
  execFileSync("openssl", [...request, ...files], { stdio: "ignore" });
  secure.setSecureContext({ key: readFileSync(key), cert: readFileSync(cert) });
  await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
  port = (secure.address() as AddressInfo).port;
});
afterAll(async () => {
  await new Promise((resolve) => secure.close(resolve));
  folder[Symbol.dispose]();
});

/** In a process of its own: Node reads certificates and proxies from the environment when it starts. */
async function run(path: string, environment: Record<string, string>) {
  const output = join(folder.path, randomBytes(4).toString("hex"));
  const url = `https://localhost:${port}${path}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", client, url, output], {
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    env: { ...process.env, NO_PROXY: "localhost", no_proxy: "localhost", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const exitCode = await new Promise((resolve) => child.on("close", resolve));
  return { exitCode, said, image: join(output, "disk.qcow2") };
}
const trusting = () => ({ NODE_EXTRA_CA_CERTS: join(folder.path, "cert.pem") });

test("a certificate that is trusted, and one that isn't", async () => {
  const trusted = await run("/disk.qcow2", trusting());
  expect(trusted).toMatchObject({ exitCode: 0, said: "" });
  expect(readFileSync(trusted.image).equals(content)).toBe(true);
  const untrusted = await run("/disk.qcow2", {});
  expect(untrusted).toMatchObject({ exitCode: 1, said: expect.stringMatching(/^Cannot reach .*self-signed/) });
});

test("from https no redirect leads to http, not even to this machine", async () => {
  const { exitCode, said } = await run("/away.qcow2", trusting());
  expect(exitCode).toBe(1);
  expect(said).toMatch(/^Cannot follow the redirect of .* is not https/);
});

test("through the proxy that the environment names", async () => {
  const asked: string[] = [];
  const sockets: Duplex[] = [];
  const proxy = createProxy();
  proxy.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    sockets.push(socket);
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const through = await run("/disk.qcow2", {
    ...trusting(),
    HTTPS_PROXY: address,
    https_proxy: address,
    NO_PROXY: "",
    no_proxy: "",
  });
  // Tunnels aren't the server's any more.
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => proxy.close(resolve));
  expect(through).toMatchObject({ exitCode: 0, said: "" });
  expect(asked).toEqual([`localhost:${port}`]);
});
