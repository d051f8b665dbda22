/** A download's bytes to their place: proven, unpacked, within their bounds, in one pass, and only then under their own name. */

import { mkdir, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { formatSize, ImageError } from "../index.ts";
import { CachedDownload, type KeptDownload } from "./cache/download-cache.ts";
import type { ByteSource } from "./http/download.ts";
import { STRAY_LENGTH, strayContent } from "./http/stray-content.ts";
import { finishPart, partName, removePart } from "./part.ts";
import { type Digest, verifyDigest } from "./source/digest.ts";
import type { Limits } from "./source/settings.ts";
import { shownUrl } from "./source/source-url.ts";
import { type Extracted, extractImages, keepArchive } from "./unpack/archive.ts";
import { ByteReader, type Bytes } from "./unpack/byte-reader.ts";
import { SparseFile, type SparseLimits } from "./unpack/sparse-file.ts";
import { type Unpacking, unpacked } from "./unpack/unpacking.ts";
import { isWholeOva } from "./unpack/whole-ova.ts";

export interface PlaceTask {
  readonly url: URL;
  readonly unpacking: Unpacking;
  /** The file's or, for an archive, the folder's. */
  readonly path: string;
  readonly limits: Limits;
  /** Bytes of disk; what is kept of the download for the cache is part of them. */
  readonly maxExtraSpace: number;
  /** Throws where the images of these names are not wanted. */
  readonly accept: (names: readonly string[]) => void;
  readonly signal: AbortSignal;
}

export interface Placed {
  /** Below the output directory; an archive may give several. */
  readonly paths: readonly string[];
  /** Of the bytes as they came. */
  readonly digest: Digest;
  /** As they came. */
  readonly bytes: number;
  /** That the images take on the disk. */
  readonly diskBytes: number;
  /** What a user must hear: one sentence each. */
  readonly warnings: readonly string[];
  /** What a user may want to know. */
  readonly notes: readonly string[];
}

/** All bytes of the source to their place, under their own name only once they are what was expected. */
export async function place(
  task: PlaceTask,
  source: ByteSource,
  expected: Digest | undefined,
  kept: KeptDownload | undefined,
): Promise<Placed> {
  const { path, unpacking, url, signal } = task;
  const what = shownUrl(url);
  const copyBytes = source instanceof CachedDownload ? source.diskBytes : kept ? (source.total ?? 0) : 0;
  const limits = await spaceFor(source, task, copyBytes);
  const part = partName(path);
  const bytes = source.bytes();
  let received = 0;
  const counted = async function* (): Bytes & AsyncGenerator<Uint8Array> {
    for (let next = await bytes.next(); !next.done; next = await bytes.next()) {
      signal.throwIfAborted();
      received += next.value.length;
      await kept?.write(next.value);
      yield next.value;
    }
  };
  try {
    const whole = counted();
    const reader = new ByteReader(whole);
    refuseStray(await reader.peek(STRAY_LENGTH), what);
    const content = new ByteReader(
      bounded(unpacked(reader.bytes(), unpacking.codec, what), limits.length, signal, what),
    );
    const { names, allocated, notes, warnings } = !unpacking.isArchive
      ? await writeFile(content.bytes(), part, limits)
      : (await isWholeOva(content))
        ? await keepAlone(content.bytes(), part, `${basename(path)}.ova`, limits, what)
        : await extractImages(content.bytes(), part, limits, what, signal);
    // A codec may stop before the end; the digest is of everything.
    for await (const _ of whole);
    const digest = source.digest();
    if (expected) verifyDigest(what, expected, digest);
    signal.throwIfAborted();
    task.accept(names);
    await finishPart(part, path, unpacking.isArchive ? "folder" : "file");
    const paths = names.map((name) => join(path, name));
    return { paths, digest, bytes: received, diskBytes: allocated, notes, warnings };
  } finally {
    // A decoder that failed may still wait for bytes.
    source.drop();
    await bytes.return(undefined);
    await removePart(part);
  }
}

async function writeFile(content: Bytes, path: string, limits: SparseLimits): Promise<Extracted> {
  const file = await SparseFile.create(path, limits);
  try {
    for await (const chunk of content) await file.write(chunk);
    await file.finish();
  } finally {
    await file.abandon();
  }
  return { names: [""], allocated: file.allocated, notes: [], warnings: [] };
}

/** An archive as the one file of a folder. */
async function keepAlone(
  content: Bytes,
  folder: string,
  name: string,
  limits: SparseLimits,
  what: string,
): Promise<Extracted> {
  await mkdir(folder, { recursive: true });
  return keepArchive(content, join(folder, name), limits, what);
}

/** A page in the place of a file comes with success, whatever its name is. */
function refuseStray(start: Uint8Array, what: string): void {
  const stray = strayContent(start);
  if (stray === undefined) return;
  const advice = "look whether the address is right, and whether it needs credentials (headers, github-token)";
  throw new ImageError("not-this-format", `Cannot use ${what} as a disk image: what came is ${stray}; ${advice}`, {
    operation: "download",
  });
}

/** However little of it is written: a bomb of zeros needs no space. */
async function* bounded(bytes: Bytes, limit: number, signal: AbortSignal, what: string): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of bytes) {
    signal.throwIfAborted();
    length += chunk.length;
    if (length > limit) {
      throw new ImageError("out-of-bounds", `Cannot unpack ${what}: it is larger than ${formatSize(limit)}`, {
        operation: "unpack",
      });
    }
    yield chunk;
  }
}

/**
 * What may be written; throws ImageError `no-space` where the download alone wouldn't fit.
 *
 * @param copyBytes what the packed bytes take beside it
 */
async function spaceFor({ total = 0 }: ByteSource, task: PlaceTask, copyBytes: number): Promise<SparseLimits> {
  const { path, limits, url, maxExtraSpace } = task;
  const { bavail, bsize } = await statfs(dirname(path));
  const free = bavail * bsize;
  const refuse = (why: string): never => {
    throw new ImageError("no-space", `Cannot download ${shownUrl(url)}: it has ${formatSize(total)}, and ${why}`, {
      path,
      operation: "download",
    });
  };
  const allowed = `max-extra-space allows ${formatSize(maxExtraSpace)}`;
  if (total > maxExtraSpace) refuse(allowed);
  if (total > free) refuse(`${formatSize(free)} are free in ${dirname(path)}; free some space`);
  const left = Math.max(0, maxExtraSpace - copyBytes);
  if (left >= free) return { length: limits.unpackedBytes, allocated: free };
  return { length: limits.unpackedBytes, allocated: left, bound: `${allowed} for the whole download` };
}
