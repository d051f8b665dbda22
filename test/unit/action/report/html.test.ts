/** The template: what gets in is text unless it made it itself, wherever it stands. */

import { expect, test } from "vitest";
import {
  code,
  digestCode,
  Html,
  html,
  isEmpty,
  joined,
  onLines,
  withinBytes,
} from "../../../../src/action/report/html.ts";
import { pageOf } from "../../../../src/action/report/page/page.ts";
import { mistakesSummary, summaryOf } from "../../../../src/action/report/summary.ts";
import type { StepResult } from "../../../../src/action/results/step-result.ts";
import { checked, conversion, finding, layoutOf, result, step } from "../../../support/step-results.ts";

const HOSTILE = "</title></style><script a=\"'`>&\u202e\n##[x::y";
const HARMLESS = "&#60;/title&#62;&#60;/style&#62;&#60;script a=&#34;&#39;&#96;&#62;&#38;\\u202e\\x0a#\\x23[x\\x3a:y";

test("a value is escaped as text and as an attribute's value, alone, in a list, in a list of lists made by it", () => {
  expect(String(html`<b title="${HOSTILE}">${HOSTILE}</b>`)).toBe(`<b title="${HARMLESS}">${HARMLESS}</b>`);
  expect(String(html`${[HOSTILE, html`<br>`, 5]}`)).toBe(`${HARMLESS}<br>5`);
  expect(String(html`<p>${html`${[html`${HOSTILE}`]}`}</p>`)).toBe(`<p>${HARMLESS}</p>`);
  expect(String(code(HOSTILE))).toBe(`<code>${HARMLESS}</code>`);
  expect(String(joined([HOSTILE, "b"], html` · `))).toBe(`${HARMLESS} · b`);
  expect(String(onLines(["<", html`<i></i>`]))).toBe("&#60;<br><i></i>");
  expect(String(html`${"<".repeat(5000)}`)).toBe(`${"&#60;".repeat(4094)} …`);
});

test("a digest may be broken, and whatever else stands in its place is code as any", () => {
  const hex = "0123456789abcdef";
  expect(String(digestCode(hex.repeat(4)))).toBe(`<code>${Array(4).fill(hex).join("<wbr>")}</code>`);
  expect(String(digestCode(`sha512:${hex.repeat(8)}`)).replaceAll("<wbr>", "")).toBe(
    `<code>sha512:${hex.repeat(8)}</code>`,
  );
  for (const other of [HOSTILE, `${hex.repeat(4)}\n`, hex]) expect(String(digestCode(other))).toBe(String(code(other)));
});

test("its text alone is never taken for it again", () => {
  const made = html`<b>`;
  expect(String(html`${made}`)).toBe("<b>");
  expect(String(html`${String(made)}`)).toBe("&#60;b&#62;");
  expect(String(html`${`${made}`}`)).toBe("&#60;b&#62;");
});

test("the types let nothing else in", () => {
  // Never called: what counts is that each line is refused.
  const refused = () => {
    // @ts-expect-error only the template makes it
    const direct: unknown = new Html("<b>");
    // @ts-expect-error a string has no words of a template
    const called: Html = html("<b>");
    // @ts-expect-error nor has a list of strings
    const listed: Html = html(["<b>"]);
    // @ts-expect-error a string is no Html
    const raw: Html = "<b>";
    // @ts-expect-error nor is what has its methods
    const alike: Html = { isEmpty: false, toString: () => "<b>" };
    // @ts-expect-error what is not there must not be told as a word
    const missing = html`${undefined}`;
    // @ts-expect-error parts that are counted are made by the template
    const parts = withinBytes(["<b>"], 9, () => html``);
    return [direct, called, listed, raw, alike, missing, parts];
  };
  expect(refused).toBeTypeOf("function");
});

test("empty is what shows nothing", () => {
  expect([html``, html`${""}${[]}`, joined([], html`<br>`), ""].map(isEmpty)).toEqual([true, true, true, true]);
  expect([html`<br>`, " "].map(isEmpty)).toEqual([false, false]);
});

/** A step that has something to say in every place, with `name` for every word that may be anyone's. */
function everywhere(name: string): StepResult {
  const found = [finding(0, { structure: name, message: name })];
  const check = checked({ verdict: "leaks", leaks: 1, format: name, losses: [name], givenUp: [name], notes: [name] });
  const failure = { kind: name, message: `${name}1`, reasons: [`${name}2`, `${name}3`], advice: name, details: {} };
  const download = { url: name, digest: name, bytes: 1, fromCache: true, warnings: [name] };
  const layout = { before: layoutOf("HTDDC.", 512), after: layoutOf("H.DDCT", 512) };
  const guestChecksum = { algorithm: name as "sha256", covers: "layer", before: name, after: `${name}2` } as const;
  const told = { sourceFormat: name, targetFormat: name, dropped: [name], notes: [name], layout, guestChecksum };
  const leaksGivenUp = { clusters: 1, bytes: 512, isSuspicious: true };
  const report = conversion({ ...told, leaksGivenUp, milliseconds: { [name]: 5 } });
  return step(
    [
      result(name, { report, path: `${name}2`, recovery: name, notes: [name], download }),
      result(name, { report: conversion({ ...told, changed: false }), check: { ...check, findings: found } }),
      result(name, { check: { ...check, findings: found }, notes: [name] }),
      result(name, { failure, check: { ...check, findings: found } }),
      result(name, { failure, path: undefined, download }),
    ],
    { targetFormat: name, matrix: { include: [{ shard: 1, images: `${name}\n${name}` }] } },
  );
}

/** Elements with their attributes, in order: what a browser makes of it. */
function elementsOf(markup: string): string[] {
  return markup.match(/<[^>]*>/g) ?? [];
}

test.each(["convert", "check", "plan", "collect"] as const)(
  "%s: page and summary are the same elements whatever names say",
  (mode) => {
    // Line by line names are split, so that a plain one has as many.
    const plain = "plain\nname";
    for (const tell of [pageOf, summaryOf]) {
      for (const dryRun of [false, true]) {
        const [all, expected] = [everywhere(HOSTILE), everywhere(plain)];
        for (const at of [undefined, ...all.results.keys()]) {
          const only = (of: StepResult) => ({
            ...of,
            mode,
            dryRun,
            results: at === undefined ? of.results : of.results.slice(at, at + 1),
          });
          const markup = tell(only(all));
          expect(elementsOf(markup)).toEqual(elementsOf(tell(only(expected))));
          // The style sheet is our own, and has `::before`.
          expect(markup.replace(/<style>.*?<\/style>/s, "")).not.toMatch(/[`\u202e]|"'|##\[|::/);
        }
      }
    }
  },
);

test("mistakes in the inputs are text as well", () => {
  expect(mistakesSummary([HOSTILE])).toContain(`<li>${HARMLESS}</li>`);
});
