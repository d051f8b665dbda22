/** Damaged QED images, mended by us and by `qemu-img check -r all`: wherever qemu-img leaves a clean image ours is clean too, with the same guest. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ImageError } from "../../src/bytes/image-error.ts";
import { openQed, type QedImage } from "../../src/formats/qed/image.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { applyRepair } from "../support/apply-repair.ts";
import { seededRandom } from "../support/random.ts";

const CLUSTER = 4096;
const COUNT = Number(process.env.REPAIR_MUTANTS ?? 60);

let folder = "";
let sound: Buffer;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "repair-qed-"));
  const path = join(folder, "sound.qed");
  execFileSync("qemu-img", ["create", "-q", "-f", "qed", "-o", "cluster_size=4k,table_size=2", path, "8M"]);
  const writes = ["write -P 1 0 32k", "write -P 2 1M 8k", "write -z 2M 16k", "write -P 3 5M 12k"];
  execFileSync("qemu-io", ["-f", "qed", ...writes.flatMap((write) => ["-c", write]), path]);
  sound = readFileSync(path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function qemuImg(...words: string[]): { readonly code: number | null; readonly said: Record<string, number> } {
  const { status, stdout } = spawnSync("qemu-img", words, { encoding: "utf8" });
  return { code: status, said: stdout.startsWith("{") ? JSON.parse(stdout) : {} };
}

function errorsOf(path: string): number[] {
  const { said } = qemuImg("check", "--output=json", "-f", "qed", path);
  return [said.corruptions ?? 0, said.leaks ?? 0];
}

function mutant(seed: number): Buffer {
  const random = seededRandom(seed);
  const bytes = Buffer.from(sound);
  const l1 = Number(bytes.readBigUInt64LE(40));
  const clusters = bytes.length / CLUSTER;
  for (let turn = 0; turn < 1 + random.below(3); turn++) {
    const tables = [...Array(4).keys()].map((index) => Number(bytes.readBigUInt64LE(l1 + index * 8)));
    const usable = tables.filter((place) => place > 0 && place % CLUSTER === 0 && place + 2 * CLUSTER <= bytes.length);
    const isL1 = random.chance(0.3) || usable.length === 0;
    const at = isL1 ? l1 + random.below(8) * 8 : random.pick(usable) + random.below(24) * 8;
    const before = bytes.readBigUInt64LE(at);
    const somewhere = BigInt(random.below(clusters + 3) * CLUSTER);
    const bit = 1n << BigInt(random.below(64));
    bytes.writeBigUInt64LE(random.pick([before ^ bit, somewhere, somewhere + 512n, 1n << 40n, 0n]), at);
  }
  if (random.chance(0.4)) bytes.writeBigUInt64LE(bytes.readBigUInt64LE(16) | 2n, 16);
  return bytes;
}

it(`${COUNT} mutants`, { timeout: 60_000 + COUNT * 1000 }, async () => {
  const [ours, theirs] = [join(folder, "ours.qed"), join(folder, "theirs.qed")];
  const counts = { bothClean: 0, oursKeeps: 0, unmendable: 0, refused: 0 };
  for (let seed = 0; seed < COUNT; seed++) {
    const bytes = mutant(seed);
    writeFileSync(theirs, bytes);
    let image: QedImage;
    try {
      image = await openQed(memoryStorage(bytes));
    } catch (cause) {
      if (!(cause instanceof ImageError)) throw cause;
      counts.refused++;
      continue;
    }
    const repair = await image.planRepair({ scope: "all", allowDataLoss: false });
    const mended = applyRepair(bytes, repair);
    writeFileSync(ours, mended);
    const again = await (await openQed(memoryStorage(mended))).planRepair({ scope: "all", allowDataLoss: false });
    expect(again.steps, `seed ${seed}`).toEqual([]);
    qemuImg("check", "-r", "all", "-f", "qed", theirs);
    const [other, mine] = [errorsOf(theirs), errorsOf(ours)];
    if (other[0] === 0 && other[1] === 0) {
      expect(mine, `seed ${seed}`).toEqual([0, 0]);
      expect(mended.readUInt8(16) & 2, `seed ${seed}`).toBe(0);
      expect(qemuImg("compare", "-f", "qed", "-F", "qed", ours, theirs).code, `seed ${seed}`).toBe(0);
      counts.bothClean++;
    } else if (repair.losses.length > 0) counts.oursKeeps++;
    else counts.unmendable++;
  }
  expect(Math.min(counts.bothClean, counts.oursKeeps, counts.unmendable)).toBeGreaterThan(COUNT / 30);
});
