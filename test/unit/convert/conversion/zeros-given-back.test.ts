/** Zeros of a raw disk become free space of the target's: never the header, which takes the place of the guest's first bytes. */

import { expect, test } from "vitest";
import { check } from "../../../../src/convert/check.ts";
import { convert } from "../../../../src/convert/convert.ts";
import { checksum } from "../../../../src/convert/reading/checksum.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import { testHost } from "../../../support/crash-scenario.ts";

const KiB = 1024;

test.each(["qcow2", "qed"])("a disk that begins with zeros, to %s", async (format) => {
  const bytes = new Uint8Array(1024 * KiB);
  bytes.fill(7, 768 * KiB);
  for (const options of [{ compact: false }, { compact: false, sparseSize: 0 }, {}]) {
    const volume = new MemoryVolume({ disk: bytes.slice() });
    const before = await checksum("disk", { format: "raw" }, volume);
    const target = { cluster_size: "4k", ...(format === "qed" && { table_size: "2" }) };
    await convert("disk", format, { ...options, format: "raw", options: target }, testHost(volume));
    expect((await checksum("disk", { format }, volume)).checksum).toBe(before.checksum);
    expect(await check("disk", {}, testHost(volume))).toMatchObject({ verdict: "clean", format });
  }
});
