/**
 * `node test/corpus/journals/make.ts DIST released|older` makes, with the build whose `dist` folder that is and nothing
 * of `src`, what is missing of the situations beside it; one that is there is never made again. Needs strace.
 */

import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import type { Ending, TracedCall } from "../../support/traced-command.ts";
import type { KeptFacts, Looks, Recovered } from "./kept.ts";
import { type Situation, type Step, situations } from "./situations.ts";

const [, , dist, by] = process.argv;
if (dist === undefined || (by !== "released" && by !== "older")) throw new Error("Usage: make.ts DIST released|older");
process.env.INPLACE_CLI = join(resolve(dist), "cli.mjs");
const { runCommand, runInjected, traceCommand } = await import("../../support/traced-command.ts");
const beside = dirname(fileURLToPath(import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), "inplace-journals-"));
const LOCK = "disk.img.inplace-lock";

for (const situation of situations) {
  const folder = join(beside, situation.name);
  if (situation.by !== by || (await stat(folder).catch(() => undefined))) continue;
  await make(situation, folder);
  console.log(situation.name);
}
await rm(scratch, { recursive: true });

async function make({ name, source, steps }: Situation, folder: string): Promise<void> {
  const place = join(scratch, name);
  await mkdir(join(place, "elsewhere"), { recursive: true });
  await writeFile(join(place, "disk.img"), source);
  const before = await looksOf(place);
  const commands: string[] = [];
  for (const step of steps) commands.push(await perform(step, place));
  // It tells of the machine, and a dead owner's is of no matter to anybody.
  await rm(join(place, LOCK), { force: true });
  const left = await filesIn(place);
  const facts: KeptFacts = {
    commands,
    source: { ...before, bytes: packed(source) },
    image: packed(await readFile(join(place, "disk.img"))),
    files: left.filter((file) => file !== "disk.img"),
    resume: await recovered("resume", place, source),
    rollback: await recovered("rollback", place, source),
  };
  if (facts.files.length === 0) throw new Error(`${name} left no journal`);
  for (const file of facts.files) await cp(join(place, file), join(folder, file));
  await writeFile(join(folder, "situation.json"), `${JSON.stringify(facts, undefined, 2)}\n`);
}

/** Does it, to a copy first where it is to be cut, to see its calls. */
async function perform({ words, cut, written }: Step, place: string): Promise<string> {
  let said = `inplace-convert ${words.join(" ")}`;
  if (cut === undefined) {
    expectEnd(await runCommand(wordsIn(words, place)), 0);
  } else {
    const copy = `${place}-traced`;
    await cp(place, copy, { recursive: true });
    const [ending, calls] = await traceCommand(wordsIn(words, copy), scratch);
    expectEnd(ending, 0);
    await rm(copy, { recursive: true });
    const call = cut(calls) as TracedCall;
    expectEnd(
      await runInjected(wordsIn(words, place), { call: call.name, what: "signal=KILL", turn: call.turn }),
      null,
    );
    said += `, killed at ${call.name} ${call.turn}`;
    const after = call.path.slice(copy.length + 1);
    if (after !== "") said += ` (${after}${call.hostOffset === undefined ? "" : ` at ${call.hostOffset}`})`;
  }
  if (written === undefined) return said;
  const image = await readFile(join(place, "disk.img"));
  image.set(written.bytes, written.hostOffset);
  await writeFile(join(place, "disk.img"), image);
  return `${said}, then ${written.bytes.length} bytes written at ${written.hostOffset}`;
}

/** What the same build makes of a copy. */
async function recovered(command: "resume" | "rollback", place: string, source: Uint8Array): Promise<Recovered> {
  const copy = `${place}-${command}`;
  await cp(place, copy, { recursive: true });
  const { exitCode, said } = await runCommand(wordsIn([command, "IMAGE"], copy));
  const left = (await filesIn(copy)).filter((file) => file !== "disk.img");
  const isNothing = /[Nn]othing to (resume|roll back)/.test(said);
  const outcome = exitCode === 0 ? "done" : isNothing ? "nothing" : "refused";
  const isSource = Buffer.compare(await readFile(join(copy, "disk.img")), source) === 0;
  return { outcome, ...(await looksOf(copy)), isSource, left };
}

async function looksOf(place: string): Promise<Looks> {
  const json = (...words: string[]) => {
    const { stdout } = spawnSync(process.execPath, [process.env.INPLACE_CLI as string, ...wordsIn(words, place)]);
    return JSON.parse(stdout.toString());
  };
  const { format } = json("info", "--output", "json", "IMAGE");
  const found = json("check", "--output", "json", "IMAGE");
  const isClean = !found.corruptions && !found.leaks && !found["check-errors"];
  const { checksum } = json("checksum", "--output", "json", "IMAGE");
  return { format, guestDigest: checksum ?? null, isClean };
}

function wordsIn(words: readonly string[], place: string): string[] {
  return words.map((word) =>
    word === "IMAGE" ? join(place, "disk.img") : word.startsWith("elsewhere/") ? join(place, word) : word,
  );
}

async function filesIn(place: string): Promise<string[]> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries
    .flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name).slice(place.length + 1)] : []))
    .sort();
}

function packed(bytes: Uint8Array): string {
  return deflateSync(bytes, { level: 9 }).toString("base64");
}

/** 0, or `null` for what strace shall have killed. */
function expectEnd({ exitCode, said }: Ending, expected: 0 | null): void {
  if ((expected === 0) !== (exitCode === 0)) throw new Error(`ended with ${exitCode}: ${said}`);
}
