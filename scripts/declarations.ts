/** What becomes of the declarations that the compiler writes before they are dist's: what is ours alone is taken out of them. */

import { readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** `folder` holds what the compiler made of the module that `first` declares. */
export async function trimDeclarations(folder: string, first: string): Promise<void> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".d.ts"));
  for (const name of names) {
    const text = await readFile(join(folder, name), "utf8");
    await writeFile(join(folder, name), withoutIdleImports(withoutOurParameters(forOlderCompilers(text))));
  }
  await keepReachable(folder, first);
}

/** TypeScript before 5.7 takes no argument for the type of bytes, and its default is what callers need. */
function forOlderCompilers(text: string): string {
  return text.replaceAll("Uint8Array<ArrayBuffer>", "Uint8Array");
}

/** The last parameter of public functions, by which our tests hand in a disk of their own. */
function withoutOurParameters(text: string): string {
  return text.replace(/^(export declare function .*), (?:host|volume)\?: (?:Host|Volume)\)/gm, "$1)");
}

/** Names that nothing asks for any more would still lead to the modules that declare them. */
function withoutIdleImports(text: string): string {
  return text.replace(
    /^import (type )?\{ (.*) \} from (".*");\n/gm,
    (whole, type: string | undefined, list: string, from: string) => {
      const rest = text.replace(whole, "");
      const used = list.split(", ").filter((name) => new RegExp(`\\b${name.replace("type ", "")}\\b`).test(rest));
      return used.length === 0 ? "" : `import ${type ?? ""}{ ${used.join(", ")} } from ${from};\n`;
    },
  );
}

/** Removes every declaration that the first one does not lead to: what is inside is nobody's to import. */
async function keepReachable(folder: string, first: string): Promise<void> {
  const reached = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (reached.has(file)) return;
    reached.add(file);
    const text = await readFile(file, "utf8");
    for (const [, path] of text.matchAll(/(?:from |import\()"(\.[^"]+)\.ts"/g)) {
      await visit(join(dirname(file), `${path}.d.ts`));
    }
  };
  await visit(join(folder, first));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name);
    if (!reached.has(file)) await rm(file);
  }
  // The deepest first, so that a folder of empty folders goes too.
  for (const entry of entries.filter((each) => each.isDirectory()).reverse()) {
    await rmdir(join(entry.parentPath, entry.name)).catch(() => {});
  }
}
