/** An image that is read, by whatever qemu-img lets it be named: a path, `--image-opts`, or `json:{…}`. */

import { UsageError } from "../doors.ts";
import { type CommandRun, formatName, type Values } from "./command-run.ts";
import { parseOptionList } from "./option-list.ts";

export interface NamedImage {
  readonly path: string;
  /** qemu-img's name; undefined where it is to be told by the image's marks. */
  readonly format: string | undefined;
}

/**
 * `format` is what was said for the image by an option of its own, `-f` or `-F`. `readsData` where the guest's data is
 * read: what would decrypt it has no effect elsewhere, and is refused there, since no encrypted guest is read.
 *
 * @throws UsageError for a key that we don't know, by its name
 */
export function namedImage(
  { values }: CommandRun,
  word: string,
  format: string | undefined,
  readsData: boolean,
): NamedImage {
  if (readsData) refuseSecret(values);
  const isJson = word.startsWith("json:");
  if (!isJson && !values.imageOpts) return { path: word, format };
  const source = isJson ? "json:…" : "--image-opts";
  if (format !== undefined && !isJson)
    throw new UsageError(`Cannot take --format beside ${source}: name the format by driver`);
  const keys = isJson ? jsonKeys(word.slice("json:".length)) : parseOptionList([word], source).values;
  const named = imageOfKeys(keys, source, readsData);
  // As qemu-img has it, json: may leave the format to -f.
  if (format === undefined) return named;
  if (named.format === undefined || named.format === format) return { path: named.path, format };
  throw new UsageError(`Cannot take --format ${format} beside ${source} whose driver is ${named.format}`);
}

/** For commands that read the guest's data. */
export function refuseSecret({ object }: Values): void {
  if (object === undefined) return;
  throw new UsageError(
    "Cannot use a secret of --object: no encrypted guest is read here; leave it out, or decrypt a copy with qemu-img convert",
  );
}

const KNOWN = ["driver", "file.filename", "filename", "file.driver"] as const;

/** `driver`, `file.filename` or `filename`; `file.driver=file` is all that we open anyway. */
function imageOfKeys(keys: Readonly<Record<string, unknown>>, source: string, readsData: boolean): NamedImage {
  const texts: Partial<Record<(typeof KNOWN)[number], string>> = {};
  for (const [name, value] of Object.entries(keys)) {
    const known = KNOWN.find((each) => each === name);
    if (known === undefined && !readsData && name.startsWith("encrypt.")) continue;
    if (known === undefined)
      throw new UsageError(`Cannot use ${name} of ${source}: driver and file.filename are known`);
    if (typeof value !== "string") throw new UsageError(`Cannot use ${name} of ${source}: expected a text`);
    texts[known] = value;
  }
  const { driver, "file.filename": path, filename, "file.driver": protocol } = texts;
  if (protocol !== undefined && protocol !== "file") {
    throw new UsageError(`Cannot open an image by ${protocol}: ${source} takes files alone`);
  }
  const found = path ?? filename;
  if (!found) throw new UsageError(`Cannot go on without an image: ${source} needs file.filename`);
  return { path: found, format: driver === undefined ? undefined : formatName(driver) };
}

/** `{"driver": "qcow2", "file": {"filename": "a"}}`, or its keys with dots. */
function jsonKeys(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`Cannot read json:${text}: it is no JSON; a file of that name is ./json:…`);
  }
  return Object.fromEntries(flattened(value, ""));
}

function flattened(value: unknown, name: string): readonly (readonly [string, unknown])[] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, inner]) => flattened(inner, name === "" ? key : `${name}.${key}`));
  }
  if (name === "") throw new UsageError("Cannot read json:…: expected an object with driver and file.filename");
  return [[name, value]];
}
