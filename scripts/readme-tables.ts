/**
 * Writes action.yml's inputs and outputs, and what each pair of formats comes to, into README.md: `node scripts/readme-tables.ts`.
 * It asks qemu-img for images.
 *
 * A table stands between `<!-- inputs -->` and `<!-- /inputs -->`, the others by `outputs` and `pairs` in the same way; a
 * README without these marks is left as it is.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inputKinds } from "./input-kinds.ts";
import { cellsOf, pairsTable, Samples } from "./pairs.ts";

export interface Declaration {
  readonly name: string;
  readonly description: string;
  readonly isRequired: boolean;
  /** Undefined where action.yml has none. */
  readonly default: string | undefined;
}

/** The inputs or outputs of an action.yml, as far as ours needs YAML: two levels, one line a value. */
export function declarations(actionYaml: string, section: "inputs" | "outputs"): Declaration[] {
  const [, block = ""] = new RegExp(`^${section}:\\n((?:  .*\\n|\\n)*)`, "m").exec(actionYaml) ?? [];
  return [...block.matchAll(/^ {2}([a-z0-9-]+):\n((?: {4}.*\n)*)/gm)].map(([, name = "", fields = ""]) => {
    const value = (key: string) => plain(new RegExp(`^ {4}${key}: (.*)$`, "m").exec(fields)?.[1]);
    return {
      name,
      description: value("description") ?? "",
      isRequired: value("required") === "true",
      default: value("default"),
    };
  });
}

function plain(scalar: string | undefined): string | undefined {
  return scalar?.replace(/^'(.*)'$/, "$1");
}

export function inputsTable(actionYaml: string): string {
  const rows = declarations(actionYaml, "inputs").map(({ name, description, isRequired, default: text }) => {
    const value = isRequired ? "required" : text === undefined ? "" : `\`${text}\``;
    const { type, example } = inputKinds[name] ?? {};
    const kind = `${type ?? ""} | ${value} | ${example === undefined ? "" : `\`${example}\``}`;
    return `| \`${name}\` | ${kind} | ${cell(description)} |\n`;
  });
  return `| input | type | default | example | meaning |\n| --- | --- | --- | --- | --- |\n${rows.join("")}`;
}

export function outputsTable(actionYaml: string): string {
  const rows = declarations(actionYaml, "outputs").map(
    ({ name, description }) => `| \`${name}\` | ${cell(description)} |\n`,
  );
  return `| output | meaning |\n| --- | --- |\n${rows.join("")}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** `readme` with its tables between their marks; that of the pairs only where it is given. */
export function withTables(readme: string, actionYaml: string, pairs?: string): string {
  const tables = { inputs: inputsTable(actionYaml), outputs: outputsTable(actionYaml), ...(pairs && { pairs }) };
  return Object.entries(tables).reduce((text, [name, table]) => {
    const marks = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(<!-- /${name} -->)`);
    return text.replace(marks, (_, start: string, end: string) => `${start}${table}${end}`);
  }, readme);
}

if (import.meta.main) {
  const [readme, action] = ["../README.md", "../action.yml"].map((name) =>
    fileURLToPath(new URL(name, import.meta.url)),
  );
  const samples = new Samples();
  try {
    const pairs = pairsTable(await cellsOf(samples));
    const text = readFileSync(`${readme}`, "utf8");
    writeFileSync(`${readme}`, withTables(text, readFileSync(`${action}`, "utf8"), pairs));
  } finally {
    samples.remove();
  }
}
