/** The command line's entry: ties it to this process. */

import { basename, relative } from "node:path";
import { shellWord } from "../doors.ts";
import { EXIT } from "./failure.ts";
import { library } from "./library.ts";
import { runCommandLine } from "./program.ts";
import { keepProcessSmall } from "./small-process.ts";
import { terminalOf } from "./terminal.ts";

/** As the user called it: by its installed name, or as a file given to node. */
function invocation(script = ""): string {
  if (!/\.[cm]?[jt]s$/.test(script)) return basename(script);
  const nearby = relative(process.cwd(), script);
  return `node ${shellWord(nearby.startsWith("..") ? script : nearby)}`;
}

// What nobody catches is told as any failure is, and ends the process: what it was about may still be going on.
let [isBroken, isOver] = [false, false];
const uncaught = new Promise<never>((_, reject) => {
  process.on("uncaughtException", (error) => {
    isBroken = true;
    reject(error);
    if (!isOver) return;
    terminal.note(`inplace-convert: A defect in this program, after the work was done: ${error.message}`);
    process.exit();
  });
});
uncaught.catch(() => {});

// Where nothing is left that this process could wait for, it ends: with the work done or not.
process.on("exit", (code) => {
  if (isOver || code !== 0) return;
  terminal.note(
    "inplace-convert: A defect in this program: it ended before its work did; where a journal was left, resume goes on, rollback goes back",
  );
  process.exitCode = EXIT.interrupted;
});

const words = process.argv.slice(2);
// V8 promises nothing about flags that change while it runs: good enough where nothing is written.
const isReadOnlyCheck = words[0] === "check" && !words.some((word) => /^(-[pqU]*r|--repair)/.test(word));
if (isReadOnlyCheck) keepProcessSmall();

const terminal = terminalOf(process, invocation(process.argv[1]));
// Not awaited here: what is loaded later imports what this file does, and would wait for it in turn.
void runCommandLine(words, { library, terminal, signals: process, uncaught }).then((exitCode) => {
  process.exitCode = exitCode;
  isOver = true;
  if (isBroken) process.exit();
});
