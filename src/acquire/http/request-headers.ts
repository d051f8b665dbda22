/** Lines of `Name: value` for private URLs. */

import { UsageError } from "../../index.ts";
import type { Headers } from "./request.ts";

/** What the download itself decides, or what would change where a request goes. */
const OURS =
  /^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|range|if-range|accept-encoding|proxy-.*)$/;

export interface ReadHeaders {
  readonly headers: Headers;
  /** One sentence for each line that is no header, without the line: it may be a secret. */
  readonly mistakes: readonly string[];
}

export function readHeaders(text: string): ReadHeaders {
  const headers = new Map<string, string>();
  const mistakes: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const [, name = "", value = ""] = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+)\s*:\s*([\t\x20-\x7e]*?)\s*$/i.exec(line) ?? [];
    const key = name.toLowerCase();
    if (key === "") mistakes.push(`Cannot use line ${index + 1} of headers: write Name: value`);
    else if (OURS.test(key)) mistakes.push(`Cannot use the header ${name}: the download sets it by itself`);
    else if (headers.has(key)) mistakes.push(`Cannot use the header ${name} twice`);
    else headers.set(key, value);
  }
  return { headers: Object.fromEntries(headers), mistakes };
}

/** @throws UsageError that tells all mistakes */
export function parseHeaders(text: string): Headers {
  const { headers, mistakes } = readHeaders(text);
  if (mistakes.length > 0) throw new UsageError(mistakes.join("; "));
  return headers;
}
