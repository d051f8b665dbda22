/**
 * Every field of what `--output json` prints, with its meaning. Where the library has a type for it, the table is held to
 * that by the compiler: a field that either lacks is an error. A test holds all of it to what commands print.
 */

import type { Download } from "../../src/action/results/image-result.ts";
import type { Provenance } from "../../src/action/results/provenance.ts";
import type { Matrix } from "../../src/action/results/step-result.ts";
import type {
  CheckResult,
  ChecksumReport,
  ChildInfo,
  CommonInfo,
  CompareReport,
  ConversionReport,
  Finding,
  GuestChange,
  GuestChecksum,
  ImageError,
  ImageErrorKind,
  LeaksGivenUp,
  MapEntry,
  OvaInfo,
  PathStep,
  Qcow2BitmapInfo,
  Qcow2Details,
  RecoveryReport,
  SetmapReport,
  SnapshotInfo,
  TargetOption,
  VmdkInfo,
} from "../../src/index.ts";
import { kebabKeys } from "../../src/index.ts";

export interface Field {
  /** For people, the unit with it: `bytes`, `text`. */
  readonly type: string;
  readonly meaning: string;
  /** Of an object, or of each object of a list. */
  readonly inside?: Fields;
  readonly isList?: boolean;
  /** Names inside are values themselves, or any other format's. */
  readonly hasAnyKeys?: boolean;
}

/** By the name in the JSON. */
export type Fields = Readonly<Record<string, Field>>;

/** A table of T's fields by their names in the library; `-?` since what may be absent is told too. */
function of<T>(fields: { readonly [K in keyof T]-?: Field }): Fields {
  return Object.fromEntries(Object.entries<Field>(fields).map(([name, field]) => [kebab(name), field]));
}

function kebab(name: string): string {
  return Object.keys(kebabKeys({ [name]: 0 }) as object)[0] ?? name;
}

const text = (meaning: string): Field => ({ type: "text", meaning });
const bytes = (meaning: string): Field => ({ type: "bytes", meaning });
const number = (meaning: string): Field => ({ type: "number", meaning });
const clusters = (meaning: string): Field => ({ type: "clusters", meaning });
const flag = (meaning: string): Field => ({ type: "boolean", meaning });
const texts = (meaning: string): Field => ({ type: "list of texts", meaning });
const hex = (meaning: string): Field => ({ type: "hex digits or null", meaning });
const object = (meaning: string, inside: Fields): Field => ({ type: "object", meaning, inside });
const orNull = (field: Field): Field => ({ ...field, type: `${field.type} or null` });
const list = (meaning: string, inside: Fields): Field => ({ type: "list of objects", meaning, inside, isList: true });
const milliseconds = (meaning: string): Field => ({ type: "object of milliseconds", meaning, hasAnyKeys: true });

/** Words of a type, of which the compiler lets none be missing. */
function wordsOf<W extends string>(words: Readonly<Record<W, true>>): string {
  return Object.keys(words)
    .map((word) => `\`${word}\``)
    .join(", ");
}

const GOALS = wordsOf<Extract<PathStep, { readonly step: "rearrange" }>["goal"]>({
  linear: true,
  gather: true,
  zeros: true,
  compact: true,
  encode: true,
  pack: true,
  relocate: true,
});

const KINDS = wordsOf<ImageErrorKind | "usage" | "defect">({
  usage: true,
  io: true,
  "not-this-format": true,
  unsupported: true,
  corrupt: true,
  "out-of-bounds": true,
  "no-space": true,
  "in-use": true,
  "changed-underneath": true,
  "verification-failed": true,
  interrupted: true,
  defect: true,
});

const OUTCOMES = wordsOf<RecoveryReport["outcome"]>({
  resumed: true,
  "rolled-back": true,
  settled: true,
  "nothing-to-do": true,
});

const image = text("The image's path, as it was given.");
const covers = text("`guest`, or `layer` where the image has a backing file that was not read.");
const notes = texts("What could not be looked at, or degraded on this platform.");
const algorithm = text("`blkhash-sha256` or `sha256`, see [checksums.md](checksums.md).");

const FINDING: { readonly [K in keyof Finding]-?: Field } = {
  severity: text("`corruption`, `leak`, `error` (a structure that could not be read) or `warning`."),
  kind: text("What is wrong, in a few words with hyphens, `refcount-mismatch` for one."),
  structure: text("Where, in the words of the format's specification, `L2 table 3` for one."),
  guestOffset: bytes("Where in the guest's disk; absent where it concerns none of its places."),
  hostOffset: bytes("Where in the file; absent where it has no place."),
  refcount: number("What the image says, where refcounts are compared; else absent."),
  references: number("What was counted, where refcounts are compared; else absent."),
  message: text("One sentence."),
  line: text(
    "What `qemu-img check` prints for it, word for word; absent where it prints nothing. Not in the JSON of `check`.",
  ),
};

const CHECK_RESULT = of<CheckResult>({
  corruptions: clusters("Corrupt ones."),
  leaks: clusters("Leaked ones, to which nothing refers."),
  checkErrors: number("Structures that could not be read."),
  warnings: number("What qemu-img lets pass and nothing should be built on."),
  imageEndOffset: bytes("One past the last byte of the file that the format uses; 0 where qemu-img tells none."),
  totalClusters: clusters("Of the guest's disk."),
  allocatedClusters: clusters("Of them those that are stored."),
  fragmentedClusters: clusters("Of the stored ones those that don't follow the one before."),
  compressedClusters: clusters("Of the stored ones those that are compressed."),
  findings: list("The first 1,000, in the order found; the counts cover all.", of<Finding>(FINDING)),
});

const GUEST_CHECKSUM = of<GuestChecksum>({
  algorithm,
  covers,
  before: hex("Before; null where it was not computed."),
  after: hex("After; null of a plan, and where `--verify mapping` read no data twice."),
});

/** Without the pictures, which the command line never asks for. */
export const CONVERSION = of<Omit<ConversionReport, "layout">>({
  image,
  imageAfter: text(
    "What the image is called now, where that is another file of its folder: a flat VMDK's descriptor came or went. Else absent.",
  ),
  diskFile: text("The file that holds the disk, where the image is a text beside it, or was one. Else absent."),
  sourceFormat: text("The format before, by qemu-img's name."),
  targetFormat: text("The format after, by qemu-img's name."),
  changed: flag("Whether the image was changed; false of a plan."),
  virtualSize: bytes("The guest's disk."),
  clusterSize: bytes("A cluster, grain or block of the target."),
  guestDataBytes: bytes("What of the guest's disk is stored: a copy would read and write all of it."),
  bytesWritten: bytes("All that was written, the journal included; of a plan about so many."),
  bytesMoved: bytes("Guest data that was copied since it could not stay."),
  bytesSettled: bytes("Written to settle: data and tables of a target that needs them elsewhere."),
  peakExtraBytes: bytes("The most disk space beyond the file's own at any time."),
  syncs: number("How often the disk was told to keep what it has; of a plan about so often."),
  fileSizeBefore: bytes("The file's length."),
  fileSizeAfter: bytes("The file's length."),
  actualSizeBefore: bytes("What the file takes on the disk, holes left out; absent where the system doesn't tell."),
  actualSizeAfter: bytes("The same afterwards; absent of a plan, too."),
  guestChecksum: orNull(object("Of the guest; null with `--checksum none`.", GUEST_CHECKSUM)),
  check: object(
    "Consistency checks; each null where there was none, since `--no-check` was given or the format has nothing to check.",
    {
      before: orNull(object("Before.", CHECK_RESULT)),
      after: orNull(object("After; null of a plan.", CHECK_RESULT)),
    },
  ),
  path: list("The steps in their order; none where nothing is to be done.", {
    step: text("`switch` to a format, or `rearrange` inside one."),
    to: text("Of a switch, the format."),
    goal: text(`Of a rearrangement, what for: ${GOALS}.`),
  }),
  guestChanges: list(
    "What changes of the guest, as was asked for, so that it has another checksum after; absent where nothing does.",
    of<GuestChange>({
      guestOffset: bytes("Where in the guest's disk."),
      length: bytes("How many."),
      what: text("What lies there, `backup header of the GPT` for one."),
    }),
  ),
  dropped: texts("What the target leaves behind."),
  leaksGivenUp: object(
    "Leaked clusters that are lost with the conversion; absent where there are none.",
    of<LeaksGivenUp>({
      clusters: clusters("How many."),
      bytes: bytes("How many."),
      isSuspicious: flag("Whether a lost table would leave so many, so that they may be the only trace of lost data."),
    }),
  ),
  refused: texts("All reasons for a refusal, of a plan. What was not planned is refused as a [failure](#failures)."),
  rolledBack: flag("Whether the image was put back."),
  milliseconds: milliseconds("How long each stage took, by its name."),
  notes,
});

/** In qemu-img's order; those of its counts that are 0 are left out, as it does. */
export const CHECK: Fields = {
  filename: image,
  format: text("By qemu-img's name."),
  ...pick(CHECK_RESULT, ["check-errors", "image-end-offset", "corruptions", "leaks"]),
  "corruptions-fixed": number("Corruptions that a repair mended."),
  "leaks-fixed": clusters("Leaked ones that a repair gave back."),
  ...pick(CHECK_RESULT, [
    "total-clusters",
    "allocated-clusters",
    "fragmented-clusters",
    "compressed-clusters",
    "warnings",
  ]),
  findings: list(
    "The first 1,000, in the order found; the counts cover all.",
    of<Omit<Finding, "line">>(withoutLine(FINDING)),
  ),
  changed: flag("Whether a repair wrote to the image."),
  losses: texts("What a repair would need `--allow-data-loss` for, one sentence each."),
  "given-up": texts("What a repair gave up, with that consent."),
};

function withoutLine({ line: _, ...rest }: typeof FINDING): { readonly [K in keyof Omit<Finding, "line">]-?: Field } {
  return rest;
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, fields[name] ?? text("")]));
}

export const CHECKSUM: Fields = {
  ...of<ChecksumReport>({ image, algorithm, covers, checksum: text("64 hex digits.") }),
  expected: text("With `-c`, what the list has."),
  matches: flag("With `-c`, whether it is that."),
};

export const COMPARE = of<CompareReport>({
  identical: flag("Whether both guests are the same."),
  firstDifference: orNull(
    bytes("Where in the guests' disks they first differ; null where they don't, or in their sizes alone."),
  ),
  sizes: { type: "list of two numbers, bytes", meaning: "The sizes of both guests' disks." },
  message: text("The same in qemu-img's words."),
});

const VIRTUAL_SIZE = bytes("The guest's disk.");
const ACTUAL_SIZE = bytes("What the file takes on the disk, holes left out; absent where the system doesn't tell.");

export const INFO: Fields = {
  ...of<CommonInfo>({
    virtualSize: VIRTUAL_SIZE,
    filename: image,
    actualSize: ACTUAL_SIZE,
    encrypted: flag("There, and true, only where the guest's data is encrypted."),
    backingFilename: text("The backing file's name as the header has it; absent without one."),
    fullBackingFilename: text("The same as seen from here; no file was looked for."),
    backingFilenameFormat: text("The backing file's format as the header has it; absent where that says nothing."),
    snapshots: list(
      "Internal snapshots; absent where there are none.",
      of<SnapshotInfo>({
        id: text("Its id."),
        name: text("Its name."),
        vmStateSize: bytes("The machine's saved memory and devices; 0 where the disk alone was kept."),
        dateSec: number("Seconds from 1970 in UTC to when it was made."),
        dateNsec: number("Nanoseconds beside them."),
        vmClockSec: number("Seconds that the machine had run."),
        vmClockNsec: number("Nanoseconds beside them."),
        icount: number("Instructions that the machine had executed; absent where they were not counted."),
      }),
    ),
    dirtyFlag: flag("Whether the image was not closed cleanly."),
    children: list(
      "The files that hold the image, as newer QEMUs tell them.",
      of<ChildInfo>({
        name: text("`file` of the one that was named, `extents.0` and so on of those that it names."),
        info: object(
          "What qemu-img tells of a file.",
          of<ChildInfo["info"]>({
            children: { type: "list", meaning: "Empty." },
            virtualSize: bytes("The file's length, up to whole sectors of 512."),
            filename: text("Its path."),
            format: text("`file`."),
            actualSize: ACTUAL_SIZE,
            formatSpecific: object("Nothing more.", {
              type: text("`file`."),
              data: { type: "object", meaning: "Empty." },
            }),
            dirtyFlag: flag("False."),
          }),
        ),
      }),
    ),
  }),
  format: text("By qemu-img's name."),
  "cluster-size": bytes("A cluster, grain or block; absent of what allocates nothing, and of Parallels."),
  "format-specific": object("What only this format has, below; absent where qemu-img prints nothing of the kind.", {
    type: text("The format."),
    data: { type: "object", meaning: "By the format, below.", hasAnyKeys: true },
  }),
};

type LuksDetails = Extract<Qcow2Details["encrypt"], { readonly slots: unknown }>;

/** `format-specific.data` by the format. */
export const FORMAT_SPECIFIC: Readonly<Record<string, Fields>> = {
  qcow2: of<Qcow2Details>({
    compat: text("The version, `0.10` or `1.1`."),
    compressionType: text("`zlib` or `zstd`."),
    lazyRefcounts: flag("Whether refcounts may be stale while the image is in use."),
    bitmaps: list(
      "Persistent dirty bitmaps; absent where there are none that are valid.",
      of<Qcow2BitmapInfo>({
        flags: texts("`in-use`: not put away, its bits mean nothing. `auto`: records writes by itself."),
        name: text("Its name."),
        granularity: bytes("Of the guest that one bit stands for."),
      }),
    ),
    refcountBits: number("Width of a refcount, in bits."),
    encrypt: object(
      "How the guest is encrypted; absent where it is not. Of `aes` the format alone, and of LUKS where its header can't be read.",
      of<LuksDetails>({
        format: text("`aes` or `luks`."),
        cipherAlg: text("The cipher and the bits of its key, `aes-256` for one."),
        cipherMode: text("The cipher's mode, `xts` for one."),
        ivgenAlg: text("How the start value of each sector is made."),
        ivgenHashAlg: text("The hash of the start values; absent where they need none."),
        hashAlg: text("The hash of the keys."),
        uuid: text("The header's."),
        detachedHeader: flag("Whether it lies in another file; always false."),
        payloadOffset: bytes("Where the data would begin, from the header's start."),
        masterKeyIters: number("Rounds that the master key's digest took."),
        slots: list(
          "Eight, each a place for a passphrase.",
          of<LuksDetails["slots"][number]>({
            active: flag("Whether it is taken."),
            keyOffset: bytes("From the header's start."),
            iters: number("Rounds that its passphrase takes; absent where it is free."),
            stripes: number("Into how many the key is split; absent where it is free."),
          }),
        ),
      }),
    ),
    dataFile: text("The external data file's name as stored; absent of an image that has its data itself."),
    dataFileRaw: flag("Whether that file is the raw disk."),
    corrupt: flag("The mark of a program that found the image corrupt."),
    extendedL2: flag("Whether it has subclusters."),
  }),
  vmdk: of<VmdkInfo["formatSpecific"]["data"]>({
    cid: number("Changes with the first write after each opening."),
    parentCid: number("4294967295: no parent."),
    createType: text("The descriptor's, `monolithicSparse` for one."),
    extents: list(
      "The files that hold the disk.",
      of<VmdkInfo["formatSpecific"]["data"]["extents"][number]>({
        compressed: flag("There, and true, only where its grains are compressed."),
        virtualSize: bytes("Of the guest's disk, what lies in it."),
        filename: text("Its path."),
        clusterSize: bytes("A grain; absent of a flat one."),
        format: text("`FLAT`, `SPARSE`, or empty where the image's own file is the extent."),
      }),
    ),
  }),
  ova: of<OvaInfo["formatSpecific"]["data"]>({
    disk: object("The member that is the disk.", {
      ...members(),
      format: text("`vmdk`."),
      "format-specific": { type: "object", meaning: "As of a VMDK.", hasAnyKeys: true },
    }),
    members: list("All members of the archive in their order.", members()),
  }),
};

function members(): Fields {
  return of<OvaInfo["formatSpecific"]["data"]["members"][number]>({
    name: text("Its name."),
    hostOffset: bytes("Where its bytes begin in the file."),
    length: bytes("How many."),
  });
}

/** Of each entry of the list. */
export const MAP = of<MapEntry>({
  start: bytes("Where it begins in the guest's disk."),
  length: bytes("Of the guest."),
  depth: number("0 is the image itself, 1 its backing file, and so on."),
  present: flag("False where no file that was read says anything about the range."),
  zero: flag("Whether it reads as zeros by what the tables say."),
  data: flag("Whether it is stored."),
  compressed: flag("Whether it is stored compressed."),
  offset: bytes("Where it begins in the file of that depth; absent of compressed data and of what lies nowhere."),
  filename: text("The file that `offset` counts in, where the image of that depth lies in several. Else absent."),
});

export const RECOVERY = of<RecoveryReport>({
  image: text("The file that holds the disk."),
  imageAfter: text("What the image is called now, where that is a descriptor beside the file. Else absent."),
  diskFile: text("The file that holds the disk, where the image is a text beside it, or was one. Else absent."),
  sourceFormat: text("The format that the image had before the conversion; absent of a repair."),
  format: text("The image's format now."),
  outcome: text(`${OUTCOMES}.`),
  message: text("One sentence."),
  notes,
});

/** The notes go to stderr. */
export const SETMAP = of<Omit<SetmapReport, "notes">>({
  image,
  guestOffset: bytes("Where the range begins in the guest's disk."),
  hostOffset: bytes("Where it lies now in the file."),
  length: bytes("How long it is."),
});

export const DEMO: Fields = {
  "data-bytes": bytes("Data on the disk that was made."),
  identical: flag("Whether each comparison and checksum found the same guest."),
  conversions: list("A report each.", CONVERSION),
};

export const COMPLETION: Fields = { shell: text("`bash`, `zsh` or `fish`."), script: text("The script.") };

/** Of each entry of the list; what is internal is not printed. */
export const OPTION_HELP = of<Omit<TargetOption, "isInternal">>({
  name: text("The key."),
  kind: text("`size`, `number`, `boolean`, `choice`, `text` or `path`."),
  choices: texts("Of a choice, what it may be."),
  readInto: text("Of a path, the option that the file's content is read into."),
  isOfDisk: flag("Whether it says what becomes of the disk, and not how that is laid out; else absent."),
  neverMade: {
    type: "text or boolean",
    meaning: "A value that images are found with and none is made with; else absent.",
  },
  help: text("One sentence."),
});

type Told = "format" | "path" | "structure" | "hostOffset" | "guestOffset" | "operation" | "journal" | "rolledBack";

export const FAILURE: Fields = {
  error: object("The failure.", {
    kind: text(`${KINDS}; a defect is one of this program.`),
    message: text("What is wrong, where, and what to do, in one line."),
    ...of<Pick<ImageError, Told>>({
      format: text("The image's format, where it is known."),
      path: text("The file."),
      structure: text("In the words of the format's specification."),
      hostOffset: bytes("Where in the file."),
      guestOffset: bytes("Where in the guest's disk."),
      operation: text("What was being done, `open`, `read` or `commit` for one."),
      journal: text("The journal that stands: `resume` or `rollback` goes on."),
      rolledBack: flag("There, and true, where something had been written and the image was put back as it was."),
    }),
  }),
  refused: texts("All reasons, where there are several."),
};

/** Of each image in the action's output `images` and in its report, beside the fields of a conversion or a check. */
export const ACTION_IMAGE: Fields = {
  image: text("Where the image is now; of one that lies nowhere, as it was named."),
  "renamed-from": text("As it was named, where it has another name now; else absent."),
  recovery: text("What was done first about an interrupted conversion, in one sentence; else absent."),
  "sha256-file": text("SHA-256 of the resulting file, in hex; absent where it was not read for that."),
  download: object(
    "Where the image was downloaded from; else absent.",
    of<Download>({
      url: text("The URL."),
      digest: text("`sha256:` or `sha512:` and hex digits, of the bytes as downloaded."),
      bytes: bytes("As downloaded."),
      fromCache: flag("Whether it came out of the cache."),
      warnings: texts("What was not proven, and what the cache gave in vain."),
    }),
  ),
  error: {
    type: "object",
    meaning:
      "Only of one that failed. Its fields are those of a [failure](#failures), and `advice`: in what state the image is, and what to do.",
    hasAnyKeys: true,
  },
  refused: texts("All reasons, where there are several."),
  repair: {
    type: "object",
    meaning: "With `repair`, the check that came before the conversion. Its fields are those of a check.",
    hasAnyKeys: true,
  },
  "check-result": text("Of a check, `clean`, `unsupported`, `leaks` or `corrupt`."),
  changed: flag("Whether the image was changed."),
  "bytes-written": bytes("All that was written, the journal included; of a check by its repair."),
  syncs: number("How often the disk was told to keep what it has; of a check by its repair."),
  milliseconds: milliseconds("How long each stage took, by its name."),
  notes: texts("What could not be looked at, or degraded on this platform, and what else looked at the image."),
};

/** Of the file that the action's input `report` names. */
export const ACTION_REPORT: Fields = {
  "schema-version": number("1; rises when a reader of the one before could take a field for something else."),
  provenance: object(
    "By what, when and in which run the report was made.",
    of<Provenance>({
      tool: text("`inplace-convert`."),
      toolVersion: text("Its version."),
      time: text("ISO 8601 in UTC, when the work was over."),
      repository: text("`owner/name`. This and the next three are absent where no runner tells them."),
      commit: text("What the workflow ran on."),
      runId: text("Of the workflow's run."),
      runAttempt: text("Which attempt of that run, from 1."),
    }),
  ),
  mode: text("The input `mode`."),
  "dry-run": flag("Whether nothing was to be written, by `dry-run` or by mode `plan`."),
  "target-format": text("The input; absent where nothing is converted, and of `collect`."),
  shard: text("Which job of a plan's matrix this is, `3` or `3/12`; else absent."),
  "missing-shards": {
    type: "list of numbers",
    meaning: "Of `collect`, those of which no report was found; else absent.",
  },
  images: { type: "list of objects", meaning: "Each as in the output `images`.", isList: true, hasAnyKeys: true },
  matrix: object(
    "Of `plan`, the jobs that do the work; else absent.",
    of<Matrix>({
      include: list(
        "A job each.",
        of<Matrix["include"][number]>({
          images: text("Lines, as the input `image` takes them."),
          shard: number("From 1."),
        }),
      ),
    }),
  ),
};
