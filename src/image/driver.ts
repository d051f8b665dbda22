/**
 * A format, as the registry knows it: a driver has the five verbs of the 2011 letter "[RFC 00/24] inplace image
 * conversion", in its order.
 *
 *   source.ts   open -> getConversionOptions, getMapping            what is there
 *   target.ts   openConversionTarget -> map -> copyHeader           what shall be there
 *
 * Drivers never write: they return values, and `convert/execute` alone performs them. Every value is immutable.
 */

import type { Storage } from "../storage/storage.ts";
import type { Mark } from "./mark.ts";
import type { Image } from "./source.ts";
import type { TargetOption, TargetOptionValues } from "./target-options.ts";

/** The files that one image consists of: the one that was named, and those that its own text names. */
export interface ImageFiles {
  readonly main: Storage;
  /** A plain name in the image's folder. Throws ImageError `unsupported` for any other, and where no file but one may be read. */
  beside(name: string): Promise<Storage>;
  /** Of the driver's `openOptions`, those that the user gave. */
  readonly options?: TargetOptionValues;
  /** Stretches of `main` as images of other formats, for one that is an archive of them. */
  readonly inside: InnerImages;
}

/** Images of whatever format is no archive itself, in a stretch of a file. */
export interface InnerImages {
  /** The format whose mark it bears; undefined for none. */
  formatOf(stretch: Storage): Promise<string | undefined>;
  /** Opens it, and no other file. Throws ImageError, of places in the stretch. */
  open(stretch: Storage): Promise<Image>;
}

/** A text that may lie beside an image under a name that is always the same, and says what else belongs to its disk. */
export interface BundleText {
  readonly fileName: string;
  /** Undefined where the image is all of a disk, or the text is not about it. */
  whyPart(text: Uint8Array, imageName: string): BundlePart | undefined;
}

/** Why an image is only a part, as it goes on after the text's name, and what to do. */
export interface BundlePart {
  readonly because: string;
  readonly remedy: string;
}

/** The file that a text beside it says holds a disk. */
export interface NamedDisk {
  /** Plain, in the text's folder. */
  readonly fileName: string;
  /** It begins with a mark of its own, as a file of the guest's bytes does not: what it is now says it itself, and the text only that it is whole. */
  readonly isMarked: boolean;
}

/**
 * One format, declared: the registry derives from these values how its images are found, what `-f` takes, which marks
 * speak against it, and what a file of it is called.
 */
export interface FormatDriver {
  /** qemu-img's name. */
  readonly name: string;
  /** Other names that people use for it, e.g. `vhd` for `vpc`. */
  readonly aliases: readonly string[];
  /** Of file names, with the dot and in small letters; the first is what a converted image gets. */
  readonly extensions: readonly string[];
  /** Any one of them makes the file this format's. Empty for raw, which is never guessed. */
  readonly marks: readonly Mark[];
  /** Where an image of this format holds the guest's own bytes, so that a stranger's mark there proves nothing. */
  readonly guestAt: "nowhere" | "start" | "everywhere";
  /** What `-o` says of a source where its own bytes leave it open; absent: nothing. */
  readonly openOptions?: readonly TargetOption[];
  /** Loads all code that an image of it may ever need, which is loaded when it is needed otherwise; absent: there is none. */
  load?(): Promise<unknown>;
  /** Reads and validates the header; tables are read on demand. Throws ImageError, never follows other files than `files` gives. */
  open(files: ImageFiles): Promise<Image>;
  /**
   * Set where an image is a text beside its disk: the file that it says holds the disk. Throws ImageError, also where that
   * lies in several files. Undefined for an image that speaks for itself. Such an image is opened by that file with the
   * text as its sidecar, or by the text, whose files `beside` gives then.
   */
  readonly diskOf?: (text: Uint8Array, path: string) => NamedDisk | undefined;
  /** Beside `diskOf`: all files that a text says hold its disk or a part of it, as they stand there, also where it can't be opened. */
  readonly filesNamedIn?: (text: Uint8Array) => readonly string[];
  /** Of a format whose images come in folders with such a text. */
  readonly bundle?: BundleText;
  /** Of a format whose images, or a kind of them, hold the guest in one piece; absent: each has tables. */
  readonly onePiece?: OnePiece;
  /** Set of one that is an archive with an image of another format in it, and that qemu-img doesn't know. */
  readonly isArchive?: true;
  /** Set where units can be moved inside an image, and what is free given back. */
  readonly canRearrange?: true;
  /** Set of the one format in which units are brought to the places that others fix. */
  readonly isCarrier?: true;
  /** Set of the one format in which units are brought together for others, since its clusters lie at any sector and nothing is counted. */
  readonly isHub?: true;
}

/**
 * A kind of image in which the guest lies in one piece, host = guest + a base: what isn't there has to be brought there first.
 * Which kind an image is says its `linearBase`.
 */
export interface OnePiece {
  /** The format that every conversion from and to it goes by way of (raw of a fixed VHD); absent: it is reached directly. */
  readonly by?: string;
  /** Of a target's options, as they are written after `-o`, whether they ask for a kind with tables; absent: there is none. */
  readonly unless?: (options: Readonly<Record<string, unknown>>) => boolean;
}
