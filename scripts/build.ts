/**
 * Builds dist: `node scripts/build.ts [--check] [FOLDER]`; the same bytes in every folder and on every Node.
 *
 *   cli.mjs          looks at the Node version, then loads cli-main.mjs
 *   cli-main.mjs     the command line, and
 *   index.mjs        the library: build/chunks.ts
 *   main, post.mjs   the action, which imports index.mjs
 *   *-HASH.mjs       what they share, and what they load only when it is used
 *   hash-worker.mjs  started by the library on worker threads
 */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { buildChunks } from "./build/chunks.ts";
import { type LockedPackages, nameOf, placesOf } from "./bundled.ts";
import { trimDeclarations } from "./declarations.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const committed = join(root, "dist");

/** Bundled CommonJS asks for `require`, which ES modules lack. */
const REQUIRE_BANNER = `import { createRequire as __cr } from "node:module"; const require = __cr(import.meta.url);`;

/** Entry points by their names in dist; those of one bundle share what both need as chunks. */
interface Bundle {
  readonly entries: Readonly<Record<string, string>>;
  readonly options?: BuildOptions;
}

const bundles: readonly Bundle[] = [
  { entries: { "hash-worker": "src/image/guest/hash-worker.ts" }, options: { minifyIdentifiers: true } },
  {
    // What is imported dynamically becomes a chunk too, and so is loaded only when it is used. Chunks lie beside the
    // entries, since `./index.mjs` must mean the same in all of them.
    entries: { main: "src/action/main.ts", post: "src/action/post.ts" },
    options: { splitting: true, minifyIdentifiers: true, chunkNames: "[name]-[hash]" },
  },
  {
    entries: { cli: "src/cli/loader.ts" },
    // The only file that an older Node reads: nothing newer than its syntax, and nothing imported.
    options: { target: "node12.20", banner: { js: "#!/usr/bin/env node" } },
  },
];

/** The action knows the library by its public index alone, so that all share one copy of it. */
const shareLibrary: Plugin = {
  name: "share-library",
  setup(builder) {
    builder.onResolve({ filter: /\/index\.ts$/ }, ({ importer, path, resolveDir }) =>
      resolve(resolveDir, path) === join(root, "src/index.ts") && /[\\/]src[\\/](action|acquire)[\\/]/.test(importer)
        ? { path: "./index.mjs", external: true }
        : undefined,
    );
    builder.onResolve({ filter: /^\.\/main\.ts$/ }, ({ importer }) =>
      /[\\/]src[\\/]cli[\\/]loader\.ts$/.test(importer) ? { path: "./cli-main.mjs", external: true } : undefined,
    );
  },
};

/** The toolkit loads its HTTP client, half a megabyte, for OpenID tokens, which we never ask for. */
const noOidc: Plugin = {
  name: "no-oidc",
  setup(builder) {
    builder.onLoad({ filter: /[\\/]@actions[\\/]core[\\/]lib[\\/]oidc-utils\.js$/ }, () => ({
      contents: "export class OidcClient {}",
      loader: "js",
    }));
  },
};

/** The cache's client carries sums of 64 bits, 80 KB in WebAssembly, for messages that it never sends. */
const noCrc64: Plugin = {
  name: "no-crc64",
  setup(builder) {
    builder.onLoad({ filter: /[\\/]@azure[\\/]storage-common[\\/].*[\\/]crc64\.js$/ }, () => ({
      contents: "export default undefined;",
      loader: "js",
    }));
  },
};

/** The toolkit takes one class of undici, an agent for proxies; its index brings `fetch`, WebSockets and mocks, 200 KB, along. */
const onlyProxyAgent: Plugin = {
  name: "only-proxy-agent",
  setup(builder) {
    builder.onResolve({ filter: /^undici$/ }, ({ importer, resolveDir }) =>
      /[\\/]@actions[\\/]http-client[\\/]/.test(importer)
        ? { path: "proxy-agent", namespace: "undici", pluginData: resolveDir }
        : undefined,
    );
    builder.onLoad({ filter: /./, namespace: "undici" }, ({ pluginData }) => ({
      // As undici's own index does it: agents get their verbs, `connect` among them, afterwards.
      contents: `import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
        import api from "undici/lib/api/index.js";
        import ProxyAgent from "undici/lib/dispatcher/proxy-agent.js";
        Object.assign(Dispatcher.prototype, api);
        export { ProxyAgent };`,
      loader: "js",
      resolveDir: pluginData as string,
    }));
  },
};

/** The HTTP client carries its parser twice, with and without SIMD, which every machine that runs Node 20 has. */
const oneParser: Plugin = {
  name: "one-parser",
  setup(builder) {
    builder.onResolve({ filter: /[\\/]llhttp-wasm\.js$/ }, ({ path, resolveDir, ...rest }) =>
      builder.resolve(path.replace("llhttp-wasm", "llhttp_simd-wasm"), { resolveDir, kind: rest.kind }),
    );
  },
};

/** Of package.json only the version goes into dist, or every change of a tool's version would change dist. */
const onlyVersion: Plugin = {
  name: "only-version",
  setup(builder) {
    builder.onLoad({ filter: /[\\/]package\.json$/ }, async ({ path }) => {
      if (resolve(path) !== join(root, "package.json")) return undefined;
      const { version } = JSON.parse(await readFile(path, "utf8")) as { version: string };
      return { contents: JSON.stringify({ version }), loader: "json" };
    });
  },
};

async function buildInto(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const taken = new Set(packagesIn((await buildChunks(root, folder)).map((file) => relative(root, file))));
  for (const { entries, options } of bundles) {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: { ...entries },
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      // Names stay, so that a stack trace in a bug report says something.
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: "none",
      // Asked for by a package that does without it as well: whether it lies there is our tools' doing.
      external: ["supports-color"],
      charset: "utf8",
      banner: { js: REQUIRE_BANNER },
      plugins: [shareLibrary, onlyVersion, noOidc, noCrc64, onlyProxyAgent, oneParser],
      logLevel: "warning",
      metafile: true,
      ...options,
    });
    for (const place of packagesIn(Object.keys(metafile?.inputs ?? {}))) taken.add(place);
  }
  run("typescript/bin/tsc", "-p", "tsconfig.types.json", "--outDir", join(folder, "types"));
  await trimDeclarations(join(folder, "types"), "index.d.ts");
  await writeLicences(join(folder, "licenses.txt"), taken);
}

/** Places of the packages whose code a bundle holds, of its files. */
function packagesIn(files: readonly string[]): string[] {
  return files.flatMap((file) => {
    const place = file.slice(0, file.lastIndexOf("node_modules/"));
    return file.includes("node_modules/") ? [`${place}node_modules/${nameOf(file)}`] : [];
  });
}

/** What of a package a list of licences is made from. */
const LICENCE_FILE = /^(?:package\.json|(?:licen[cs]e|copying|notice|readme).*)$/i;

/** The generator takes what a package needs at run time, and ours needs nothing: it gets one that needs what is bundled. */
async function writeLicences(file: string, taken: ReadonlySet<string>): Promise<void> {
  const json = async (name: string) => JSON.parse(await readFile(join(root, name), "utf8"));
  const { bundled, devDependencies } = await json("package.json");
  const { packages } = (await json("package-lock.json")) as { packages: LockedPackages };
  const places = placesOf(packages, bundled);
  const unnamed = [...taken].filter((place) => !places.includes(place));
  if (unnamed.length > 0) throw new Error(`Not in "bundled" of package.json, but in dist: ${unnamed.join(", ")}`);
  const folder = await mkdtemp(join(tmpdir(), "inplace-convert-licences-"));
  try {
    const dependencies = Object.fromEntries((bundled as string[]).map((name) => [name, devDependencies[name]]));
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "dist", version: "1.0.0", dependencies }));
    for (const place of places) {
      const filter = (from: string) => from === join(root, place) || LICENCE_FILE.test(basename(from));
      await cp(join(root, place), join(folder, place), { recursive: true, filter });
    }
    const words = [
      "-i",
      join(folder, "package.json"),
      "-o",
      file,
      "--overwrite",
      "--eol",
      "lf",
      "--ci",
      "--no-spinner",
    ];
    run("generate-license-file/bin/generate-license-file", ...words);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(tool: string, ...options: string[]): void {
  execFileSync(process.execPath, [join(root, "node_modules", tool), ...options], { cwd: root, stdio: "inherit" });
}

async function contents(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(files.sort().map(async (file) => [relative(folder, file), await readFile(file)] as const)),
  );
}

/** The names of files that differ, are missing or are left over. */
async function differences(fresh: string, old: string): Promise<string[]> {
  const [wanted, found] = [await contents(fresh), existsSync(old) ? await contents(old) : new Map<string, Buffer>()];
  const names = [...new Set([...wanted.keys(), ...found.keys()])].sort();
  return names.filter((name) => {
    const [bytes, others] = [wanted.get(name), found.get(name)];
    return bytes === undefined || others === undefined || !bytes.equals(others);
  });
}

const { values, positionals } = parseArgs({ options: { check: { type: "boolean" } }, allowPositionals: true });
if (values.check) {
  const fresh = await mkdtemp(join(tmpdir(), "inplace-convert-dist-"));
  try {
    await buildInto(fresh);
    const stale = await differences(fresh, committed);
    for (const name of stale) console.error(`dist/${name} is not what the sources build`);
    if (stale.length > 0) {
      console.error("Run `npm run build` and commit dist");
      process.exitCode = 1;
    }
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
} else {
  await buildInto(resolve(positionals[0] ?? committed));
}
