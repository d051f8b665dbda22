/**
 * What a release must be: `node scripts/release.ts check [vX.Y.Z]`, and what it says: `... notes`.
 *
 * `check` compares the tag, package.json, CHANGELOG.md, the packed files, what README.md links to, and the licences of all
 * that dist holds; exit 1 prints every mistake at once. With a tag it needs nothing installed. Without one, as in `npm test`,
 * it asks publint and arethetypeswrong as well.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { type LockedPackages, nameOf, placesOf } from "./bundled.ts";

/** Licences that ask for their text and the author's name, which dist/licenses.txt gives, and for nothing else. */
const FREE_LICENCES: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
]);

/** What users get beside the parts below; a file more or less is a mistake. */
const PACKED: readonly string[] = [
  ".github/workflows/fleet.yml",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "action.yml",
  "man/inplace-convert.1",
  "package.json",
  ...["cli.mjs", "hash-worker.mjs", "index.mjs", "licenses.txt", "main.mjs", "post.mjs"].map((name) => `dist/${name}`),
];
/**
 * Declarations, parts of a bundle that are loaded only where they are used and have names of the bundler's own choice, and
 * the pages, with their pictures, that README.md leads to.
 */
const PACKED_BESIDE =
  /^(?:dist\/(?:types\/.+\.d\.ts|[\w-]+\.mjs)|docs\/(?:[\w-]+\/)*[\w-]+\.(?:md|webp)|examples\/[\w-]+\.(?:md|yml))$/;

/** The tag is the version's, and CHANGELOG.md tells what is in it, with no "unreleased" left. */
export function tagMistakes(tag: string, version: string, changelog: string): string[] {
  const mistakes = tag === `v${version}` ? [] : [`The tag is ${tag}, package.json says ${version}`];
  const title = titles(changelog).find((each) => each.version === version);
  if (title === undefined) return [...mistakes, `CHANGELOG.md has no section "## ${version}"`];
  if (/unreleased/i.test(title.rest)) mistakes.push(`CHANGELOG.md says that ${version} is unreleased`);
  return mistakes;
}

/** The section of `version` without its title, or "" where there is none. */
export function notesOf(version: string, changelog: string): string {
  const all = titles(changelog);
  const at = all.findIndex((each) => each.version === version);
  const title = all[at];
  return title === undefined ? "" : changelog.slice(title.end, all[at + 1]?.start).trim();
}

function titles(changelog: string) {
  return [...changelog.matchAll(/^## (\d+\.\d+\.\d+)(.*)\n/gm)].map((match) => {
    const [whole, version = "", rest = ""] = match;
    return { version, rest, start: match.index, end: match.index + whole.length };
  });
}

/** Every package that may be in dist has a free licence, and dist/licenses.txt names it with its version. */
export function licenceMistakes(packages: LockedPackages, bundled: readonly string[], licences: string): string[] {
  const named = new Set([...licences.matchAll(/^ - (\S+)$/gm)].map(([, name]) => name));
  return placesOf(packages, bundled).flatMap((place) => {
    const { version, license } = packages[place] ?? {};
    const name = `${nameOf(place)}@${version}`;
    return [
      ...(named.has(name) ? [] : [`dist/licenses.txt does not name ${name}`]),
      ...(isFree(license) ? [] : [`${name} has the licence ${license ?? "of nobody knows what"}`]),
    ];
  });
}

/** An install of ours brings nothing else: all that we need lies in dist. */
export function dependencyMistakes(manifest: Readonly<Record<string, unknown>>): string[] {
  return ["dependencies", "optionalDependencies", "peerDependencies", "bundleDependencies", "bundledDependencies"]
    .filter((kind) => kind in manifest)
    .map((kind) => `package.json has ${kind}, which every install would bring`);
}

/** `A`, `A AND B`, `(A OR B)`: all of the first kind, one of the second. */
function isFree(licence = ""): boolean {
  const words = licence.replaceAll(/[()]/g, "");
  return words.includes(" OR ")
    ? words.split(" OR ").some(isFree)
    : words.split(" AND ").every((word) => FREE_LICENCES.has(word.trim()));
}

export function packMistakes(files: readonly string[]): string[] {
  const missing = PACKED.filter((name) => !files.includes(name));
  const more = files.filter((name) => !PACKED.includes(name) && !PACKED_BESIDE.test(name));
  return [
    ...missing.map((name) => `The package lacks ${name}`),
    ...(files.includes("dist/types/index.d.ts") ? [] : ["The package lacks dist/types/index.d.ts"]),
    ...more.map((name) => `The package holds ${name}`),
  ];
}

/**
 * Links of packed Markdown that lead to nothing in the package: each is to something packed, or absolute.
 *
 * @param textOf the text of a packed file, by its path
 */
export function linkMistakes(files: readonly string[], textOf: (file: string) => string): string[] {
  const packed = new Set(files);
  return files
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => {
      const links = [...textOf(file).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, link = ""]) => link);
      const places = links
        .filter((link) => !/^[a-z]+:/.test(link))
        .map((link) => posix.join(posix.dirname(file), link));
      const isPacked = (place: string) =>
        packed.has(place) || (place.endsWith("/") && files.some((each) => each.startsWith(place)));
      return [...new Set(places)]
        .filter((place) => !isPacked(place))
        .map((place) => `${file} links to ${place}, which the package lacks`);
    });
}

/** npm shows both, and proves a release's origin by the first. */
export function addressMistakes(manifest: Readonly<Record<string, unknown>>, readme: string): string[] {
  const { repository, homepage, bugs } = manifest as Addresses;
  const site = /^git\+(https:\/\/[^#]+)\.git$/.exec(repository?.url ?? "")?.[1];
  if (site === undefined) return ["package.json names no repository, as git+https://….git"];
  return [
    ...(homepage === `${site}#readme` ? [] : [`package.json's homepage is not ${site}#readme`]),
    ...(bugs?.url === `${site}/issues` ? [] : [`package.json's bugs are not at ${site}/issues`]),
    ...(readme.includes(`git clone ${site}`) ? [] : [`README.md clones something else than ${site}`]),
  ];
}

interface Addresses {
  readonly repository?: { readonly url?: string };
  readonly homepage?: string;
  readonly bugs?: { readonly url?: string };
}

/** What npm itself packs, read back. */
function pack(): { readonly files: readonly string[]; readonly tarball: Uint8Array<ArrayBuffer> } {
  const folder = mkdtempSync(join(tmpdir(), "inplace-convert-pack-"));
  try {
    const words = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    // On Windows npm is a script, which only a shell starts; the words are ours.
    const options = { cwd: root, encoding: "utf8", shell: process.platform === "win32" } as const;
    const told = JSON.parse(execFileSync("npm", words, options)) as object;
    // npm 11 gives a list, npm 12 an object by the package's name.
    const [first] = Object.values(told) as Packed[];
    if (first === undefined) throw new Error("npm pack told of no package");
    return { files: first.files.map(({ path }) => path), tarball: readFileSync(join(folder, first.filename)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const root = fileURLToPath(new URL("../", import.meta.url));
const text = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");

if (import.meta.main) {
  const [command, tag] = process.argv.slice(2);
  const manifest = JSON.parse(text("package.json")) as { version: string; bundled: string[] };
  const { version } = manifest;
  if (command === "notes") {
    console.log(notesOf(version, text("CHANGELOG.md")));
  } else if (command === "check") {
    const { packages } = JSON.parse(text("package-lock.json")) as { packages: LockedPackages };
    const { files, tarball } = pack();
    const mistakes = [
      ...(tag === undefined ? [] : tagMistakes(tag, version, text("CHANGELOG.md"))),
      ...dependencyMistakes(manifest),
      ...licenceMistakes(packages, manifest.bundled, text("dist/licenses.txt")),
      ...addressMistakes(manifest, text("README.md")),
      ...packMistakes(files),
      ...linkMistakes(files, text),
      ...(tag === undefined ? await (await import("./lint-package.ts")).packageMistakes(tarball) : []),
    ];
    for (const mistake of mistakes) console.error(mistake);
    process.exitCode = mistakes.length === 0 ? 0 : 1;
  } else {
    console.error("node scripts/release.ts check [vX.Y.Z] | notes");
    process.exitCode = 2;
  }
}
