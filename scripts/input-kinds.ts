/** What kind of value each input of the action takes, and one that somebody would write: two columns of README's table. */

export interface InputKind {
  /** `true, false` and `choice` are refused where they are anything else; the rest says how the text is read. */
  readonly type: "true, false" | "choice" | "number" | "size" | "path" | "path or URL" | "format" | "lines" | "secret";
  readonly example: string;
}

/** By the input's name; a new input needs a line here. */
export const inputKinds: Readonly<Record<string, InputKind>> = {
  image: { type: "lines", example: "build/*.raw" },
  "if-no-images": { type: "choice", example: "warn" },
  checksums: { type: "path or URL", example: "https://example.org/SHA256SUMS" },
  mode: { type: "choice", example: "check" },
  "target-format": { type: "format", example: "qcow2" },
  "source-format": { type: "format", example: "raw" },
  options: { type: "lines", example: "cluster_size=64k" },
  checksum: { type: "choice", example: "sha256" },
  verify: { type: "choice", example: "mapping" },
  check: { type: "true, false", example: "false" },
  repair: { type: "choice", example: "leaks" },
  "fail-on": { type: "choice", example: "leak" },
  cache: { type: "choice", example: "true" },
  headers: { type: "lines", example: `X-Token: \${{ secrets.TOKEN }}` },
  "github-token": { type: "secret", example: `\${{ github.token }}` },
  "output-directory": { type: "path", example: "build" },
  rename: { type: "true, false", example: "false" },
  compress: { type: "true, false", example: "true" },
  compact: { type: "choice", example: "false" },
  "sparse-size": { type: "size", example: "64k" },
  "dry-run": { type: "true, false", example: "true" },
  "keep-undo": { type: "true, false", example: "true" },
  "max-extra-space": { type: "size", example: "2G" },
  "cross-check": { type: "choice", example: "auto" },
  drop: { type: "lines", example: "snapshots" },
  "backing-chain": { type: "true, false", example: "true" },
  "on-interrupted": { type: "choice", example: "resume" },
  concurrency: { type: "number", example: "4" },
  shards: { type: "number", example: "12" },
  shard: { type: "number", example: "3/12" },
  reports: { type: "lines", example: "reports/*.json" },
  summary: { type: "choice", example: "on-failure" },
  report: { type: "path", example: "report.html" },
  sha256sums: { type: "path", example: "build/SHA256SUMS" },
  predicate: { type: "path", example: "build/predicate.json" },
};
