/** Valid images of many shapes to begin from, of each format that is converted. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FieldMap } from "../formats/field-map.ts";
import type { ImageSample } from "../formats/kit.ts";
import { type Source, sources } from "../formats/kits.ts";

export interface FuzzSample extends ImageSample {
  readonly kit: Source;
  readonly fields: FieldMap;
}

/** Makes all samples, or those of one format; needs qemu-img and qemu-io where QEMU knows it. */
export async function makeFuzzSamples(format?: string): Promise<readonly FuzzSample[]> {
  const folder = await mkdtemp(join(tmpdir(), "inplace-fuzz-"));
  const samples: FuzzSample[] = [];
  try {
    for (const kit of sources.filter(({ name }) => format === undefined || name === format)) {
      for (const sample of await kit.source.samples(folder)) {
        const fields = kit.fieldSites?.(sample.bytes);
        if (fields !== undefined) samples.push({ ...sample, kit, fields });
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return samples;
}
