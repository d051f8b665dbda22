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
import { page } from "./reference/markdown.ts";
import { optionsPage } from "./reference/options-page.ts";

const root = new URL("../", import.meta.url);

const CONTENTS = `- [Commands](commands.md): each with its options, exit codes and an example; the same as a man page in \`man/inplace-convert.1\`
- [Options of formats](options.md): what \`-o\` takes, of each format as target and as source
- [Exit codes](exit-codes.md): of all commands in one table
- [JSON](json.md): every field of what commands and the action print, with its unit
- [The action](action.md): inputs and outputs, each with type and example
- [Library](library.md): what it exports, with types
- [Checksums](checksums.md): what \`blkhash-sha256\` is, and how other tools compute it

Written from the code by \`node scripts/reference.ts\`. Completion for a shell is printed by \`inplace-convert completion bash\`, \`zsh\` or \`fish\`; its first lines say where to put it.`;

/** Every page's text, by its path in this project. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    "docs/reference/README.md": page("Reference", CONTENTS),
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
