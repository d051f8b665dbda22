/**
 * The members of the archive that an OVA is (DSP0243, section 5.3: a tar of POSIX.1), found from its front:
 *
 *   | block | box.ovf | block | box.mf | block | disk.vmdk ... | zeros |    what comes behind is nothing of it
 */

import { plainMember } from "../../bytes/digest-manifest.ts";
import { ImageError } from "../../bytes/image-error.ts";
import { whyNoPlainName } from "../../bytes/plain-name.ts";
import { RangeSet } from "../../bytes/range-set.ts";
import { paddedToBlocks, TAR_BLOCK, type TarBlock, TarReader } from "../../bytes/tar-header.ts";
import { readZeroFilled, type Storage } from "../../storage/storage.ts";
import { named, type Refuse, refusalsOf } from "./refusal.ts";

export interface Member {
  /** Below the archive's folder; empty where it has none. */
  readonly name: string;
  /** Of its bytes in the file. */
  readonly start: number;
  readonly size: number;
}

export interface Archive {
  readonly fileSize: number;
  /** Plain files, in the order in which they lie. */
  readonly members: readonly Member[];
  /** What stands before them. */
  readonly blocks: RangeSet;
  /** One past the two blocks of zeros that end it, or what the file has of them; undefined where its file's end does. */
  readonly end: number | undefined;
}

/** Blocks that are read; an OVA has a few. */
const MAX_BLOCKS = 2000;

/** Throws ImageError for the first rule that is broken. */
export async function readArchive(storage: Storage): Promise<Archive> {
  const refuse = refusalsOf(storage.path, "tar header");
  const fileSize = await storage.size();
  const reader = new TarReader();
  const members: Member[] = [];
  const names = new Set<string>();
  const blocks = new RangeSet();
  let end: number | undefined;
  let at = 0;
  for (let count = 0; at < fileSize; ) {
    const bytes = await readZeroFilled(storage, at, TAR_BLOCK);
    if (at === 0 && !isTar(bytes)) throw refuse("not-this-format", "it does not begin as a tar archive does", 0);
    if (bytes.every((byte) => byte === 0)) {
      if (at + TAR_BLOCK <= fileSize) end = Math.min(at + 2 * TAR_BLOCK, fileSize);
      break;
    }
    if (++count > MAX_BLOCKS) throw refuse("unsupported", `its archive has more than ${MAX_BLOCKS} headers`, at);
    const start = at + TAR_BLOCK;
    const block = told(() => reader.next(bytes), refuse, at);
    const size = "extended" in block ? block.extended : block.member.size;
    if (start + size > fileSize)
      throw refuse("out-of-bounds", `${whatEnds(block)} of ${size} bytes ends outside the file`, at);
    if ("extended" in block) {
      const content = await readZeroFilled(storage, start, size);
      told(() => reader.addExtended(content), refuse, start);
      blocks.add(at, start + size);
    } else {
      blocks.add(at, start);
      const name = nameOf(block.member.name, at, refuse);
      if (names.has(name)) throw refuse("unsupported", `two of its members are called ${named(name)}`, at);
      names.add(name);
      if (block.member.kind === "other")
        throw refuse("unsupported", `its member ${named(name)} is a link, a device or a sparse map`, at);
      if (block.member.kind === "folder" && size > 0)
        throw refuse("corrupt", `its folder ${name} has ${size} bytes`, at);
      if (block.member.kind === "file") members.push({ name, start, size });
    }
    at = start + paddedToBlocks(size);
  }
  if (reader.isWaiting) throw refuse("corrupt", "its archive ends behind a header that tells of another member", at);
  return { fileSize, members, blocks, end };
}

/** POSIX's and GNU's; an older one has no name. */
function isTar(block: Uint8Array): boolean {
  return Buffer.from(block).toString("latin1", 257, 262) === "ustar";
}

function whatEnds(block: TarBlock): string {
  return "extended" in block ? "an extended header" : `its member ${named(plainMember(block.member.name))}`;
}

/** What the archive's own reader says names no place. */
function told<T>(read: () => T, refuse: Refuse, hostOffset: number): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw refuse(error.kind, `in its archive ${error.message}`, hostOffset);
  }
}

/** Below a folder that whoever unpacks it chooses: nothing leads out of there. */
function nameOf(written: string, hostOffset: number, refuse: Refuse): string {
  const name = plainMember(written);
  const why = written.startsWith("/")
    ? "leads to another folder"
    : name
        .split("/")
        .map((part) => (name === "" ? undefined : whyNoPlainName(part)))
        .find((each) => each !== undefined);
  if (why === undefined) return name;
  throw refuse("unsupported", `the name of its member ${JSON.stringify(written.slice(0, 100))} ${why}`, hostOffset);
}
