/** One URL from beginning to end: what it becomes is looked at before it is fetched, then each image in it is worked on. */

import { UsageError } from "../../index.ts";
import type { UrlLine } from "../inputs/image-lines.ts";
import { failureOf, type ImageResult } from "../results/image-result.ts";
import { type Downloads, shownLine } from "./downloads.ts";
import { type ImageToDo, refuseCancelled, type Work } from "./work.ts";

/** Never throws: one result for each image, or one that says why there is none. */
export async function downloadImages(
  line: UrlLine,
  downloads: Downloads,
  work: Work,
  perform: (image: ImageToDo) => Promise<ImageResult>,
): Promise<readonly ImageResult[]> {
  const image = shownLine(line);
  const { inputs, log } = work;
  try {
    refuseCancelled(image, work);
    if (inputs.convertOptions.dryRun)
      throw new UsageError(`Cannot try ${image} dry: a download is a write; use mode plan`);
    const [{ refusal } = { refusal: undefined }] = await downloads.namesOf(line, inputs);
    if (refusal) throw refusal;
    log(`${image}: download begins`);
    const { paths, download, diskBytes, notes } = await downloads.fetch(line, log);
    log(
      `${image}: ${download.fromCache ? "from the cache" : "downloaded"}, ${download.bytes} bytes, ${download.digest}`,
    );
    const results: ImageResult[] = [];
    const { maxExtraSpace } = inputs.convertOptions;
    const spaceLeft = maxExtraSpace === undefined ? undefined : Math.max(0, maxExtraSpace - diskBytes);
    for (const each of await downloads.namesOf(line, inputs, paths)) {
      const result = await perform({ ...each, ...(spaceLeft === undefined ? {} : { maxExtraSpace: spaceLeft }) });
      results.push({ ...result, image, download, notes: [...download.warnings, ...notes, ...(result.notes ?? [])] });
    }
    return results;
  } catch (error) {
    const failure = { ...failureOf(error, undefined), advice: "Nothing was downloaded" };
    return [{ image, path: undefined, report: undefined, failure, recovery: undefined }];
  }
}
