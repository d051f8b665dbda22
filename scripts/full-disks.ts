/**
 * `node scripts/full-disks.ts [--seed N] [--sizes N|all] [--stops N|all] [--kind tmpfs|ext4] [--only TEXT]`: the built
 * command on small file systems that run full, for who may mount (else behind
 * `unshare --user --map-root-user --mount`).
 *
 * On each path of several steps: with so much room beside the image, and with all room taken behind so many of the
 * command's calls; then room is made, and it is resumed or rolled back. Prints a line a path; exits 1 where one failed.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { callsOn, type FullOutcome, runFilled, runWithRoom, SIZES } from "../test/support/full-disk.ts";
import { seededRandom } from "../test/support/random.ts";
import { type RealPath, realPaths } from "../test/support/real-paths.ts";
import { DISK_KINDS, mountSmallDisk } from "../test/support/small-disk.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    sizes: { type: "string", default: "all" },
    stops: { type: "string", default: "all" },
    kind: { type: "string", default: "" },
    only: { type: "string", default: "" },
  },
});
const scratch = mkdtempSync(join(tmpdir(), "inplace-full-disks-"));
const paths = realPaths().filter(({ name }) => name.includes(values.only));
let failures = 0;
try {
  // Two at once: each waits for processes of its own.
  const waiting = DISK_KINDS.filter((kind) => kind.includes(values.kind)).flatMap((kind) =>
    paths.map((path) => ({ kind, path })),
  );
  await Promise.all(
    [1, 2].map(async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await tryPath(next.kind, next.path);
    }),
  );
} finally {
  rmSync(scratch, { recursive: true });
}
process.exitCode = failures === 0 ? 0 : 1;

async function tryPath(kind: (typeof DISK_KINDS)[number], path: RealPath): Promise<void> {
  const index = realPaths().findIndex(({ name }) => name === path.name);
  const random = seededRandom(Number(values.seed) * 1009 + index);
  const logs = mkdtempSync(join(scratch, "logs-"));
  const disk = await mountSmallDisk(kind, join(logs, "disk"));
  const outcomes = new Map<FullOutcome, number>();
  const attempt = async (what: string, act: () => Promise<FullOutcome>): Promise<void> => {
    try {
      const outcome = await act();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (error) {
      failures++;
      console.log(`FAIL ${kind}: ${path.name}: ${what}: ${(error as Error).message}`);
    }
  };
  try {
    const calls = await callsOn(disk, path, logs).catch((error: Error) => {
      failures++;
      console.log(`FAIL ${kind}: ${path.name}: undisturbed: ${error.message}`);
      return [];
    });
    for (const [turn, free] of spread(SIZES, values.sizes).entries()) {
      const recovery = turn % 2 === index % 2 ? "resume" : "rollback";
      await attempt(`${free} bytes of room, ${recovery}`, () => runWithRoom(disk, path, free, recovery));
    }
    for (const [turn, call] of spread(calls, values.stops).entries()) {
      const recovery = turn % 2 === index % 2 ? "resume" : "rollback";
      const what = `full behind ${call.name} ${call.turn}, ${recovery}`;
      await attempt(what, () => runFilled(disk, path, call, recovery, logs));
    }
  } finally {
    disk.unmount();
  }
  const told = [...outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(", ");
  console.log(`ok ${kind}: ${path.name}: ${told}`);

  /** One by chance of each of so many equal parts, in order. */
  function spread<T>(list: readonly T[], wanted: string): readonly T[] {
    if (wanted === "all" || Number(wanted) >= list.length) return list;
    const count = Number(wanted);
    return Array.from({ length: count }, (_, part) => {
      const start = Math.floor((part * list.length) / count);
      const end = Math.floor(((part + 1) * list.length) / count);
      return list[start + random.below(end - start)] as T;
    });
  }
}
