/** `setmap`: the letter's qemu-io command, for experts; points one guest range at a host range. */

import { parseSize, UsageError } from "../index.ts";
import { EXIT } from "./failure.ts";
import { printNotes, printOutcome, required, type Session } from "./session.ts";

export async function setmapCommand(session: Session, words: readonly string[]): Promise<number> {
  const usage = "setmap IMAGE GUEST HOST LENGTH --yes";
  const path = required(words[0], "an image", usage);
  const guestOffset = parseSize(required(words[1], "a guest offset", usage), "GUEST");
  const hostOffset = parseSize(required(words[2], "a host offset", usage), "HOST");
  const length = parseSize(required(words[3], "a length", usage), "LENGTH");
  if (!session.values.yes) {
    throw new UsageError(
      "Cannot set a mapping without --yes: what the guest range pointed at is lost, and nothing can put it back",
    );
  }
  const { notes } = await session.library.setmap(path, guestOffset, hostOffset, length, session.open);
  printNotes(session, notes);
  const json = { image: path, "guest-offset": guestOffset, "host-offset": hostOffset, length };
  printOutcome(session, json, `${path}: ${length} bytes at guest offset ${guestOffset} now lie at ${hostOffset}`);
  return EXIT.done;
}
