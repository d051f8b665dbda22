/** What kind of value each output of the action is, and an example, which action.yml has no place for. */

import { PREDICATE_TYPE } from "../../src/action/report/predicate.ts";

export interface OutputKind {
  readonly type: "JSON" | "path" | "word" | "bytes" | "hex" | "true, false" | "count" | "clusters" | "URI";
  readonly example: string;
}

const DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/** By the output's name; a new output needs a line here. */
export const outputKinds: Readonly<Record<string, OutputKind>> = {
  images: { type: "JSON", example: '[{"image":"build/disk.qcow2","source-format":"raw",…}]' },
  image: { type: "path", example: "build/disk.qcow2" },
  format: { type: "word", example: "qcow2" },
  "virtual-size": { type: "bytes", example: "10737418240" },
  "checksum-before": { type: "hex", example: DIGEST },
  "checksum-after": { type: "hex", example: DIGEST },
  "sha256-file": { type: "hex", example: DIGEST },
  changed: { type: "true, false", example: "true" },
  "check-result": { type: "word", example: "clean" },
  corruptions: { type: "count", example: "0" },
  leaks: { type: "clusters", example: "0" },
  "bytes-written": { type: "bytes", example: "1720000" },
  "bytes-moved": { type: "bytes", example: "0" },
  "peak-extra-bytes": { type: "bytes", example: "1720000" },
  "cache-hit": { type: "true, false", example: "false" },
  report: { type: "path", example: "report.html" },
  sha256sums: { type: "path", example: "build/SHA256SUMS" },
  predicate: { type: "path", example: "predicate.json" },
  "predicate-type": { type: "URI", example: PREDICATE_TYPE },
  matrix: { type: "JSON", example: '{"include":[{"images":"https://example.org/a.qcow2","shard":1}]}' },
  "matrix-empty": { type: "true, false", example: "false" },
};
