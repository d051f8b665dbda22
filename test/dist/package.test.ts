/** What an install brings: one package, with a command and a library that work, and nothing from the network. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, scratchFolder, spawnNode } from "./spawn.ts";

/** npm is a script on Windows, which only a shell starts; the words are ours. */
function npm(cwd: string, ...words: readonly string[]): string {
  const isWindows = process.platform === "win32";
  return execFileSync("npm", words, { cwd, encoding: "utf8", shell: isWindows, stdio: ["ignore", "pipe", "pipe"] });
}

test("npm pack, then an install without a network: one package, whose command and library work", () => {
  const folder = scratchFolder();
  const [packed, home] = [join(folder, "packed"), join(folder, "home")];
  for (const each of [packed, home]) mkdirSync(each);
  npm(root, "pack", "--ignore-scripts", "--silent", "--pack-destination", packed);
  const [tarball = "", ...others] = readdirSync(packed);
  expect(others).toEqual([]);

  writeFileSync(join(home, "package.json"), '{ "name": "home", "version": "1.0.0", "type": "module" }');
  // An empty cache: nothing that was fetched for our tests helps.
  const cache = ["--cache", join(folder, "cache"), "--no-audit", "--no-fund"];
  npm(home, "install", "--offline", "--ignore-scripts", ...cache, join(packed, tarball));
  const modules = readdirSync(join(home, "node_modules")).filter((name) => !name.startsWith("."));
  expect(modules).toEqual(["inplace-convert"]);
  expect(existsSync(join(home, "node_modules/inplace-convert/node_modules"))).toBe(false);
  const { packages } = JSON.parse(readFileSync(join(home, "package-lock.json"), "utf8"));
  expect(Object.keys(packages)).toEqual(["", "node_modules/inplace-convert"]);

  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const bin = join(home, "node_modules/.bin", process.platform === "win32" ? "inplace-convert.cmd" : "inplace-convert");
  const started = execFileSync(bin, ["--version"], {
    cwd: home,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  expect(started).toBe(`inplace-convert ${version}\n`);
  const command = join(home, "node_modules/inplace-convert/dist/cli.mjs");
  expect(spawnNode([command, "demo", "--keep", ".", "-q"], home)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  // The bar is loaded where it is shown: it has to be there as well.
  expect(spawnNode([command, "check", "-p", "demo.qcow2"], home)).toMatchObject({ exitCode: 0 });
  const script = `
    import { checksum, convert } from "inplace-convert";
    const before = await checksum("original.raw", { format: "raw" });
    const { changed } = await convert("demo.qcow2", "qed");
    console.log(changed, before.checksum === (await checksum("demo.qcow2")).checksum);
  `;
  writeFileSync(join(home, "script.mjs"), script);
  expect(spawnNode(["script.mjs"], home)).toEqual({ exitCode: 0, stdout: "true true\n", stderr: "" });
  // The action's files load whatever they need from beside themselves.
  const entry = join(home, "node_modules/inplace-convert/dist/main.mjs");
  expect(spawnNode([entry], home).stdout).toContain("image");
}, 60_000);
