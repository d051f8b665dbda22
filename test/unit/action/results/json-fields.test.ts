/** Tables of fields: what they write they read, and of what is anyone's only what has the right type. */

import { expect, test } from "vitest";
import {
  count,
  counts,
  flag,
  list,
  number,
  optional,
  orNull,
  table,
  text,
  unwritten,
  word,
  writtenOnly,
} from "../../../../src/action/results/json-fields.ts";

interface Thing {
  readonly name: string;
  readonly isThere: boolean;
  readonly byteCount: number;
  readonly hostOffset?: number | undefined;
  readonly kind: "one" | "two";
  readonly parts: readonly { readonly partName: string }[];
  readonly digest: string | null;
  readonly milliseconds: Readonly<Record<string, number>>;
  readonly line?: string | undefined;
  readonly picture?: object | undefined;
}

const thing = table<Thing>({
  name: text,
  isThere: flag,
  byteCount: count,
  hostOffset: optional(number),
  kind: word(["one", "two"], "two"),
  parts: list(table<{ readonly partName: string }>({ partName: text })),
  digest: orNull(text),
  milliseconds: counts,
  line: writtenOnly(optional(text), undefined),
  picture: unwritten,
});

const whole: Thing = {
  isThere: true,
  name: "a",
  byteCount: 7,
  hostOffset: -1,
  kind: "one",
  parts: [{ partName: "p" }, { partName: "" }],
  digest: null,
  milliseconds: { "roll back": 3 },
  line: "for people",
  picture: { of: "it" },
};

test("names are kebab case, the order is the value's own, and what is not of the table stays out", () => {
  const json = thing.write({ ...whole, ...{ secret: 1 } });
  expect(JSON.stringify(json)).toBe(
    '{"is-there":true,"name":"a","byte-count":7,"host-offset":-1,"kind":"one",' +
      '"parts":[{"part-name":"p"},{"part-name":""}],"digest":null,"milliseconds":{"roll-back":3},"line":"for people"}',
  );
  const { line: _line, picture: _picture, ...read } = whole;
  expect(thing.read(JSON.parse(JSON.stringify(json)))).toEqual({ ...read, milliseconds: { "roll-back": 3 } });
});

test("a part of it is written as that part", () => {
  expect(thing.write({ digest: "d", hostOffset: undefined })).toEqual({ digest: "d" });
});

const nothing = { name: "", isThere: false, byteCount: 0, kind: "two", parts: [], digest: null, milliseconds: {} };

test.each([
  {},
  { name: 7, "is-there": "true", "byte-count": -1, "host-offset": "0", kind: "three", parts: {}, digest: 3 },
  { "byte-count": Number.NaN, parts: ["p", null, [1]], milliseconds: [], digest: {}, line: "theirs", picture: {} },
  { byteCount: 5, isThere: true, "byte-count": Number.POSITIVE_INFINITY },
])("%o: what has another type counts as absent, and is left out where it may be", (json) => {
  const read = thing.read(json);
  expect(read).toEqual(nothing);
  expect(Object.keys(read ?? {})).toEqual(Object.keys(nothing));
});

test.each([null, undefined, 3, "text", [], [{}]])("%j is no object", (json) => {
  expect(thing.read(json)).toBeUndefined();
  expect(optional(thing).absent).toBeUndefined();
});
