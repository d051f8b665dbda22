/** The action's inputs: read, checked all together, typed. action.yml declares the same names and defaults. */

import { type ConvertOptions, parseSize, UsageError, usageMistakes } from "../index.ts";
import { type ImageLine, parseImageLines } from "./image-lines.ts";

/** Every input with its default, as action.yml has it. */
export const inputDefaults = {
  image: "",
  mode: "convert",
  "target-format": "",
  "source-format": "auto",
  options: "",
  checksum: "blkhash-sha256",
  verify: "full",
  check: "true",
  "fail-on": "corruption",
  rename: "true",
  "dry-run": "false",
  "keep-undo": "false",
  "max-extra-space": "",
  drop: "",
  "backing-chain": "false",
  "on-interrupted": "fail",
  concurrency: "2",
  summary: "always",
  report: "",
} as const;
export type InputName = keyof typeof inputDefaults;

export type OnInterrupted = "fail" | "resume" | "rollback";
export type SummaryWhen = "always" | "on-failure" | "never";

export interface Inputs {
  readonly images: readonly ImageLine[];
  readonly targetFormat: string;
  /** The same for all images; each adds its own digest, journal and progress. */
  readonly convertOptions: ConvertOptions;
  readonly rename: boolean;
  readonly onInterrupted: OnInterrupted;
  readonly concurrency: number;
  readonly summary: SummaryWhen;
  /** Where the JSON report goes. */
  readonly report: string | undefined;
}

/** More at once would only make the disk seek. */
const MAX_CONCURRENCY = 64;

/** What can be named but comes in a later version. */
const LATER_MODES = ["check", "plan", "collect"];

/**
 * @param readText the input's text as the runner gives it, empty where it was left out
 * @returns the inputs, and one sentence for each mistake; with a mistake nothing may be done
 */
export function readInputs(readText: (name: InputName) => string): {
  readonly inputs: Inputs;
  readonly mistakes: readonly string[];
} {
  const mistakes: string[] = [];
  const text = (name: InputName) => readText(name).trim() || inputDefaults[name];
  const choice = <T extends string>(name: InputName, choices: readonly T[]): T => {
    const value = text(name) as T;
    if (!choices.includes(value)) mistakes.push(`Cannot use ${name}: "${value}": expected ${orList(choices)}`);
    return value;
  };
  const flag = (name: InputName): boolean => {
    const value = text(name);
    if (!["true", "True", "TRUE", "false", "False", "FALSE"].includes(value)) {
      mistakes.push(`Cannot use ${name}: "${value}": expected true or false`);
    }
    return value.toLowerCase() === "true";
  };
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      mistakes.push(error.message);
      return undefined;
    }
  };

  const images = parseImageLines(text("image"));
  mistakes.push(...images.mistakes, ...modeMistakes(text("mode")));
  const targetFormat = formatName(text("target-format"));
  if (targetFormat === "") mistakes.push("Cannot go on without target-format: name one, e.g. qcow2");
  const sourceFormat = text("source-format");
  const maxExtraSpace = text("max-extra-space");
  const space = maxExtraSpace === "" ? undefined : attempt(() => parseSize(maxExtraSpace, "max-extra-space"));
  const isDry = flag("dry-run");
  const convertOptions: ConvertOptions = {
    options: parseOptions(text("options"), mistakes),
    checksum: choice("checksum", ["blkhash-sha256", "sha256", "none"]),
    verify: choice("verify", ["full", "mapping"]),
    check: flag("check"),
    dryRun: isDry,
    keepUndo: flag("keep-undo"),
    drop: words(text("drop")),
    backingChain: flag("backing-chain"),
    ...(sourceFormat === "auto" ? {} : { format: formatName(sourceFormat) }),
    ...(space === undefined ? {} : { maxExtraSpace: space }),
  };
  mistakes.push(...usageMistakes(targetFormat || undefined, convertOptions));
  if (text("fail-on") !== "corruption") {
    mistakes.push(`Cannot use fail-on: "${text("fail-on")}": only corruption is available yet`);
  }
  const inputs: Inputs = {
    images: images.lines,
    targetFormat,
    convertOptions,
    rename: flag("rename"),
    onInterrupted: choice("on-interrupted", ["fail", "resume", "rollback"]),
    concurrency: readConcurrency(text("concurrency"), mistakes),
    summary: choice("summary", ["always", "on-failure", "never"]),
    report: readReport(text("report"), mistakes),
  };
  return { inputs, mistakes };
}

function modeMistakes(mode: string): string[] {
  if (mode === "convert") return [];
  if (LATER_MODES.includes(mode)) return [`Cannot use mode: "${mode}": it is not available yet; expected convert`];
  return [`Cannot use mode: "${mode}": expected convert`];
}

/** Lines of `key=value`, several on a line parted by commas; `,,` is a comma, a key alone is `on`. */
function parseOptions(text: string, mistakes: string[]): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (const item of text.split("\n").flatMap((line) => line.trim().match(/(?:[^,]|,,)+/g) ?? [])) {
    const [, key = "", value = "on"] = /^\s*([^=]*?)\s*(?:=(.*))?$/s.exec(item.replaceAll(",,", ",")) ?? [];
    if (key === "") mistakes.push(`Cannot use options: "${item}": write key=value, e.g. cluster_size=64k`);
    else values.set(key, value.trim());
  }
  return Object.fromEntries(values);
}

function readConcurrency(text: string, mistakes: string[]): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= MAX_CONCURRENCY) return value;
  mistakes.push(`Cannot use concurrency: "${text}": expected a number from 1 to ${MAX_CONCURRENCY}`);
  return 1;
}

/** Any other extension could be an image's, which a report must never replace. */
function readReport(text: string, mistakes: string[]): string | undefined {
  if (text === "") return undefined;
  if (/\.json$/i.test(text)) return text;
  const reason = /\.html?$/i.test(text) ? "a page can't be written yet; name a path" : "expected a path";
  mistakes.push(`Cannot use report: "${text}": ${reason} that ends in .json`);
  return undefined;
}

/** qemu-img's name of a format; `vhd` is what everyone else calls `vpc`. */
function formatName(name: string): string {
  return name === "vhd" ? "vpc" : name;
}

function words(text: string): readonly string[] {
  return text
    .split(/[\n,]/)
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function orList(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}
