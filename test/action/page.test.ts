/** The page as a run writes it, beside its JSON. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Runner } from "./runner.ts";

test("a conversion's page draws the file before and after; the JSON lies beside it", async () => {
  const runner = new Runner();
  runner.makeImage("<b>&.qed", "qed");
  runner.makeImage("other.qed", "qed");
  const { exitCode, outputs } = await runner.main({
    image: "*.qed",
    "target-format": "qcow2",
    report: "out/report.html",
  });
  expect(exitCode).toBe(0);
  expect(outputs.report).toBe("out/report.html");
  const page = readFileSync(runner.path("out/report.html"), "utf8");
  expect(page.match(/<article /g)).toHaveLength(2);
  expect(page.match(/<title id="image-\d-title">Where things lie in/g)).toHaveLength(2);
  expect(page).toContain('<path class="stays"');
  expect(page).not.toMatch(/<b>&\.|<script/);
  const { images } = JSON.parse(readFileSync(runner.path("out/report.json"), "utf8"));
  expect(images).toHaveLength(2);
  expect(images[0]).not.toHaveProperty("layout");
});

test("a check's page draws the file as it is", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qcow2", "qcow2");
  const { exitCode, summary } = await runner.main({ image: "disk.qcow2", mode: "check", report: "check.html" });
  expect(exitCode).toBe(0);
  const page = readFileSync(runner.path("check.html"), "utf8");
  expect(page).toContain("1 image checked: clean");
  expect(page).toContain('<svg class="single"');
  expect(summary).toMatch(/<pre>now {2}[^\n]*\nH/);
});

test("collected reports make one page of all", async () => {
  const runner = new Runner();
  runner.makeImage("a.qed", "qed");
  runner.makeImage("b.qed", "qed");
  const target = { "target-format": "qcow2" } as const;
  await runner.main({ image: "a.qed", ...target, report: "reports/a.json" });
  await runner.main({ image: "b.qed", ...target, report: "reports/b.json" });
  const { exitCode } = await runner.main({ mode: "collect", reports: "reports/*.json", report: "all.html" });
  expect(exitCode).toBe(0);
  const page = readFileSync(runner.path("all.html"), "utf8");
  expect(page).toContain("<h1>2&nbsp;images converted");
  expect(page.match(/<article /g)).toHaveLength(2);
});
