/** The house as the linter takes it: what each room may not import. */

import { relative } from "node:path/posix";
import { type Guarded, house, type Room } from "./house.ts";

/** Patterns of each guarded package, as a specifier may spell them. */
const SPELLINGS: Readonly<Record<Guarded, readonly string[]>> = {
  "node:*": ["node:*", "node:*/**"],
  "node:fs": ["node:fs", "node:fs/**", "fs", "fs/**"],
  commander: ["commander"],
  "cli-progress": ["cli-progress"],
  "@actions": ["@actions/**"],
};

/** The public index and its neighbours, which know no face. */
const INDEX = {
  files: ["src/*"],
  group: ["./cli/**", "./action/**", "./acquire/**", ...guards(["node:*"])],
  message: "the public index knows no face",
};

/** The linter's `overrides`, in the order in which later ones win. */
export function overrides(): readonly object[] {
  const rooms = house.map((room) => ({
    files: [`src/${room.folder}/*.ts`],
    group: groupOf(room),
    message: room.message,
  }));
  return [...rooms, INDEX].map(({ files, group, message }) => ({
    includes: files,
    linter: {
      rules: {
        style: { noRestrictedImports: { level: "error", options: { patterns: [{ group, message }] } } },
      },
    },
  }));
}

/** In gitignore's manner: what comes later takes back what came before. */
function groupOf({ folder, may, composes = false, packages = [] }: Room): readonly string[] {
  const own = composes ? [] : ["./*/**"];
  return ["../**", ...own, ...may.map((each) => `!${pathTo(folder, each)}`), ...guards(packages)];
}

function pathTo(folder: string, wanted: string): string {
  // A `*` in the folder is one step up like any name.
  const path = relative(folder, wanted);
  const near = path.startsWith(".") ? path : `./${path}`;
  return /\.\w+$/.test(wanted) ? near : `${near}/**`;
}

function guards(allowed: readonly Guarded[]): readonly string[] {
  return (Object.keys(SPELLINGS) as Guarded[])
    .filter((each) => !allowed.includes(each))
    .flatMap((each) => SPELLINGS[each]);
}
