/** One run of one command: its options, the library, the terminal, and how it prints. */

import { type ConversionReport, formatNamed, type OpenOptions, parseSize, UsageError } from "../doors.ts";
import { jsonText } from "./json.ts";
import type { Library } from "./library.ts";
import { sameGuestAs, undoLines } from "./next-steps.ts";
import { printable, printableLine, type Terminal } from "./terminal.ts";

/** Values of all options that any command takes, by their long names as commander gives them. */
export interface Values {
  readonly format?: string;
  /** qemu-img's other long names of `-f`: of `compare`, and of what converts. */
  readonly aFormat?: string;
  readonly sourceFormat?: string;
  readonly bFormat?: string;
  readonly repair?: string;
  readonly cache?: string;
  readonly forceShare?: true;
  readonly allowMarkedRaw?: true;
  readonly imageOpts?: true;
  readonly object?: string;
  readonly allowDataLoss?: true;
  readonly targetFormatOptions: readonly string[];
  readonly output: "human" | "json";
  readonly progress?: true;
  readonly quiet?: true;
  readonly backingChain?: true;
  readonly dryRun?: true;
  readonly checksum?: string;
  readonly guestChecksum?: string;
  readonly verify?: "full" | "mapping";
  readonly check?: boolean;
  readonly keepUndo?: true;
  readonly maxExtraSpace?: string;
  readonly compress?: true;
  readonly sparseSize?: string;
  readonly compact?: boolean;
  readonly allowProbedGuest?: true;
  readonly reproducible?: true;
  readonly journal?: string;
  readonly keepLeaks?: true;
  readonly crossCheck?: "off" | "auto" | "require";
  readonly drop?: readonly string[];
  readonly yes?: true;
  readonly keep?: string;
  readonly strict?: true;
  readonly startOffset?: string;
  readonly maxLength?: string;
  readonly checkList?: readonly string[];
  readonly debug?: true;
}

export interface CommandRun {
  readonly library: Library;
  readonly terminal: Terminal;
  readonly values: Values;
  /** What follows from the options that every command takes. */
  readonly open: OpenOptions;
}

export function isJson({ values }: CommandRun): boolean {
  return values.output === "json";
}

/** Prints what a command was asked for, whether quiet or not. */
export function printResult(run: CommandRun, json: unknown, text: string): void {
  run.terminal.result(isJson(run) ? jsonText(json) : printable(withLineBreak(text)));
}

/** Prints what a command did; `-q` leaves only the JSON that was asked for. */
export function printOutcome(run: CommandRun, json: unknown, text: string): void {
  if (isJson(run) || !run.values.quiet) printResult(run, json, text);
}

export function printNotes({ terminal, values }: CommandRun, notes: readonly string[]): void {
  if (!values.quiet) for (const note of notes) terminal.note(printableLine(`Note: ${note}`));
}

/** A way back that was asked for and kept is of use to those who know of it. */
export async function announceUndo(run: CommandRun, path: string, report?: ConversionReport): Promise<void> {
  if (!run.values.keepUndo || !(await isUndoKept(run, path))) return;
  const hasMoved = report?.path.some(({ step }) => step === "rearrange");
  const way = hasMoved ? sameGuestAs(report?.sourceFormat ?? "") : undefined;
  tellOfUndo(run, path, way, report?.diskFile !== undefined);
}

/** How to go back over it, or to give it up; `way` as `undoLines` takes it. */
export function tellOfUndo({ terminal, values }: CommandRun, path: string, way?: string, hasText?: boolean): void {
  if (values.quiet) return;
  for (const line of undoLines(path, terminal.invocation, way, hasText)) terminal.note(printableLine(line));
}

export async function isUndoKept({ library }: CommandRun, path: string): Promise<boolean> {
  try {
    return (await library.unfinished(path)) === "undo";
  } catch {
    // What is done is done, and where nothing can be seen nothing is said.
    return false;
  }
}

function withLineBreak(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

export const CACHE_MODES = ["none", "writeback", "writethrough", "directsync", "unsafe"];

/** qemu-img's cache modes are taken and have no effect; a wrong one is refused in its words. */
export function refuseUnknownCache(mode: string | undefined): void {
  if (mode !== undefined && !CACHE_MODES.includes(mode)) {
    throw new UsageError(`Invalid source cache option: ${mode}`);
  }
}

/** qemu-img's name of a format, which may be written in any case or be what everyone else calls it, as `vhd`; another word stays as it is. */
export function formatName(name: string): string {
  return formatNamed(name) ?? name;
}

/** @throws UsageError that names the option */
export function sizeOf(text: string | undefined, name: string): number | undefined {
  return text === undefined ? undefined : parseSize(text, name);
}

/** Only set where there is a value, as the library's options want it. */
export function given<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T };
}

/** @throws UsageError that names the command's form */
export function required<T>(value: T | undefined, what: string, usage: string): T {
  if (value === undefined) throw new UsageError(`Cannot go on without ${what}: inplace-convert ${usage}`);
  if (value === "") throw new UsageError(`Cannot take an empty word for ${what}: inplace-convert ${usage}`);
  return value;
}
