/** The image as found: everything that the plan, the proof and the way back need to know, read once. */

import { MiB } from "../../bytes/align.ts";
import { counted } from "../../bytes/count-text.ts";
import { ImageError } from "../../bytes/image-error.ts";
import type { RangeSet } from "../../bytes/range-set.ts";
import { command, imageNamed, say } from "../../bytes/sentence.ts";
import type { ExtentTable } from "../../image/extent.ts";
import { type CheckResult, NOTHING_FOUND } from "../../image/finding.ts";
import type { ConversionOptions, Image } from "../../image/source.ts";
import { checkOf } from "../../image/source.ts";
import { crypto } from "../../storage/built-ins.ts";
import { QuickReader } from "../../storage/quick-reader.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Settings } from "../options/settings.ts";
import { stopIfAsked } from "../session/stop.ts";

export interface Source {
  readonly image: Image;
  readonly options: ConversionOptions;
  readonly mapping: ExtentTable;
  readonly metadata: RangeSet;
  /** SHA-256 over the metadata, hex. */
  readonly metadataDigest: string;
  readonly check: CheckResult;
  readonly fileSize: number;
}

type Watch = Partial<Pick<Settings, "signal" | "onProgress">>;

/** Told of what a check reads, where that is all of the file. */
function watching({ storage, fileSize }: Image, { signal, onProgress }: Watch): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    stopIfAsked(signal, storage.path, "while checking");
    done += bytes;
    onProgress?.({ stage: "check", done, total: fileSize });
  };
}

/** Reads all metadata of an image. Throws `corrupt` where it can't be followed. */
export async function inspectSource(
  image: Image,
  { check, ...watch }: Pick<Settings, "check"> & Watch = { check: true },
): Promise<Source> {
  const mapping = await image.getMapping();
  const metadata = await image.getMetadataRanges();
  return {
    image,
    options: image.getConversionOptions(),
    mapping,
    metadata,
    metadataDigest: await digestRanges(image.storage, metadata),
    check: check || !image.checkReadsAll ? await checkOf(image, undefined, watching(image, watch)) : NOTHING_FOUND,
    fileSize: image.fileSize,
  };
}

/** What the check found, for the report: null where none was asked for, or the format has nothing to check. */
export function checkOfFound({ image, check }: Source, settings: Pick<Settings, "check">): CheckResult | null {
  return settings.check && image.check !== undefined ? check : null;
}

/** Corruption stops a conversion, and so does what only qemu-img lets pass; leaks are reported and it goes on. */
export function refuseCorruption({ image, options, check }: Source): void {
  // Marks are warnings too, but the plan refuses them, with what to do.
  if (options.unclean.length > 0 && check.corruptions + check.checkErrors === 0) return;
  const errorCount = check.corruptions + check.checkErrors + check.warnings;
  if (errorCount === 0) return;
  // What only qemu-img lets pass a repair leaves as it is, and a copy does not have.
  const isRepairable = image.planRepair !== undefined && check.corruptions + check.checkErrors > 0;
  const advice = isRepairable
    ? say`repair it first: ${command("check", image.storage.path, "-r", "all")}`
    : "make a sound copy of it with qemu-img convert";
  const worst = check.findings.filter(({ severity }) => severity !== "leak");
  throw new ImageError("corrupt", say`Cannot convert ${imageNamed(image.storage.path)}`, {
    because: `the check found ${counted(errorCount, "error")}, first: ${worst[0]?.message ?? "no detail"}`,
    remedy: advice,
    path: image.storage.path,
    format: image.format,
    operation: "check",
    reasons: worst.map(({ message }) => message),
  });
}

/** SHA-256 over the bytes of `ranges` in file order, hex; what lies past the end of file counts as zeros. */
export async function digestRanges(storage: Storage, ranges: RangeSet): Promise<string> {
  const hash = crypto().createHash("sha256");
  // No larger than needed: a thousand small images would have the collector of memory at work all the time.
  let buffer = new Uint8Array(0);
  const quick = new QuickReader(storage);
  const read = (at: number, bytes: Uint8Array): Promise<number> => {
    if (quick.isDue) return quick.read(at, bytes);
    quick.pass();
    return storage.read(at, bytes);
  };
  for (const { start, end } of ranges.each()) {
    for (let at = start; at < end; at += MiB) {
      const length = Math.min(MiB, end - at);
      if (buffer.length < length) buffer = new Uint8Array(length);
      const bytes = buffer.subarray(0, length);
      bytes.fill(0, await read(at, bytes));
      hash.update(bytes);
    }
  }
  return hash.digest("hex");
}
