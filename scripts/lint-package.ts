/**
 * What publint and arethetypeswrong say of a packed package: whether Node, bundlers and TypeScript find what package.json
 * promises.
 *
 * Both are tools of this project; a module that is needed where nothing is installed must import this one dynamically.
 */

import { checkPackage, createPackageFromTarballData, type Problem } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

/**
 * One sentence a mistake of the package in `tarball`, a .tgz as npm packs it.
 *
 * An older CommonJS module can't `require` the library, which is an ES module by intention: this alone is left out.
 */
export async function packageMistakes(tarball: Uint8Array<ArrayBuffer>): Promise<string[]> {
  return [...(await namesMistakes(tarball)), ...(await typesMistakes(tarball))];
}

async function namesMistakes({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Promise<string[]> {
  const alone = buffer.slice(byteOffset, byteOffset + byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: alone }, strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`);
}

async function typesMistakes(tarball: Uint8Array): Promise<string[]> {
  const result = await checkPackage(createPackageFromTarballData(tarball));
  if (!result.types) return ["arethetypeswrong: The package has no declarations"];
  return result.problems.filter(({ kind }) => kind !== "CJSResolvesToESM").map(problemText);
}

function problemText(problem: Problem): string {
  const where = "resolutionKind" in problem ? ` where a module is looked for as by ${problem.resolutionKind}` : "";
  return `arethetypeswrong: ${problem.kind}${where}`;
}
