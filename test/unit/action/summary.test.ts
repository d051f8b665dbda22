/** The summary's size and what it must not become. */

import { expect, test } from "vitest";
import type { ImageResult } from "../../../src/action/image-result.ts";
import { mistakesSummary, summaryOf } from "../../../src/action/summary.ts";
import { report } from "../cli/world.ts";

const MiB = 1024 * 1024;

function result(image: string, failure = false): ImageResult {
  const message = `Cannot convert ${image}: ${"x".repeat(5000)}`;
  return {
    image,
    path: failure ? image : image.replace("qed", "qcow2"),
    report: failure ? undefined : report,
    failure: failure ? { kind: "corrupt", message, reasons: [], advice: "", details: {} } : undefined,
    recovery: undefined,
  };
}

test.each([1, 3, 4, 20_000])("%d images stay under 1 MiB, and the rest is counted", (count) => {
  const results = Array.from({ length: count }, (_, index) => result(`disk-${index}.qed`, index % 2 === 1));
  const html = summaryOf({ mode: "convert", targetFormat: "qcow2", dryRun: false, results });
  expect(Buffer.byteLength(html)).toBeLessThan(MiB);
  expect(html).not.toMatch(/\n\s*\n/);
  const shown = html.match(/<h3>|<details>/g)?.length ?? 0;
  const leftOut = Number(/(\d+) more images are left out/.exec(html)?.[1] ?? 0);
  expect(shown + leftOut).toBe(count);
  // Those that went well are folded once there are many.
  expect(html.includes("<details>")).toBe(count > 3);
});

test("the checksum is said once where it stayed, twice where it differs", () => {
  const facts = (after: string | null) => {
    const guestChecksum = { algorithm: "sha256", covers: "layer", before: "b".repeat(64), after } as const;
    return summaryOf({
      mode: "convert",
      targetFormat: "qcow2",
      dryRun: false,
      results: [{ ...result("a.qed"), report: { ...report, guestChecksum } }],
    });
  };
  expect(facts("b".repeat(64))).toContain("sha256, without the backing file, before and after");
  expect(facts("c".repeat(64))).toContain("Guest checksum after");
  expect(facts(null)).not.toContain("before and after");
});

test("mistakes stay under 1 MiB too", () => {
  const html = mistakesSummary(Array.from({ length: 2000 }, () => "<x>".repeat(1000)));
  expect(Buffer.byteLength(html)).toBeLessThan(MiB);
  expect(html).not.toContain("<x>");
});
