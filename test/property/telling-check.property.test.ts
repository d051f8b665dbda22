/** The quick walk and the telling one count the same, whatever is damaged; and nothing is counted that isn't told. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { checkImage, takeInventory } from "../../src/formats/qcow2/check/check.ts";
import { canCheckInDetail, checkInDetail } from "../../src/formats/qcow2/check/detailed-check.ts";
import { geometryOf } from "../../src/formats/qcow2/header/geometry.ts";
import { readHeader } from "../../src/formats/qcow2/header/header.ts";
import { ReferenceTally } from "../../src/formats/qcow2/tables/reference-tally.ts";
import { walkActiveTables } from "../../src/formats/qcow2/tables/table-walk.ts";
import type { Finding } from "../../src/image/finding.ts";
import { memoryStorage } from "../../src/storage/memory.ts";
import { COMPRESSED, COPIED, HostCluster, Qcow2Bytes } from "../formats/qcow2/bytes.ts";

const flags = fc.constantFrom(0n, COPIED, 1n, COPIED | 1n, COMPRESSED, COPIED | COMPRESSED, 2n, 1n << 60n, 0x200n);
const damage = fc.record({
  what: fc.constantFrom("l1", "l2", "refcount table", "refcount"),
  index: fc.nat(11),
  cluster: fc.oneof(fc.nat(12), fc.constant(2 ** 20)),
  flags,
});
const shape = fc.constantFrom(
  { clusterBits: 9, refcountOrder: 0 },
  { clusterBits: 9, refcountOrder: 1, virtualSize: 2 ** 17 },
  { clusterBits: 12, refcountOrder: 4, virtualSize: 2 ** 24 },
  { clusterBits: 12, refcountOrder: 6 },
  { clusterBits: 12, version: 2 as const },
  { clusterBits: 14, hasSubclusters: true },
);

it("the quick check and the telling one count the same, and all that is counted is told", async () => {
  await fc.assert(
    fc.asyncProperty(shape, fc.array(damage, { minLength: 1, maxLength: 6 }), async (wanted, damages) => {
      const image = new Qcow2Bytes({ spareClusters: 2, ...wanted });
      for (const { what, index, cluster, flags: set } of damages) {
        const place = BigInt(image.hostOffset(cluster)) | set;
        if (what === "l1") image.set64(image.l1Entry(index), place);
        else if (what === "l2") image.set64(image.l2Entry(index), place);
        else if (what === "refcount table") image.set64(image.hostOffset(HostCluster.refcountTable) + index * 8, place);
        else image.setRefcount(index, cluster % 2);
      }
      const storage = memoryStorage(image.bytes);
      const header = await readHeader(storage);
      const geometry = geometryOf(header, image.bytes.length);
      const source = { storage, header, geometry, tally: new ReferenceTally(geometry) };
      await walkActiveTables(source);
      const inventory = await takeInventory(source, []);
      const quick = await checkImage(source, inventory);
      if (!canCheckInDetail({ source, inventory, bitmaps: [], result: quick })) return;
      const heard: Finding[] = [];
      const told = await checkInDetail({ source, inventory, bitmaps: [], result: quick }, (finding) =>
        heard.push(finding),
      );
      const { findings: _, corruptions, ...counts } = told;
      const { findings: __, corruptions: quickCorruptions, ...quickCounts } = quick;
      expect(counts).toEqual(quickCounts);
      // Flags of places outside the file are judged by refcounts that only the telling check looks up.
      if (source.tally.doubtfulFlags === 0) expect(corruptions).toBe(quickCorruptions);
      const count = (severity: Finding["severity"]) => heard.filter((finding) => finding.severity === severity).length;
      expect(count("corruption")).toBe(corruptions);
      expect(count("leak")).toBe(told.leaks);
      expect(count("error")).toBeGreaterThanOrEqual(told.checkErrors);
      expect(count("warning")).toBe(told.warnings);
      const lastOther = heard.findLastIndex(({ severity }) => severity !== "warning");
      expect(heard.slice(0, lastOther + 1).every(({ severity }) => severity !== "warning")).toBe(true);
      expect(heard.every(({ severity, line }) => line !== undefined || severity === "warning")).toBe(true);
    }),
    { numRuns: 1500, endOnFailure: true },
  );
});
