/** Tables and headings of the reference pages. */

/** A page's first line says where it comes from, for whoever would edit it. */
export function page(title: string, ...parts: readonly string[]): string {
  const origin = "<!-- Written by `node scripts/reference.ts`; a test compares it with the code. -->";
  return `${[origin, `# ${title}`, ...parts].join("\n\n")}\n`;
}

/** Columns by their titles, then a row a list of cells. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

export function code(text: string): string {
  return `\`${text}\``;
}

export function block(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

/** `a`, `b` and `c`, as code. */
export function codes(words: readonly string[]): string {
  return words.map(code).join(", ");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
