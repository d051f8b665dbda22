/** Every command: its words, its options, an example for its help, and the function that performs it. */

import { Option } from "commander";
import { checkCommand } from "./check-command.ts";
import { checksumCommand } from "./checksum-command.ts";
import type { CommandRun, Values } from "./command-run.ts";
import { compactCommand, convertCommand, planCommand } from "./convert-command.ts";
import { demoCommand } from "./demo.ts";
import { CHECK_EXIT_CODES, COMPARE_EXIT_CODES, type ExitCodes } from "./help-text.ts";
import { compareCommand, infoCommand, mapCommand } from "./reading-commands.ts";
import { resumeCommand, rollbackCommand } from "./recovery-command.ts";
import { setmapCommand } from "./setmap-command.ts";

export interface CommandSpec {
  readonly name: string;
  /** Its words in commander's form; all optional there, since a missing one is told in our words. */
  readonly words: string;
  readonly summary: string;
  readonly example: string;
  readonly options?: () => readonly Option[];
  /** Whether it writes to the image: a failure has to say in what state that is, and its result is worth an exit code. */
  readonly writes?: (values: Values) => boolean;
  /** Whether `-o` means something to it, and of what: a conversion's are the target's, and its source's too. */
  readonly optionsOf?: "target" | "source";
  /** `compare` has 1 for "they differ", `check` 2 for corruptions: what goes wrong otherwise ends with this. */
  readonly failureExit?: number;
  /** Where they are not everybody's. */
  readonly exitCodes?: ExitCodes;
  /** Gives the exit code; throws ImageError or UsageError. */
  readonly perform: (run: CommandRun, words: readonly string[]) => Promise<number>;
}

/** The options that every command takes. */
export function commonOptions(): readonly Option[] {
  return [
    new Option("-f, --format <FORMAT>", "the image's format, by qemu-img's name; raw is never guessed"),
    new Option("-o, --target-format-options <KEY=VALUE,...>", "options of the target; -o help lists them")
      .argParser(collect)
      .default([], "none"),
    new Option("--output <FORMAT>", "how results are printed").choices(["human", "json"]).default("human"),
    new Option("-p, --progress", "show progress; on a terminal it shows by itself after two seconds"),
    new Option("-q, --quiet", "print nothing but errors"),
    new Option("--backing-chain", "follow backing files, inside the image's folder"),
    new Option("--debug", "tell of a failure where in the program it came up"),
  ];
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** A long name of qemu-img's for an option that has one of ours. */
function anotherName(flags: string, of: string): Option {
  return new Option(flags, `as ${of}`).hideHelp();
}

function cacheOption(letter: string): Option {
  return new Option(`${letter}, --cache <CACHE>`, "qemu-img's cache mode: taken, and without effect");
}

const NO_SECRETS = "taken, and without effect, since no guest data is read";

/** qemu-img's other ways to name an image; `secrets`: what becomes of them. */
function namingOptions(secrets: string): readonly Option[] {
  return [
    new Option("--image-opts", "images are named by driver=FORMAT,file.filename=PATH"),
    new Option("--object <DEFINITION>", `qemu-img's secrets: ${secrets}`),
  ];
}

/** `readsData`: whether what the guest stored is read, and not only where it lies. */
function readingOptions(readsData: boolean): readonly Option[] {
  return [
    ...namingOptions(readsData ? "refused, since no encrypted guest is read" : NO_SECRETS),
    forceShareOption("read"),
    markedRawOption(),
  ];
}

/** `what` is done nevertheless. */
function forceShareOption(what: string): Option {
  return new Option("-U, --force-share", `${what} although another program may be writing to the image`);
}

function markedRawOption(): Option {
  return new Option("--allow-marked-raw", "-f raw on bytes that bear another format's mark");
}

/** What `convert` and `plan` take beside what `compact` takes too. */
function conversionOptions(): readonly Option[] {
  return [
    anotherName("--source-format <FORMAT>", "-f"),
    markedRawOption(),
    new Option("-c, --compress", "store the guest's data compressed; -o compression_type=zlib|zstd says how"),
    sparseSizeOption("4k from raw, fixed VHD and flat VMDK, else 0"),
    new Option(
      "--compact",
      "give back what is free inside the file, where the result is qcow2, QED or qcow: the default from raw, fixed VHD and flat VMDK, and with -c",
    ),
    new Option("--no-compact", "leave what is free where it lies"),
    new Option("--allow-probed-guest", "a raw target although the guest's first sector looks like an image"),
    new Option("--reproducible", "ids from the guest's checksum and no times: equal guests make equal files"),
    ...rewritingOptions(),
    new Option("--keep-leaks", "leave a QED target unsettled"),
    new Option(
      "--drop <WHAT,...>",
      "what may be lost: bitmaps, snapshots (that the target can't hold), leaks",
    ).argParser(collect),
  ];
}

function sparseSizeOption(byDefault: string): Option {
  return new Option(
    "-S, --sparse-size <SIZE>",
    `runs of zeros of this size become holes; 0 looks at no data (${byDefault})`,
  );
}

function rewritingOptions(): readonly Option[] {
  return [
    new Option("--checksum <ALGORITHM>", "of the guest, before and after").choices([
      "blkhash-sha256",
      "sha256",
      "none",
    ]),
    new Option("--guest-checksum <[ALGORITHM:]HEX>", "refuse unless the guest's checksum is this one"),
    new Option("--verify <HOW>", "mapping reads no data twice").choices(["full", "mapping"]),
    new Option("--no-check", "no consistency check before and after"),
    new Option("--keep-undo", "stop before the old metadata is given up; rollback stays possible"),
    new Option("--max-extra-space <SIZE>", "refuse when more is needed at any time"),
    new Option("--journal <PATH>", "where the journal's records go; beside the image by default"),
    new Option("--cross-check <WHEN>", "a second opinion from qemu-img, where it is on PATH").choices([
      "off",
      "auto",
      "require",
    ]),
  ];
}

export const commands: readonly CommandSpec[] = [
  {
    name: "convert",
    words: "[IMAGE] [FORMAT]",
    summary: "convert an image in place; never renames it",
    example: "inplace-convert convert -p disk.qed qcow2",
    options: () => [
      new Option("--dry-run", "stop after the plan, write nothing"),
      forceShareOption("with --dry-run, plan"),
      ...conversionOptions(),
    ],
    writes: ({ dryRun }) => !dryRun,
    optionsOf: "target",
    perform: convertCommand,
  },
  {
    name: "plan",
    words: "[IMAGE] [FORMAT]",
    summary: "say what convert would write, move and lose; writes nothing",
    example: "inplace-convert plan disk.qed qcow2 -o cluster_size=2M",
    options: () => [...conversionOptions(), ...namingOptions(NO_SECRETS), forceShareOption("plan")],
    optionsOf: "target",
    perform: planCommand,
  },
  {
    name: "resume",
    words: "[IMAGE]",
    summary: "finish an interrupted conversion or repair",
    example: "inplace-convert resume disk.qed",
    writes: () => true,
    perform: resumeCommand,
  },
  {
    name: "rollback",
    words: "[IMAGE]",
    summary: "put an image back as it was before an interrupted conversion or repair",
    example: "inplace-convert rollback disk.qed",
    writes: () => true,
    perform: rollbackCommand,
  },
  {
    name: "check",
    words: "[IMAGE]",
    summary: "consistency, as qemu-img check tells it; -r repairs, and rollback undoes that",
    example: "inplace-convert check -r all --keep-undo disk.qcow2",
    options: () => [
      new Option("-r, --repair <WHAT>", "repair: leaks gives back space, all mends everything that can be"),
      new Option("--allow-data-loss", "repair also what loses guest data that is still readable"),
      new Option("--keep-undo", "keep the way back after a repair; rollback stays possible"),
      new Option("--journal <PATH>", "where the journal's records go; beside the image by default"),
      cacheOption("-T"),
      markedRawOption(),
      forceShareOption("check"),
      ...namingOptions(NO_SECRETS),
    ],
    failureExit: 1,
    exitCodes: CHECK_EXIT_CODES,
    writes: ({ repair }) => repair !== undefined,
    optionsOf: "source",
    perform: checkCommand,
  },
  {
    name: "compact",
    words: "[IMAGE]",
    summary: "give back free and leaked space inside the file; plan IMAGE FORMAT --compact foretells it",
    example: "inplace-convert compact -S 4k disk.qcow2",
    options: () => [sparseSizeOption("0 by default"), ...rewritingOptions()],
    writes: () => true,
    perform: compactCommand,
  },
  {
    name: "checksum",
    words: "[IMAGE...]",
    summary: "digest of what the guest sees, a line an image; -c checks such lines",
    example: "inplace-convert checksum --checksum sha256 disk.qcow2",
    options: () => [
      new Option("--checksum <ALGORITHM>", "which digest").choices(["blkhash-sha256", "sha256"]),
      new Option("-c, --check-list <LIST>", "check images against lines of DIGEST  NAME; - is stdin").argParser(
        collect,
      ),
      ...readingOptions(true),
    ],
    optionsOf: "source",
    perform: checksumCommand,
  },
  {
    name: "compare",
    words: "[A] [B]",
    summary: "whether two guests are the same: exit code 0, 1 where they differ",
    example: "inplace-convert compare -f raw disk.raw -F qcow2 disk.qcow2",
    options: () => [
      anotherName("--a-format <FORMAT>", "-f"),
      new Option("-F, --b-format <FORMAT>", "the second image's format"),
      new Option("-s, --strict", "other sizes, or other ranges allocated, are differences too"),
      cacheOption("-T"),
      ...readingOptions(true),
    ],
    failureExit: 2,
    exitCodes: COMPARE_EXIT_CODES,
    perform: compareCommand,
  },
  {
    name: "info",
    words: "[IMAGE]",
    summary: "what an image is; opens its backing files with --backing-chain alone",
    example: "inplace-convert info disk.qcow2",
    options: () => [cacheOption("-t"), ...readingOptions(false)],
    optionsOf: "source",
    perform: infoCommand,
  },
  {
    name: "map",
    words: "[IMAGE]",
    summary: "where the guest's bytes lie in the file",
    example: "inplace-convert map --output json disk.qcow2",
    options: () => [
      new Option("-s, --start-offset <OFFSET>", "from this guest offset on"),
      new Option("-l, --max-length <LENGTH>", "no more than so many bytes of the guest"),
      ...readingOptions(false),
    ],
    optionsOf: "source",
    perform: mapCommand,
  },
  {
    name: "setmap",
    words: "[IMAGE] [GUEST] [HOST] [LENGTH]",
    summary: "for experts: point one guest range at a host range",
    example: "inplace-convert setmap disk.qed 0 0x50000 64k --yes",
    options: () => [new Option("--yes", "yes, change what the guest sees")],
    writes: () => true,
    perform: setmapCommand,
  },
  {
    name: "demo",
    words: "",
    summary: "make a small raw disk, convert it to qcow2, fixed VHD and back, verify each, show the steps",
    example: "inplace-convert demo",
    options: () => [new Option("--keep <DIR>", "keep the files there: the original, and one of each format")],
    perform: demoCommand,
  },
  {
    name: "completion",
    words: "[SHELL]",
    summary: "print a script that completes commands, options and formats in bash, zsh or fish",
    example: "inplace-convert completion bash > ~/.local/share/bash-completion/completions/inplace-convert",
    // Loaded only where it is asked for.
    perform: async (run, words) =>
      (await import("./completion.ts")).completionCommand(run, words, commands, commonOptions()),
  },
];
