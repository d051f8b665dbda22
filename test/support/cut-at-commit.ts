/** The files of a conversion right before its commit, or right after it, all durable. */

import { convert } from "../../src/convert/convert.ts";
import type { ConvertOptions } from "../../src/convert/options/options.ts";
import { IMAGE_PATH, testHost } from "./crash-scenario.ts";
import { type DiskState, eachCut } from "./power-cut.ts";
import { seededRandom } from "./random.ts";
import { RecordingVolume } from "./recording-volume.ts";

export async function cutAtCommit(
  image: Uint8Array,
  format: string,
  options: ConvertOptions,
  which: "prepared" | "committed",
): Promise<Record<string, Uint8Array>> {
  const volume = new RecordingVolume({ [IMAGE_PATH]: image });
  await convert(IMAGE_PATH, format, options, testHost(volume));
  let before: DiskState | undefined;
  for (const { count, cut } of eachCut(volume.log)) {
    const last = volume.operations[count - 1];
    const isCommit = last?.kind === "write" && last.path === IMAGE_PATH && last.hostOffset === 0;
    if (isCommit && which === "prepared") return before as DiskState;
    before = cut.sample("all-new", seededRandom(1));
    if (isCommit) return before;
  }
  throw new Error("there was no commit");
}
