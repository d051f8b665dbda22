/** The tests run on the Node that runners use, whatever the machine has. */

import { expect, test } from "vitest";

test("tests run on Node 24", () => {
  expect(process.version).toMatch(/^v24\./);
});
