/**
 * The first file that runs: tells an older Node in one sentence what is missing, tells the version without loading anything
 * else, and otherwise starts the command line.
 */

import manifest from "../../package.json" with { type: "json" };

const oldest = 20;
const words = process.argv.slice(2);

if (Number.parseInt(process.versions.node, 10) < oldest) {
  process.stderr.write(`inplace-convert needs Node ${oldest} or newer; this is Node ${process.versions.node}\n`);
  process.exitCode = 1;
} else if (words.length !== 1 || !["-V", "--version"].includes(words[0] as string) || !toldVersion()) {
  // Imported only now, since an older Node could not even parse it.
  import("./main.ts").catch((error: Error) => {
    const trace = process.argv.includes("--debug") ? `\n${error.stack}` : "";
    process.stderr.write(`inplace-convert: Cannot start: ${error.message}; install it anew${trace}\n`);
    process.exitCode = 1;
  });
}

/** False where it could not be written: the command line knows what is to be said of that. */
function toldVersion(): boolean {
  try {
    const text = `inplace-convert ${manifest.version}\n`;
    return process.getBuiltinModule("node:fs").writeSync(1, text) === text.length;
  } catch {
    return false;
  }
}
