/** `checksum`: the digest of what each guest sees, or whether it is the one in a list. */

import { readFileSync } from "node:fs";
import { type ChecksumAlgorithm, type ChecksumReport, counted, ImageError, kebabKeys, UsageError } from "../doors.ts";
import { checksumLine, parseChecksumList } from "./checksum-list.ts";
import { type CommandRun, given, isJson, printResult, required } from "./command-run.ts";
import { EXIT, failureJson, failureOf, noteFailure } from "./failure.ts";
import { jsonText } from "./json.ts";
import { type NamedImage, namedImage, refuseSecret } from "./named-image.ts";
import { explain } from "./system-error.ts";
import { printableLine } from "./terminal.ts";

export async function checksumCommand(run: CommandRun, words: readonly string[]): Promise<number> {
  const { checkList } = run.values;
  if (checkList !== undefined) return checkListed(run, checkList, words);
  required(words[0], "an image", "checksum IMAGE...");
  const images = words.map((word) => namedImage(run, word, run.open.format, true));
  const [only, ...more] = images;
  if (only !== undefined && more.length === 0) {
    const report = await digestOf(run, only);
    printResult(run, kebabKeys(report), line(report));
    return EXIT.done;
  }
  const results = new Results(run);
  for (const image of images) {
    const report = await results.attempt(image);
    if (report !== undefined) results.add(report, line(report));
  }
  return results.end();
}

/** One line an image, whatever its name holds, as sha256sum has it. */
function line({ checksum, image }: ChecksumReport): string {
  return checksumLine(checksum, image);
}

/** `NAME: OK` or `NAME: FAILED`, as `sha256sum -c`; with `-q` only what failed. */
async function checkListed(run: CommandRun, lists: readonly string[], words: readonly string[]): Promise<number> {
  if (words.length > 0) throw new UsageError("Cannot take images beside -c: the list names them");
  if (run.values.imageOpts) throw new UsageError("Cannot take --image-opts beside -c: the list names files");
  refuseSecret(run.values);
  const listed = lists.flatMap((list) => parseChecksumList(textOf(list), list));
  const results = new Results(run);
  for (const { digest, name } of listed) {
    const report = await results.attempt({ path: name, format: run.open.format });
    if (report === undefined) {
      results.say(`${printableLine(name)}: FAILED open or read`);
      continue;
    }
    const matches = report.checksum === digest;
    if (!matches) results.mismatches++;
    const text = `${printableLine(name)}: ${matches ? "OK" : "FAILED"}`;
    results.add({ ...report, expected: digest, matches }, matches && run.values.quiet ? undefined : text);
  }
  return results.end();
}

/** `-` is stdin, once. Throws ImageError where it can't be read. */
function textOf(list: string): string {
  try {
    return readFileSync(list === "-" ? 0 : list, "utf8");
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const what = `Cannot read the list ${list}: ${explain(error)}`;
    throw new ImageError("io", what, { path: list, operation: "read", cause: error });
  }
}

function digestOf({ library, open, values }: CommandRun, { path, format }: NamedImage): Promise<ChecksumReport> {
  const algorithm = values.checksum as ChecksumAlgorithm | undefined;
  return library.checksum(path, { ...open, ...given("format", format), ...given("algorithm", algorithm) });
}

/** Of several images: one that can't be read keeps no other from being read. */
class Results {
  readonly #run: CommandRun;
  readonly #json: unknown[] = [];
  #unread = 0;
  mismatches = 0;

  constructor(run: CommandRun) {
    this.#run = run;
  }

  /** Undefined, and told, where the image can't be read. What concerns all images, and Ctrl-C, is thrown. */
  async attempt(image: NamedImage): Promise<ChecksumReport | undefined> {
    try {
      return await digestOf(this.#run, image);
    } catch (error) {
      if (!(error instanceof ImageError) || error.kind === "interrupted") throw error;
      const { terminal } = this.#run;
      const failure = failureOf(error, terminal.invocation);
      noteFailure(failure, terminal);
      this.#unread++;
      this.#json.push({ image: image.path, ...failureJson(failure) });
      return undefined;
    }
  }

  /** `text`: for people, as soon as it is known. */
  add(json: object, text: string | undefined): void {
    this.#json.push(kebabKeys(json));
    if (text !== undefined) this.say(text);
  }

  say(text: string): void {
    if (!isJson(this.#run)) this.#run.terminal.result(`${text}\n`);
  }

  /** Prints what is told of all, and gives the exit code. */
  end(): number {
    const { terminal } = this.#run;
    if (isJson(this.#run)) terminal.result(jsonText(this.#json));
    const { checksum } = this.#run.values;
    // A list does not say of what its digests are.
    const taken =
      checksum === undefined ? "; they were taken for blkhash-sha256, and --checksum sha256 takes them for that" : "";
    if (this.mismatches > 0)
      terminal.note(`inplace-convert: ${counted(this.mismatches, "checksum")} did not match${taken}`);
    if (this.#unread > 0) terminal.note(`inplace-convert: ${counted(this.#unread, "image")} could not be read`);
    return this.mismatches + this.#unread > 0 ? EXIT.failed : EXIT.done;
  }
}
