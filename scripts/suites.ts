/** The suites of `npm test`, in the order in which they run, and how long each may take before it is worth a look. */

export interface Suite {
  readonly name: string;
  /** A module below node_modules with its arguments, or a folder of vitest tests. */
  readonly run: { readonly tool: string; readonly options: readonly string[] } | { readonly tests: string };
  /** In seconds, on two cores; more prints a warning and decides nothing. */
  readonly budget: number;
}

export const suites: readonly Suite[] = [
  {
    name: "lint",
    run: { tool: "node_modules/@biomejs/biome/bin/biome", options: ["ci", "--colors=off", "."] },
    budget: 5,
  },
  { name: "arrows", run: { tool: "scripts/arrows.ts", options: ["--check"] }, budget: 5 },
  { name: "types", run: { tool: "node_modules/typescript/bin/tsc", options: ["-p", "."] }, budget: 10 },
  { name: "unit", run: { tests: "test/unit" }, budget: 130 },
  { name: "property", run: { tests: "test/property" }, budget: 60 },
  { name: "crash", run: { tests: "test/crash" }, budget: 270 },
  { name: "oracle", run: { tests: "test/oracle" }, budget: 220 },
  { name: "acquire", run: { tests: "test/acquire" }, budget: 25 },
  { name: "fuzz", run: { tests: "test/fuzz" }, budget: 30 },
  { name: "fresh", run: { tool: "scripts/build.ts", options: ["--check"] }, budget: 10 },
  { name: "package", run: { tool: "scripts/release.ts", options: ["check"] }, budget: 10 },
  { name: "dist", run: { tests: "test/dist" }, budget: 85 },
  { name: "action", run: { tests: "test/action" }, budget: 110 },
  { name: "examples", run: { tests: "test/examples" }, budget: 45 },
];
