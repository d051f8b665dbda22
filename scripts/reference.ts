/** Writes docs/reference and the man page from the code: `node scripts/reference.ts`. A test says which of them are stale. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { actionPage } from "./reference/action-page.ts";
import { checksumsPage } from "./reference/checksums-page.ts";
import { commandsPage } from "./reference/commands-page.ts";
import { exitCodesPage } from "./reference/exit-codes-page.ts";
import { jsonPage } from "./reference/json-page.ts";
import { libraryPage } from "./reference/library-page.ts";
import { manPage } from "./reference/man-page.ts";
import { optionsPage } from "./reference/options-page.ts";

const root = new URL("../", import.meta.url);

/** Every page's text, by its path in this project. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    "docs/reference/action.md": actionPage(readFileSync(new URL("action.yml", root), "utf8")),
    "docs/reference/checksums.md": checksumsPage(),
    "docs/reference/commands.md": commandsPage(),
    "docs/reference/exit-codes.md": exitCodesPage(),
    "docs/reference/json.md": jsonPage(),
    "docs/reference/library.md": libraryPage(),
    "docs/reference/options.md": optionsPage(),
    "man/inplace-convert.1": manPage(),
  };
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(referencePages())) {
    const file = fileURLToPath(new URL(path, root));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
