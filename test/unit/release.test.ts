/** What a release is compared with before it is made. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  addressMistakes,
  dependencyMistakes,
  licenceMistakes,
  linkMistakes,
  notesOf,
  packMistakes,
  tagMistakes,
} from "../../scripts/release.ts";

const root = new URL("../../", import.meta.url);
const text = (name: string) => readFileSync(new URL(name, root), "utf8");

const changelog = "# Changelog\n\n## 1.2.0 (unreleased)\n\n- New\n\n## 1.1.0 (2026-01-02)\n\nAll of it.\n\n- Old\n";

describe("tag", () => {
  test("is the version's, with a section that is no plan any more", () => {
    expect(tagMistakes("v1.1.0", "1.1.0", changelog)).toEqual([]);
    expect(tagMistakes("v1.1.1", "1.1.0", changelog)).toEqual(["The tag is v1.1.1, package.json says 1.1.0"]);
    expect(tagMistakes("v1.2.0", "1.2.0", changelog)).toEqual(["CHANGELOG.md says that 1.2.0 is unreleased"]);
    expect(tagMistakes("v1.3.0", "1.3.0", changelog)).toEqual(['CHANGELOG.md has no section "## 1.3.0"']);
    // A dot is no placeholder.
    expect(tagMistakes("v1x1.0", "1x1.0", changelog)).toHaveLength(1);
  });

  test("its notes are its section alone", () => {
    expect(notesOf("1.2.0", changelog)).toBe("- New");
    expect(notesOf("1.1.0", changelog)).toBe("All of it.\n\n- Old");
    expect(notesOf("9.9.9", changelog)).toBe("");
  });
});

describe("licences", () => {
  const named = "The following npm packages may be included in this product:\n\n - a@1.0.0\n - @b/c@2.0.0\n\n";

  test("of what dist may hold, each free and each named with its version", () => {
    const packages = {
      "": { version: "0.1.0", license: "MIT" },
      "node_modules/a": { version: "1.0.0", license: "(MIT OR GPL-3.0)", dependencies: { "@b/c": "^2.0.0" } },
      "node_modules/a/node_modules/@b/c": { version: "2.0.0", license: "MIT AND ISC", dependencies: { d: "1" } },
      "node_modules/d": { version: "1.0.0", license: "MIT", dependencies: { a: "1" } },
      "node_modules/@b/c": { version: "3.0.0", license: "GPL-3.0" },
      "node_modules/tool": { version: "3.0.0", license: "GPL-3.0" },
    };
    expect(licenceMistakes(packages, ["a"], named)).toEqual(["dist/licenses.txt does not name d@1.0.0"]);
    const one = (version: string, license?: string) => ({ "node_modules/a": { version, ...(license && { license }) } });
    expect(licenceMistakes(one("1.0.1", "MIT"), ["a"], named)).toEqual(["dist/licenses.txt does not name a@1.0.1"]);
    expect(licenceMistakes(one("1.0.0", "MIT AND GPL-3.0"), ["a"], named)).toEqual([
      "a@1.0.0 has the licence MIT AND GPL-3.0",
    ]);
    expect(licenceMistakes(one("1.0.0"), ["a"], named)).toHaveLength(1);
    expect(() => licenceMistakes(packages, ["a", "missing"], named)).toThrow("package-lock.json has no missing");
  });

  test("of all that is bundled, in the committed dist", () => {
    const { packages } = JSON.parse(text("package-lock.json"));
    const { bundled } = JSON.parse(text("package.json"));
    expect(bundled).toContain("commander");
    expect(licenceMistakes(packages, bundled, text("dist/licenses.txt"))).toEqual([]);
  });
});

describe("version", () => {
  const { version } = JSON.parse(text("package.json"));
  const isOurs = (use: string) => [major, `v${version}`].includes(use.slice(use.indexOf(": ") + 2));
  const major = `v${version.split(".")[0]}`;

  test("has a section in CHANGELOG.md", () => {
    expect(notesOf(version, text("CHANGELOG.md"))).not.toBe("");
  });

  test("README, examples and documents use the action by the version that it will have, or its major", () => {
    const folders = ["docs", "examples"].flatMap((folder) =>
      readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
    );
    const files = [...folders, "README.md", "SECURITY.md", "CONTRIBUTING.md", "action.yml", "CHANGELOG.md"];
    const uses = files
      .filter((name) => /\.(?:md|ya?ml)$/.test(name))
      .flatMap((name) => [...text(name).matchAll(/inplace-convert@(v[\w.]+)/g)].map(([, tag]) => `${name}: ${tag}`));
    expect(uses.length).toBeGreaterThan(5);
    expect(uses.filter((use) => !isOurs(use))).toEqual([]);
  });

  test("release.yml moves the tag of the major to what is released", () => {
    const workflow = text(".github/workflows/release.yml");
    expect(workflow).toContain('tags: ["v[0-9]+.[0-9]+.[0-9]+"]');
    expect(workflow).toContain(`major="\${GITHUB_REF_NAME%%.*}"`);
  });
});

describe("package", () => {
  test("brings no other: what it needs is bundled", () => {
    expect(dependencyMistakes(JSON.parse(text("package.json")))).toEqual([]);
    expect(dependencyMistakes({ dependencies: {} })).toEqual([
      "package.json has dependencies, which every install would bring",
    ]);
  });

  const documents = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md", "docs/how-it-works.md"];
  const whole = [
    ...documents,
    ".github/workflows/fleet.yml",
    "action.yml",
    "man/inplace-convert.1",
    "package.json",
    "dist/types/index.d.ts",
  ];
  const built = ["cli.mjs", "hash-worker.mjs", "index.mjs", "licenses.txt", "main.mjs", "post.mjs"];
  const files = [...whole, ...built.map((name) => `dist/${name}`), "dist/cli-main.mjs"];

  test("holds what users need and nothing else", () => {
    expect(packMistakes(files)).toEqual([]);
    expect(packMistakes(files.filter((name) => name !== "dist/post.mjs"))).toEqual(["The package lacks dist/post.mjs"]);
    expect(packMistakes([...files, "src/index.ts", "dist/main.mjs.map"])).toEqual([
      "The package holds src/index.ts",
      "The package holds dist/main.mjs.map",
    ]);
  });

  test("what its pages link to lies in it, or somewhere on the web", () => {
    const pages: Record<string, string> = {
      "README.md": "[a](docs/a.md) [b](https://example.org/b) [c](#c) [d](docs/d.md#e) [f](docs/) [g](lib/)",
      "docs/a.md": "[up](../README.md) [![x](x.webp)](y.webp)",
    };
    expect(linkMistakes([...Object.keys(pages), "docs/x.webp"], (file) => pages[file] ?? "")).toEqual([
      "README.md links to docs/d.md, which the package lacks",
      "README.md links to lib/, which the package lacks",
      "docs/a.md links to docs/y.webp, which the package lacks",
    ]);
  });

  test("says where it comes from, and README.md clones that", () => {
    const site = "https://example.org/a/b";
    const whole = {
      repository: { url: `git+${site}.git` },
      homepage: `${site}#readme`,
      bugs: { url: `${site}/issues` },
    };
    expect(addressMistakes(whole, `git clone ${site}\n`)).toEqual([]);
    expect(addressMistakes({ repository: whole.repository }, "git clone https://example.org/c")).toHaveLength(3);
    expect(addressMistakes({}, "")).toEqual(["package.json names no repository, as git+https://….git"]);
    expect(addressMistakes(JSON.parse(text("package.json")), text("README.md"))).toEqual([]);
  });
});
