/** Values of `-o`, as qemu-img takes them. */

import { expect, test } from "vitest";
import { parseOptionValue, type TargetOption } from "../../../src/image/target-options.ts";

const lazy: TargetOption = { name: "lazy_refcounts", kind: "boolean", help: "" };

test("a boolean is any of qemu-img's words for it, in their case alone", () => {
  for (const text of ["on", "yes", "true", "y"]) expect(parseOptionValue(lazy, text)).toBe(true);
  for (const text of ["off", "no", "false", "n"]) expect(parseOptionValue(lazy, text)).toBe(false);
  for (const text of ["ON", "Yes", "1", "0", "", "onn"])
    expect(() => parseOptionValue(lazy, text)).toThrow(`Cannot use lazy_refcounts=${text}: expected on or off`);
});
