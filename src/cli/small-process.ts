/** Keeps V8 small in a command that most often ends within a fraction of a second (docs/decisions/a-small-check.md). */

/** What was measured; other versions compile by other rules, and an older one would be left without its only compiler. */
const MEASURED_NODE = 24;
/** A command that takes this long is worth V8's large compiler, in milliseconds. */
const LONG_RUN = 2000;

/** To be called before anything large is loaded. Changes nothing but memory and time. */
export function keepProcessSmall(): void {
  if (Number.parseInt(process.versions.node, 10) !== MEASURED_NODE) return;
  const v8 = process.getBuiltinModule("node:v8");
  // The quick compiler does well enough with our loops; the large one takes 6 MiB of code and work space.
  v8.setFlagsFromString("--no-turbofan");
  // Young garbage is collected in 1 MiB from the first to the last; there is little of it.
  v8.setFlagsFromString("--semi-space-growth-factor=1");
  setTimeout(() => v8.setFlagsFromString("--turbofan"), LONG_RUN).unref();
}
