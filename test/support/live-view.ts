/**
 * A sync fails, and recovery runs in the same boot: what it reads is the page cache, which shows what the disk lost.
 *
 *   command, its n-th sync fails | recovery on the live view | a cut at each later operation | recovery after a restart
 *                                ^ nothing since the last good sync is known to be on the disk
 */

import { ImageError } from "../../src/bytes/image-error.ts";
import type { Volume } from "../../src/storage/storage.ts";
import { FailingVolume } from "./failing-volume.ts";
import { type DiskState, eachCut, OUTCOMES, stateKey } from "./power-cut.ts";
import { type Random, seededRandom } from "./random.ts";
import { type OperationLog, RecordingVolume } from "./recording-volume.ts";

type Wish = "resume" | "rollback";
export type Recovery = "done" | "nothing" | "given up";

/** A conversion or a repair of one image, as far as these trials need it. */
export interface Subject {
  readonly name: string;
  /** Of an undisturbed run. */
  readonly log: OperationLog;
  perform(volume: Volume): Promise<unknown>;
  recover(volume: Volume, wish: Wish): Promise<Recovery>;
  /** Throws unless the image is whole and shows its guest. */
  judge(state: DiskState): Promise<unknown>;
  /** Throws unless the image ended where the last command said. */
  judgeEnd(state: DiskState, wish: Wish, outcome: Recovery): Promise<void>;
}

/** From the files at a cut of the undisturbed run (0: from the beginning, by performing it), one command whose sync fails, then another. */
interface Chain {
  readonly cutCount: number;
  readonly first: "perform" | Wish;
  readonly kind: "sync" | "syncFolder";
  readonly nth: number;
  readonly last: Wish;
}

/** Syncs of one command beyond which none is tried. */
const MAX_NTH = 24;

export interface LiveTally {
  chains: number;
  states: number;
}

/** Every failed sync of the first run, and a seeded sample of those of recoveries; of all these a `share`. Returns what failed, at most a few. */
export async function sweepLiveView(
  subject: Subject,
  chainCount: number,
  seed: number,
  tally: LiveTally,
  share = 1,
): Promise<string[]> {
  const failures: string[] = [];
  const random = seededRandom(seed);
  const chosen = seededRandom(seed);
  for (const chain of chainsOf(subject.log, chainCount, random)) {
    if (!chosen.chance(share)) continue;
    try {
      tally.states += await runChain(subject, chain, random);
      tally.chains++;
    } catch (error) {
      failures.push(`${subject.name}: ${JSON.stringify(chain)}, seed ${seed}: ${(error as Error).message}`);
      if (failures.length >= 5) return failures;
    }
  }
  return failures;
}

function* chainsOf(log: OperationLog, chainCount: number, random: Random): Generator<Chain> {
  for (const kind of ["sync", "syncFolder"] as const) {
    const count = log.operations.filter((operation) => operation.kind === kind).length;
    for (let nth = 1; nth <= count; nth++) {
      for (const last of ["resume", "rollback"] as const) yield { cutCount: 0, first: "perform", kind, nth, last };
    }
  }
  const wishes = ["resume", "rollback"] as const;
  // Names alone: a recovery that plans anew replaces a journal by a rename.
  for (const first of wishes) {
    for (let nth = 1; nth <= 3; nth++) {
      const cutCount = Math.floor(log.operations.length / 2);
      for (const last of wishes) yield { cutCount, first, kind: "syncFolder", nth, last };
    }
  }
  for (let made = 0; made < chainCount; made++) {
    yield {
      cutCount: 1 + random.below(log.operations.length),
      first: random.pick(wishes),
      kind: random.chance(0.8) ? "sync" : "syncFolder",
      nth: 1 + random.below(random.chance(0.5) ? 4 : MAX_NTH),
      last: random.pick(wishes),
    };
  }
}

/** The number of states judged, no two of them alike. */
async function runChain(subject: Subject, chain: Chain, random: Random): Promise<number> {
  const volume = new RecordingVolume(stateAt(subject.log, chain.cutCount, random));
  const failing = new FailingVolume(volume, { kind: chain.kind, nth: chain.nth, code: "EIO" });
  try {
    if (chain.first === "perform") await subject.perform(failing);
    else await subject.recover(failing, chain.first);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
  }
  if (failing.struck.length === 0) return 0;
  await subject.judge(volume.memory.snapshots() as DiskState);
  const from = volume.operations.length;
  let wish = chain.last;
  let outcome = await subject.recover(volume, wish);
  if (outcome === "given up") {
    wish = "resume";
    outcome = await subject.recover(volume, wish);
  }
  await subject.judgeEnd(volume.memory.snapshots() as DiskState, wish, outcome);
  const seen = new Set<string>();
  for (const { count: at, cut } of eachCut(volume.log)) {
    if (at < from) continue;
    const isEnd = at === volume.operations.length;
    for (const kind of isEnd ? OUTCOMES : (["all-old", random.pick(OUTCOMES)] as const)) {
      const state = cut.sample(kind, random);
      // Most cuts leave what one before them left.
      const key = `${isEnd} ${stateKey(state)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      await within(`cut ${at} of ${from} to ${volume.operations.length}, ${kind}`, async () => {
        await subject.judge(state);
        if (isEnd && outcome === "done") await subject.judgeEnd(state, wish, outcome);
        else if (random.chance(0.3)) await recoverAfterRestart(subject, state, random.pick(["resume", "rollback"]));
      });
    }
  }
  return seen.size;
}

async function recoverAfterRestart(subject: Subject, state: DiskState, wish: Wish): Promise<void> {
  const volume = new RecordingVolume(state);
  let outcome = await subject.recover(volume, wish);
  if (outcome === "given up") outcome = await subject.recover(volume, "resume");
  await subject.judge(volume.memory.snapshots() as DiskState);
}

/** All that was done until then, durable: a machine that went on running. */
function stateAt(log: OperationLog, cutCount: number, random: Random): DiskState {
  for (const { count, cut } of eachCut(log)) if (count === cutCount) return cut.sample("all-new", random);
  throw new Error("unreachable");
}

async function within(where: string, perform: () => Promise<void>): Promise<void> {
  try {
    await perform();
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}
