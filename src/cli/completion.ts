/** `completion`: prints what a shell needs to complete our command lines, made from the table of commands. */

import type { Option } from "commander";
import { UsageError } from "../doors.ts";
import { type CommandRun, printResult, required } from "./command-run.ts";
import { bashScript } from "./completion-bash.ts";
import { fishScript } from "./completion-fish.ts";
import { type CompletableCommand, type Completion, completionOf, SHELLS, type Shell } from "./completion-table.ts";
import { zshScript } from "./completion-zsh.ts";
import { EXIT } from "./failure.ts";

const scripts: Readonly<Record<Shell, (completion: Completion) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** `commands` and `common` are the command line's own, handed in since the table itself leads here. */
export async function completionCommand(
  run: CommandRun,
  [word]: readonly string[],
  commands: readonly CompletableCommand[],
  common: readonly Option[],
): Promise<number> {
  const asked = required(word, "a shell", `completion ${SHELLS.join("|")}`);
  const shell = SHELLS.find((each) => each === asked);
  if (shell === undefined) {
    throw new UsageError(`Cannot write a completion script for ${asked}: the shells are ${SHELLS.join(", ")}`);
  }
  const script = scripts[shell](await completionOf(commands, common, run.library));
  printResult(run, { shell, script }, script);
  return EXIT.done;
}
