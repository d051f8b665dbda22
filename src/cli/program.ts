/** The command line as a function: words in, exit code out. */

import type { EventEmitter } from "node:events";
import { Command, CommanderError } from "commander";
import manifest from "../../package.json" with { type: "json" };
import { type OpenOptions, UsageError } from "../index.ts";
import { type CommandSpec, commands, commonOptions } from "./commands.ts";
import { EXIT, type Failure, failureJson, failureLines, failureOf } from "./failure.ts";
import { watchInterrupts } from "./interrupt.ts";
import { jsonText } from "./json.ts";
import type { Library } from "./library.ts";
import { parseOptionList } from "./option-list.ts";
import { type ProgressDisplay, showProgress } from "./progress.ts";
import { formatName, given, printResult, type Session, type Values } from "./session.ts";
import { printableLine, type Terminal } from "./terminal.ts";
import { asInvoked, stateOf } from "./ways-on.ts";

/** Everything outside that the command line touches; tests put their own in. */
export interface World {
  readonly library: Library;
  readonly terminal: Terminal;
  /** Emits SIGINT and SIGTERM: the process. */
  readonly signals: EventEmitter;
}

/** Runs one command line, without the program's own name. Never throws. */
export async function runCommandLine(words: readonly string[], world: World): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = new Command("inplace-convert")
    .description("Changes the format of a VM disk image inside the file it already occupies")
    .version(`inplace-convert ${manifest.version}`, "--version")
    .configureOutput({ writeOut: (text) => world.terminal.result(text), writeErr: () => {} })
    .exitOverride()
    .addHelpText(
      "after",
      "\nExample:\n  inplace-convert convert -p disk.qed qcow2\n\nNothing at hand? inplace-convert demo",
    );
  for (const spec of commands) {
    addCommand(program, spec).action(async (...given: unknown[]) => {
      const command = given.at(-1) as Command;
      exitCode = await perform(spec, command.args, command.opts() as Values, world);
    });
  }
  try {
    await program.parseAsync(words, { from: "user" });
    return exitCode;
  } catch (error) {
    return unparsed(error, program, words, world.terminal);
  }
}

function addCommand(program: Command, spec: CommandSpec): Command {
  const command = program
    .command(`${spec.name} ${spec.words}`.trim())
    .description(spec.summary)
    .version(`inplace-convert ${manifest.version}`, "--version")
    .addHelpText("after", `\nExample:\n  ${spec.example}`);
  for (const option of [...(spec.options?.() ?? []), ...commonOptions()]) command.addOption(option);
  return command;
}

async function perform(spec: CommandSpec, words: readonly string[], values: Values, world: World): Promise<number> {
  const { library, terminal } = world;
  const progress = values.p && !values.q ? await showProgress(terminal) : undefined;
  const interrupt = watchInterrupts(world.signals, (line) => {
    progress?.end();
    terminal.note(line);
  });
  try {
    const open = openOptions(values, progress, interrupt.signal);
    const session: Session = { library, terminal: quietly(terminal, progress), values, open };
    if (!spec.hasTarget && values.o.length > 0) return answerOptions(session, spec.name);
    return await spec.perform(session, words);
  } catch (error) {
    progress?.end();
    const failure = failureOf(error, spec.converts ? stateOf(error) : []);
    const exitCode = failure.exitCode === EXIT.interrupted ? failure.exitCode : (spec.failureExit ?? failure.exitCode);
    const message = asInvoked(failure.message, terminal.invocation);
    return report({ ...failure, exitCode, message }, terminal, values.output === "json");
  } finally {
    progress?.end();
    interrupt.end();
  }
}

/** `-o` where there is no target: there is nothing to list, and every key is unknown. */
function answerOptions(session: Session, name: string): number {
  const [key] = Object.keys(parseOptionList(session.values.o).values);
  if (key !== undefined) throw new UsageError(`Cannot use -o ${key}: ${name} takes no such options`);
  printResult(session, [], `${name} takes no -o options`);
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
  return {
    signal,
    ...given("format", values.format === undefined ? undefined : formatName(values.format)),
    ...given("backingChain", values.backingChain),
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
  const failure = failureOf(error);
  const spec = commands.find(({ name }) => name === words.find((word) => !word.startsWith("-")));
  return report({ ...failure, exitCode: spec?.failureExit ?? failure.exitCode }, terminal, isJson);
}

function report(failure: Failure, terminal: Terminal, isJson: boolean): number {
  // Line by line, so that a defect's stack trace keeps its lines.
  const lines = failureLines(failure).flatMap((line) => line.split("\n"));
  for (const [index, line] of lines.entries())
    terminal.note(printableLine(index === 0 ? `inplace-convert: ${line}` : line));
  if (isJson) terminal.result(jsonText(failureJson(failure)));
  return failure.exitCode;
}
