/** What the tests know of one format, as a value: a suite that asks each kit takes a new format in by its being listed. */

import type fc from "fast-check";
import type { FormatDriver } from "../../src/image/driver.ts";
import type { Storage } from "../../src/storage/storage.ts";
import type { CorpusCase } from "../corpus/case.ts";
import type { KnownDifference } from "./check-verdict.ts";
import type { FieldMap } from "./field-map.ts";
import type { GuestContents } from "./guest-contents.ts";
import type { MatrixImage } from "./matrix-image.ts";

export interface FormatKit {
  /** As the registry and qemu-img have it. */
  readonly name: string;
  /** As people write it. */
  readonly title: string;
  /** Of a format that lives in the tests alone; the registry has the others. */
  readonly driver?: FormatDriver;
  /** Whether an image tells by its own bytes what it is. */
  readonly isProbed: boolean;
  readonly isLittleEndian: boolean;
  /** A small valid image, made by nothing of `src/`. */
  build(contents: GuestContents): Uint8Array;
  /** What the guest sees, read the slow and obvious way; throws for what the reader does not know. */
  naiveRead(image: Uint8Array): Uint8Array;
  /** How an image of two files is opened that the suites hold as one run of bytes; absent where it is one. */
  storageOf?(image: Uint8Array): Storage;
  /** The fields that may lie; absent where there is none. */
  fieldSites?(image: Buffer): FieldMap;
  readonly cases: readonly CorpusCase[];
  /** Absent where nothing is converted from it. */
  readonly source?: SourceKit;
  /** Absent where nothing is converted to it. */
  readonly target?: TargetKit;
  /** Absent where there is nothing to check. */
  readonly check?: CheckKit;
  /** Absent where QEMU does not know the format, or makes nothing of it that we convert. */
  readonly qemu?: QemuKit;
  /** Its row and its column in the matrix of every format into every other; absent where there is none. */
  readonly matrix?: MatrixKit;
}

/** An image with what its guest sees, unallocated places as zeros. */
export interface BuiltImage {
  readonly bytes: Uint8Array;
  readonly guest: Uint8Array;
}

export interface SourceKit {
  /** Images of every shape that its builder makes, small enough for many whole conversions in memory. */
  readonly anyImage: fc.Arbitrary<BuiltImage>;
  /** How many of them a suite of whole conversions takes, where none is small; default 25. */
  readonly runs?: number;
  /** `-o` of a target that knows it by which that stays small, where the engine's own choice would not; default none. */
  readonly towards?: OptionTexts;
  /** A fixed one, whose units lie in disorder, so that settling has something to do. */
  shuffled(): BuiltImage;
  /** The fixed one can be made again, though the format stands in no suite as a target. */
  readonly comesBack?: true;
  /** Valid images to be damaged; those that a tool makes in `folder` may lie there. */
  samples(folder: string): Promise<readonly ImageSample[]>;
}

export interface ImageSample {
  readonly name: string;
  readonly bytes: Buffer;
}

export type OptionTexts = Readonly<Record<string, string>>;

export interface TargetKit {
  /** How many images a suite of whole conversions takes, where none of what they become is small; default as for the source. */
  readonly runs?: number;
  /** `-o` by which it stays small, where the engine's own choice would not; default none. */
  readonly small?: OptionTexts;
  /** Values of `-o` that go together, as often as they are to be tried; `{}` leaves them to the engine. */
  readonly options: readonly OptionTexts[];
  /** Makes of a target, whatever its options, one that differs from what the engine would choose. */
  readonly unlikeDefault: OptionTexts;
  /** For each option, the values of which a campaign picks one. */
  readonly choices: readonly Readonly<Record<string, readonly string[]>>[];
  /** Whether the format says what is used, so that a fresh target leaks nothing even before it is settled. */
  readonly countsReferences: boolean;
  /** Its own tables have a place at the file's front, so that most images come to it by the carrier, in two steps; default false. */
  readonly needsFront?: true;
  /** Set where there is no image over a backing file. */
  readonly hasNoBacking?: true;
  /** Set where an image over a backing file has clusters of one sector, so that what a guest wrote can't be larger ones'. */
  readonly hasSectorsOverBacking?: true;
  /** A byte of the header of which a guest's program may set bit 0 without harm. */
  readonly harmlessFlagAt: number;
  /** A table's pointer to the data at `hostOffset`, as stored. */
  pointerTo(hostOffset: number): Buffer;
}

export interface MatrixKit {
  /** Bytes of the clusters of its cells; undefined: one cell, whose guest lies in one piece. */
  readonly clusterSizes: readonly (number | undefined)[];
  /** `-o` of qemu-img and of ours alike. */
  options(clusterSize: number | undefined): OptionTexts;
  /** Those of qemu-img, where it lets less be chosen. */
  makeOptions?(clusterSize: number | undefined): OptionTexts;
  /** Whether qemu-img has a check for it. */
  readonly isChecked: boolean;
  /** Asks programs that share no code with QEMU; throws where they see another guest than the raw file's. */
  askOthers?(image: string, rawPath: string): Promise<void>;
}

export interface CheckKit {
  /** Valid images of every shape that a check has to know; what they need beside them stays in `folder`. */
  samples(folder: string): Promise<readonly CheckSample[]>;
  /** Where we mean to differ from qemu-img in this format alone. */
  readonly differences: readonly KnownDifference[];
  /** Whether qemu-img tells findings line by line, or numbers alone. */
  readonly hasLines: boolean;
}

export interface CheckSample extends ImageSample {
  /** What qemu-img needs to open it, `IMAGE` standing for its path. */
  readonly openWords: readonly string[];
}

/** How qemu-img and qemu-io are asked for images of the format. */
export interface QemuKit {
  /** The images that the conversions are proven on. */
  readonly images: readonly MatrixImage[];
  /** `-o` of the smallest clusters and tables that both sides open. */
  readonly smallOptions: Readonly<Record<string, string | number>>;
  /** A larger one it has not, or qemu-img asks for each cluster of a hole, which takes minutes; absent: any. */
  readonly largestDisk?: number;
  /** qemu-io's verb that gives a cluster back. */
  readonly giveBack: "discard" | "write -z";
  /** Whether a write over a backing file has to cover whole clusters, for QEMU to leave alone what lies beside it. */
  readonly writesWholeClusters: boolean;
  /** Takes the backing file's format out of the first 1024 bytes, where it stands as qemu-img wrote it. */
  forgetBackingFormat(head: Buffer): void;
}
