/** `checksum`, `compare`, `info` and `map`: what an image is, without a write. */

import type { ChecksumAlgorithm } from "../index.ts";
import { infoText, kebabKeys, mapText } from "../index.ts";
import { EXIT } from "./failure.ts";
import { jsonLines } from "./json.ts";
import {
  formatName,
  given,
  isJson,
  printOutcome,
  printResult,
  refuseUnknownCache,
  required,
  type Session,
} from "./session.ts";
import { printableLine } from "./terminal.ts";

export async function checksumCommand(session: Session, [image]: readonly string[]): Promise<number> {
  const path = required(image, "an image", "checksum IMAGE");
  const algorithm = session.values.checksum as ChecksumAlgorithm | undefined;
  const report = await session.library.checksum(path, { ...session.open, ...given("algorithm", algorithm) });
  // One line an image, whatever its name holds, as sha256sum has it.
  printResult(session, kebabKeys(report), `${report.checksum}  ${printableLine(report.image)}`);
  return EXIT.done;
}

export async function compareCommand(session: Session, [first, second]: readonly string[]): Promise<number> {
  const usage = "compare A B";
  refuseUnknownCache(session.values.cache);
  const { format, ...open } = session.open;
  const report = await session.library.compare(
    required(first, "two images", usage),
    required(second, "a second image", usage),
    {
      ...open,
      ...given("formatA", format),
      ...given("formatB", session.values.bFormat === undefined ? undefined : formatName(session.values.bFormat)),
    },
  );
  printOutcome(session, kebabKeys(report), report.message);
  return report.identical ? EXIT.done : EXIT.failed;
}

export async function infoCommand(session: Session, [image]: readonly string[]): Promise<number> {
  refuseUnknownCache(session.values.cache);
  const report = await session.library.info(required(image, "an image", "info IMAGE"), session.open);
  printResult(session, kebabKeys(report), infoText(report));
  return EXIT.done;
}

export async function mapCommand(session: Session, [image]: readonly string[]): Promise<number> {
  const report = await session.library.map(required(image, "an image", "map IMAGE"), session.open);
  // As qemu-img has it: a list, whose keys are single words.
  if (isJson(session)) session.terminal.result(jsonLines(report.entries));
  else printResult(session, report.entries, mapText(report));
  return EXIT.done;
}
