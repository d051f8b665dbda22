/** Takes the disk images out of an archive into a folder; everything else in it is passed over. */

import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { counted } from "../bytes/count-text.ts";
import { ImageError } from "../index.ts";
import { ByteReader, type Bytes } from "./byte-reader.ts";
import { cleanName } from "./file-name.ts";
import { beginsAsImage, isImageName, MARK_LENGTH } from "./known-image.ts";
import { SparseFile, type SparseLimits } from "./sparse-file.ts";
import { type TarEntry, tarEntries } from "./tar.ts";
import { unpacked, unpackingOf } from "./unpacking.ts";

const MAX_ENTRIES = 100_000;
const MAX_IMAGES = 1000;
const MAX_DEPTH = 16;

/**
 * Paths below `folder`, in the archive's order.
 *
 * @param what names the archive in errors
 * @throws ImageError for a name that leads out of the folder, for one that comes twice, for no image at all
 */
export async function extractImages(
  bytes: Bytes,
  folder: string,
  limits: SparseLimits,
  what: string,
): Promise<readonly string[]> {
  const taken = new Map<string, string>();
  let entryCount = 0;
  let left = limits;
  for await (const entry of withErrorsOf(what, tarEntries(bytes))) {
    if (++entryCount > MAX_ENTRIES) throw refused(what, `it holds more than ${MAX_ENTRIES} entries`);
    const reader = new ByteReader(withErrorsOf(what, entry.bytes()));
    if (!(await isImage(entry, reader))) continue;
    const name = confinedName(entry, what);
    // What differs in case only is one file on many systems.
    const key = name.toLowerCase();
    if (taken.has(key)) throw refused(what, `two of its images are called ${name}`);
    if (taken.size === MAX_IMAGES) throw refused(what, `it holds more than ${MAX_IMAGES} images`);
    taken.set(key, name);
    left = await extract(entry, reader, join(folder, name), left);
  }
  if (taken.size === 0)
    throw refused(what, `it has ${counted(entryCount, "entry", "entries")}, none of them a disk image`);
  return [...taken.values()];
}

/** Returns what of the limits is left for the next. */
async function extract(entry: TarEntry, reader: ByteReader, path: string, limits: SparseLimits): Promise<SparseLimits> {
  await mkdir(dirname(path), { recursive: true });
  const file = await SparseFile.create(path, limits);
  try {
    const { codec } = unpackingOf(entry.name);
    for await (const chunk of unpacked(reader.bytes(), codec, entry.name)) await file.write(chunk);
    await file.finish();
  } finally {
    await file.abandon();
  }
  return { length: limits.length - file.length, allocated: limits.allocated - file.allocated };
}

/** An image inside an archive may be compressed once more (`ovf:compression="gzip"`); an archive in it is none. */
async function isImage({ name, kind, size }: TarEntry, reader: ByteReader): Promise<boolean> {
  if (kind === "folder") return false;
  const { name: bare, isArchive } = unpackingOf(name);
  if (isArchive) return false;
  if (isImageName(bare)) return true;
  return kind === "file" && size > 0 && beginsAsImage(await reader.peek(MARK_LENGTH));
}

/** The entry's path below the folder, with `/` between its parts. */
function confinedName({ name, kind }: TarEntry, what: string): string {
  const { name: bare } = unpackingOf(name);
  if (kind !== "file") throw refused(what, `its image ${name} is a link, a device or a sparse map, not a plain file`);
  const parts = bare.split("/").filter((part) => part !== "" && part !== ".");
  const isStray = bare.startsWith("/") || bare.includes("\\") || /^[a-z]:/i.test(bare) || parts.includes("..");
  if (isStray || bare.includes("\0")) throw refused(what, `its image ${name} lies outside of its folder`);
  if (parts.length > MAX_DEPTH) throw refused(what, `its image ${name} lies more than ${MAX_DEPTH} folders deep`);
  const clean = parts.map(cleanName);
  if (clean.length === 0 || clean.includes(undefined)) throw refused(what, `its image "${name}" has no usable name`);
  return clean.join("/");
}

async function* withErrorsOf<T>(what: string, items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    // Those of the tar itself name nothing yet.
    if (!(error instanceof ImageError) || error.kind !== "corrupt" || error.message.startsWith("Cannot")) throw error;
    throw new ImageError("corrupt", `Cannot unpack ${what} as tar: ${error.message}`, {
      operation: "unpack",
      cause: error,
    });
  }
}

function refused(what: string, why: string): ImageError {
  return new ImageError("unsupported", `Cannot take images out of ${what}: ${why}`, { operation: "unpack" });
}
