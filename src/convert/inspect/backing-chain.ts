/** Follows an image's backing files, which its own header names: only by consent, and only within narrow rules. */

import { dirname, isAbsolute, join, posix, relative, win32 } from "node:path";
import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, type Sentence, say } from "../../bytes/sentence.ts";
import { formatDrivers, openImage } from "../../formats/registry.ts";
import type { BackingFile, Image } from "../../image/source.ts";
import type { Storage, Volume } from "../../storage/storage.ts";

/** Backing files below one image. */
export const MAX_BACKING_DEPTH = 10;

export type BackingChain = [Image, ...Image[]];

/**
 * The image and what lies below it, top first; the caller closes the storages of all but the first. The caller has
 * the user's consent. Throws `unsupported` unless each backing file's name is relative, leads to a regular file
 * inside the folder of the image that names it (links resolved), and has its format given in the header.
 */
export async function openBackingChain(volume: Volume, image: Image): Promise<BackingChain> {
  const chain: BackingChain = [image];
  const seen = new Set([await volume.realPath(image.storage.path)]);
  try {
    for (let top = image; ; ) {
      const { backing } = top.getConversionOptions();
      if (backing === undefined) return chain;
      if (chain.length > MAX_BACKING_DEPTH) {
        throw refusal(image, backing, `the chain is longer than ${MAX_BACKING_DEPTH} files`, "commit some of them");
      }
      const path = await permittedPath(volume, top, backing);
      if (seen.has(path)) throw refusal(top, backing, "the chain leads back to a file that is in it already");
      seen.add(path);
      top = await openPermitted(volume, top, backing, path);
      chain.push(top);
    }
  } catch (error) {
    await closeBackingFiles(chain);
    throw error;
  }
}

export async function closeBackingFiles([, ...backingFiles]: BackingChain): Promise<void> {
  for (const { storage } of backingFiles) await storage.close();
}

/** The one path, without links, that the name may stand for. */
async function permittedPath(volume: Volume, image: Image, backing: BackingFile): Promise<string> {
  const { name, format } = backing;
  if (format === undefined) {
    throw refusal(
      image,
      backing,
      "its format is not given, and guessing it is unsafe",
      "say it with qemu-img rebase -u -F",
    );
  }
  if (!formatDrivers.some((driver) => driver.name === format)) {
    throw refusal(image, backing, `its format ${JSON.stringify(format)} is not supported`);
  }
  if (Buffer.compare(Buffer.from(name), backing.nameBytes) !== 0) throw refusal(image, backing, "the name is no UTF-8");
  if (name.includes("\0")) throw refusal(image, backing, "the name holds a NUL");
  if (hasProtocol(name)) throw refusal(image, backing, "the name goes to a protocol, not to a file");
  if (posix.isAbsolute(name) || win32.isAbsolute(name)) {
    throw refusal(image, backing, "the name is absolute", "make it relative with qemu-img rebase -u");
  }
  const folder = dirname(await volume.realPath(image.storage.path));
  const path = await foundPath(volume, image, join(folder, name));
  const within = relative(folder, path);
  if (within === "" || within === ".." || within.startsWith("../") || within.startsWith("..\\") || isAbsolute(within)) {
    throw refusal(image, backing, "it lies outside the image's folder", `move it into ${folder}`);
  }
  return path;
}

/** The real path of what a header names; says whose header that is where nothing is there. */
async function foundPath(volume: Volume, image: Image, named: string): Promise<string> {
  try {
    return await volume.realPath(named);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const remedy = say`put it back there, since ${imageNamed(image.storage.path)} names it as its backing file`;
    throw error.advising(remedy);
  }
}

/** qemu takes what precedes a colon for a protocol unless a slash comes first; on Windows any colon is a drive or a stream. */
function hasProtocol(name: string): boolean {
  const colon = name.indexOf(":");
  const slash = name.indexOf("/");
  return colon >= 0 && (process.platform === "win32" || slash < 0 || colon < slash);
}

async function openPermitted(volume: Volume, image: Image, backing: BackingFile, path: string): Promise<Image> {
  const storage = await volume.openForReading(path);
  try {
    await refuseSwapped(volume, image, backing, path, storage);
    // Its format is said by the image that was made for it; what a guest wrote there since changes nothing of that.
    return await openImage(storage, backing.format, { allowMarkedRaw: true });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** A link put in the place of what was looked at must not lead elsewhere. */
async function refuseSwapped(volume: Volume, image: Image, backing: BackingFile, path: string, storage: Storage) {
  if ((await volume.realPath(path)) === path && (await volume.isSameFile(path, storage))) return;
  throw new ImageError("changed-underneath", say`Cannot follow ${described(image, backing)}`, {
    because: "it was replaced meanwhile",
    path: image.storage.path,
    format: image.format,
    structure: "backing file name",
  });
}

function refusal(image: Image, backing: BackingFile, because: string, remedy?: string): ImageError {
  return new ImageError("unsupported", say`Cannot follow ${described(image, backing)}`, {
    because,
    remedy,
    path: image.storage.path,
    format: image.format,
    structure: "backing file name",
    hostOffset: backing.hostOffset,
    operation: "open backing file",
  });
}

function described(image: Image, backing: BackingFile): Sentence {
  return say`the backing file ${JSON.stringify(backing.name)} of ${imageNamed(image.storage.path)}`;
}
