/** What a release is compared with before it is made. */

import { describe, expect, test } from "vitest";
import { licenceMistakes, notesOf, packMistakes, tagMistakes } from "../../scripts/release.ts";

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
      "node_modules/a": { version: "1.0.0", license: "(MIT OR GPL-3.0)" },
      "node_modules/a/node_modules/@b/c": { version: "2.0.0", license: "MIT AND ISC" },
      "node_modules/tool": { version: "3.0.0", license: "GPL-3.0", dev: true },
    };
    expect(licenceMistakes(packages, named)).toEqual([]);
    expect(licenceMistakes({ "node_modules/a": { version: "1.0.1", license: "MIT" } }, named)).toEqual([
      "dist/licenses.txt does not name a@1.0.1",
    ]);
    expect(licenceMistakes({ "node_modules/a": { version: "1.0.0", license: "MIT AND GPL-3.0" } }, named)).toEqual([
      "a@1.0.0 has the licence MIT AND GPL-3.0",
    ]);
    expect(licenceMistakes({ "node_modules/a": { version: "1.0.0" } }, named)).toHaveLength(1);
  });
});

describe("package", () => {
  const whole = ["CHANGELOG.md", "LICENSE", "README.md", "action.yml", "package.json", "dist/types/index.d.ts"];
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
});
