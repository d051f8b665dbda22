/** Names from outside in logs, annotations and pages. */

import { expect, test } from "vitest";
import { escapedHtml, safeLine, safeLines, shortened } from "../../../../src/action/report/safe-text.ts";

test("control characters, commands of the runner and characters that turn the text are written out", () => {
  expect(safeLine("a\u001b[2Jb\rc\nd\u009be\u202ef")).toBe("a\\x1b[2Jb\\x0dc\\x0ad\\x9be\\u202ef");
  expect(safeLine("::error::x ##[y]")).toBe("\\x3a:error\\x3a:x #\\x23[y]");
  expect(safeLine(":::x")).not.toContain("::");
  expect(safeLines("a\nb\u0007")).toBe("a\nb\\x07");
});

test("a text is cut without half a character", () => {
  expect(shortened("abcdef", 6, "…")).toBe("abcdef");
  expect(shortened("abcdefg", 6, "…")).toBe("abcde…");
  expect(shortened("abcd😀😀", 6, "…")).toBe("abcd…");
});

test("HTML and Markdown's code marks are escaped", () => {
  expect(escapedHtml(`<a href="x">&'\``)).toBe("&#60;a href=&#34;x&#34;&#62;&#38;&#39;&#96;");
});
