/** One URL from beginning to end: what it becomes is looked at before it is fetched, then each image in it is worked on. */

import { UsageError } from "../index.ts";
import { type Downloads, shownLine } from "./downloads.ts";
import type { UrlLine } from "./image-lines.ts";
import { failureOf, type ImageResult } from "./image-result.ts";
import { namedImages } from "./named-images.ts";
import { type ImageToDo, refuseCancelled, type Work } from "./work.ts";

/** Never throws: one result for each image, or one that says why there is none. */
export async function downloadImages(
  line: UrlLine,
  downloads: Downloads,
  work: Work,
  perform: (image: ImageToDo) => Promise<ImageResult>,
): Promise<readonly ImageResult[]> {
  const image = shownLine(line);
  const path = downloads.pathOf(line);
  const { inputs, log } = work;
  const { guestChecksum } = line;
  const targetFormat = inputs.rename && inputs.mode === "convert" ? inputs.targetFormat : undefined;
  const namesOf = (paths: readonly string[]) =>
    namedImages(
      paths.map((each) => ({ path: each, guestChecksum })),
      targetFormat,
    );
  try {
    refuseCancelled(image, work);
    if (inputs.convertOptions.dryRun)
      throw new UsageError(`Cannot try ${image} dry: a download is a write; use mode plan`);
    const [{ refusal } = { refusal: undefined }] = await namesOf([path]);
    if (refusal) throw refusal;
    log(`${image}: download begins`);
    const { paths, download } = await downloads.fetch(line);
    log(
      `${image}: ${download.fromCache ? "from the cache" : "downloaded"}, ${download.bytes} bytes, ${download.digest}`,
    );
    const results: ImageResult[] = [];
    for (const each of await namesOf(paths)) {
      const result = await perform(each);
      results.push({ ...result, image, download, notes: [...download.warnings, ...(result.notes ?? [])] });
    }
    return results;
  } catch (error) {
    const failure = { ...failureOf(error, undefined), advice: "Nothing was downloaded" };
    return [{ image, path, report: undefined, failure, recovery: undefined }];
  }
}
