/** Types and examples of the action's inputs and outputs, which action.yml has no place for. */

import { PREDICATE_TYPE } from "../../src/action/report/predicate.ts";

interface Fact {
  readonly type: string;
  /** One value, as it would be written; lines are parted by a line break. */
  readonly example: string;
}

function fact(type: string, example: string): Fact {
  return { type, example };
}

/** As a workflow writes it. */
function expression(name: string): string {
  return `\${{ ${name} }}`;
}

const DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

export const inputFacts: Readonly<Record<string, Fact>> = {
  image: fact("lines", "build/*.raw"),
  "if-no-images": fact("word", "warn"),
  checksums: fact("path or URL", "https://example.org/images/SHA256SUMS"),
  mode: fact("word", "check"),
  "target-format": fact("word", "qcow2"),
  "source-format": fact("word", "raw"),
  options: fact("lines of key=value", "cluster_size=64k"),
  checksum: fact("word", "sha256"),
  verify: fact("word", "mapping"),
  check: fact("boolean", "false"),
  repair: fact("word", "leaks"),
  "fail-on": fact("word", "leak"),
  cache: fact("word", "false"),
  headers: fact("lines", `Authorization: Bearer ${expression("secrets.IMAGES")}`),
  "github-token": fact("secret", expression("github.token")),
  "output-directory": fact("path", "build"),
  rename: fact("boolean", "false"),
  compress: fact("boolean", "true"),
  compact: fact("word", "false"),
  "sparse-size": fact("size", "64k"),
  "dry-run": fact("boolean", "true"),
  "keep-undo": fact("boolean", "true"),
  "max-extra-space": fact("size", "2G"),
  "cross-check": fact("word", "auto"),
  drop: fact("words, by lines or commas", "bitmaps,leaks"),
  "backing-chain": fact("boolean", "true"),
  "on-interrupted": fact("word", "resume"),
  concurrency: fact("number", "4"),
  shards: fact("number or `auto`", "16"),
  shard: fact("number, with a total or not", expression("matrix.shard")),
  reports: fact("lines", "reports/*.json"),
  summary: fact("word", "on-failure"),
  report: fact("path", "report.html"),
  sha256sums: fact("path", "build/SHA256SUMS"),
  predicate: fact("path", "predicate.json"),
};

export const outputFacts: Readonly<Record<string, Fact>> = {
  images: fact("JSON", '[{"image":"build/disk.qcow2","source-format":"raw",…}]'),
  image: fact("path", "build/disk.qcow2"),
  format: fact("word", "qcow2"),
  "virtual-size": fact("bytes", "10737418240"),
  "checksum-before": fact("hex", DIGEST),
  "checksum-after": fact("hex", DIGEST),
  "sha256-file": fact("hex", DIGEST),
  changed: fact("boolean", "true"),
  "check-result": fact("word", "clean"),
  corruptions: fact("count", "0"),
  leaks: fact("clusters", "0"),
  "bytes-written": fact("bytes", "1720000"),
  "bytes-moved": fact("bytes", "0"),
  "peak-extra-bytes": fact("bytes", "1720000"),
  "cache-hit": fact("boolean", "false"),
  report: fact("path", "report.html"),
  sha256sums: fact("path", "build/SHA256SUMS"),
  predicate: fact("path", "predicate.json"),
  "predicate-type": fact("URI", PREDICATE_TYPE),
  matrix: fact("JSON", '{"include":[{"images":"https://example.org/a.qcow2","shard":1}]}'),
  "matrix-empty": fact("boolean", "false"),
};
