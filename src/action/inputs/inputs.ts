/** The action's inputs: read, checked all together, typed. action.yml declares the same names and defaults. */

import { readHeaders } from "../../acquire/http/request-headers.ts";
import { type ConvertOptions, type CrossCheck, parseSize, type RepairScope } from "../../index.ts";
import { type ImageLine, parseImageLines, type UrlLine } from "./image-lines.ts";
import { libraryMistakes } from "./input-mistakes.ts";
import { type InputName, inputDefaults } from "./input-names.ts";
import { InputReader } from "./input-reader.ts";
import { parseShard, type ShardNumber } from "./shard-number.ts";

export type Mode = "convert" | "check" | "plan" | "collect";
export type OnInterrupted = "fail" | "resume" | "rollback";
export type SummaryWhen = "always" | "on-failure" | "never";
export type IfNoImages = "error" | "warn" | "ignore";
export type FailOn = "corruption" | "leak" | "warning";

export interface Inputs {
  readonly mode: Mode;
  readonly images: readonly ImageLine[];
  readonly urls: readonly UrlLine[];
  /** What a path or glob that matches nothing is. */
  readonly ifNoImages: IfNoImages;
  readonly acquire: AcquireInputs;
  readonly targetFormat: string;
  /** The same for all images; each adds its own digest, journal and progress. `dryRun` is set in `mode: plan` too. */
  readonly convertOptions: ConvertOptions;
  readonly repair: "none" | RepairScope;
  readonly failOn: FailOn;
  readonly crossCheck: CrossCheck;
  readonly rename: boolean;
  readonly onInterrupted: OnInterrupted;
  readonly concurrency: number;
  readonly shards: number | "auto";
  /** Which job of a plan's matrix this step is in. */
  readonly shard: ShardNumber | undefined;
  /** A glob of JSON reports, for `mode: collect`. */
  readonly reports: string;
  readonly summary: SummaryWhen;
  readonly report: ReportPaths | undefined;
  /** The path of a list of all resulting files' checksums. */
  readonly sha256sums: string | undefined;
  /** The path of the conversions' evidence, for an attestation. */
  readonly predicate: string | undefined;
}

/** How downloads are made; of no use where no line is a URL. */
export interface AcquireInputs {
  /** A path or URL of a SHA256SUMS or SHA512SUMS file. */
  readonly checksums: string | undefined;
  /** Their values are secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly githubToken: string | undefined;
  readonly outputDirectory: string | undefined;
  readonly cache: "true" | "false" | "auto";
}

export interface ReportPaths {
  /** As it was named: that of the page where one is asked for. */
  readonly named: string;
  readonly json: string;
  readonly page: string | undefined;
}

/** More at once would only make the disk seek. */
const MAX_CONCURRENCY = 64;
/** A matrix has no more jobs. */
export const MAX_SHARDS = 256;

/**
 * @param readText the input's text as the runner gives it, empty where it was left out
 * @returns the inputs, and one sentence for each mistake; with a mistake nothing may be done
 */
export function readInputs(readText: (name: InputName) => string): {
  readonly inputs: Inputs;
  readonly mistakes: readonly string[];
} {
  const reader = new InputReader(readText, inputDefaults);
  const mode = reader.choice("mode", ["convert", "check", "plan", "collect"]);
  const isMode = reader.mistakes.length === 0;
  const { lines, urls, mistakes } = parseImageLines(reader.text("image"));
  if (mode !== "collect") for (const mistake of mistakes) reader.mistake("image", mistake);
  else if (reader.text("image") !== "") {
    reader.mistake("image", "Cannot use image in mode collect: it reads the reports of other jobs, no image");
  }
  const reports = reader.text("reports");
  if (mode === "collect" && reports === "") {
    reader.mistake("reports", "Cannot go on without reports: name a glob of JSON reports, e.g. reports/*.json");
  }
  const targetFormat = formatName(reader.text("target-format"));
  if (targetFormat === "" && isMode && (mode === "convert" || mode === "plan")) {
    reader.mistake("target-format", "Cannot go on without target-format: name one, e.g. qcow2");
  }
  const convertOptions = readConvertOptions(reader, mode);
  // What is no choice at all is said already.
  const further = libraryMistakes(targetFormat || undefined, convertOptions).filter(
    ({ names }) => !names.some((name) => reader.isWrong(name)),
  );
  for (const { names, sentence } of further) reader.mistake(names, sentence);
  const repair = reader.choice("repair", ["none", "leaks", "all"]);
  if (!convertOptions.check && !reader.isWrong("check") && (mode === "check" || repair !== "none")) {
    const [other, what] =
      mode === "check" ? (["mode", "mode check"] as const) : (["repair", "repair, which begins with a check"] as const);
    reader.mistake(["check", other], `Cannot use check: false with ${what}`);
  }
  const inputs: Inputs = {
    mode,
    images: mode === "collect" ? [] : lines,
    urls: mode === "collect" ? [] : urls,
    ifNoImages: reader.choice("if-no-images", ["error", "warn", "ignore"]),
    acquire: readAcquire(reader, urls),
    targetFormat,
    convertOptions,
    repair,
    failOn: reader.choice("fail-on", ["corruption", "leak", "warning"]),
    crossCheck: reader.choice("cross-check", ["off", "auto", "require"]),
    rename: reader.flag("rename"),
    onInterrupted: reader.choice("on-interrupted", ["fail", "resume", "rollback"]),
    concurrency: reader.count("concurrency", MAX_CONCURRENCY),
    shards: reader.text("shards") === "auto" ? "auto" : reader.count("shards", MAX_SHARDS, "auto or "),
    shard: readShard(reader),
    reports,
    summary: reader.choice("summary", ["always", "on-failure", "never"]),
    report: readReport(reader),
    sha256sums: readWritten(reader, "sha256sums", mode),
    predicate: readPredicate(reader, mode, convertOptions),
  };
  return { inputs, mistakes: reader.mistakes };
}

function readConvertOptions(reader: InputReader, mode: Mode): ConvertOptions {
  const sourceFormat = reader.text("source-format");
  const compact = reader.choice("compact", ["auto", "true", "false"]);
  return {
    options: parseOptions(reader),
    checksum: reader.choice("checksum", ["blkhash-sha256", "sha256", "none"]),
    verify: reader.choice("verify", ["full", "mapping"]),
    check: reader.flag("check"),
    dryRun: reader.flag("dry-run") || mode === "plan",
    keepUndo: reader.flag("keep-undo"),
    drop: reader.words("drop"),
    backingChain: reader.flag("backing-chain"),
    ...(sourceFormat === "auto" ? {} : { format: formatName(sourceFormat) }),
    compress: reader.flag("compress"),
    ...(compact === "auto" ? {} : { compact: compact === "true" }),
    ...size(reader, "sparse-size", "sparseSize"),
    ...size(reader, "max-extra-space", "maxExtraSpace"),
  };
}

/** Only set where it is no default, which is the library's to choose by what the image is. */
function size<K extends string>(reader: InputReader, name: InputName, option: K): { readonly [P in K]?: number } {
  const text = reader.text(name);
  const bytes = text === inputDefaults[name] ? undefined : reader.attempt(name, () => parseSize(text, name));
  return (bytes === undefined ? {} : { [option]: bytes }) as { readonly [P in K]?: number };
}

/** Lines of `key=value`, several on a line parted by commas; `,,` is a comma, a key alone is `on`. */
function parseOptions(reader: InputReader): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  const lines = reader.text("options").split("\n");
  for (const item of lines.flatMap((line) => line.trim().match(/(?:[^,]|,,)+/g) ?? [])) {
    const [, key = "", value = "on"] = /^\s*([^=]*?)\s*(?:=(.*))?$/s.exec(item.replaceAll(",,", ",")) ?? [];
    if (key === "") {
      reader.mistake("options", `Cannot use "${item}": write key=value, e.g. cluster_size=64k`);
    } else values.set(key, value.trim());
  }
  return Object.fromEntries(values);
}

function readAcquire(reader: InputReader, urls: readonly UrlLine[]): AcquireInputs {
  const [checksums, token, outputDirectory] = [
    reader.text("checksums"),
    reader.text("github-token"),
    reader.text("output-directory"),
  ];
  const { headers, mistakes } = readHeaders(reader.text("headers"));
  for (const mistake of mistakes) reader.mistake("headers", mistake);
  // A URL that can't be used is a mistake of its own.
  if (checksums !== "" && urls.length === 0 && !/^\s*[a-z][a-z0-9+.-]+:\/\//im.test(reader.text("image"))) {
    reader.mistake(
      "checksums",
      "Cannot use checksums without a URL in image: they are of downloads; for a file give guest-sha256:HEX",
    );
  }
  const hosts = [...new Set([...urls.map(({ url }) => url), checksums].flatMap(originOf))];
  if (Object.keys(headers).length > 0 && hosts.length > 1) {
    reader.mistake(
      "headers",
      `Cannot send headers to ${hosts.join(" and ")}: each would get what is meant for the other; use a step for each`,
    );
  }
  return {
    checksums: checksums || undefined,
    headers,
    githubToken: token || undefined,
    outputDirectory: outputDirectory || undefined,
    cache: reader.choice("cache", ["true", "false", "auto"]),
  };
}

function originOf(text: string): string[] {
  const url = URL.parse(text);
  return url?.host ? [url.origin] : [];
}

function readShard(reader: InputReader): ShardNumber | undefined {
  const text = reader.text("shard");
  const shard = parseShard(text);
  if (text !== "" && shard === undefined) reader.refuse("shard", "expected a number, or one of how many, e.g. 3/12");
  return shard;
}

/** What only a step that leaves images can write. */
function readWritten(reader: InputReader, name: "sha256sums", mode: Mode): string | undefined {
  const path = reader.text(name);
  if (path !== "" && (mode === "plan" || mode === "collect")) {
    reader.mistake(name, `Cannot use ${name} in mode ${mode}: it leaves no image; use it where images are converted`);
  }
  return path || undefined;
}

/** What vouches for the guest needs its digest. */
function readPredicate(reader: InputReader, mode: Mode, { checksum }: ConvertOptions): string | undefined {
  const path = reader.text("predicate");
  if (path === "") return undefined;
  if (!/\.json$/i.test(path)) reader.refuse("predicate", "expected a path that ends in .json");
  if (mode !== "convert") {
    reader.mistake("predicate", `Cannot use predicate in mode ${mode}: it is the evidence of a conversion`);
  }
  if (checksum === "none") {
    const why = "it tells by the guest's digest that the guest is the same; choose another checksum";
    reader.mistake(["predicate", "checksum"], `Cannot use predicate with checksum: none: ${why}`);
  }
  return path;
}

/** Any other extension could be an image's, which a report must never replace. */
function readReport(reader: InputReader): ReportPaths | undefined {
  const named = reader.text("report");
  if (named === "") return undefined;
  if (/\.json$/i.test(named)) return { named, json: named, page: undefined };
  if (/\.html?$/i.test(named)) return { named, json: named.replace(/\.html?$/i, ".json"), page: named };
  reader.refuse("report", "expected a path that ends in .json or .html");
  return undefined;
}

/** qemu-img's name of a format; `vhd` is what everyone else calls `vpc`. */
function formatName(name: string): string {
  return name === "vhd" ? "vpc" : name;
}
