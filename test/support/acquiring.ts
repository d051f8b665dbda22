/** One download into a fresh folder, without waiting between tries. */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Acquired, type AcquireRequest, type AcquireSettings, acquire } from "../../src/acquire/index.ts";

export interface TestFolder extends Disposable {
  readonly path: string;
  /** All files and folders below, with `/`. */
  names(): string[];
}

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), "inplace-convert-acquire-"));
  return {
    path,
    names: () =>
      readdirSync(path, { recursive: true, encoding: "utf8" })
        .map((name) => name.replaceAll("\\", "/"))
        .sort(),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** How long each wait would have been, in milliseconds. */
export function instantRetries(count = 5): { count: number; waits: number[]; wait(ms: number): Promise<void> } {
  const waits: number[] = [];
  return {
    count,
    waits,
    async wait(milliseconds) {
      waits.push(milliseconds);
    },
  };
}

export function acquireInto(
  folder: TestFolder,
  request: AcquireRequest,
  settings: Partial<AcquireSettings> = {},
): Promise<Acquired> {
  return acquire(request, { outputDirectory: folder.path, retries: instantRetries(), ...settings });
}

/** What it rejects with. */
export async function failureOf(work: Promise<unknown>): Promise<Error & { kind?: string }> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error("Cannot go on: it should have failed");
}
