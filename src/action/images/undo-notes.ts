import { commandText, unfinished } from "../../index.ts";

/** How to go back over the undo that was kept, and how to give it up. */
export async function undoNotes(path: string): Promise<readonly string[]> {
  // What can't be looked at is not promised.
  if ((await unfinished(path).catch(() => "none")) !== "undo") return [];
  const ours = (command: "resume" | "rollback") =>
    commandText({ ref: "command", command, options: [], path }, "inplace-convert");
  return [`The way back is kept beside it: ${ours("rollback")} goes it, ${ours("resume")} gives it up`];
}
