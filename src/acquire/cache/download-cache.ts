/**
 * Downloads kept between runs, as they came over the wire and packed, with their digest beside them; what comes back is
 * only bytes from outside, to be verified like any download. A cache that is missing or fails costs a note at most.
 */

import { createHash } from "node:crypto";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ByteSource } from "../http/download.ts";
import { type Digest, digestOfHex } from "../source/digest.ts";
import { shownUrl } from "../source/source-url.ts";
import type { CacheUse } from "./cache-policy.ts";
import { PackedWriter, packedBytes, type Runs } from "./packed-file.ts";

export interface PendingSave {
  readonly key: string;
  readonly folder: string;
}

/** What stands beside the packed bytes. */
interface Entry {
  readonly digest: Digest;
  readonly runs: Runs;
}

const DATA = "data";
const ENTRY = "entry.json";
const MAX_ENTRY_BYTES = 2 ** 26;
/** GitHub keeps 10 GiB a repository; one entry must not throw all others out. */
export const MAX_CACHED_BYTES = 5 * 2 ** 30;

export class DownloadCache {
  readonly #folder: string;
  readonly #use: CacheUse;
  readonly #pending: PendingSave[] = [];
  /** Whose folders are at work: the same file may be wanted twice at once. */
  readonly #busy = new Set<string>();

  /** @param folder for what is restored and kept; the same in every run, since it is part of an entry's identity */
  constructor(folder: string, use: CacheUse) {
    this.#folder = folder;
    this.#use = use;
  }

  /** For the step that runs when all went well: `savePending` performs them, `discardPending` gives them up. */
  get pendingSaves(): readonly PendingSave[] {
    return this.#pending;
  }

  /** The entry's bytes, not yet verified, and the digest that they had; undefined where there is none. */
  async restore(key: string): Promise<CachedDownload | undefined> {
    if (!this.#use.mayRestore || this.#busy.has(key)) return undefined;
    const folder = this.#folderOf(key);
    this.#busy.add(key);
    try {
      await mkdir(folder, { recursive: true });
      const { restoreFolder } = await import("./cache.ts");
      if (await restoreFolder(folder, key)) return new CachedDownload(folder, await readEntry(folder));
    } catch {
      // As good as none.
    }
    await removeFolder(folder);
    this.#busy.delete(key);
    return undefined;
  }

  /** Where a download is kept while it comes; undefined where it isn't to be. */
  async keep(key: string, total: number | undefined): Promise<KeptDownload | undefined> {
    if (!this.#use.maySave || total === undefined || total > MAX_CACHED_BYTES) return undefined;
    if (this.#busy.has(key)) return undefined;
    const folder = this.#folderOf(key);
    this.#busy.add(key);
    try {
      await removeFolder(folder);
      await mkdir(folder, { recursive: true });
      const writer = await PackedWriter.create(join(folder, DATA));
      return new KeptDownload(folder, writer, () => this.#pending.push({ key, folder }));
    } catch {
      return undefined;
    }
  }

  #folderOf(key: string): string {
    return join(this.#folder, key);
  }
}

/** One that came from the cache. */
export class CachedDownload implements ByteSource {
  readonly total: number;
  /** On the disk, until it is removed. */
  readonly diskBytes: number;
  /** What it was when it was kept. */
  readonly kept: Digest;
  readonly #folder: string;
  readonly #runs: Runs;
  #hash = createHash("sha256");

  constructor(folder: string, { digest, runs }: Entry) {
    this.#folder = folder;
    this.#runs = runs;
    this.kept = digest;
    this.#hash = createHash(digest.algorithm);
    this.total = runs.reduce((sum, length) => sum + length, 0);
    this.diskBytes = runs.reduce((sum, length, index) => sum + (index % 2 === 0 ? length : 0), 0);
  }

  async *bytes(): AsyncGenerator<Buffer> {
    for await (const chunk of packedBytes(join(this.#folder, DATA), this.#runs)) {
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  digest(): Digest {
    return { algorithm: this.kept.algorithm, hex: this.#hash.copy().digest("hex") };
  }

  drop(): void {}

  /** Its place on the disk is free again. */
  async remove(): Promise<void> {
    await removeFolder(this.#folder);
  }
}

/** One that is on its way into the cache. Failing only gives it up. */
export class KeptDownload {
  readonly #folder: string;
  readonly #writer: PackedWriter;
  readonly #commit: () => void;
  #isGivenUp = false;

  constructor(folder: string, writer: PackedWriter, commit: () => void) {
    this.#folder = folder;
    this.#writer = writer;
    this.#commit = commit;
  }

  /** That it takes until it is saved. */
  get diskBytes(): number {
    return this.#isGivenUp ? 0 : this.#writer.written;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#isGivenUp) return;
    try {
      await this.#writer.write(chunk);
    } catch {
      await this.giveUp();
    }
  }

  async finish(digest: Digest): Promise<void> {
    if (this.#isGivenUp) return;
    try {
      const runs = await this.#writer.finish();
      await writeFile(join(this.#folder, ENTRY), JSON.stringify({ digest, runs } satisfies Entry));
      this.#commit();
    } catch {
      await this.giveUp();
    }
  }

  async giveUp(): Promise<void> {
    this.#isGivenUp = true;
    await this.#writer.finish().catch(() => {});
    await removeFolder(this.#folder);
  }
}

/** The same bytes at the same place: by their digest, or by a strong ETag where none is expected. */
export function cacheKey(url: URL, identity: Digest | { readonly etag: string }): string {
  // The query of a signed URL is another in each run, which a digest makes up for.
  const words = "etag" in identity ? [url.href, identity.etag] : [shownUrl(url), identity.algorithm, identity.hex];
  return `inplace-convert-download-1-${createHash("sha256").update(words.join("\n")).digest("hex")}`;
}

/** One sentence for each that was not saved. */
export async function savePending(saves: readonly PendingSave[]): Promise<readonly string[]> {
  const notes: string[] = [];
  if (saves.length === 0) return notes;
  const { saveFolder } = await import("./cache.ts");
  for (const { key, folder } of saves) {
    const reason = await saveFolder(folder, key);
    if (reason !== undefined) notes.push(`The download was not kept in the cache: ${reason}`);
    await removeFolder(folder);
  }
  return notes;
}

export async function discardPending(saves: readonly PendingSave[]): Promise<void> {
  for (const { folder } of saves) await removeFolder(folder);
}

/** Throws where it isn't what `finish` wrote. */
async function readEntry(folder: string): Promise<Entry> {
  const path = join(folder, ENTRY);
  if ((await stat(path)).size > MAX_ENTRY_BYTES) throw new Error("Cannot use a cache entry: its list is too long");
  const { digest, runs } = JSON.parse(await readFile(path, "utf8")) as Entry;
  const known = digestOfHex(digest.hex);
  // Zeros cost nothing to promise, but time to read.
  const isRight = Array.isArray(runs) && runs.every((length) => Number.isSafeInteger(length) && length >= 0);
  const isLong = isRight && runs.reduce((sum, length) => sum + length, 0) > MAX_CACHED_BYTES;
  if (known === undefined || known.algorithm !== digest.algorithm || !isRight || isLong) {
    throw new Error("Cannot use a cache entry: it is damaged");
  }
  return { digest: known, runs };
}

async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => {});
}
