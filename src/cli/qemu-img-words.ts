/**
 * Words of qemu-img's that we lack by design, answered by one sentence each: what does it here, or which tool does it.
 *
 * A command line is looked at before anything is opened. What is shown as ours never writes, since whoever gives one of
 * qemu-img's commands expects the image to stay as it is, or a second file to be made.
 */

import { formatNamed, formatPromised, shellWord } from "../doors.ts";
import { type OptionWords, optionWords } from "./option-words.ts";

/** How QEMU 10.1 and newer write out `-O`. */
const TARGET_FORMAT = ["-O", "--target-format"];
/** The others of `convert` that ours lacks; `-b` was `-B` before 10.1. */
const OF_CONVERT =
  "-b -B -F -l -m -r -t -T --backing --backing-format --snapshot --parallel --rate-limit --target-cache --source-cache";

/** By command, qemu-img's flags that a value follows. */
const VALUED: Readonly<Record<string, readonly string[]>> = {
  convert: [...TARGET_FORMAT, ...OF_CONVERT.split(" "), "-f", "-o", "-S", "--object"],
  measure: [...TARGET_FORMAT, "-o", "-f", "--format", "-l", "--snapshot", "-s", "--size", "--output", "--object"],
  snapshot: ["-a", "-c", "-d", "--object"],
  amend: ["-f", "-o", "-t", "--object"],
  bitmap: ["-b", "-F", "-f", "-g", "--merge", "--object"],
};

/** Commands whose work is not ours: what can't be done, for those that say so, and what does it. */
const OTHERS: Readonly<Record<string, string>> = {
  create: "create an image, only change one that is there",
  resize: "resize a disk",
  rebase: "give an image another backing file",
  commit: "write an image into its backing file",
  dd: "copy a part of a disk",
  bench: "measure how fast an image is",
};

/** `words` without the program's own name; `valued` are the flags of ours that a value follows. Undefined where all is ours. */
export function answerToQemuImg(
  words: readonly string[],
  program: string,
  valued: ReadonlySet<string>,
): string | undefined {
  const [name = "", ...rest] = words;
  if (rest.includes("-h") || rest.includes("--help")) return undefined;
  if (name === "convert" || name === "plan") {
    return answerToConvert(name, optionWords(rest, new Set([...valued, ...(VALUED.convert ?? [])])), program);
  }
  const work = Object.hasOwn(OTHERS, name) ? OTHERS[name] : undefined;
  if (work !== undefined) return `Cannot ${work}: qemu-img ${name} does it`;
  const given = optionWords(rest, new Set(Object.hasOwn(VALUED, name) ? VALUED[name] : []));
  const [image] = given.words;
  switch (name) {
    case "measure":
      return answerToMeasure(given, program);
    case "snapshot":
      return given.values.has("-a") || given.values.has("-c") || given.values.has("-d")
        ? "Cannot make, apply or delete a snapshot: qemu-img snapshot does it"
        : `Cannot list snapshots by that name: ${called(program, "info", image)} lists them`;
    case "amend": {
      const format = formatNamed(given.values.get("-f")?.at(-1) ?? "") ?? formatPromised(image ?? "") ?? "FORMAT";
      const plan = called(program, "plan", image, format, ...carried(given, ["-o"]));
      return `Cannot amend an image by that name: qemu-img amend does it, and ${plan} says what a conversion to the same format with other options would do`;
    }
    case "bitmap":
      return `Cannot change bitmaps: qemu-img bitmap does it, and ${called(program, "info", image)} lists them`;
    default:
      return undefined;
  }
}

/** `-O FORMAT`, a second file, or both. */
function answerToConvert(name: string, given: OptionWords, program: string): string | undefined {
  const [image, second, ...more] = given.words;
  const asked = lastOf(given, TARGET_FORMAT);
  const named = second === undefined ? undefined : formatNamed(second);
  const output =
    more.at(-1) ?? (second !== undefined && (asked !== undefined || isFile(second, named)) ? second : undefined);
  if (asked === undefined && output === undefined) return undefined;
  const format = formatNamed(asked ?? "") ?? named ?? formatPromised(output ?? "") ?? "FORMAT";
  const target = "the target format is the word after the image";
  if (given.values.get("-o")?.some((list) => /(^|,)(help|\?)$/.test(list))) {
    return `Cannot take -O: ${target}; ${called(program, "plan", format, "-o", "help")} lists its options`;
  }
  const what =
    output === undefined
      ? `Cannot take -O: ${target}, which is changed inside its own file`
      : `Cannot ${name} ${image} into ${output}: there is no second file, the image is changed inside its own`;
  const plan = called(program, "plan", image, format, ...carried(given, PLANNED));
  return `${what}; ${plan} says what that would do and writes nothing, and qemu-img convert makes a copy`;
}

function lastOf({ values }: OptionWords, flags: readonly string[]): string | undefined {
  return flags.flatMap((flag) => values.get(flag) ?? []).at(-1);
}

/** A word in the place of a format that rather names a file. */
function isFile(word: string, format: string | undefined): boolean {
  return format === undefined && /[./\\]/.test(word);
}

function answerToMeasure(given: OptionWords, program: string): string {
  const format = formatNamed(lastOf(given, TARGET_FORMAT) ?? "raw") ?? "FORMAT";
  const plan = called(program, "plan", given.words[0], format, ...carried(given, PLANNED));
  return `Cannot measure by that name: ${plan} tells how long the file will be and what is written, and writes nothing`;
}

/** What a plan takes too. */
const PLANNED = [
  ...["-f", "--format", "--source-format", "-o", "--target-format-options", "-S", "--sparse-size", "-c", "--compress"],
  ...["-U", "--force-share", "--image-opts"],
];

/** Options that mean the same to us, as they were given. */
function carried({ values }: OptionWords, flags: readonly string[]): string[] {
  return flags.flatMap((flag) => (values.get(flag) ?? []).flatMap((value) => (value === "" ? [flag] : [flag, value])));
}

/** A command of ours that can be pasted into a shell; without an image, its form. */
function called(program: string, name: string, image = "IMAGE", ...more: readonly string[]): string {
  const tail = more.map((word) => (word.startsWith("-") ? word : shellWord(word)));
  return [program, name, shellWord(image), ...tail].join(" ");
}
