/** Takes the disk images out of an archive into a folder, as its manifest has them; everything else is passed over. */

import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { counted } from "../../bytes/count-text.ts";
import { isManifestName, MAX_MANIFEST_BYTES, TAGGED_ALGORITHMS } from "../../bytes/digest-manifest.ts";
import { ImageError } from "../../index.ts";
import { cleanName } from "../source/file-name.ts";
import { ArchiveManifests, type ManifestVerdict, MemberHash } from "./archive-manifest.ts";
import { ByteReader, type Bytes } from "./byte-reader.ts";
import { beginsAsImage, isImageName, MARK_LENGTH } from "./known-image.ts";
import { SparseFile, type SparseLimits } from "./sparse-file.ts";
import { type TarEntry, tarEntries } from "./tar.ts";
import { unpacked, unpackingOf } from "./unpacking.ts";

const MAX_ENTRIES = 100_000;
const MAX_IMAGES = 1000;
const MAX_DEPTH = 16;

export interface Extracted extends ManifestVerdict {
  /** Below the folder, in the archive's order. */
  readonly names: readonly string[];
  /** Bytes of them that take space. */
  readonly allocated: number;
}

/**
 * Where it throws, what was taken out until then is still there.
 *
 * @param what names the archive in errors
 * @throws ImageError for a name that leads out of the folder, for one that comes twice, for no image at all, and where
 * a manifest contradicts what was taken out
 */
export async function extractImages(
  bytes: Bytes,
  folder: string,
  limits: SparseLimits,
  what: string,
  signal?: AbortSignal,
): Promise<Extracted> {
  const taken = new Map<string, string>();
  const manifests = new ArchiveManifests(what);
  let entryCount = 0;
  let left = limits;
  for await (const entry of withErrorsOf(what, tarEntries(bytes))) {
    if (++entryCount > MAX_ENTRIES) throw refused(what, `it holds more than ${MAX_ENTRIES} entries`);
    manifests.addMember(entry.name);
    // What is compressed once more can't be read again.
    const isPacked = unpackingOf(entry.name).codec !== undefined;
    const hash = new MemberHash(isPacked ? TAGGED_ALGORITHMS : manifests.algorithmsFor(entry.name));
    const member = hash.passing(withErrorsOf(what, entry.bytes()));
    const reader = new ByteReader(member);
    if (entry.kind !== "folder" && isManifestName(entry.name)) {
      manifests.addManifest(entry.name, await manifestText(entry, reader, what));
      continue;
    }
    if (!(await isImage(entry, reader))) continue;
    const name = confinedName(entry, what);
    // What differs in case only is one file on many systems.
    const key = name.toLowerCase();
    if (taken.has(key)) throw refused(what, `two of its images are called ${name}`);
    if (taken.size === MAX_IMAGES) throw refused(what, `it holds more than ${MAX_IMAGES} images`);
    taken.set(key, name);
    const path = join(folder, name);
    left = await extract(entry, reader, path, left);
    // A codec may stop before the member's end.
    for await (const _ of member);
    manifests.addImage(entry.name, hash.digests(), () => createReadStream(path, { ...(signal && { signal }) }));
  }
  if (taken.size === 0)
    throw refused(what, `it has ${counted(entryCount, "entry", "entries")}, none of them a disk image`);
  return { names: [...taken.values()], allocated: limits.allocated - left.allocated, ...(await manifests.judge()) };
}

/**
 * Writes an archive as it comes to `path`, and holds the images in it to its manifest as if they were taken out.
 *
 * @throws ImageError as `extractImages` does, but for names
 */
export async function keepArchive(bytes: Bytes, path: string, limits: SparseLimits, what: string): Promise<Extracted> {
  const manifests = new ArchiveManifests(what);
  const file = await SparseFile.create(path, limits);
  const written = async function* () {
    for await (const chunk of bytes) {
      await file.write(chunk);
      yield chunk;
    }
  };
  try {
    for await (const entry of withErrorsOf(what, tarEntries(written()))) {
      manifests.addMember(entry.name);
      const hash = new MemberHash(manifests.algorithmsFor(entry.name));
      const reader = new ByteReader(hash.passing(withErrorsOf(what, entry.bytes())));
      if (entry.kind === "file" && isManifestName(entry.name))
        manifests.addManifest(entry.name, await manifestText(entry, reader, what));
      else if (await isImage(entry, reader)) {
        for await (const _ of reader.bytes());
        manifests.addImage(entry.name, hash.digests(), () => memberOf(path, entry.name));
      }
    }
    await file.finish();
  } finally {
    await file.abandon();
  }
  return { names: [basename(path)], allocated: file.allocated, ...(await manifests.judge()) };
}

async function* memberOf(path: string, name: string): AsyncGenerator<Uint8Array> {
  for await (const entry of tarEntries(createReadStream(path))) if (entry.name === name) yield* entry.bytes();
}

async function manifestText({ name, kind, size }: TarEntry, reader: ByteReader, what: string): Promise<string> {
  if (kind !== "file") throw refused(what, `its manifest ${name} is no plain file`);
  if (size > MAX_MANIFEST_BYTES) throw refused(what, `its manifest ${name} is larger than 1 MiB`);
  return Buffer.from(await reader.take(size)).toString("utf8");
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
  return { ...limits, length: limits.length - file.length, allocated: limits.allocated - file.allocated };
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
    if (!(error instanceof ImageError) || error.kind !== "corrupt" || error.operation !== undefined) throw error;
    throw new ImageError("corrupt", `Cannot unpack ${what} as tar: ${error.message}`, {
      operation: "unpack",
      cause: error,
    });
  }
}

function refused(what: string, why: string): ImageError {
  return new ImageError("unsupported", `Cannot take images out of ${what}: ${why}`, { operation: "unpack" });
}
