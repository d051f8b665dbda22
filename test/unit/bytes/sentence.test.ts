/** Sentences as values: what they say in two vocabularies, and what they can be asked instead of being read. */

import { describe, expect, test } from "vitest";
import { hex, ImageError, UsageError } from "../../../src/bytes/image-error.ts";
import {
  command,
  commandLine,
  either,
  imageNamed,
  joined,
  key,
  option,
  placeAt,
  say,
  sentenceOf,
  UNNAMED,
  type Vocabulary,
} from "../../../src/bytes/sentence.ts";

const OTHER: Vocabulary = {
  option: ({ name, value }) =>
    name === "force-share" ? undefined : `<${name}${value === undefined ? "" : `=${value}`}>`,
  command: ({ command: name }) => `<${name}>`,
  key: (name) => `<${name}>`,
};

describe("a sentence", () => {
  test("is text in the words of the command line, also inside of other text", () => {
    const advice = say`use ${option("drop", "leaks")} or ${option("format", "raw")}, ${2} ways`;
    expect(`${advice}`).toBe("use --drop leaks or -f raw, 2 ways");
    expect(`first: ${advice}`).toBe("first: use --drop leaks or -f raw, 2 ways");
    expect(say`say: ${advice}`.in(OTHER)).toBe("say: use <drop=leaks> or <format=raw>, 2 ways");
    expect(joined([advice, "go on"], "; ").in(OTHER)).toBe("use <drop=leaks> or <format=raw>, 2 ways; go on");
    expect(String(say`${key("maxExtraSpace")} of ${imageNamed("")}`)).toBe('maxExtraSpace of ""');
    expect(sentenceOf(advice)).toBe(advice);
  });

  test("names commands with the image's name as a shell takes it, and the program as it was called", () => {
    const advice = say`run ${command("check", "my disk.qcow2", "-r", "all")}`;
    expect(`${advice}`).toBe("run inplace-convert check -r all 'my disk.qcow2'");
    expect(advice.in(commandLine("node dist/cli.mjs"))).toBe("run node dist/cli.mjs check -r all 'my disk.qcow2'");
    expect(`${command("resume", "-rf")}`).toBe("inplace-convert resume ./-rf");
    expect(advice.in(OTHER)).toBe("run <check>");
  });

  test("leaves out what a face has no option for, unless nothing would be left", () => {
    const share = say`look with ${option("force-share")}`;
    expect(`${either(["close it", share])}`).toBe("close it, or look with -U");
    expect(either(["close it", share]).in(OTHER)).toBe("close it");
    expect(either([share]).in(OTHER)).toBe("look with -U");
    expect(either([share, share]).in(OTHER)).toBe("look with -U, or look with -U");
  });

  test("knows which image and which place it names, wherever it does", () => {
    const nested = either(["close it", say`copy ${imageNamed("a")} at ${placeAt(16)}`]);
    expect([nested.namesImage("a"), nested.namesPlace(16)]).toEqual([true, true]);
    expect([nested.namesImage("b"), nested.namesPlace(1)]).toEqual([false, false]);
    expect(say`a at ${hex(16)}`.namesPlace(16)).toBe(false);
    expect(`${nested}`).toContain("at 0x10");
  });

  test("takes the image's name where room was left for it", () => {
    const what = say`Cannot convert ${UNNAMED}qcow2 to qed`;
    expect(`${what}`).toBe("Cannot convert qcow2 to qed");
    expect(`${what.withImage("a b")}`).toBe("Cannot convert a b from qcow2 to qed");
    expect(what.withImage("a b")?.namesImage("a b")).toBe(true);
    expect(say`Cannot prove it`.withImage("a")).toBeUndefined();
  });
});

describe("an error", () => {
  const error = new ImageError("corrupt", say`Cannot open ${imageNamed("a")}`, {
    because: "its header is wrong",
    remedy: ["restore it", say`look with ${option("force-share")}`],
    state: "nothing was written",
    path: "a",
    hostOffset: 4,
    reasons: [say`drop it with ${option("drop", "leaks")}`],
  });

  test("says in one sentence what it holds apart", () => {
    expect(error.message).toBe("Cannot open a: its header is wrong; restore it, or look with -U; nothing was written");
    expect(String(error.problem)).toBe("its header is wrong");
    expect(error.remedies.map(String)).toEqual(["restore it", "look with -U"]);
    expect(String(error.reason)).toBe("its header is wrong; restore it, or look with -U; nothing was written");
    expect(error.sentence.in(OTHER)).toBe("Cannot open a: its header is wrong; restore it; nothing was written");
    expect(error.reasons).toEqual(["drop it with --drop leaks"]);
    expect(error.refusals.map((reason) => reason.in(OTHER))).toEqual(["drop it with <drop=leaks>"]);
  });

  test("without a reason apart is one problem", () => {
    const plain = new ImageError("io", "Cannot read it");
    expect([plain.message, String(plain.problem), plain.reason, plain.remedies]).toEqual([
      "Cannot read it",
      "Cannot read it",
      undefined,
      [],
    ]);
  });

  test("in another's place keeps what it says and where, and adds to it", () => {
    const left = error.leaving("it was put back", { rolledBack: true });
    expect(left).toMatchObject({ kind: "corrupt", path: "a", hostOffset: 4, rolledBack: true, cause: error });
    expect(left.message).toBe(`${error.message}; it was put back`);
    const advised = new ImageError("io", "Cannot read it").advising("look at it").advising("put it back");
    expect(advised.message).toBe("Cannot read it; look at it; put it back");
    const stands = error.leaving("its journal stands", {
      nextSteps: {
        finish: { ref: "command", command: "resume", options: [], path: "a b" },
        putBack: { ref: "command", command: "rollback", options: [], path: "a b" },
      },
    });
    expect(String(stands.statement)).toBe(`${error.message}; its journal stands`);
    expect(stands.message).toBe(
      `${error.message}; its journal stands: run inplace-convert resume 'a b' to finish, or inplace-convert rollback 'a b' to put it back`,
    );
  });

  test("copied field by field says nothing twice", () => {
    expect(new ImageError("io", "Cannot go on", { ...error }).message).toBe("Cannot go on");
  });

  test("of usage has another vocabulary too", () => {
    const usage = new UsageError(say`Cannot use ${key("drop")}`);
    expect([usage.message, usage.sentence.in(OTHER)]).toEqual(["Cannot use drop", "Cannot use <drop>"]);
  });
});
