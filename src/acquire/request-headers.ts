/** Lines of `Name: value` for private URLs. */

import { UsageError } from "../index.ts";
import type { Headers } from "./http-request.ts";

/** What the download itself decides, or what would change where a request goes. */
const OURS =
  /^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|range|if-range|accept-encoding|proxy-.*)$/;

/** @throws UsageError for a line that is no header, without the line: it may be a secret */
export function parseHeaders(text: string): Headers {
  const headers = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const [, name = "", value = ""] = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+)\s*:\s*([\t\x20-\x7e]*?)\s*$/i.exec(line) ?? [];
    const key = name.toLowerCase();
    if (key === "") throw new UsageError(`Cannot use line ${index + 1} of headers: write Name: value`);
    if (OURS.test(key)) throw new UsageError(`Cannot use the header ${name}: the download sets it by itself`);
    if (headers.has(key)) throw new UsageError(`Cannot use the header ${name} twice`);
    headers.set(key, value);
  }
  return Object.fromEntries(headers);
}
