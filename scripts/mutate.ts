/**
 * `npm run mutate -- [--only PATTERN] [--jobs N] [--log FILE] [--markdown FILE]`: source mutations, and which test kills each.
 *
 * Works on copies of the tree in a temporary folder. With `--log`, what was found out stands in a file, and a later run on
 * the same tree goes on from there. The last line is `N mutations: N killed, N survived`; the exit code is 1 when one
 * survived or could not be tried.
 */

import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mutations } from "./mutations/list.ts";
import type { Mutation } from "./mutations/mutation.ts";
import { endRuns, type Outcome, Tree } from "./mutations/trial.ts";

interface Row extends Outcome {
  readonly mutation: Mutation;
  readonly seconds: number;
}

const MAX_JOBS = 2;
const root = fileURLToPath(new URL("../", import.meta.url));
const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    jobs: { type: "string", default: String(Math.min(MAX_JOBS, availableParallelism())) },
    log: { type: "string" },
    markdown: { type: "string" },
  },
});
const only = new RegExp(values.only, "i");
const wanted = mutations.filter(({ name, file }) => only.test(`${file}: ${name}`));
const twice = wanted.find(({ name }, at) => wanted.findIndex((other) => other.name === name) !== at);
if (wanted.length === 0 || twice !== undefined) {
  console.error(twice === undefined ? `No mutation is named like ${values.only}` : `Two are named "${twice.name}"`);
  process.exit(2);
}
const jobs = Math.min(MAX_JOBS, Math.max(1, Number(values.jobs) || 1));
/** For the log. */
let digest: string | undefined;
const scratch = mkdtempSync(join(tmpdir(), "inplace-convert-mutate-"));
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    endRuns();
    rmSync(scratch, { recursive: true, force: true });
    process.exit(1);
  });
}

try {
  const rows = await tryAll(Array.from({ length: jobs }, (_, job) => new Tree(root, join(scratch, String(job)))));
  const survived = rows.filter(({ end }) => end !== "killed");
  for (const { mutation, by } of survived) console.log(`SURVIVED src/${mutation.file}: ${mutation.name} ${by}`);
  if (values.markdown !== undefined) writeFileSync(values.markdown, markdownOf(rows));
  console.log(`${rows.length} mutations: ${rows.length - survived.length} killed, ${survived.length} survived`);
  process.exitCode = survived.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  endRuns();
  rmSync(scratch, { recursive: true, force: true });
}

/** First the tests without any mutation, for a test that fails anyway kills nothing. */
async function tryAll(trees: readonly Tree[]): Promise<Row[]> {
  const known = readLog();
  const left = wanted.filter((mutation) => !known.has(keyOf(mutation)));
  const files = [...new Set(left.flatMap(({ tests }) => tests))];
  const failing: string[] = [];
  await share(trees, files, async (tree, test) => {
    const failure = await tree.failureOf(test);
    if (failure !== undefined) failing.push(`${failure.by} (${test})`);
  });
  if (failing.length > 0) throw new Error(`Cannot begin: without a mutation\n${failing.join("\n")}`);
  const rows = new Map<Mutation, Row>();
  for (const mutation of wanted) {
    const row = known.get(keyOf(mutation));
    if (row !== undefined) rows.set(mutation, { ...row, mutation });
  }
  await share(trees, left, async (tree, mutation) => {
    const begin = performance.now();
    const outcome = await tree.try(mutation);
    const row = { ...outcome, mutation, seconds: Math.round((performance.now() - begin) / 100) / 10 };
    rows.set(mutation, row);
    tell(row);
    if (values.log !== undefined) appendFileSync(values.log, `${JSON.stringify({ key: keyOf(mutation), ...row })}\n`);
  });
  return wanted.map((mutation) => rows.get(mutation) as Row);
}

/** Each tree takes the next one. The first that throws ends all. */
async function share<T>(
  trees: readonly Tree[],
  items: readonly T[],
  perform: (tree: Tree, item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (tree: Tree) => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await perform(tree, item);
      } catch (error) {
        queue.length = 0;
        throw error;
      }
    }
  };
  await Promise.all(trees.map(worker));
}

function tell({ mutation, end, by, seconds }: Row): void {
  const verdict = end === "killed" ? `killed by ${by}` : `${end.toUpperCase()} ${by}`;
  console.log(`${seconds.toFixed(1).padStart(6)} s  src/${mutation.file}: ${mutation.name}\n          ${verdict}`);
}

/** An outcome holds for a mutation of this source, judged by these tests. */
function keyOf({ name, file, find, replace, tests }: Mutation): string {
  const hash = createHash("sha256").update(JSON.stringify([sharedDigest(), name, file, find, replace, tests]));
  for (const test of tests) hash.update(readFileSync(join(root, test.split(" > ")[0] as string)));
  return hash.digest("hex");
}

/** Of what all tests have in common. */
function sharedDigest(): string {
  if (digest !== undefined) return digest;
  const hash = createHash("sha256");
  for (const folder of ["src", "test/support", "test/formats", "test/corpus"]) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) hash.update(readFileSync(join(entry.parentPath, entry.name)));
    }
  }
  digest = hash.digest("hex");
  return digest;
}

function readLog(): Map<string, Row> {
  if (values.log === undefined || !existsSync(values.log)) return new Map();
  const lines = readFileSync(values.log, "utf8").split("\n").filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line) as Row & { key: string }).map((row) => [row.key, row]));
}

function markdownOf(rows: readonly Row[]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const seconds = rows.reduce((sum, row) => sum + row.seconds, 0);
  const killed = rows.filter(({ end }) => end === "killed").length;
  const lines = rows.map(({ mutation, end, by, seconds: took }) => {
    const killer = end === "killed" ? by : `**${end.toUpperCase()}** ${by}`;
    return `| \`src/${mutation.file}\` | ${cell(mutation.name)} | ${cell(killer)} | ${took.toFixed(1)} |`;
  });
  return [
    "# Mutations",
    "",
    "A test that can't fail proves nothing. So `npm run mutate` puts defects into a copy of the source, one at a time, and runs the tests that ought to see each; the list is in `scripts/mutations`. A mutant that survives asks for a test.",
    "",
    `Run on ${new Date().toISOString().slice(0, 10)}: ${rows.length} mutations, ${killed} killed, ${rows.length - killed} survived, ${Math.ceil(seconds / 60)} minutes of one core.`,
    "",
    "| where | the mutant | killed by | seconds |",
    "| --- | --- | --- | --- |",
    ...lines,
    "",
  ].join("\n");
}
