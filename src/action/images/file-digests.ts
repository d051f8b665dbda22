/** SHA-256 of the files that hold an image, as they lie there: what a list of checksums and an attestation speak of. */

import { stat } from "node:fs/promises";
import { checksum, ImageError, type InfoReport, info, type OpenOptions } from "../../index.ts";
import { AS_IT_WAS, type FileDigest, failureOf, type ImageResult, isChanged } from "../results/image-result.ts";
import { sideBySide } from "./side-by-side.ts";
import { progressLines, type Work } from "./work.ts";

type Children = InfoReport["children"];

/**
 * Of an image that is to be converted, as it came. What can't be opened is one file: that its conversion is refused is told by
 * the conversion itself.
 *
 * @throws ImageError where a file can't be read
 */
export async function sourceDigests(path: string, work: Work): Promise<readonly FileDigest[]> {
  const found = await openedInfo(path, work.inputs.convertOptions.format);
  return digestAll(path, found?.children ?? [], work);
}

async function openedInfo(path: string, format: string | undefined) {
  try {
    return await info(path, format === undefined ? {} : { format, allowMarkedRaw: true });
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** The one that was named first; of an image of several files the others after it. Reads each once. */
async function digestAll(path: string, children: Children, work: Work): Promise<readonly FileDigest[]> {
  const others = children.map(({ info: { filename } }) => filename).filter((filename) => filename !== path);
  const files: FileDigest[] = [];
  for (const filename of [path, ...others]) {
    // A file taken as raw is its own guest, whatever it holds.
    const asBytes: OpenOptions = { format: "raw", allowMarkedRaw: true };
    const { signal } = work;
    const options = { ...asBytes, algorithm: "sha256", signal, onProgress: progressLines(path, work) } as const;
    const { checksum: sha256 } = await checksum(filename, options);
    files.push({ path: filename, sha256, size: (await stat(filename)).size });
  }
  return files;
}

/**
 * The results with the digests of their files: of a step's only image, and of all where an input asks for them. A file
 * that can't be read fails its image.
 */
export function withFileDigests(results: readonly ImageResult[], work: Work): Promise<readonly ImageResult[]> {
  const { inputs, signal } = work;
  const isAsked = results.length === 1 || inputs.sha256sums !== undefined || inputs.predicate !== undefined;
  if (!isAsked || inputs.convertOptions.dryRun) return Promise.resolve(results);
  return sideBySide(results, { room: inputs.concurrency, log: work.log }, async (result, log) => {
    const { path, report, check, failure } = result;
    if (path === undefined || failure !== undefined || signal.aborted) return result;
    try {
      const format = report?.targetFormat ?? check?.format;
      const { children, virtualSize } = await info(path, format === undefined ? {} : { format, allowMarkedRaw: true });
      return { ...result, files: await digestAll(path, children, { ...work, log }), virtualSize };
    } catch (error) {
      const state = isChanged(result) ? "Its work was done before; only its digest is missing" : AS_IT_WAS;
      return { ...result, failure: failureOf(error, state) };
    }
  });
}
