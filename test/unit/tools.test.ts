/** Programs of other projects that a script needs: which are missing is said by name, where none may be installed. */

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("a script that can't install what it needs says what is missing, and nothing of what it does not need", () => {
  const tools = new URL("../../scripts/tools.ts", import.meta.url);
  const code = `import { ensureTools } from ${JSON.stringify(tools)}; ensureTools("virt-v2v", "xmllint", "7zz")`;
  const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    env: { PATH: "/nowhere" },
    encoding: "utf8",
  });
  expect(stderr).toContain("Cannot run this without virt-v2v, xmllint, 7zz: install virt-v2v, libxml2-utils, 7zip\n");
});
