/** docs/reference/exit-codes.md: a row a code, a column a kind of command, from what `--help` tells. */

import { commands } from "../../src/cli/commands.ts";
import { exitCodesOf } from "../../src/cli/help-text.ts";
import { code, codes, page, table } from "./markdown.ts";

export function exitCodesPage(): string {
  const kinds = kindsOfCommands();
  const all = [...new Set(kinds.flatMap(({ meanings }) => Object.keys(meanings)))].sort(
    (a, b) => Number(a) - Number(b),
  );
  return page(
    "Exit codes",
    "Those of `check` and `compare` are qemu-img's, so that a script that calls qemu-img can call this instead; ours beside them are 4 and 5.",
    table(
      ["code", ...kinds.map(({ names }) => codes(names))],
      all.map((exit) => [code(exit), ...kinds.map(({ meanings }) => meanings[Number(exit)] ?? "")]),
    ),
    "Where a command exits 4, a journal stands beside the image, and the message names the command that goes on: `resume` finishes, `rollback` puts back. Both may be run at any later time, on another machine too if image and journal are moved together.",
    "A reader that has gone, as `| head` does, is nothing to a command that only reads: it exits as it would have. With `--output json` a failure is also told on stdout, see [json.md](json.md#failures).",
  );
}

/** Commands with the same codes stand together. */
function kindsOfCommands() {
  const kinds: { readonly names: string[]; readonly meanings: Readonly<Record<number, string>> }[] = [];
  for (const spec of commands) {
    const meanings = exitCodesOf(spec);
    const same = kinds.find((kind) => JSON.stringify(kind.meanings) === JSON.stringify(meanings));
    if (same === undefined) kinds.push({ names: [spec.name], meanings });
    else same.names.push(spec.name);
  }
  return kinds;
}
