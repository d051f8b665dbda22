/**
 * Download, unpack and prove in one pass, against `curl | zstd -d | sha256sum`, both from a server on the loopback.
 *
 * Ours also writes the image and syncs it; so the bound is measured in memory, where that costs little, and what a
 * script would do on a disk beside it.
 */

import { spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { closeSync, existsSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Figure } from "./figure.ts";
import { byTurns, measure, medianTime, syncFile } from "./measure.ts";

const GiB = 2 ** 30;
const PAGE = 4096;
const REACH = 1.2;
/** Linux has it. */
const MEMORY = "/dev/shm";
const root = fileURLToPath(new URL("../", import.meta.url));

const SERVER = `
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
const [path] = process.argv.slice(2);
const server = createServer((request, response) => {
  response.setHeader("content-length", statSync(path).size);
  createReadStream(path, { highWaterMark: 2 ** 20 }).pipe(response);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

const CLIENT = `
import { acquire } from "./acquire.mjs";
const [url, outputDirectory] = process.argv.slice(2);
await acquire({ url }, { outputDirectory });
`;

export const downloadFigure: Figure = {
  name: "download",
  async run({ folder, runs }) {
    const image = join(folder, "download.img");
    writeCompressible(image, GiB);
    await measure(["zstd", "-q", "-f", "--rm", image, "-o", `${image}.zst`], folder);
    syncFile(`${image}.zst`);
    await bundle(folder);
    const server = await startServer(folder, `${image}.zst`);
    const inMemory = join(existsSync(MEMORY) ? MEMORY : folder, `inplace-bench-${process.pid}`);
    const onDisk = join(folder, "downloads");
    const copy = join(folder, "copy.img");
    try {
      const url = `http://127.0.0.1:${server.port}/disk.img.zst`;
      const ours = (output: string) => async () => {
        rmSync(output, { recursive: true, force: true });
        return measure([process.execPath, join(folder, "client.mjs"), url, output], folder);
      };
      const theirs = (script: string) => () => measure(["bash", "-o", "pipefail", "-c", script], folder);
      const pipeline = `curl -sf ${url} | zstd -dqc`;
      const [mine, others] = await byTurns(runs, ours(inMemory), theirs(`${pipeline} | sha256sum`));
      rmSync(inMemory, { recursive: true, force: true });
      const writing = `${pipeline} | tee ${copy} | sha256sum && sync ${copy}`;
      const [again, writers] = await byTurns(runs, ours(onDisk), theirs(writing));
      const row = (what: string, [us, them]: readonly [number, number], isBound: boolean) => ({
        figure: `download of 1 GiB as .zst, unpacked, proven and written ${what}`,
        reach: isBound ? `≤ ${REACH} of its time` : "reported",
        measured: `${(us / them).toFixed(2)}: ${(us / 1000).toFixed(2)} s against ${(them / 1000).toFixed(2)} s`,
        isReached: !isBound || us <= REACH * them,
      });
      return [
        row("to memory, against `curl \\| zstd -d \\| sha256sum`", [medianTime(mine), medianTime(others)], true),
        row(
          "to disk and synced, against the same with `tee` and `sync`",
          [medianTime(again), medianTime(writers)],
          false,
        ),
      ];
    } finally {
      server.stop();
      for (const path of [`${image}.zst`, inMemory, onDisk, copy]) rmSync(path, { recursive: true, force: true });
    }
  },
};

/** A quarter noise, the rest repeats: zstd makes about a quarter of it. */
function writeCompressible(path: string, length: number): void {
  const file = openSync(path, "w");
  const chunk = Buffer.alloc(2 ** 20, "what images hold again and again, ");
  for (let written = 0; written < length; written += chunk.length) {
    for (let page = 0; page < chunk.length; page += PAGE) randomFillSync(chunk, page, PAGE / 4);
    writeSync(file, chunk);
  }
  closeSync(file);
}

/** The acquire part as dist holds it, beside a client of three lines. */
async function bundle(folder: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ["src/acquire/index.ts"],
    outfile: join(folder, "acquire.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    banner: { js: `import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);` },
    // Not used here, and the half of it all.
    external: ["./cache.ts"],
    logLevel: "warning",
  });
  writeFileSync(join(folder, "client.mjs"), CLIENT);
}

async function startServer(folder: string, path: string) {
  writeFileSync(join(folder, "server.mjs"), SERVER);
  const child = spawn(process.execPath, [join(folder, "server.mjs"), path], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<number>((resolve, reject) => {
    child.on("error", reject).on("exit", () => reject(new Error("Cannot start the server")));
    child.stdout.once("data", (text) => resolve(Number(text)));
  });
  return { port, stop: () => void child.kill() };
}
