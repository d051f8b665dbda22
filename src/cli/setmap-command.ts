/** `setmap`: the letter's qemu-io command, for experts; points one guest range at a host range. */

import { parseSize, UsageError } from "../doors.ts";
import { type CommandRun, printNotes, printOutcome, required } from "./command-run.ts";
import { EXIT } from "./failure.ts";

export async function setmapCommand(run: CommandRun, words: readonly string[]): Promise<number> {
  const usage = "setmap IMAGE GUEST HOST LENGTH --yes";
  const path = required(words[0], "an image", usage);
  const guestOffset = parseSize(required(words[1], "a guest offset", usage), "GUEST");
  const hostOffset = parseSize(required(words[2], "a host offset", usage), "HOST");
  const length = parseSize(required(words[3], "a length", usage), "LENGTH");
  if (!run.values.yes) {
    throw new UsageError(
      "Cannot set a mapping without --yes: what the guest range pointed at is lost, and nothing can put it back",
    );
  }
  const { notes } = await run.library.setmap(path, guestOffset, hostOffset, length, run.open);
  printNotes(run, notes);
  const json = { image: path, "guest-offset": guestOffset, "host-offset": hostOffset, length };
  printOutcome(run, json, `${path}: ${length} bytes at guest offset ${guestOffset} now lie at ${hostOffset}`);
  return EXIT.done;
}
