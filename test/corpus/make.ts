/** `node test/corpus/make.ts FOLDER` writes every case below FOLDER, the same bytes each time. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CorpusCase } from "./case.ts";
import { qcow2Cases } from "../formats/qcow2/cases.ts";
import { qedCases } from "../formats/qed/cases.ts";
import { rawCases } from "../formats/raw/cases.ts";

export const corpus: readonly CorpusCase[] = [...qedCases, ...qcow2Cases, ...rawCases];

if (process.argv[1]?.endsWith("make.ts") && process.argv[2] !== undefined) {
  for (const { name, bytes } of corpus) {
    const path = join(process.argv[2], name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
}
