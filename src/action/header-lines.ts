/** The lines of the input `headers`, for private URLs: `Name: value`, never told to anyone in a message. */

export interface Header {
  readonly name: string;
  /** A secret. */
  readonly value: string;
}

/** RFC 9110, section 5.6.2. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What a download sets itself; another's would break or mislead it. */
const OURS = new Set([
  "host",
  "range",
  "if-range",
  "content-length",
  "connection",
  "transfer-encoding",
  "accept-encoding",
]);

/** Mistakes name the line by its number: what stands in it is a secret. */
export function parseHeaders(text: string, mistakes: string[]): readonly Header[] {
  const headers: Header[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const colon = line.indexOf(":");
    const [name, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    const why = refusal(colon < 0 ? "" : name, value);
    if (why === undefined) headers.push({ name, value });
    else mistakes.push(`Cannot use line ${index + 1} of headers: ${why}`);
  }
  return headers;
}

function refusal(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return "write Name: value";
  if (OURS.has(name.toLowerCase())) return `${name} is set by the download itself`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (value === "" || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return `${name} needs a value of one line`;
  return undefined;
}
