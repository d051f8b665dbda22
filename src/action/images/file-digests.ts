/** SHA-256 of the files that hold an image, as they lie there: what a list of checksums and an attestation speak of. */

import { checksum, info, type OpenOptions } from "../../index.ts";
import { AS_IT_WAS, type FileDigest, failureOf, type ImageResult, isChanged } from "../results/image-result.ts";
import { mapConcurrently } from "./limited-concurrency.ts";
import type { Work } from "./work.ts";

interface ReadFiles {
  /** The one that was named first; of an image of several files the others after it. */
  readonly files: readonly FileDigest[];
  /** In bytes. */
  readonly virtualSize: number;
}

/** Reads each file once. Throws ImageError. */
export async function fileDigests(path: string, format: string | undefined, signal: AbortSignal): Promise<ReadFiles> {
  const { children, virtualSize } = await info(path, format === undefined ? {} : { format, allowMarkedRaw: true });
  const files: FileDigest[] = [];
  const others = children.map(({ info: { filename } }) => filename).filter((filename) => filename !== path);
  for (const filename of [path, ...others]) {
    // A file taken as raw is its own guest, whatever it holds.
    const asBytes: OpenOptions = { format: "raw", allowMarkedRaw: true };
    const { checksum: sha256 } = await checksum(filename, { ...asBytes, algorithm: "sha256", signal });
    files.push({ path: filename, sha256 });
  }
  return { files, virtualSize };
}

/**
 * The results with the digests of their files: of a step's only image, and of all where an input asks for them. A file
 * that can't be read fails its image.
 */
export function withFileDigests(results: readonly ImageResult[], work: Work): Promise<readonly ImageResult[]> {
  const { inputs, signal } = work;
  const isAsked = results.length === 1 || inputs.sha256sums !== undefined;
  if (!isAsked || inputs.convertOptions.dryRun) return Promise.resolve(results);
  return mapConcurrently(results, inputs.concurrency, async (result) => {
    const { path, report, check, failure } = result;
    if (path === undefined || failure !== undefined || signal.aborted) return result;
    try {
      const { files, virtualSize } = await fileDigests(path, report?.targetFormat ?? check?.format, signal);
      return { ...result, files, virtualSize };
    } catch (error) {
      const state = isChanged(result) ? "Its work was done before; only its digest is missing" : AS_IT_WAS;
      return { ...result, failure: failureOf(error, state) };
    }
  });
}
