/** An image opened to be read, with its backing files where the user consented to follow them. */

import { ImageError } from "../../bytes/image-error.ts";
import { imageNamed, option, say } from "../../bytes/sentence.ts";
import { openImage } from "../../formats/registry.ts";
import type { GuestView } from "../../image/guest/view.ts";
import type { Image } from "../../image/source.ts";
import type { Storage, Volume } from "../../storage/storage.ts";
import { diskBeside, namedForRecovery } from "../session/named-image.ts";
import { refuseWriters } from "../session/writers.ts";
import { type BackingChain, closeBackingFiles, openBackingChain } from "./backing-chain.ts";

/** How an image is opened to be read; as in OpenOptions. */
export interface ReadingOptions {
  readonly format?: string | undefined;
  readonly backingChain?: boolean | undefined;
  readonly forceShare?: boolean | undefined;
  readonly allowMarkedRaw?: boolean | undefined;
}

/**
 * Opens an image's file for reading. Throws ImageError as the format does, and `in-use` where QEMU has it open for
 * writing and there is no `forceShare`; closes the file then.
 */
export async function openImageForReading(volume: Volume, path: string, options: ReadingOptions): Promise<Image> {
  const storage = await volume.openForReading(path);
  try {
    if (!options.forceShare) await refuseWriters(storage, volume, "read");
    const image = await openWithDisk(volume, storage, storage, options, "read");
    // What was named is a text, and it has been read.
    if (image.storage !== storage) await storage.close();
    return image;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/**
 * The image, and where `text`, the file that was named, only says which files beside it hold the disk, those opened too:
 * they are the image's storage, and the caller's to close.
 */
export async function openWithDisk(
  volume: Volume,
  text: Storage,
  watched: Storage,
  options: ReadingOptions,
  verb: string,
): Promise<Image> {
  const disks: Storage[] = [];
  const beside = async (name: string) => {
    const disk = await volume.openForReading(await diskBeside(volume, text.path, name, text));
    disks.push(disk);
    if (!options.forceShare) await refuseWriters(disk, volume, verb);
    return disk;
  };
  try {
    return await openImage(watched, options.format, { ...options, beside });
  } catch (error) {
    for (const disk of disks) await disk.close();
    throw error;
  }
}

/** The file that holds the disk of what is called `path`, or did so when a conversion began: itself where it can't be opened as a text. */
export async function diskFileOf(volume: Volume, path: string): Promise<string> {
  try {
    return (await namedForRecovery(volume, path)).path;
  } catch (error) {
    if (error instanceof ImageError) return path;
    throw error;
  }
}

export class OpenedChain {
  /** The image first, then what lies below it as far as it may be read. */
  readonly chain: BackingChain;

  private constructor(chain: BackingChain) {
    this.chain = chain;
  }

  static async open(volume: Volume, path: string, options: ReadingOptions): Promise<OpenedChain> {
    const image = await openImageForReading(volume, path, options);
    let chain: BackingChain = [image];
    try {
      if (options.backingChain) chain = await openBackingChain(volume, image);
      const below = options.forceShare ? [] : chain.slice(1);
      for (const { storage } of below) await refuseWriters(storage, volume, "read");
      return new OpenedChain(chain);
    } catch (error) {
      await closeBackingFiles(chain);
      await image.storage.close();
      throw error;
    }
  }

  /** True where a backing file holds a part of the guest and there is no consent to read it. */
  get isLayer(): boolean {
    return this.chain.at(-1)?.getConversionOptions().backing !== undefined;
  }

  /** The guest's bytes. Throws `unsupported` where they can't be known from the files that may be read. */
  async view(): Promise<GuestView> {
    for (const image of this.chain) refuseUnreadable(image);
    const { openGuestView } = await import("../../image/guest/view.ts");
    return openGuestView(this.chain);
  }

  /** As `view`, and throws `unsupported` for a layer of something larger. */
  wholeView(): Promise<GuestView> {
    const [{ storage, format }] = this.chain;
    if (!this.isLayer) return this.view();
    throw new ImageError("unsupported", say`Cannot read the guest of ${imageNamed(storage.path)}`, {
      because: say`it has a backing file, which is followed only with ${option("backing-chain")}`,
      path: storage.path,
      format,
      structure: "backing file name",
    });
  }

  async close(): Promise<void> {
    await closeBackingFiles(this.chain);
    await this.chain[0].storage.close();
  }
}

function refuseUnreadable(image: Image): void {
  const { encryption, hasDataFile } = image.getConversionOptions();
  const { path } = image.storage;
  if (encryption !== undefined) {
    throw new ImageError("unsupported", say`Cannot read the guest of ${imageNamed(path)}`, {
      because: `it is encrypted (${encryption})`,
      path,
      format: image.format,
    });
  }
  if (hasDataFile) {
    throw new ImageError("unsupported", say`Cannot read the guest of ${imageNamed(path)}`, {
      because: "its data lies in an external data file",
      remedy: "make a copy that holds it with qemu-img convert",
      path,
      format: image.format,
    });
  }
}
