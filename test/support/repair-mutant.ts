/** One damaged qcow2, mended by us and by `qemu-img check -r`, and what the two came to. */

import { execFile } from "node:child_process";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../../src/bytes/image-error.ts";
import { qcow2Driver } from "../../src/formats/qcow2/driver.ts";
import type { Repair, RepairScope } from "../../src/image/repair.ts";
import type { Image } from "../../src/image/source.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import type { Qcow2Mutator } from "../formats/qcow2/mutator.ts";
import { applyRepair } from "./apply-repair.ts";
import { openWith } from "./open-with.ts";
import { seededRandom } from "./random.ts";

/** What a trial may come to; anything else is thrown. */
export type RepairOutcome =
  /** Nothing was wrong, or the header is refused: nothing was written. */
  | "nothing to do"
  | "refused"
  /** Both images are clean, and show the same. */
  | "both clean"
  /** Both are clean; qemu-img changed what the guest reads, or can't read what it could. */
  | "both clean, ours keeps more"
  | "only ours clean"
  /** qemu-img wrote to what is perhaps no table, but somebody's data; we do so where data loss is allowed. */
  | "ours clean by consent"
  /** qemu-img is clean since it changed what a snapshot shows. */
  | "data kept"
  | "neither clean";

export interface RepairMutant {
  readonly mutator: Qcow2Mutator;
  readonly seed: number;
  readonly scope: RepairScope;
  /** Where its files go, by a name of their own. */
  readonly folder: string;
  readonly name: string;
  readonly snapshots: readonly string[];
}

interface Verdict {
  readonly opens: boolean;
  readonly corruptions: number;
  readonly leaks: number;
  readonly checkErrors: number;
  readonly lines: readonly string[];
}

export async function tryRepair({
  mutator,
  seed,
  scope,
  folder,
  name,
  snapshots,
}: RepairMutant): Promise<RepairOutcome> {
  const random = seededRandom(seed);
  const { image: bytes, mutations } = mutator.mutate(random, 1 + random.below(3));
  const damage = mutations.map(({ what, at, after }) => `${what} at 0x${at.toString(16)}: ${after.toString(16)}`);
  const fail = (what: string): never => {
    throw new Error(`${name}, seed ${seed}, -r ${scope}: ${what}\n  ${damage.join("\n  ")}`);
  };
  const image = await opened(bytes);
  if (image === undefined) return "refused";
  const [original, ours, theirs] = ["before", "ours", "theirs"].map((kind) =>
    join(folder, `${name}-${seed}-${kind}`),
  ) as [string, string, string];
  try {
    await writeFile(original, bytes);
    await copyFile(original, theirs);
    const before = await verdictOf(original);
    const repair = await planned(image, scope);
    const mended = applyRepair(bytes, repair);
    await writeFile(ours, mended);
    const second = await planned((await opened(mended)) ?? fail("the mended image does not open"), scope);
    if (second.steps.length > 0) fail(`a second repair would ${second.steps.map(({ purpose }) => purpose).join(", ")}`);
    if (isClean(before)) {
      const writesMarksOnly = repair.steps.every(({ purpose }) => purpose === "clear the marks");
      return writesMarksOnly && repair.mended.length === 0 ? "nothing to do" : fail("a clean image is mended");
    }
    await run(["check", "-r", scope, "-f", "qcow2", theirs]);
    const [mine, other] = [await verdictOf(ours), await verdictOf(theirs)];
    if (isClean(other)) {
      if (!isClean(mine) && scope === "all" && asksForConsent(repair)) {
        const consented = (await image.planRepair?.({ scope, allowDataLoss: true })) as Repair;
        await writeFile(ours, applyRepair(bytes, consented));
        const last = await verdictOf(ours);
        return isClean(last)
          ? "ours clean by consent"
          : fail(`not even by consent: ${last.lines.slice(0, 3).join("; ")}`);
      }
      // qemu-img has written to a table that is a snapshot's data as well.
      if (!isClean(mine) && repair.losses.some((loss) => loss.includes("used as something else too")))
        return "data kept";
      if (!isClean(mine)) fail(`qemu-img leaves it clean, we leave: ${mine.lines.slice(0, 3).join("; ")}`);
      return await compareGuests(original, ours, theirs, snapshots, fail);
    }
    if (isClean(mine)) {
      if (await differs(original, ours)) fail("the guest is not what it was");
      return "only ours clean";
    }
    // QEMU also mends entries of tables that lie askew, in the middle of somebody's data.
    const isAskew = mine.lines.some((line) => line.includes("Table is not cluster aligned"));
    if (isAskew || asksForConsent(repair)) return "neither clean";
    if (severe(mine) > severe(other) || mine.checkErrors > other.checkErrors) {
      fail(`${severe(mine)} errors are left, qemu-img leaves ${severe(other)}: ${mine.lines.slice(0, 3).join("; ")}`);
    }
    return "neither clean";
  } finally {
    for (const path of [original, ours, theirs]) await rm(path, { force: true });
  }
}

/** Whether a broken pointer calls something a table that perhaps is none; nothing is written there unasked. */
function asksForConsent({ losses }: Repair): boolean {
  return losses.some((loss) => loss.includes("is perhaps none"));
}

async function opened(bytes: Uint8Array): Promise<Image | undefined> {
  try {
    return await openWith(qcow2Driver, memoryStorage(bytes));
  } catch (cause) {
    if (cause instanceof ImageError) return undefined;
    throw cause;
  }
}

async function planned(image: Image, scope: RepairScope): Promise<Repair> {
  return (await image.planRepair?.({ scope, allowDataLoss: false })) as Repair;
}

/** The active view and each snapshot: ours shows what qemu-img's shows, or what the damaged image showed. */
async function compareGuests(
  original: string,
  ours: string,
  theirs: string,
  snapshots: readonly string[],
  fail: (what: string) => never,
): Promise<RepairOutcome> {
  let keepsMore = false;
  if ((await compared(ours, theirs)) !== "same") {
    if ((await compared(ours, original)) === "different") fail("the guest is neither qemu-img's nor what it was");
    if ((await compared(theirs, original)) === "same") fail("what could be read can't be read any more");
    keepsMore = true;
  }
  for (const snapshot of snapshots) {
    const [mine, other] = [await snapshotOf(ours, snapshot), await snapshotOf(theirs, snapshot)];
    if (other === undefined || mine?.equals(other)) continue;
    const before = await snapshotOf(original, snapshot);
    if (before !== undefined && !mine?.equals(before))
      fail(`snapshot ${snapshot} is neither qemu-img's nor what it was`);
    keepsMore = true;
  }
  return keepsMore ? "both clean, ours keeps more" : "both clean";
}

async function snapshotOf(path: string, snapshot: string): Promise<Buffer | undefined> {
  const raw = `${path}.raw`;
  try {
    const { code } = await run(["convert", "-l", `snapshot.name=${snapshot}`, "-f", "qcow2", "-O", "raw", path, raw]);
    return code === 0 ? await readFile(raw) : undefined;
  } finally {
    await rm(raw, { force: true });
  }
}

async function differs(a: string, b: string): Promise<boolean> {
  return (await compared(a, b)) === "different";
}

async function compared(a: string, b: string): Promise<"same" | "different" | "unreadable"> {
  const { code } = await run(["compare", "-f", "qcow2", "-F", "qcow2", a, b]);
  return code === 0 ? "same" : code === 1 ? "different" : "unreadable";
}

function isClean({ opens, corruptions, leaks, checkErrors }: Verdict): boolean {
  return opens && corruptions + leaks + checkErrors === 0;
}

function severe({ corruptions, lines }: Verdict): number {
  return corruptions - lines.filter((line) => line.startsWith("ERROR OFLAG_COPIED")).length;
}

async function verdictOf(path: string): Promise<Verdict> {
  const { stdout, stderr } = await run(["check", "--output=json", "-f", "qcow2", path]);
  const opens = stdout.startsWith("{");
  const said: Record<string, number> = opens ? JSON.parse(stdout) : {};
  return {
    opens,
    corruptions: said.corruptions ?? 0,
    leaks: said.leaks ?? 0,
    checkErrors: said["check-errors"] ?? 0,
    lines: stderr.split("\n").filter((line) => line !== ""),
  };
}

function run(words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const options = { encoding: "utf8", maxBuffer: 2 ** 28 } as const;
    execFile("qemu-img", words, options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
