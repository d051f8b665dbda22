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
  if (format !== undefined) throw new UsageError(`Cannot take --format beside ${source}: name the format by driver`);
  const keys = isJson ? jsonKeys(word.slice("json:".length)) : parseOptionList([word]).values;
  return imageOfKeys(keys, source, readsData);
}

/** For commands that read the guest's data. */
export function refuseSecret({ object }: Values): void {
  if (object === undefined) return;
  throw new UsageError(
    "Cannot use a secret of --object: no encrypted guest is read here; leave it out, or decrypt a copy with qemu-img convert",
  );
}

/** `driver`, `file.filename` or `filename`; `file.driver=file` is all that we open anyway. */
function imageOfKeys(keys: Readonly<Record<string, string>>, source: string, readsData: boolean): NamedImage {
  const { driver, "file.filename": path, filename, "file.driver": protocol, ...rest } = keys;
  const [unknown] = Object.keys(rest).filter((name) => readsData || !name.startsWith("encrypt."));
  if (unknown !== undefined) {
    throw new UsageError(`Cannot use ${unknown} of ${source}: driver and file.filename are known`);
  }
  if (protocol !== undefined && protocol !== "file") {
    throw new UsageError(`Cannot open an image by ${protocol}: ${source} takes files alone`);
  }
  const found = path ?? filename;
  if (!found) throw new UsageError(`Cannot go on without an image: ${source} needs file.filename`);
  return { path: found, format: driver === undefined ? undefined : formatName(driver) };
}

/** `{"driver": "qcow2", "file": {"filename": "a"}}`, or its keys with dots. */
function jsonKeys(text: string): Readonly<Record<string, string>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`Cannot read json:${text}: it is no JSON; a file of that name is ./json:…`);
  }
  return Object.fromEntries(flattened(value, ""));
}

function flattened(value: unknown, name: string): readonly (readonly [string, string])[] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, inner]) => flattened(inner, name === "" ? key : `${name}.${key}`));
  }
  if (name === "") throw new UsageError("Cannot read json:…: expected an object with driver and file.filename");
  if (typeof value === "string") return [[name, value]];
  throw new UsageError(`Cannot use ${name} of json:…: expected a text`);
}
