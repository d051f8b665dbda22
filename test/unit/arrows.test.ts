/** The import arrows of the architecture, fed to the linter: every forbidden arrow must fail, every allowed one pass. */

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const fs = "node:fs";
const core = "@actions/core";

/** A module of each folder, and what else a module may want. */
const everything = {
  bytes: "src/bytes/align.ts",
  storage: "src/storage/storage.ts",
  image: "src/image/extent.ts",
  registry: "src/formats/registry.ts",
  qed: "src/formats/qed/driver.ts",
  qcow2: "src/formats/qcow2/driver.ts",
  plan: "src/plan/plan.ts",
  journal: "src/journal/journal.ts",
  check: "src/check/repair.ts",
  convert: "src/convert/convert.ts",
  acquire: "src/acquire/download.ts",
  index: "src/index.ts",
  cli: "src/cli/program.ts",
  action: "src/action/inputs.ts",
  [fs]: fs,
  "node:fs/promises": "node:fs/promises",
  [core]: core,
  commander: "commander",
} as const;
type Name = keyof typeof everything;

/** Who may import whom; everything not listed must be refused. The module itself stands first, as the importer. */
const allowed: Record<string, readonly Name[]> = {
  "src/bytes/importer.ts": ["bytes"],
  "src/storage/importer.ts": ["bytes", "storage", fs, "node:fs/promises"],
  "src/image/importer.ts": ["bytes", "storage", "image"],
  "src/formats/importer.ts": ["bytes", "storage", "image", "registry", "qed", "qcow2"],
  "src/formats/qcow2/importer.ts": ["bytes", "storage", "image", "qcow2"],
  "src/plan/importer.ts": ["bytes", "image", "plan"],
  "src/journal/importer.ts": ["bytes", "storage", "plan", "journal"],
  "src/check/importer.ts": ["bytes", "image", "plan", "journal", "check"],
  "src/convert/importer.ts": ["bytes", "storage", "image", "registry", "plan", "journal", "check", "convert"],
  "src/acquire/importer.ts": ["bytes", "storage", "acquire", "index", fs, "node:fs/promises"],
  "src/acquire/cache.ts": ["bytes", "storage", "acquire", "index", fs, "node:fs/promises", core],
  "src/cli/importer.ts": ["acquire", "index", "cli", fs, "node:fs/promises", "commander"],
  "src/action/importer.ts": ["acquire", "index", "action", fs, "node:fs/promises", core],
  "src/action/page/importer.ts": ["index", "action"],
  "src/importer.ts": [
    ...([
      "bytes",
      "storage",
      "image",
      "registry",
      "qed",
      "qcow2",
      "plan",
      "journal",
      "check",
      "convert",
      "index",
    ] as const),
  ],
};

const kinds = {
  value: (from: string) => `import { name } from "${from}";\nname();\n`,
  "type-only": (from: string) => `import type { Name } from "${from}";\nexport type Alias = Name;\n`,
  "re-export": (from: string) => `export { name } from "${from}";\n`,
  dynamic: (from: string) => `export const loaded = import("${from}");\n`,
};

interface Case {
  readonly file: string;
  readonly text: string;
  readonly isAllowed: boolean;
  readonly title: string;
}

const cases: Case[] = Object.entries(allowed).flatMap(([importer, names]) =>
  Object.entries(everything).flatMap(([name, target]) =>
    Object.entries(kinds).map(([kind, write], index) => {
      const specifier = target.startsWith("src/") ? relativeSpecifier(importer, target) : target;
      const file = importer.replace(/\.ts$/, `-${name.replaceAll(/\W/g, "_")}-${index}.ts`);
      const isAllowed = names.includes(name as Name);
      return { file, text: write(specifier), isAllowed, title: `${importer} -> ${name}, ${kind}` };
    }),
  ),
);

function relativeSpecifier(importer: string, target: string): string {
  const from = dirname(importer).split("/");
  const to = target.split("/");
  while (from.length > 0 && from[0] === to[0]) {
    from.shift();
    to.shift();
  }
  return [...(from.length === 0 ? ["."] : from.map(() => "..")), ...to].join("/");
}

describe("import arrows", () => {
  let folder: string;
  let refused: Set<string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "arrows-"));
    await cp(join(root, "biome.json"), join(folder, "biome.json"));
    for (const each of cases) {
      await mkdir(dirname(join(folder, each.file)), { recursive: true });
      await writeFile(join(folder, each.file), each.text);
    }
    refused = await lint(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("the linter looked at every case", () => {
    expect(cases.length).toBeGreaterThan(900);
    expect(refused.size).toBeGreaterThan(0);
  });

  for (const importer of Object.keys(allowed)) {
    test(`${importer}: forbidden imports fail, allowed ones pass`, () => {
      const mine = cases.filter((each) => each.title.startsWith(`${importer} `));
      const wrong = mine.filter((each) => refused.has(each.file) === each.isAllowed);
      expect(wrong.map((each) => `${each.isAllowed ? "refused" : "let through"}: ${each.title}`)).toEqual([]);
    });
  }
});

/** The files in which `noRestrictedImports` found something. */
async function lint(folder: string): Promise<Set<string>> {
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const options = ["lint", "--vcs-enabled=false", "--only=style/noRestrictedImports", "--max-diagnostics=none"];
  const output = await new Promise<string>((resolve) => {
    const settings = { cwd: folder, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [biome, ...options, "--reporter=json", "src"], settings, (_failed, stdout) =>
      resolve(stdout),
    );
  });
  const report = JSON.parse(output) as { diagnostics: { category: string; location: { path: string } }[] };
  return new Set(
    report.diagnostics
      .filter((each) => each.category === "lint/style/noRestrictedImports")
      .map((each) => each.location.path),
  );
}
