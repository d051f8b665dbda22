/** One run of one command: its options, the library, the terminal, and how it prints. */

import { type OpenOptions, UsageError } from "../index.ts";
import { jsonText } from "./json.ts";
import type { Library } from "./library.ts";
import { printable, printableLine, type Terminal } from "./terminal.ts";

/** Values of all options that any command takes, as commander gives them; an option without a long name keeps its letter. */
export interface Values {
  readonly format?: string;
  readonly F?: string;
  readonly repair?: string;
  readonly T?: string;
  readonly forceShare?: true;
  readonly imageOpts?: true;
  readonly allowDataLoss?: true;
  readonly o: readonly string[];
  readonly output: "human" | "json";
  readonly p?: true;
  readonly q?: true;
  readonly backingChain?: true;
  readonly dryRun?: true;
  readonly checksum?: string;
  readonly guestChecksum?: string;
  readonly verify?: "full" | "mapping";
  readonly check?: boolean;
  readonly keepUndo?: true;
  readonly maxExtraSpace?: string;
  readonly journal?: string;
  readonly keepLeaks?: true;
  readonly crossCheck?: "off" | "auto" | "require";
  readonly drop?: readonly string[];
  readonly yes?: true;
  readonly keep?: string;
}

export interface Session {
  readonly library: Library;
  readonly terminal: Terminal;
  readonly values: Values;
  /** What follows from the options that every command takes. */
  readonly open: OpenOptions;
}

export function isJson({ values }: Session): boolean {
  return values.output === "json";
}

/** Prints what a command was asked for, whether quiet or not. */
export function printResult(session: Session, json: unknown, text: string): void {
  session.terminal.result(isJson(session) ? jsonText(json) : printable(withLineBreak(text)));
}

/** Prints what a command did; `-q` leaves only the JSON that was asked for. */
export function printOutcome(session: Session, json: unknown, text: string): void {
  if (isJson(session) || !session.values.q) printResult(session, json, text);
}

export function printNotes({ terminal, values }: Session, notes: readonly string[]): void {
  if (!values.q) for (const note of notes) terminal.note(printableLine(`Note: ${note}`));
}

function withLineBreak(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** qemu-img's name of a format; `vhd` is what everyone else calls `vpc`. */
export function formatName(name: string): string {
  return name === "vhd" ? "vpc" : name;
}

/** Only set where there is a value, as the library's options want it. */
export function given<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T };
}

/** @throws UsageError that names the command's form */
export function required<T>(value: T | undefined, what: string, usage: string): T {
  if (value === undefined) throw new UsageError(`Cannot go on without ${what}: inplace-convert ${usage}`);
  return value;
}
