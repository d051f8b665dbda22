/** `node test/corpus/make.ts FOLDER` writes every case below FOLDER, the same bytes each time. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { kits } from "../formats/kits.ts";
import type { CorpusCase } from "./case.ts";

export const corpus: readonly CorpusCase[] = kits.flatMap(({ cases }) => cases);

if (process.argv[1]?.endsWith("make.ts") && process.argv[2] !== undefined) {
  for (const { name, bytes, beside } of corpus) {
    // What names another file has a folder with it.
    const path = join(process.argv[2], name, beside ? "disk.img" : "");
    await mkdir(dirname(path), { recursive: true });
    for (const [each, content] of Object.entries({ ...beside, "": bytes })) {
      await writeFile(each === "" ? path : join(dirname(path), each), content);
    }
  }
}
