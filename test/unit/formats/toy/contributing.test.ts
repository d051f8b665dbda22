/** CONTRIBUTING's list for a new format is whole: the files that it names are there, and the toy has them and no more verbs. */

import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { formatDrivers } from "../../../../src/formats/registry.ts";
import { targetOf } from "../../../../src/formats/target-registry.ts";
import { memoryStorage } from "../../../../src/storage/memory.ts";
import { kits, sources } from "../../../formats/kits.ts";
import { buildToy } from "../../../formats/toy/builder.ts";
import { toyDriver } from "../../../formats/toy/driver/driver.ts";
import { toyTarget } from "../../../formats/toy/driver/target.ts";
import { openWith } from "../../../support/open-with.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const [, list = ""] =
  /^## A new format\n([\s\S]*?)^## /m.exec(readFileSync(join(root, "CONTRIBUTING.md"), "utf8")) ?? [];
const words = [...list.matchAll(/`([^`\n]+)`/g)].map(([, word = ""]) => word);
const paths = words.filter((word) => /^(?:src|test|bench|scripts)\/|^\w+\.(?:yml|md)$/.test(word));
const templates = paths.filter((path) => path.includes("<name>"));

describe("the list for a new format", () => {
  test("names files that are there", () => {
    const whole = paths.filter((path) => !path.includes("<name>"));
    expect(whole.length).toBeGreaterThan(10);
    expect(whole.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("names files that each convertible format has", () => {
    expect(templates.length).toBeGreaterThan(5);
    const wanted = sources.flatMap(({ name }) => templates.map((path) => path.replace("<name>", name)));
    expect(wanted.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("names files that the toy has, and the toy has no other kind but its driver's", async () => {
    const ofToy = templates.map((path) =>
      path.replace("src/formats/<name>", "test/formats/toy/driver").replace("<name>", "toy"),
    );
    expect(ofToy.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    // registered.ts is what a line in two lists is to others.
    const found = (await readdir(join(root, "test/formats/toy"))).filter((name) => name.endsWith(".ts"));
    const named = ofToy.map((path) => path.replace("test/formats/toy/", "")).filter((name) => !name.includes("/"));
    expect(found.filter((name) => name !== "registered.ts").sort()).toEqual(named.sort());
  });

  test("names every member of a driver, of its target, and every verb of its image", async () => {
    const image = await openWith(toyDriver, memoryStorage(buildToy({ virtualSize: 4096, data: [] }).bytes));
    const prototype = Object.getPrototypeOf(image) as object;
    const verbs = Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(([name, { value }]) => name !== "constructor" && typeof value === "function")
      .map(([name]) => name);
    expect(verbs.length).toBeGreaterThan(3);
    const members = [...Object.keys(toyDriver), ...Object.keys(toyTarget), ...verbs];
    expect(members.filter((member) => !words.includes(member))).toEqual([]);
  });

  test("what it asks for by hand was done for every format: what can be converted to is named to users", () => {
    for (const file of ["action.yml", "README.md"]) {
      const line = readFileSync(join(root, file), "utf8")
        .split("\n")
        .find((each) => each.includes("The format to convert to"));
      for (const { name } of formatDrivers)
        expect(line?.includes(`\`${name}\``), `${file}, ${name}`).toBe(targetOf(name) !== undefined);
    }
  });

  test("no format's kit but the toy's is missing from the list of kits", async () => {
    const folders = (await readdir(join(root, "test/formats"), { withFileTypes: true })).filter((each) =>
      each.isDirectory(),
    );
    expect(folders.map(({ name }) => name).sort()).toEqual([...new Set(kits.map(({ name }) => name)), "toy"].sort());
  });
});

test("the linter lets a folder src/formats/toy through, and no import of it from another format", async () => {
  const folder = await mkdtemp(join(tmpdir(), "toy-"));
  try {
    await mkdir(join(folder, "scripts/arrows"), { recursive: true });
    for (const file of ["biome.json", "scripts/arrows/arrows.json"]) await cp(join(root, file), join(folder, file));
    await mkdir(join(folder, "src/formats/toy"), { recursive: true });
    const files = await readdir(join(root, "test/formats/toy/driver"));
    for (const file of files) {
      const text = await readFile(join(root, "test/formats/toy/driver", file), "utf8");
      await writeFile(join(folder, "src/formats/toy", file), text.replaceAll("../../../../src/", "../../"));
    }
    await writeFile(
      join(folder, "src/formats/toy/wrong.ts"),
      'import { qedTarget } from "../qed/target/target.ts";\nqedTarget.map;\n',
    );
    expect(await refusedIn(folder)).toEqual(["src/formats/toy/wrong.ts"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function refusedIn(folder: string): Promise<string[]> {
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const words = ["lint", "--vcs-enabled=false", "--only=style/noRestrictedImports", "--reporter=json", "src"];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [biome, ...words], { cwd: folder }, (_failed, stdout) => resolve(stdout));
  });
  const { diagnostics } = JSON.parse(output) as { diagnostics: { location: { path: string } }[] };
  return diagnostics.map(({ location }) => location.path);
}
