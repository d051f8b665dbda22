/** Whole OVAs: of any shape by chance, one whose disk is in disorder, and a few to be damaged. */

import fc from "fast-check";
import type { BuiltImage, ImageSample } from "../kit.ts";
import { anySparse, shuffledSparse, sparseSamples } from "../vmdk/any-image.ts";
import { buildOva, type OvaDescription } from "./builder.ts";

type Wrapping = Omit<OvaDescription, "disk">;

function wrapped({ bytes, guest }: BuiltImage, wrapping: Wrapping): BuiltImage {
  return { bytes: new Uint8Array(buildOva({ ...wrapping, disk: bytes }).bytes), guest };
}

const anyWrapping: fc.Arbitrary<Wrapping> = fc.record(
  {
    diskName: fc.constantFrom("disk.vmdk", "./disk1.vmdk", "564d4bc1-9f02-11f0-a3c1-0800200c9a66"),
    manifest: fc.constantFrom("SHA1" as const, "SHA256" as const, "SHA512" as const),
    order: fc.constantFrom<NonNullable<Wrapping["order"]>[]>(
      ["ovf", "mf", "disk", "more"],
      ["disk", "ovf", "mf"],
      ["mf", "more", "ovf", "disk"],
    ),
    style: fc.constantFrom("ustar" as const, "gnu" as const, "pax" as const),
    isBinary: fc.boolean(),
    more: fc.constantFrom([], [{ name: "box.nvram", content: Buffer.alloc(5000, 7) }]),
    hasEnd: fc.boolean(),
  },
  { requiredKeys: [] },
);

export const anyOva: fc.Arbitrary<BuiltImage> = fc
  .tuple(anySparse, anyWrapping)
  .map(([disk, wrapping]) => wrapped(disk, wrapping));

export function shuffledOva(): BuiltImage {
  return wrapped(shuffledSparse(), { manifest: "SHA256" });
}

const WRAPPINGS: readonly Wrapping[] = [{}, { manifest: "SHA256" }, { style: "gnu", hasEnd: false }];

export async function ovaSamples(): Promise<readonly ImageSample[]> {
  const disks = await sparseSamples();
  return disks
    .filter(({ name }) => /plain|stream/.test(name))
    .map(({ name, bytes }, at) => ({
      name: `ova of ${name}`,
      bytes: buildOva({ ...WRAPPINGS[at % WRAPPINGS.length], disk: bytes }).bytes,
    }));
}
