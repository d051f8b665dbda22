/** What the documents name is there: links between them, and paths of this project in backticks. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const documents = ["", "docs", "docs/decisions", "docs/reference", "examples"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name)),
);
/** Folders of ours; anything else in backticks is a user's file or no path at all. */
const OURS = /^(?:src|test|scripts|docs|bench|examples|\.github)\/[\w./-]+$/;

test("there are documents", () => {
  expect(documents).toContain("SECURITY.md");
  expect(documents.length).toBeGreaterThan(8);
});

describe.each(documents)("%s", (document) => {
  const text = readFileSync(join(root, document), "utf8");

  test("links lead somewhere", () => {
    const links = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, link = ""]) => link);
    const local = links.filter((link) => !/^[a-z]+:/.test(link));
    expect(local.filter((link) => !existsSync(join(root, dirname(document), link)))).toEqual([]);
  });

  test("paths exist", () => {
    const words = [...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, inside = ""]) => inside.split(/\s+/));
    const paths = words.filter((word) => OURS.test(word) || /^(?:src|test|scripts|examples)\/?$/.test(word));
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test("links inside it, or to a place in another, lead to a title", () => {
    const links = [...text.matchAll(/\]\(([^)\s#:]*)#([^)\s]+)\)/g)].map(([, to = "", title = ""]) => ({ to, title }));
    const missing = links.filter(({ to, title }) => {
      const there = to === "" ? text : readFileSync(join(root, dirname(document), to), "utf8");
      return !titlesOf(there).includes(title);
    });
    expect(missing).toEqual([]);
  });
});

test("README's contents are all of its sections, in their order", () => {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const [, contents = ""] = /^Contents: (.+)$/m.exec(text) ?? [];
  const listed = [...contents.matchAll(/\[([^\]]+)\]\(#/g)].map(([, title]) => title);
  expect(listed).toEqual([...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title));
});

/** As GitHub names them in links. */
function titlesOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, "")
      .replaceAll(" ", "-"),
  );
}
