/** A module to be loaded first: files are never opened, and nothing is under way meanwhile. */
export const NEVER_OPENS = `
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
fs.promises.open = () => new Promise(() => {});
syncBuiltinESMExports();
`;
