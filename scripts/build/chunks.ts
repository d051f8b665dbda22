/**
 * The library and the command line as chunks that are loaded when they are needed, by rolldown: esbuild, which builds the
 * rest, can't be told which modules lie together (docs/decisions/chunks-by-need.md).
 *
 *   cli-main ─► cli ─► core                    what every command loads
 *                       ├┄► qcow2, qed, …      once an image of that format is opened
 *                       ├┄► guest              once its guest is read
 *                       └┄► changes ─► targets once something shall be written
 */

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Plugin, type RolldownBuild, rolldown } from "rolldown";

/** By their names in dist. */
const FACES = { index: "src/index.ts", "cli-main": "src/cli/main.ts" };
/** What these import statically is the core. */
const DOORS = "src/doors.ts";
const TARGETS = "src/formats/targets.ts";
/** What reads the guest. */
const GUEST = /\/(?:src\/image\/guest|node_modules\/fzstd)\//;

/** A bundle whose chunks are not written is asked only what is in it. */
interface Written {
  readonly folder: string;
  readonly groups: readonly {
    readonly name: string;
    readonly test: (id: string) => boolean;
    readonly priority: number;
  }[];
}

/** Writes the chunks into `folder`; answers the files of which they hold something, those of packages too. */
export async function buildChunks(root: string, folder: string): Promise<string[]> {
  const needed = async (entry: string) => new Set(await filesIn(await open(root, entry, [onlyStatic])));
  const [core, cli, targets] = [await needed(DOORS), await needed(FACES["cli-main"]), await needed(TARGETS)];
  const readers = new Map<string, ReadonlySet<string>>();
  for (const [format, file] of readersIn(root)) readers.set(format, await needed(file));

  const faces = Object.values(FACES).map((path) => join(root, path));
  const roomOf = (id: string): string | undefined => {
    if (faces.includes(id)) return undefined;
    if (core.has(id)) return "core";
    if (cli.has(id)) return "cli";
    if (GUEST.test(id)) return "guest";
    const formats = [...readers].flatMap(([format, files]) => (files.has(id) ? format : []));
    if (formats.length > 0) return formats.length === 1 ? formats[0] : "shared";
    if (targets.has(id)) return "targets";
    return id.startsWith(join(root, "src/")) && !id.startsWith(join(root, "src/cli/")) ? "changes" : undefined;
  };
  // Who is imported stands before who imports: a group takes along what its modules import, unless it is another's.
  const rooms = ["core", "cli", "shared", "guest", ...readers.keys(), "targets", "changes"];
  const groups = rooms.map((name, at) => ({
    name,
    test: (id: string) => roomOf(id) === name,
    priority: rooms.length - at,
  }));
  return filesIn(await open(root, FACES), { folder, groups });
}

/** Each format with the file that is loaded once an image of it is opened, as its driver says. */
function readersIn(root: string): (readonly [format: string, file: string])[] {
  const drivers = readFileSync(join(root, "src/formats/drivers.ts"), "utf8").matchAll(/"\.\/(\w+)\/driver\.ts"/g);
  return [...drivers].flatMap(([, format = ""]) => {
    const driver = readFileSync(join(root, "src/formats", format, "driver.ts"), "utf8");
    const [, file] = /import\("\.\/([\w-]+\.ts)"\)/.exec(driver) ?? [];
    return file === undefined ? [] : [[format, `src/formats/${format}/${file}`] as const];
  });
}

function open(
  root: string,
  input: string | Record<string, string>,
  more: readonly Plugin[] = [],
): Promise<RolldownBuild> {
  return rolldown({
    cwd: root,
    input,
    platform: "node",
    // No module of ours does anything by being loaded, so that what isn't used need not be there.
    treeshake: { moduleSideEffects: false },
    // Asked for by a package that does without it as well: whether it lies there is our tools' doing.
    external: [/^node:/, "supports-color"],
    plugins: [noChildProcess, withoutPlace, onlyVersion(root), ...more],
    transform: { target: "node20" },
  });
}

/** The files of which something is left, of all chunks. */
async function filesIn(bundle: RolldownBuild, written?: Written): Promise<string[]> {
  try {
    const { output } = await (written === undefined
      ? bundle.generate({ format: "esm" })
      : bundle.write({
          dir: written.folder,
          format: "esm",
          minify: true,
          comments: false,
          entryFileNames: "[name].mjs",
          // A hash, so that no process loads a chunk of another version, installed while it ran.
          chunkFileNames: ({ name, facadeModuleId }) => `${chunkName(name, facadeModuleId)}-[hash].mjs`,
          codeSplitting: { groups: [...written.groups] },
        }));
    return output.flatMap((chunk) =>
      chunk.type === "chunk"
        ? Object.entries(chunk.modules).flatMap(([id, { renderedLength }]) => (renderedLength > 0 ? id : []))
        : [],
    );
  } finally {
    await bundle.close();
  }
}

/** A file that is imported dynamically has a chunk of its own name, as there is one in each format. */
function chunkName(name: string, file: string | null | undefined): string {
  const isOfFormat = /\/src\/formats\/\w+\/[\w-]+\.ts$/.test(file ?? "");
  return isOfFormat ? `${basename(dirname(file as string))}-${name}` : name;
}

const onlyStatic: Plugin = {
  name: "only-static",
  resolveDynamicImport: (specifier) => ({ id: String(specifier), external: true }),
};

/** Commander loads it for commands that are programs of their own; we have none, and loading it takes 10 ms of each start. */
const noChildProcess: Plugin = {
  name: "no-child-process",
  resolveId: (id, importer = "") =>
    id === "node:child_process" && /\/commander\//.test(importer) ? "\0no-child-process" : undefined,
  load: (id) => (id === "\0no-child-process" ? "module.exports = {};" : undefined),
};

/** Built-in modules lie nowhere, so that any path will do; a bundle that somebody makes CommonJS of this has no URL. */
const withoutPlace: Plugin = {
  name: "without-place",
  renderChunk: (code) =>
    code.replace("createRequire(import.meta.url)", "createRequire(import.meta.url ?? process.execPath)"),
};

/** Of package.json only the version goes into dist, or every change of a tool's version would change dist. */
function onlyVersion(root: string): Plugin {
  return {
    name: "only-version",
    load(id) {
      if (id !== join(root, "package.json")) return undefined;
      const { version } = JSON.parse(readFileSync(id, "utf8")) as { version: string };
      return { code: JSON.stringify({ version }), moduleType: "json" };
    },
  };
}
