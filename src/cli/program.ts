/** The command line as a function: words in, exit code out. */

import type { EventEmitter } from "node:events";
import { Command, CommanderError } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { ImageError, type OpenOptions, UsageError } from "../doors.ts";
import { type CommandRun, formatName, given, printResult, type Values } from "./command-run.ts";
import { type CommandSpec, commands, commonOptions } from "./commands.ts";
import { printOptions } from "./convert-command.ts";
import { EXIT, type Failure, failureJson, failureOf, noteFailure, traceOf } from "./failure.ts";
import { exitCodesOf, helpEnd } from "./help-text.ts";
import { watchInterrupts } from "./interrupt.ts";
import { jsonText } from "./json.ts";
import type { Library } from "./library.ts";
import { nextStepLines, orphansBeside, stateOf } from "./next-steps.ts";
import { parseOptionList } from "./option-list.ts";
import { isClosedPipe } from "./output.ts";
import { type ProgressDisplay, showLateProgress, showProgress } from "./progress.ts";
import { answerToQemuImg } from "./qemu-img-words.ts";
import { explain } from "./system-error.ts";
import { printableLine, type Terminal } from "./terminal.ts";

/** Everything outside that the command line touches; tests put their own in. */
export interface World {
  readonly library: Library;
  readonly terminal: Terminal;
  /** Emits SIGINT and SIGTERM: the process. */
  readonly signals: EventEmitter;
  /** Rejects with what nobody caught, wherever in the process it was thrown. */
  readonly uncaught?: Promise<never>;
  /** Milliseconds after which progress shows by itself. */
  readonly progressDelay?: number;
}

/** Runs one command line, without the program's own name, until its results are written or lost. Never throws. */
export async function runCommandLine(words: readonly string[], world: World): Promise<number> {
  const { exitCode, hasWritten } = await runWords(words, world);
  const { terminal } = world;
  const loss = await terminal.loss();
  // `inplace-convert map ... | head`: whoever asked has seen enough, and nothing but the text is lost.
  if (loss === undefined || (isClosedPipe(loss) && !hasWritten)) return exitCode;
  const what =
    exitCode === EXIT.done
      ? "The work is done, but its result could not be written out"
      : "The result could not be written out";
  terminal.note(printableLine(`inplace-convert: ${what}: ${explain(loss)}`));
  // Any other code says more: that images differ, or what is wrong.
  return exitCode === EXIT.done ? EXIT.unwritten : exitCode;
}

interface Ended {
  readonly exitCode: number;
  /** Whether it was a command that writes to an image. */
  readonly hasWritten: boolean;
}

async function runWords(words: readonly string[], world: World): Promise<Ended> {
  let exitCode: number = EXIT.done;
  let hasWritten = false;
  const isLong = words.includes("--help") || words[0] === "help";
  const program = withVersionAndHelp(new Command("inplace-convert"))
    .description("Changes the format of a VM disk image inside the file it already occupies")
    .configureOutput({ writeOut: (text) => world.terminal.result(text), writeErr: () => {} })
    .exitOverride()
    .addHelpText(
      "after",
      `${helpEnd("inplace-convert convert -p disk.qed qcow2", exitCodesOf(), isLong, EVERY_HELP)}\n\nNothing at hand? inplace-convert demo`,
    );
  const named = commands.find(({ name }) => name === words[0]);
  // Help and what is misspelled need all of them; else the others are never asked for.
  for (const spec of named === undefined ? commands : [named]) {
    addCommand(program, spec, isLong).action(async (...given: unknown[]) => {
      const command = given.at(-1) as Command;
      const values = command.opts() as Values;
      hasWritten = spec.writes?.(values) ?? false;
      exitCode = await perform(spec, command.args, values, world);
    });
  }
  try {
    refuseQemuImgWords(words, world.terminal.invocation);
    await program.parseAsync(words, { from: "user" });
    return { exitCode, hasWritten };
  } catch (error) {
    return { exitCode: unparsed(error, program, words, world.terminal), hasWritten };
  }
}

/** Throws for words of qemu-img's that we lack, before commander calls them unknown. */
function refuseQemuImgWords(words: readonly string[], invocation: string): void {
  const spec = commands.find(({ name }) => name === words[0]);
  const options = [...(spec?.options?.() ?? []), ...commonOptions()].filter(({ required }) => required);
  const valued = new Set(options.flatMap(({ short, long }) => [short ?? [], long ?? []].flat()));
  const answer = answerToQemuImg(words, invocation, valued);
  if (answer !== undefined) throw new UsageError(answer);
}

const EVERY_HELP = "inplace-convert COMMAND --help tells the options and exit codes of one";

function addCommand(program: Command, spec: CommandSpec, isLong: boolean): Command {
  const more = `inplace-convert ${spec.name} --help tells the exit codes too`;
  const command = withVersionAndHelp(program.command(`${spec.name} ${spec.words}`.trim()))
    .description(spec.summary)
    .addHelpText("after", helpEnd(spec.example, exitCodesOf(spec), isLong, more));
  for (const option of [...(spec.options?.() ?? []), ...commonOptions()]) command.addOption(option);
  return command;
}

function withVersionAndHelp(command: Command): Command {
  return command
    .version(`inplace-convert ${manifest.version}`, "-V, --version", "the version of this program")
    .helpOption("-h, --help", "short help; --help tells the exit codes too");
}

async function perform(spec: CommandSpec, words: readonly string[], values: Values, world: World): Promise<number> {
  const { library, terminal } = world;
  const progress = await progressOf(values, world);
  const interrupt = watchInterrupts(world.signals, (line) => {
    progress?.end();
    terminal.note(line);
  });
  try {
    const open = openOptions(values, progress, interrupt.signal);
    const run: CommandRun = { library, terminal: quietly(terminal, progress), values, open };
    const texts = spec.optionsOf === "target" ? [] : values.targetFormatOptions;
    if (texts.length > 0 && spec.optionsOf === undefined) return answerOptions(run, spec.name);
    const list = parseOptionList(texts);
    if (list.wantsHelp) return printOptions(run, spec.name, library.sourceOptions());
    const ofSource = texts.length > 0 ? { options: list.values } : {};
    const performed = spec.perform({ ...run, open: { ...open, ...ofSource } }, words);
    return await (world.uncaught === undefined ? performed : Promise.race([performed, world.uncaught]));
  } catch (error) {
    progress?.end();
    const [path] = words;
    const advice = spec.writes?.(values) ? [...stateOf(error), ...(await openWork(error, path, world))] : [];
    const failure = failureOf(error, terminal.invocation, [...advice, ...lostNames(error, path)]);
    const exitCode = failure.exitCode === EXIT.interrupted ? failure.exitCode : (spec.failureExit ?? failure.exitCode);
    return report({ ...failure, exitCode }, terminal, values.output === "json", values.debug ? traceOf(error) : []);
  } finally {
    progress?.end();
    interrupt.end();
  }
}

async function progressOf({ quiet, progress }: Values, world: World): Promise<ProgressDisplay | undefined> {
  if (quiet) return undefined;
  if (progress) return showProgress(world.terminal);
  return world.terminal.isWatched ? showLateProgress(world.terminal, world.progressDelay) : undefined;
}

/** After a defect in a command that writes nobody knows how far it came, but what lies beside the image. */
async function openWork(error: unknown, path: string | undefined, world: World): Promise<readonly string[]> {
  if (error instanceof ImageError || error instanceof UsageError || path === undefined) return [];
  try {
    if ((await world.library.unfinished(path)) === "none") return [];
  } catch {
    // It is the first failure that is told.
    return [];
  }
  const finish = { ref: "command", command: "resume", options: [], path } as const;
  return ["The image is whole and its journal stands", ...nextStepLines({ finish }, world.terminal.invocation)];
}

/** Why there may be nothing to resume or to roll back. */
function lostNames(error: unknown, path: string | undefined): readonly string[] {
  const isNothing = error instanceof ImageError && error.isMissing && error.operation !== "open";
  return isNothing && path !== undefined ? orphansBeside(path) : [];
}

/** `-o` where no image is opened by it: there is nothing to list, and every key is unknown. */
function answerOptions(run: CommandRun, name: string): number {
  const [key] = Object.keys(parseOptionList(run.values.targetFormatOptions).values);
  if (key !== undefined) throw new UsageError(`Cannot use -o ${key}: ${name} takes no such options`);
  printResult(run, [], `${name} takes no -o options`);
  return EXIT.done;
}

/** Takes the bar away before anything else is printed. */
function quietly(terminal: Terminal, progress: ProgressDisplay | undefined): Terminal {
  return {
    ...terminal,
    result(text) {
      progress?.end();
      terminal.result(text);
    },
    note(line) {
      progress?.end();
      terminal.note(line);
    },
  };
}

function openOptions(values: Values, progress: ProgressDisplay | undefined, signal: AbortSignal): OpenOptions {
  const format = values.format ?? values.aFormat ?? values.sourceFormat;
  return {
    signal,
    ...given("format", format === undefined ? undefined : formatName(format)),
    ...given("backingChain", values.backingChain),
    ...given("forceShare", values.forceShare),
    ...given("allowMarkedRaw", values.allowMarkedRaw),
    ...given("onProgress", progress?.onProgress),
  };
}

/** Help, the version, and words that commander could not make sense of. */
function unparsed(error: unknown, program: Command, words: readonly string[], terminal: Terminal): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.done;
    if (error.code === "commander.help") {
      for (const line of program.helpInformation().trimEnd().split("\n")) terminal.note(line);
      return EXIT.usage;
    }
  }
  const isJson = words.some(
    (word, at) => word === "--output=json" || (word === "json" && words[at - 1] === "--output"),
  );
  const failure = failureOf(error, terminal.invocation);
  const spec = commands.find(({ name }) => name === words.find((word) => !word.startsWith("-")));
  const message = withoutWriters(failure.message);
  const trace = words.includes("--debug") ? traceOf(error) : [];
  return report(
    { ...failure, message, lines: [message], exitCode: spec?.failureExit ?? failure.exitCode },
    terminal,
    isJson,
    trace,
  );
}

/** No option at all. */
const PLAIN: Values = { targetFormatOptions: [], output: "human" };

/** A command that writes is never suggested: who repeats what a tool suggests has not meant it. */
function withoutWriters(message: string): string {
  return message.replace(/\s*\(Did you mean (?:one of )?(.+?)\?\)/, (_whole, names: string) => {
    const harmless = names.split(", ").filter((name) => !commands.find((each) => each.name === name)?.writes?.(PLAIN));
    return harmless.length === 0 ? "" : ` (did you mean ${harmless.join(" or ")}?)`;
  });
}

function report(failure: Failure, terminal: Terminal, isJson: boolean, trace: readonly string[]): number {
  noteFailure(failure, terminal, trace);
  if (isJson) terminal.result(jsonText(failureJson(failure)));
  return failure.exitCode;
}
