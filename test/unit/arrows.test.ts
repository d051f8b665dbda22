/** The import arrows of the architecture, fed to the linter: every forbidden arrow must fail, every allowed one pass. */

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { house, type Room } from "../../scripts/arrows/house.ts";

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
  qcow2header: "src/formats/qcow2/header/header.ts",
  plan: "src/plan/plan.ts",
  journal: "src/journal/journal.ts",
  check: "src/check/repair.ts",
  convert: "src/convert/convert.ts",
  acquire: "src/acquire/http/download.ts",
  index: "src/index.ts",
  cli: "src/cli/program.ts",
  action: "src/action/inputs/inputs.ts",
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
  "src/formats/qcow2/importer.ts": ["bytes", "storage", "image", "qcow2", "qcow2header"],
  // A format that has no walls of its own yet.
  "src/formats/new/importer.ts": ["bytes", "storage", "image"],
  "src/plan/importer.ts": ["bytes", "image", "plan"],
  "src/journal/importer.ts": ["bytes", "storage", "plan", "journal"],
  "src/check/importer.ts": ["bytes", "image", "plan", "journal", "check"],
  "src/convert/importer.ts": ["bytes", "storage", "image", "registry", "plan", "journal", "check", "convert"],
  "src/acquire/importer.ts": ["bytes", "storage", "acquire", "index", fs, "node:fs/promises"],
  "src/acquire/cache/importer.ts": ["bytes", "storage", "acquire", "index", fs, "node:fs/promises", core],
  "src/cli/importer.ts": ["acquire", "index", "cli", fs, "node:fs/promises", "commander"],
  "src/action/importer.ts": ["acquire", "index", "action", fs, "node:fs/promises", core],
  "src/action/report/page/importer.ts": ["index"],
  "src/importer.ts": [
    ...([
      "bytes",
      "storage",
      "image",
      "registry",
      "qed",
      "qcow2",
      "qcow2header",
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

/** Every room of the house, and each other room that it wants something of. */
const ofRooms = house.flatMap((room): Case[] =>
  house
    .filter((other) => other !== room)
    .map((other) => {
      const importer = `src/${room.folder.replace("*", "new")}/room.ts`;
      const wanted = `src/${other.folder.replace("*", "other")}/wanted.ts`;
      const file = importer.replace("room.ts", `room-${other.folder.replaceAll(/\W/g, "-")}.ts`);
      const title = `${importer} -> ${wanted}`;
      return { file, text: kinds.value(relativeSpecifier(importer, wanted)), isAllowed: mayImport(room, other), title };
    }),
);

function mayImport({ folder, may, composes }: Room, { folder: other }: Room): boolean {
  if (composes && isBelow(other, folder)) return true;
  return may.some((each) =>
    each.endsWith("/*.ts") ? other === dirname(each) : other === each || isBelow(other, each),
  );
}

function isBelow(folder: string, parent: string): boolean {
  return folder.startsWith(`${parent}/`);
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
    await mkdir(join(folder, "scripts/arrows"), { recursive: true });
    for (const file of ["biome.json", "scripts/arrows/arrows.json"]) await cp(join(root, file), join(folder, file));
    for (const each of [...cases, ...ofRooms]) {
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

  test("every room: of the others it gets those that it may, and no more", () => {
    const wrong = ofRooms.filter((each) => refused.has(each.file) === each.isAllowed);
    expect(wrong.map((each) => `${each.isAllowed ? "refused" : "let through"}: ${each.title}`)).toEqual([]);
  });

  test("every folder of src is a room of the house", async () => {
    const folders = new Set<string>();
    for (const file of await readdir(join(root, "src"), { recursive: true })) {
      if (file.endsWith(".ts") && dirname(file) !== ".") folders.add(dirname(file));
    }
    const rooms = house.map(({ folder: room }) => new RegExp(`^${room.replace("*", "[^/]+")}$`));
    expect([...folders].filter((each) => !rooms.some((room) => room.test(each)))).toEqual([]);
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
