/**
 * Images whose backing file was converted in the same step. They name it as it was: what has another name now is not found,
 * and what is read as the format that it was shows tables in the place of the guest's disk.
 */

import { dirname, relative, resolve, sep } from "node:path";
import { info, shellWord } from "../index.ts";
import type { Inputs } from "./inputs/inputs.ts";
import { warnOfImages } from "./report/annotations.ts";
import type { ImageResult } from "./results/image-result.ts";

/** To each such image a note that says so and how to point it at its backing file again; a warning too. */
export async function withLeftOverlays(
  results: readonly ImageResult[],
  { convertOptions }: Inputs,
): Promise<readonly ImageResult[]> {
  const converted = results.filter(({ report }) => report?.changed);
  if (converted.length === 0 || results.length === 1) return results;
  const bases = new Map(converted.map((result) => [resolve(result.image), result]));
  const left: { readonly path: string; readonly message: string }[] = [];
  const told: ImageResult[] = [];
  for (const result of results) {
    const isWhole = result.report?.guestChecksum?.covers === "guest" && !convertOptions.backingChain;
    const message = isWhole ? undefined : await noteOf(result, bases);
    told.push(message === undefined ? result : { ...result, notes: [...(result.notes ?? []), message] });
    if (message !== undefined && result.path !== undefined) left.push({ path: result.path, message });
  }
  warnOfImages("Its backing file was converted", left);
  return told;
}

async function noteOf({ path }: ImageResult, bases: ReadonlyMap<string, ImageResult>): Promise<string | undefined> {
  if (path === undefined) return undefined;
  // What can't be opened has said so already.
  const found = await info(path, { forceShare: true }).catch(() => undefined);
  const { backingFilename, fullBackingFilename, backingFilenameFormat } = found ?? {};
  if (backingFilename === undefined || fullBackingFilename === undefined) return undefined;
  const base = bases.get(resolve(fullBackingFilename));
  if (base?.path === undefined || base.report === undefined) return undefined;
  const format = base.report.targetFormat;
  const isFound = resolve(base.path) === resolve(fullBackingFilename);
  // Whoever probes it finds the new format.
  if (isFound && (backingFilenameFormat ?? format) === format) return undefined;
  const name = relative(dirname(resolve(path)), resolve(base.path))
    .split(sep)
    .join("/");
  const now = isFound ? `is ${format} now` : `is ${name} now, and ${format}`;
  const command = `qemu-img rebase -u -F ${format} -b ${shellWord(name)} ${shellWord(path)}`;
  return `Its backing file ${backingFilename} ${now}; before it is used, point it there: ${command}`;
}
