/** A thread that reads batches of blocks through the shared descriptors and hashes them for hash-pool.ts. */

import { parentPort, workerData } from "node:worker_threads";
import { ImageError } from "../../bytes/image-error.ts";
import { readShared } from "../../storage/file/shared-reader.ts";
import { ExtentState } from "../extent.ts";
import { PART_WIDTH, PartColumn } from "./block-work.ts";
import type { BatchFailure, BatchRequest, BatchResult, WorkerSetup } from "./hash-pool.ts";
import { inflateCluster } from "./inflate.ts";
import { uninflatable } from "./reader.ts";
import { seeBlocks } from "./see-blocks.ts";

const { files, maxBatchLength, ...task } = workerData as WorkerSetup;
const buffer = Buffer.allocUnsafe(maxBatchLength);
/** The cluster inflated last: one larger than a block serves several batches. */
let inflated: { readonly layer: number; readonly hostOffset: number; readonly cluster: Uint8Array } | undefined;

parentPort?.on("message", ({ batch, length, parts }: BatchRequest) => {
  try {
    const bytes = buffer.subarray(0, length);
    fill(bytes, parts);
    parentPort?.postMessage({ batch, ...seeBlocks(bytes, task) } satisfies BatchResult);
  } catch (error) {
    parentPort?.postMessage({ batch, failure: described(error) } satisfies BatchFailure);
  }
});

function fill(bytes: Uint8Array, parts: Float64Array): void {
  let start = 0;
  for (let at = 0; at < parts.length; at += PART_WIDTH) {
    const length = parts[at + PartColumn.length] as number;
    const part = bytes.subarray(start, start + length);
    const layer = parts[at + PartColumn.layer] as number;
    const hostOffset = parts[at + PartColumn.hostOffset] as number;
    switch (parts[at + PartColumn.state]) {
      case ExtentState.data: {
        part.fill(0, readShared(fileOf(layer), hostOffset, part));
        break;
      }
      case ExtentState.compressed: {
        const storedLength = parts[at + PartColumn.storedLength] as number;
        const skip = parts[at + PartColumn.clusterSkip] as number;
        const cluster = inflatedCluster(layer, hostOffset, storedLength);
        part.set(cluster.subarray(skip, skip + length));
        break;
      }
      default:
        part.fill(0);
    }
    start += length;
  }
}

function inflatedCluster(layer: number, hostOffset: number, storedLength: number): Uint8Array {
  if (inflated?.layer === layer && inflated.hostOffset === hostOffset) return inflated.cluster;
  const file = fileOf(layer);
  const { path, clusterSize, compression, tailLength } = file;
  const stored = Buffer.allocUnsafe(storedLength);
  const count = readShared(file, hostOffset, stored);
  try {
    const cluster = inflateCluster(compression, stored.subarray(0, count), clusterSize, tailLength);
    inflated = { layer, hostOffset, cluster };
    return cluster;
  } catch (cause) {
    throw uninflatable(cause, path, hostOffset);
  }
}

function fileOf(layer: number): WorkerSetup["files"][number] {
  return files[layer] as WorkerSetup["files"][number];
}

/** An error's fields as plain values: its class does not survive the way to another thread. */
function described(error: unknown): BatchFailure["failure"] {
  if (!(error instanceof ImageError)) return { kind: "io", message: `Cannot hash the guest: ${String(error)}` };
  const { kind, message, path, structure, hostOffset, guestOffset, operation } = error;
  return { kind, message, details: { path, structure, hostOffset, guestOffset, operation } };
}
