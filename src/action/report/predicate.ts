/**
 * The evidence of conversions as an in-toto predicate: that the file of a digest holds the same guest as that of another
 * one. Its schema is docs/predicate.md. Names of fields and times are as in-toto's guidelines for new predicates want them.
 */

import type { CheckResult } from "../../index.ts";
import { refuseForeignFile } from "../inputs/written-files.ts";
import type { FileDigest, ImageResult } from "../results/image-result.ts";
import type { StepResult } from "../results/step-result.ts";
import { namesBeside } from "./relative-names.ts";
import { replaceFile } from "./replace-file.ts";

/** What `actions/attest` takes as `predicate-type`; a change that would mislead an old reader needs another one. */
export const PREDICATE_TYPE = "https://github.com/org/inplace-convert/blob/v1/docs/predicate.md";

type NameOf = (file: string) => Promise<string>;

/** Names are relative to the predicate's folder. Throws an Error where something else lies at `path`. */
export async function writePredicate(path: string, step: StepResult): Promise<void> {
  await refuseForeignFile("predicate", path);
  const predicate = await predicateOf(step, await namesBeside(path));
  await replaceFile(path, `${JSON.stringify(predicate, null, 2)}\n`);
}

/** @param nameOf gives the name by which a file is told */
export async function predicateOf({ results, provenance }: StepResult, nameOf: NameOf): Promise<object> {
  const { tool, toolVersion, time, repository, commit, runId, runAttempt } = provenance;
  const images: object[] = [];
  for (const result of results) images.push(await evidenceOf(result, nameOf));
  return {
    tool: { name: tool, version: toolVersion },
    finishedAt: time,
    run: { repository, commit, id: runId, attempt: runAttempt },
    images,
  };
}

async function evidenceOf(result: ImageResult, nameOf: NameOf): Promise<object> {
  const { report, check, download, sourceFiles = [], files = [] } = result;
  if (report === undefined) throw new Error(`Cannot vouch for ${result.image}: it was not converted`);
  const { guestChecksum, virtualSize, guestChanges = [] } = report;
  const { algorithm, covers, before, after } = guestChecksum ?? {};
  return {
    source: {
      ...(await described(sourceFiles, report.sourceFormat, nameOf)),
      ...(download && { download: downloadOf(download) }),
    },
    result: await described(files, report.targetFormat, nameOf),
    guest: {
      size: virtualSize,
      covers,
      digestBefore: digestOf(algorithm, before),
      digestAfter: digestOf(algorithm, after),
      changes: guestChanges.map(({ guestOffset, length, what }) => ({ offset: guestOffset, length, what })),
    },
    checks: { before: countsOf(report.check.before), after: countsOf(report.check.after) },
    ...(check?.changed && { repair: repairOf(check) }),
    changed: report.changed,
    dropped: report.dropped,
    bytesWritten: report.bytesWritten,
    bytesMoved: report.bytesMoved,
  };
}

/** As in-toto describes a resource, with the format; of an image of several files the others after the first. */
async function described([first, ...others]: readonly FileDigest[], format: string, nameOf: NameOf): Promise<object> {
  if (first === undefined) throw new Error(`Cannot vouch for an image of format ${format}: its digest is not known`);
  const further: object[] = [];
  for (const file of others) further.push(await resourceOf(file, nameOf));
  return { ...(await resourceOf(first, nameOf)), format, ...(further.length > 0 && { furtherFiles: further }) };
}

async function resourceOf({ path, sha256, size }: FileDigest, nameOf: NameOf): Promise<object> {
  return { name: await nameOf(path), digest: { sha256 }, size };
}

/** `digest` is `sha256:HEX` or `sha512:HEX`. */
function downloadOf({ url, digest, bytes }: NonNullable<ImageResult["download"]>): object {
  const [algorithm = "", hex] = digest.split(":");
  return { uri: url, digest: { [algorithm]: hex }, size: bytes };
}

function digestOf(algorithm: string | undefined, hex: string | null | undefined): object | undefined {
  return algorithm === undefined || hex === null || hex === undefined ? undefined : { [algorithm]: hex };
}

function countsOf(check: CheckResult | null): object | null {
  if (check === null) return null;
  const { corruptions, leaks, checkErrors, warnings } = check;
  return { corruptions, leaks, checkErrors, warnings };
}

function repairOf(check: NonNullable<ImageResult["check"]>): object {
  const { corruptionsFixed, leaksFixed, bytesWritten } = check;
  return { corruptionsFixed, leaksFixed, bytesWritten };
}
