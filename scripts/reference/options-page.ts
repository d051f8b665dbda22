/** docs/reference/options.md: every key of `-o`, of each format as target and as source. */

import { formatDrivers } from "../../src/formats/registry.ts";
import { sourceOptions, type TargetOption, targetOptions } from "../../src/index.ts";
import { code, codes, page, table } from "./markdown.ts";
import { targetDefaults } from "./target-defaults.ts";

export function optionsPage(): string {
  const of = new Map(formatDrivers.map(({ name, openOptions = [] }) => [name, openOptions] as const));
  return page(
    "Options of formats",
    "`-o KEY=VALUE[,KEY=VALUE…]`, as often as wanted; a later one wins, `,,` is a comma inside a value, a key alone means `on`. " +
      "In the action a line each in `options`, in the library the object `options`. `inplace-convert convert IMAGE FORMAT -o help` prints those of a format; an unknown key is wrong usage, exit code 2, and nothing is written.",
    "Sizes are bytes, or end in k, M, G or T.",
    ...formatDrivers.flatMap(({ name, aliases }) => [
      `## ${name}`,
      ...(aliases.length > 0 ? [`Also called ${codes(aliases)}.`] : []),
      ...section("As the target", targetOptions(name), (key) => targetDefaults[`${name}.${key}`]?.text),
      ...section(
        "As the source",
        of.get(name) ?? [],
        () => "what both sizes agree on; where they don't, the image is refused",
      ),
    ]),
    `Keys of a source may be given to every command that reads an image (${codes(sourceOptions().map(({ name }) => name))}), and to \`convert\` and \`plan\` beside the target's.`,
  );
}

function section(
  title: string,
  options: readonly TargetOption[],
  defaultOf: (key: string) => string | undefined,
): string[] {
  if (options.length === 0) return [`${title}: nothing to choose.`];
  const rows = options.map((option) => [code(option.name), values(option), defaultOf(option.name) ?? "", option.help]);
  return [`${title}:`, table(["key", "value", "default", "meaning"], rows)];
}

function values({ kind, choices = [] }: TargetOption): string {
  switch (kind) {
    case "boolean":
      return "`on`, `off`";
    case "choice":
      return codes(choices);
    case "path":
      return "a path";
    default:
      return `a ${kind}`;
  }
}
