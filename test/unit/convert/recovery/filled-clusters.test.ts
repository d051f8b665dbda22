/** Clusters stored in part over a backing file, filled in from it: cut anywhere, both recoveries keep the guest. */

import { describe, expect, test } from "vitest";
import { convert } from "../../../../src/convert/convert.ts";
import { checksum } from "../../../../src/convert/reading/checksum.ts";
import { resume, rollback } from "../../../../src/convert/recover.ts";
import { journalNamesOf } from "../../../../src/journal/names.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import { Qcow2Bytes } from "../../../formats/qcow2/bytes.ts";
import { IMAGE_PATH, testHost } from "../../../support/crash-scenario.ts";
import { isCommit } from "../../../support/cut-conversion.ts";
import { eachCut } from "../../../support/power-cut.ts";
import { seededRandom } from "../../../support/random.ts";
import { RecordingVolume } from "../../../support/recording-volume.ts";

const CLUSTER = 16_384;
const BASE = "base.raw";
const CHAIN = { backingChain: true } as const;
const NAMES = journalNamesOf(IMAGE_PATH);

/** Two clusters stored in part, one whole, one of zeros in part and else nothing; the rest is the backing file's. */
function overBase(): Record<string, Uint8Array> {
  const image = new Qcow2Bytes({ clusterBits: 14, virtualSize: 8 * CLUSTER, dataClusters: 3, hasSubclusters: true });
  image.set64(image.l2Entry(0) + 8, 0x0000_ff00_0000_00ffn);
  image.set64(image.l2Entry(2) + 8, 0x0000_0000_8000_0000n);
  image.set64(image.l2Entry(5) + 8, 0x0000_00ff_0000_0000n);
  image.set64(8, 512n).set32(16, BASE.length);
  image.bytes.write(BASE, 512);
  image.set32(112, 0xe279_2aca).set32(116, 3);
  image.bytes.write("raw", 120);
  const base = Uint8Array.from({ length: 7 * CLUSTER }, (_, at) => 1 + ((at >> 9) % 251));
  return { [IMAGE_PATH]: image.bytes, [`/vm/${BASE}`]: base };
}

async function guestOf(files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  return (await checksum(IMAGE_PATH, { ...CHAIN, forceShare: true }, new MemoryVolume(files))).checksum;
}

describe.each(["qcow2", "qed"])("to %s", (format) => {
  test("the guest is the same at each cut, and whichever way it goes from there", async () => {
    const files = overBase();
    const guest = await guestOf(files);
    const volume = new RecordingVolume(files);
    const options = format === "qcow2" ? { extended_l2: "off" } : {};
    const report = await convert(IMAGE_PATH, format, { ...CHAIN, options }, testHost(volume));
    expect(report.notes).toContain(
      `${(16 + 31 + 24) * 512} bytes of the backing file beside what is stored of a cluster are stored with it`,
    );
    let tried = 0;
    for (const { count, cut } of eachCut(volume.log)) {
      const isNear = [count - 2, count - 1, count].some((at) => isCommit(volume.operations[at]));
      const ways = isNear ? [resume, rollback] : [count % 2 === 0 ? resume : rollback];
      if (!isNear && count % 3 > 0) continue;
      const state = cut.sample(count % 2 === 0 ? "all-new" : "each-sector-random", seededRandom(count));
      expect(await guestOf(state)).toBe(guest);
      if (NAMES.journal in state) tried++;
      for (const recover of ways) {
        const after = new MemoryVolume(state);
        await recover(IMAGE_PATH, {}, testHost(after)).catch((error: Error) => {
          expect(error.message).toMatch(/^Nothing to (?:resume|roll back)/);
        });
        const ended = after.snapshots();
        expect(await guestOf(ended)).toBe(guest);
        expect(Object.keys(ended).sort()).toEqual([`/vm/${BASE}`, IMAGE_PATH]);
      }
    }
    expect(tried).toBeGreaterThan(6);
  });
});
