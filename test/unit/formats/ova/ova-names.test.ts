/** What the members of an OVA are called, after the file that it is made of, and that its manifest and descriptor say the same. */

import { expect, test } from "vitest";
import { check } from "../../../../src/convert/check.ts";
import { convert } from "../../../../src/convert/convert.ts";
import { MemoryVolume } from "../../../../src/storage/memory.ts";
import { buildEncodable } from "../../../formats/qcow2/encodable-image.ts";
import { testHost } from "../../../support/crash-scenario.ts";

const { bytes } = buildEncodable({ kinds: ["text", "nothing", "text"], clusterBits: 16 });

async function made(fileName: string, options: Record<string, string> = {}): Promise<string> {
  const path = `/vm/${fileName}`;
  const volume = new MemoryVolume({ [path]: bytes });
  await convert(path, "ova", { options }, testHost(volume));
  expect((await check(path, {}, testHost(volume))).findings).toEqual([]);
  return Buffer.from(volume.snapshot(path)).toString("utf8");
}

test.each([
  ["größe.qcow2", "größe"],
  ["東京.img", "東京"],
  ["a b (1).img", "a b (1)"],
  ["\u202egpj.img", "\u202egpj"],
])("%s: its members are called so, in the archive, the descriptor and the manifest", async (fileName, machine) => {
  const text = await made(fileName);
  expect(text.startsWith(`${machine}.ovf\0`)).toBe(true);
  expect(text).toContain(`ovf:href="${machine}-disk1.vmdk"`);
  expect(text).toMatch(/\nSHA256\(.*-disk1\.vmdk\)= [0-9a-f]{64}\n\0/);
  expect(text).toContain(`SHA256(${machine}-disk1.vmdk)= `);
});

test.each(["100%25.img", "a#b.img", "what?.img", "\ufffe.img", ".hidden.img", `${"ö".repeat(31)}.img`])(
  "%s is no name that all readers take for the same",
  async (fileName) => {
    const text = await made(fileName);
    expect(text.startsWith("disk.ovf\0")).toBe(true);
    expect(text).toContain('ovf:href="disk-disk1.vmdk"');
  },
);

test("what no XML can hold is refused before anything is written", async () => {
  for (const options of [{ name: "a\u0001b" }, { network: "\uffff" }])
    await expect(made("disk.img", options)).rejects.toThrow(/holds what no XML can/);
  await made("disk.img", { name: 'tab\tand ]]> & <b> "', network: "größe" });
});
