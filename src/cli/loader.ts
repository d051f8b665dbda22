/** The first file that runs: tells an older Node in one sentence what is missing, else starts the command line. */

const oldest = 20;

if (Number.parseInt(process.versions.node, 10) < oldest) {
  process.stderr.write(`inplace-convert needs Node ${oldest} or newer; this is Node ${process.versions.node}\n`);
  process.exitCode = 1;
} else {
  // Imported only now, since an older Node could not even parse it.
  import("./main.ts").catch((error: Error) => {
    const trace = process.argv.includes("--debug") ? `\n${error.stack}` : "";
    process.stderr.write(`inplace-convert: Cannot start: ${error.message}; install it anew${trace}\n`);
    process.exitCode = 1;
  });
}
