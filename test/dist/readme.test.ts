/** README followed by somebody who has nothing but Node, npm and git, in an empty folder: each snippet of shell is run. */

import { execFile, execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blockLanguages, blocks, section } from "../support/readme.ts";
import { serveRegistry } from "../support/registry.ts";
import { cli, root, scratchFolder } from "./spawn.ts";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const site = manifest.homepage.replace(/#.*/, "");
const packed = `inplace-convert-${manifest.version}.tgz`;

test("each block says what it is, and each of shell is followed here", () => {
  expect([...blockLanguages()].sort()).toEqual(["sh", "text", "ts", "yaml"]);
  const first = blocks("sh").map((block) => block.split(/[\s]/).slice(0, 2).join(" "));
  expect(first).toEqual([
    "node dist/cli.mjs",
    "npm ci",
    "git clone",
    "npm install",
    "npm pack",
    "git ls-remote",
    "inplace-convert plan",
  ]);
});

describe("from an empty folder", () => {
  const [demo = "", tests = "", clone = "", install = "", pack = "", listTags = "", work = ""] = blocks("sh");

  test("a clone runs, is packed, and is installed from a tarball, a release and a registry", async () => {
    const home = scratchFolder();
    const env: NodeJS.ProcessEnv = { ...emptyHome(home), ...originOfThis(home) };
    // Else npm takes the next one in the folders above for its project.
    writeFileSync(join(home, "package.json"), '{ "private": true }');
    const checkout = join(home, "inplace-convert");
    const version = `inplace-convert ${manifest.version}\n`;
    expect(await shell(clone, home, env)).toBe(version);
    expect(await shell(demo, checkout, env)).toContain("Images are identical.");
    expect(await shell(listTags, home, env)).toMatch(
      new RegExp(`^[0-9a-f]{40}\\trefs/tags/v${manifest.version}$`, "m"),
    );

    await shell(pack, checkout, { ...env, npm_config_prefix: join(home, "prefix-tarball") });
    expect(await installed(join(home, "prefix-tarball"), env)).toBe(version);

    const registry = await serveRegistry(manifest, readFileSync(join(checkout, packed)));
    const [fromRelease = "", fromRegistry = "", once = "", ...more] = install.trim().split("\n");
    expect(more).toEqual([]);
    expect(fromRelease).toBe(`npm install -g ${site}/releases/download/v${manifest.version}/${packed}`);
    for (const line of [fromRelease, fromRegistry]) {
      const prefix = join(home, `prefix-${line.length}`);
      const there = { ...env, npm_config_prefix: prefix, npm_config_registry: registry };
      await shell(line.replace(site, registry), home, there);
      expect(await installed(prefix, env)).toBe(version);
    }
    expect(await shell(once, home, { ...env, npm_config_registry: registry })).toBe(version);
  });

  test("the tests' own line: a lockfile and a script are there; it installs from the network, and would run this test", () => {
    expect(tests).toBe("npm ci && npm test\n");
    expect(readdirSync(root)).toContain("package-lock.json");
    expect(manifest.scripts.test).toBe("node scripts/test.ts");
  });

  test("the commands do what they are said to do", async () => {
    const folder = scratchFolder();
    makeImages(folder);
    copyFileSync(join(folder, "disk.qcow2"), join(folder, "azure.qcow2"));
    const qed = readFileSync(join(folder, "disk.qed"));
    expect(await shell(work, folder, withCommand(folder))).toContain("No errors were found on the image.");
    expect(readFileSync(join(folder, "disk.qed")).equals(qed)).toBe(true);
    expect(formatOf(folder, "disk.raw")).toBe("qcow2");
    expect(formatOf(folder, "azure.qcow2")).toBe("vpc");
  });
});

describe("from qemu-img: both do the same", () => {
  let images: string;
  beforeAll(() => {
    images = mkdtempSync(join(tmpdir(), "inplace-convert-dist-"));
    makeImages(images);
  });
  afterAll(() => rmSync(images, { recursive: true, force: true }));
  const rows = section("From qemu-img").matchAll(/^\| `(qemu-img [^`]+)`[^|]* \| `(inplace-convert [^`]+)` \|$/gm);
  const pairs = [...rows].map(([, theirs = "", ours = ""]) => [theirs, ours] as const);

  test("the table is read", () => {
    expect(pairs).toHaveLength((section("From qemu-img").match(/^\| /gm)?.length ?? 0) - 2);
    expect(pairs.length).toBeGreaterThan(10);
  });

  test.each(pairs)("%s", async (theirs, ours) => {
    const folder = scratchFolder();
    for (const name of readdirSync(images)) copyFileSync(join(images, name), join(folder, name));
    await shell(theirs, folder, process.env);
    await shell(ours, folder, withCommand(folder));
    const target = /\bnew\.\w+$/.exec(theirs)?.[0];
    if (target === undefined) return;
    const [source = ""] = /\bdisk\.\w+/.exec(ours) ?? [];
    const format = formatOf(folder, target);
    expect(formatOf(folder, source)).toBe(format);
    const compared = ["compare", "-f", format, "-F", format, source, target];
    expect(execFileSync("qemu-img", compared, { cwd: folder, encoding: "utf8" })).toBe("Images are identical.\n");
  });
});

/** Runs a snippet; what it prints to stdout. The registry of a test answers meanwhile. */
async function shell(snippet: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)("bash", ["--norc", "-euo", "pipefail", "-c", snippet], { cwd, env });
  return stdout;
}

/** As of a new user: no settings, no cache; npm has nobody to talk to but whom a test names. */
function emptyHome(home: string): NodeJS.ProcessEnv {
  return {
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: home,
    npm_config_cache: join(home, "cache"),
    npm_config_registry: "http://127.0.0.1:9",
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
    npm_config_fetch_retries: "0",
  };
}

/** A repository of what lies in this project now, released; git takes it where the site is named. */
function originOfThis(home: string): NodeJS.ProcessEnv {
  const origin = join(home, "origin.git");
  const git = (...words: readonly string[]) =>
    execFileSync("git", ["--git-dir", origin, "--work-tree", root, ...words], { cwd: root, stdio: "pipe" });
  git("init", "--quiet");
  git("add", "--all", ".");
  git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "All");
  git("tag", `v${manifest.version}`);
  return { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: `url.${origin}.insteadOf`, GIT_CONFIG_VALUE_0: site };
}

async function installed(prefix: string, env: NodeJS.ProcessEnv): Promise<string> {
  const PATH = [join(prefix, "bin"), env.PATH].join(delimiter);
  return await shell("inplace-convert --version", prefix, { ...env, PATH });
}

/** `inplace-convert` as an install would have it. */
function withCommand(folder: string): NodeJS.ProcessEnv {
  const programs = join(folder, "programs");
  mkdirSync(programs);
  writeFileSync(join(programs, "inplace-convert"), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`);
  chmodSync(join(programs, "inplace-convert"), 0o755);
  return { ...process.env, PATH: [programs, process.env.PATH].join(delimiter) };
}

/** One guest, in the formats that README's commands name. */
function makeImages(folder: string): void {
  const disk = Buffer.alloc(4 << 20);
  disk.fill("a guest's line\n", 1 << 20, (2 << 20) + 4096);
  writeFileSync(join(folder, "disk.raw"), disk);
  for (const format of ["qcow2", "qed"]) {
    execFileSync("qemu-img", ["convert", "-f", "raw", "-O", format, "disk.raw", `disk.${format}`], { cwd: folder });
  }
}

function formatOf(folder: string, name: string): string {
  const { status, stdout } = spawnSync("qemu-img", ["info", "--output=json", name], { cwd: folder, encoding: "utf8" });
  expect(status).toBe(0);
  const { format } = JSON.parse(stdout) as { format: string };
  // qemu-img takes a fixed VHD for raw where its name says nothing; its footer has a mark.
  return format === "raw" && readFileSync(join(folder, name)).subarray(-512).toString("latin1").startsWith("conectix")
    ? "vpc"
    : format;
}
