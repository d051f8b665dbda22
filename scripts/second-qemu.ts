/**
 * `node scripts/second-qemu.ts FOLDER [--suite SUITE] [--mirror URL]`: another QEMU beside the system's, for the tests.
 *
 * Needs apt-get and dpkg, no root; nothing of the system changes. SUITE is one of the mirror's (`trixie`, `sid`, ...);
 * the mirror is the one that apt uses, unless it is named. FOLDER/bin has qemu-img, qemu-io and qemu-nbd afterwards,
 * with libraries of their own; `INPLACE_QEMU_BIN=FOLDER/bin npm run oracle` asks them.
 */

import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const PROGRAMS = ["qemu-img", "qemu-io", "qemu-nbd"] as const;
/** Where each architecture's packages keep their loader and their libraries. */
const places: Readonly<Record<string, { readonly loader: string; readonly libraries: string }>> = {
  amd64: { loader: "lib64/ld-linux-x86-64.so.2", libraries: "lib/x86_64-linux-gnu" },
  arm64: { loader: "lib/ld-linux-aarch64.so.1", libraries: "lib/aarch64-linux-gnu" },
};

const { values, positionals } = parseArgs({
  options: { suite: { type: "string", default: "sid" }, mirror: { type: "string" } },
  allowPositionals: true,
});
const [given] = positionals;
if (given === undefined || positionals.length > 1) {
  console.error("Cannot install without one folder: second-qemu.ts FOLDER [--suite SUITE] [--mirror URL]");
  process.exit(2);
}
const folder = resolve(given);
const root = join(folder, "root");
if (existsSync(root)) {
  console.error(`Cannot install into ${folder}: it holds a QEMU already; remove it, or take another folder`);
  process.exit(2);
}

const architecture = output("dpkg", ["--print-architecture"]);
const place = places[architecture];
if (place === undefined) throw new Error(`Cannot tell where ${architecture} keeps its libraries`);
const mirror = values.mirror ?? configuredMirror();
unpack(download(mirror, values.suite));
for (const program of PROGRAMS) console.log(output(makeProgram(program, place), ["--version"]).split("\n")[0]);
console.log(`INPLACE_QEMU_BIN=${join(folder, "bin")}`);

/** The first archive of a distribution that apt knows. */
function configuredMirror(): string {
  const format = "$(REPO_URI) $(ORIGIN)";
  const lines = output("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]).split("\n");
  const [uri] = lines.map((line) => line.split(" ")).find(([, origin]) => /^(Debian|Ubuntu)$/.test(origin ?? "")) ?? [];
  if (uri === undefined) throw new Error("Cannot find a mirror in apt's sources; run apt-get update or name --mirror");
  return uri;
}

/** Answers the folder of the packages: qemu-utils and all that it needs, down to the C library. */
function download(uri: string, suite: string): string {
  const keyring = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
  ].filter((path) => existsSync(path));
  if (keyring.length === 0) throw new Error("Cannot trust any archive: no keyring in /usr/share/keyrings");
  const state = join(folder, "apt");
  const cache = join(state, "cache");
  for (const each of [join(state, "lists/partial"), join(cache, "archives/partial")])
    mkdirSync(each, { recursive: true });
  const list = join(state, "sources.list");
  writeFileSync(list, `deb [signed-by=${keyring.join(",")}] ${uri} ${suite} main\n`);
  // As if nothing were installed: then nothing of the system's is taken for what it needs.
  writeFileSync(join(state, "status"), "");
  const settings = [
    `Dir::Etc::SourceList=${list}`,
    "Dir::Etc::SourceParts=/dev/null",
    `Dir::State::Lists=${join(state, "lists")}`,
    `Dir::State::status=${join(state, "status")}`,
    `Dir::Cache=${cache}`,
    "APT::Install-Recommends=false",
    "Debug::NoLocking=true",
    // A sandboxed user could not write into a folder of ours.
    "APT::Sandbox::User=",
  ].flatMap((setting) => ["-o", setting]);
  const apt = (...words: string[]) => execFileSync("apt-get", [...settings, ...words], { stdio: ["ignore", 2, 2] });
  apt("-q", "update");
  apt("-q", "-y", "--download-only", "install", "qemu-utils");
  return join(cache, "archives");
}

function unpack(archives: string): void {
  // Packages of newer suites lie below /usr alone, where these names lead.
  mkdirSync(join(root, "usr"), { recursive: true });
  for (const name of readdirSync(archives).filter((each) => each.endsWith(".deb"))) {
    execFileSync("dpkg", ["-x", join(archives, name), root], { stdio: ["ignore", 2, 2] });
  }
  rmSync(join(folder, "apt"), { recursive: true });
}

/**
 * Its own loader starts it, since the system's C library is older. The loader goes by the program's name, so that
 * others see that name in the table of processes.
 */
function makeProgram(program: string, { loader, libraries }: { loader: string; libraries: string }): string {
  const found = [loader, join("usr", loader)].map((each) => join(root, each)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`Cannot find ${loader} in what was unpacked`);
  const [bin, loaders] = [join(folder, "bin"), join(folder, "loaders")];
  for (const each of [bin, loaders]) mkdirSync(each, { recursive: true });
  symlinkSync(found, join(loaders, program));
  const path = [join(root, "usr", libraries), join(root, libraries)].join(":");
  const words = [join(loaders, program), "--library-path", path, join(root, "usr/bin", program)];
  const script = join(bin, program);
  writeFileSync(script, `#!/bin/sh\nexec ${words.map(quoted).join(" ")} "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function output(program: string, words: readonly string[]): string {
  return execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}
