/** `node test/corpus/make.ts FOLDER` writes every case below FOLDER, the same bytes each time. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { kits } from "../formats/kits.ts";
import type { CorpusCase } from "./case.ts";

export const corpus: readonly CorpusCase[] = kits.flatMap(({ cases }) => cases);

if (process.argv[1]?.endsWith("make.ts") && process.argv[2] !== undefined) {
  for (const { name, bytes } of corpus) {
    const path = join(process.argv[2], name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
}
