import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { command, say } from "../../../src/bytes/sentence.ts";
import { commands } from "../../../src/cli/commands.ts";
import { leavingJournal } from "../../../src/convert/session/leaving-journal.ts";
import { ImageError, type Qcow2Info, UsageError } from "../../../src/index.ts";
import type { Journal } from "../../../src/journal/journal.ts";
import { report, run } from "./world.ts";

const data = { compat: "1.1", compressionType: "zlib", lazyRefcounts: true, refcountBits: 16 } as const;
const info = async (): Promise<Qcow2Info> => ({
  virtualSize: 512,
  filename: "a",
  format: "qcow2",
  clusterSize: 65536,
  formatSpecific: { type: "qcow2", data },
  dirtyFlag: false,
  children: [],
});

const convert = async () => report;
const failing = (error: Error) => ({
  convert: async () => {
    throw error;
  },
});

describe("convert", () => {
  test("prints the report and exits 0", async () => {
    const { exitCode, stdout, stderr } = await run("convert disk.qed qcow2", { convert });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("disk.qed: qed is now qcow2, in place");
    expect(stderr).toBe("");
  });

  test("hands every option on", async () => {
    const words =
      "convert disk.qed vhd -f qed -o cluster_size=64k,compat=1.1 -o a=b --checksum sha256 --guest-checksum " +
      `sha256:${"AB".repeat(32)} --verify mapping --no-check --keep-undo --max-extra-space 1.5M --journal j ` +
      "--keep-leaks --cross-check auto --drop bitmaps,snapshots --backing-chain -c -S 64k --no-compact " +
      "--allow-probed-guest --reproducible";
    const { calls } = await run(words, { convert });
    const [[name, path, format, options] = []] = calls;
    expect([name, path, format]).toEqual(["convert", "disk.qed", "vpc"]);
    expect(options).toEqual({
      signal: expect.any(AbortSignal),
      format: "qed",
      backingChain: true,
      options: { cluster_size: "64k", compat: "1.1", a: "b" },
      checksum: "sha256",
      guestChecksum: { algorithm: "sha256", hex: "ab".repeat(32) },
      verify: "mapping",
      check: false,
      keepUndo: true,
      maxExtraSpace: 1.5 * 1024 ** 2,
      journal: "j",
      keepLeaks: true,
      crossCheck: "auto",
      drop: ["bitmaps", "snapshots"],
      compress: true,
      sparseSize: 65536,
      compact: false,
      allowProbedGuest: true,
      reproducible: true,
    });
  });

  test("without options leaves the defaults to the library", async () => {
    const { calls } = await run("convert disk.qed qcow2", { convert });
    expect(calls[0]?.[3]).toEqual({ signal: expect.any(AbortSignal), options: {}, check: true });
  });

  test("--compact is more than its absence, and -S 0 than none", async () => {
    const { calls } = await run("convert disk.qed qcow2 --compact --sparse-size 0", { convert });
    expect(calls[0]?.[3]).toMatchObject({ compact: true, sparseSize: 0 });
  });

  test("prints JSON in kebab case", async () => {
    const { stdout } = await run("convert disk.qed qcow2 --output json", { convert });
    const json = JSON.parse(stdout);
    expect(Object.keys(json).slice(0, 4)).toEqual(["image", "source-format", "target-format", "changed"]);
    expect(Object.keys(json)).toContain("notes");
    expect(json).toMatchObject({ "source-format": "qed", "bytes-written": 1_720_000, "rolled-back": false });
    expect(json["guest-checksum"]).toMatchObject({ algorithm: "blkhash-sha256", covers: "guest" });
    expect(json.milliseconds).toEqual({ write: 50, "roll-back": 2 });
  });

  test("-q prints nothing, but the JSON that was asked for", async () => {
    expect((await run("convert disk.qed qcow2 -q", { convert })).stdout).toBe("");
    expect((await run("convert disk.qed qcow2 -q --output json", { convert })).stdout).toContain('"changed": true');
  });

  test("--dry-run only plans, exactly as plan does", async () => {
    const plan = async () => ({ report: { ...report, changed: false }, text: "the plan", refusals: [] });
    const dry = await run("convert disk.qed qcow2 --dry-run --no-check", { plan });
    const planned = await run("plan disk.qed qcow2 --no-check", { plan });
    expect(dry.stdout).toBe("the plan\n");
    expect(dry).toMatchObject({ exitCode: planned.exitCode, stdout: planned.stdout, stderr: planned.stderr });
    expect(dry.calls[0]?.[0]).toBe("plan");
    expect(dry.calls[0]?.[3]).toMatchObject({ dryRun: true, check: false });
  });

  test("-U is a plan's: what writes never reads what another program may be writing to", async () => {
    const plan = async () => ({ report: { ...report, changed: false }, text: "the plan", refusals: [] });
    for (const words of ["plan -U disk.qed qcow2", "convert disk.qed qcow2 --force-share --dry-run"]) {
      const { exitCode, calls } = await run(words, { plan });
      expect([exitCode, calls[0]?.[3]]).toMatchObject([0, { forceShare: true, dryRun: true }]);
    }
    const { exitCode, stderr, calls } = await run("convert -U disk.qed qcow2", { convert });
    expect([exitCode, calls]).toEqual([2, []]);
    expect(stderr).toContain("Cannot convert with -U: ");
  });

  test("a plan takes every name of an image that reading commands take", async () => {
    const plan = async () => ({ report: { ...report, changed: false }, text: "the plan", refusals: [] });
    for (const words of [
      "plan --image-opts driver=raw,file.filename=a.img qcow2",
      'plan json:{"driver":"raw","file":{"filename":"a.img"}} qcow2 --object secret,id=s',
    ]) {
      const { calls } = await run(words, { plan });
      expect(calls[0]?.slice(1)).toMatchObject(["a.img", "qcow2", { format: "raw" }]);
    }
  });

  test("notes go to stderr", async () => {
    const noted = async () => ({ ...report, notes: ["locks could not be looked at"] });
    const { stdout, stderr } = await run("convert disk.qed qcow2", { convert: noted });
    expect(stderr).toBe("Note: locks could not be looked at\n");
    expect(stdout).not.toContain("locks");
    expect((await run("convert disk.qed qcow2 -q", { convert: noted })).stderr).toBe("");
  });

  test("-o help lists the target's options, with an image or without", async () => {
    const targetOptions = () =>
      [
        { name: "cluster_size", kind: "size", help: "size of a cluster" },
        { name: "compat", kind: "choice", choices: ["0.10", "1.1"], help: "compatibility level" },
        { name: "lazy_refcounts", kind: "boolean", help: "postpone refcount updates" },
      ] as const;
    for (const words of [
      "convert -o help qcow2",
      "convert disk.qed qcow2 -o help",
      "plan qcow2 -o cluster_size=1M,?",
    ]) {
      const { exitCode, stdout, calls } = await run(words, { targetOptions });
      expect(exitCode).toBe(0);
      expect(stdout).toContain("Supported qcow2 options:\n  cluster_size=<size> ");
      expect(stdout).toContain("compat=<0.10|1.1> ");
      expect(stdout).toContain("lazy_refcounts=<on/off> ");
      expect(calls).toEqual([["targetOptions", "qcow2"]]);
    }
  });
});

describe("compact", () => {
  const compacted = async () =>
    ({ ...report, image: "a", sourceFormat: "qcow2", path: [{ step: "rearrange", goal: "compact" }] }) as const;

  test("hands its options on, and says compacted", async () => {
    const words = "compact a -f qcow2 -S 4k --checksum none --no-check --keep-undo --max-extra-space 1M --journal j";
    const { exitCode, stdout, calls } = await run(words, { compact: compacted, unfinished: async () => "none" });
    expect({ exitCode, calls: calls[0] }).toEqual({
      exitCode: 0,
      calls: [
        "compact",
        "a",
        {
          signal: expect.any(AbortSignal),
          format: "qcow2",
          sparseSize: 4096,
          checksum: "none",
          check: false,
          keepUndo: true,
          maxExtraSpace: 1024 ** 2,
          journal: "j",
        },
      ],
    });
    expect(stdout).toContain("a: qcow2 compacted, in place\n");
    expect((await run("compact a", { compact: async () => ({ ...report, changed: false }) })).stdout).toBe(
      "disk.qed is compact already: nothing to do\n",
    );
  });

  test("a way back that was kept is told as what it is", async () => {
    const { stderr } = await run("compact a --keep-undo", { compact: compacted, unfinished: async () => "undo" });
    expect(stderr).toContain("\nTo get the same guest as qcow2 again:\n  inplace-convert rollback a\n");
  });

  test("takes none of what another format needs", async () => {
    for (const word of ["-c", "--keep-leaks", "--dry-run", "--no-compact", "--drop"]) {
      const { exitCode, calls } = await run(`compact a ${word}`, { compact: compacted });
      expect({ word, exitCode, calls }).toEqual({ word, exitCode: 2, calls: [] });
    }
  });
});

describe("failures", () => {
  test("a refusal exits 1, gives all reasons and says that nothing happened", async () => {
    const details = { path: "disk.qed", hostOffset: 64, reasons: ["it has 2 snapshots", "it is encrypted"] };
    const error = new ImageError("unsupported", "Cannot convert disk.qed to qed", details);
    const human = await run("convert disk.qed qed", failing(error));
    expect(human.exitCode).toBe(1);
    expect(human.stdout).toBe("");
    expect(human.stderr).toBe(
      "inplace-convert: Cannot convert disk.qed to qed\n  - it has 2 snapshots\n  - it is encrypted\nThe image is as it was\n",
    );
    const json = JSON.parse((await run("convert disk.qed qed --output json", failing(error))).stdout);
    expect(json).toEqual({
      error: {
        kind: "unsupported",
        message: "Cannot convert disk.qed to qed; The image is as it was",
        path: "disk.qed",
        "host-offset": 64,
      },
      refused: ["it has 2 snapshots", "it is encrypted"],
    });
  });

  test("plan of what is refused exits 1 and prints plan, error and refused", async () => {
    const plan = async () => ({
      report: { ...report, changed: false, refused: ["it has 2 snapshots"] },
      text: "plan",
      refusals: [],
    });
    const human = await run("plan disk.qed qed", { plan });
    expect(human).toMatchObject({ exitCode: 1, stdout: "plan\n" });
    expect(human.stderr).toContain("Cannot convert disk.qed to qed: it has 2 snapshots");
    const { exitCode, stdout } = await run("plan disk.qed qed --output json", { plan });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ refused: ["it has 2 snapshots"], error: { kind: "unsupported" } });
  });

  test("an interruption exits 4 and gives the commands as this program was called", async () => {
    const error = new ImageError("interrupted", say`Interrupted; run ${command("resume", "a")} to finish`, {
      path: "a",
      journal: "a.inplace-journal",
    });
    const called = "Interrupted; run node dist/cli.mjs resume a to finish";
    const human = await run("convert a qcow2", failing(error), { invocation: "node dist/cli.mjs" });
    expect(human).toMatchObject({ exitCode: 4, stderr: `inplace-convert: ${called}\n` });
    const json = await run("convert a qcow2 --output json", failing(error), { invocation: "node dist/cli.mjs" });
    expect(json.exitCode).toBe(4);
    expect(JSON.parse(json.stdout)).toEqual({
      error: { kind: "interrupted", message: called, path: "a", journal: "a.inplace-journal" },
    });
  });

  test("an interruption before the first write exits 1, as anything does after which nothing is left to go on with", async () => {
    const { exitCode, stderr } = await run("convert a qcow2", failing(new ImageError("interrupted", "Stopped")));
    expect(exitCode).toBe(1);
    expect(stderr).toBe("inplace-convert: Stopped\nThe image is as it was\n");
    const resume = failing(new ImageError("interrupted", "Stopped")).convert;
    expect((await run("checksum a", { checksum: resume })).exitCode).toBe(1);
    expect((await run("compare a b", { compare: resume })).exitCode).toBe(2);
  });

  test("the commands that go on stand on lines of their own, as the library words them", async () => {
    const journal = { path: "a.inplace-journal", work: { undoGivenUp: false } } as Journal;
    const stopped = new ImageError("interrupted", "Stopped while settling a b, as asked");
    const both = await run("convert x qcow2", failing(leavingJournal("a b", journal, stopped)), { invocation: "./ic" });
    expect(both).toMatchObject({ exitCode: 4, stdout: "" });
    expect(both.stderr.split("\n")).toEqual([
      "inplace-convert: Stopped while settling a b, as asked; the image is whole and its journal stands",
      "To finish:",
      "  ./ic resume 'a b'",
      "To put the image back as it was:",
      "  ./ic rollback 'a b'",
      "",
    ]);
    const late = { ...journal, work: { undoGivenUp: true } } as Journal;
    const one = await run("convert x qcow2", failing(leavingJournal("a b", late, stopped)));
    expect(one.stderr).toContain("stands\nTo finish:\n  inplace-convert resume 'a b'\n");
    expect(one.stderr).not.toContain("rollback");
  });

  test("any failure that leaves the journal exits 4", async () => {
    const error = new ImageError("io", "Cannot sync", { journal: "a.inplace-journal" });
    const { exitCode, stderr } = await run("convert a qcow2", failing(error));
    expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: "inplace-convert: Cannot sync\n" });
  });

  test("a conversion that was put back says so once", async () => {
    const error = new ImageError("verification-failed", "Cannot trust it; the image was put back as it was", {
      rolledBack: true,
    });
    const { exitCode, stderr, stdout } = await run("convert a qcow2 --output json", failing(error));
    expect(exitCode).toBe(1);
    expect(stderr).toBe("inplace-convert: Cannot trust it; the image was put back as it was\n");
    expect(JSON.parse(stdout)).toMatchObject({ error: { kind: "verification-failed", "rolled-back": true } });
  });

  test("names steer no terminal, in text and in JSON", async () => {
    const error = new ImageError("corrupt", "Cannot follow \x1b]0;pwned\x07\u009b2J\u202egpj.exe\n::error::");
    const { stdout, stderr } = await run("convert a qcow2 --output json", failing(error));
    for (const text of [stdout, stderr]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    }
    expect(stderr).toContain("\\x1b]0;pwned\\x07");
  });

  test("a usage error of the library exits 2", async () => {
    const { exitCode, stderr } = await run("convert a qcow2", failing(new UsageError("Cannot use option x for qcow2")));
    expect(exitCode).toBe(2);
    expect(stderr).toBe("inplace-convert: Cannot use option x for qcow2\n");
  });

  test("a defect is two sentences, and has its trace with --debug alone", async () => {
    const defect = new TypeError("x is not a function", { cause: new Error("deeper") });
    const unfinished = async () => "none" as const;
    const { exitCode, stderr } = await run("convert a qcow2", { ...failing(defect), unfinished });
    expect(exitCode).toBe(1);
    expect(stderr.split("\n")).toEqual([
      "inplace-convert: A defect in this program: x is not a function",
      "Please report it, with what the same command says with --debug",
      "",
    ]);
    const traced = await run("convert a qcow2 --debug", { ...failing(defect), unfinished });
    expect(traced.stderr).toMatch(/x is not a function[\s\S]*\n {4}at [\s\S]*deeper\n {4}at /);
    expect((await run("convert a --foo --debug")).stderr).toMatch(/\n {4}at /);
  });

  test("a defect in the middle of a conversion names the way on that lies beside the image", async () => {
    const unfinished = async () => "open" as const;
    const { stderr } = await run("convert a qcow2", { ...failing(new TypeError("x")), unfinished });
    expect(stderr).toContain("\nThe image is whole and its journal stands\nTo finish:\n  inplace-convert resume a\n");
  });

  test("what nobody caught is told as a defect, while the command may still go on", async () => {
    const uncaught = Promise.reject(new RangeError("from a timer"));
    const convert = () => new Promise<never>(() => {});
    const { exitCode, stderr } = await run("convert a qcow2", { convert }, { uncaught });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^inplace-convert: A defect in this program: from a timer\n/);
    expect(stderr).not.toContain("    at ");
  });
});

describe("a result that can't be written out", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  const closed = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });

  test("makes 5 of 0, in one sentence", async () => {
    for (const [words, answers] of [
      ["convert a qcow2", { convert }],
      ["info a", { info }],
      ["--version", {}],
    ] as const) {
      const { exitCode, stderr } = await run(words, answers, { loss: full });
      expect(exitCode).toBe(5);
      expect(stderr).toBe(
        "inplace-convert: The work is done, but its result could not be written out: no space is left there (ENOSPC)\n",
      );
    }
  });

  test("leaves every other code as it is", async () => {
    const error = new ImageError("corrupt", "Cannot follow it");
    const { exitCode, stderr } = await run("convert a qcow2 --output json", failing(error), { loss: full });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      "\ninplace-convert: The result could not be written out: no space is left there (ENOSPC)\n",
    );
    expect(stderr).not.toContain("is done");
  });

  test("since its reader has gone is nothing to a command that reads, and 5 to one that writes", async () => {
    expect(await run("info a", { info }, { loss: closed })).toMatchObject({ exitCode: 0, stderr: "" });
    const dry = { plan: async () => ({ report, text: "", refusals: [] }) };
    expect(await run("convert a qcow2 --dry-run", dry, { loss: closed })).toMatchObject({ exitCode: 0, stderr: "" });
    const written = await run("convert a qcow2", { convert }, { loss: closed });
    expect(written.exitCode).toBe(5);
    expect(written.stderr).toContain("nobody reads it any more (EPIPE)");
  });
});

describe("suggestions", () => {
  test("never name a command that writes", async () => {
    for (const word of ["convrt", "converts", "resum", "rolback", "set-map", "setmpa", "conver"]) {
      const { exitCode, stderr } = await run(`${word} a b`);
      expect(exitCode).toBe(2);
      expect(stderr).not.toMatch(/\b(convert|resume|rollback|setmap|compact)\b(?<!inplace-convert)/);
    }
  });

  test("name the others, and options", async () => {
    expect((await run("chekc a")).stderr).toContain("(did you mean check?)");
    expect((await run("inf a")).stderr).toContain("(did you mean info?)");
    expect((await run("info a --outptu json")).stderr).toContain("(did you mean --output?)");
  });
});

describe("qemu-img's long options mean what its short ones do", () => {
  test.each([
    [
      "convert a qcow2 -f qed -o cluster_size=1M -q",
      "convert a qcow2 --source-format qed --target-format-options cluster_size=1M --quiet",
      { convert },
    ],
    ["convert a qcow2 -f qed", "convert a qcow2 --format=qed", { convert }],
    ["convert a qcow2 -p", "convert a qcow2 --progress", { convert }],
    ["check a -f qed -T none -U -q", "check a --format qed --cache none --force-share --quiet", {}],
    ["check a -T none", "check a --cache=none", {}],
    [
      "compare a b -f qed -F qcow2 -T none -U -q",
      "compare a b --a-format qed --b-format qcow2 --cache none --force-share --quiet",
      {},
    ],
    ["compare a b -f qed", "compare a b --format qed", {}],
    ["info a -f qed -t none -U", "info a --format qed --cache none --force-share", {}],
    ["map a -f qed -U", "map a --format qed --force-share", {}],
    [
      "plan a qcow2 -U",
      "plan a qcow2 --force-share",
      { plan: async () => ({ report: { ...report, changed: false }, text: "", refusals: [] }) },
    ],
    ["checksum a -U", "checksum a --force-share", {}],
  ])("%s", async (short, long, answers) => {
    const [one, other] = [await run(short, answers), await run(long, answers)];
    expect(one.calls).toHaveLength(1);
    // Without the signal and the function that draws progress, which are each run's own.
    expect(JSON.stringify(other.calls)).toEqual(JSON.stringify(one.calls));
    expect([other.stdout, other.stderr]).toEqual([one.stdout, one.stderr]);
  });

  test("a wrong cache mode is refused in its words", async () => {
    expect((await run("compare a b -T some")).stderr).toContain("Invalid source cache option: some");
  });
});

describe("wrong usage exits 2", () => {
  const wrong = {
    "no command": "",
    "an unknown command": "convrt disk.qed qcow2",
    "an unknown option": "convert disk.qed qcow2 --foo",
    "an unknown value": "convert disk.qed qcow2 --verify some",
    "an unknown output": "info disk.qed --output yaml",
    "a missing image": "convert",
    "a missing format": "convert disk.qed",
    "a missing second image": "compare a",
    "too many words": "info a b",
    "a bad -o": "convert disk.qed qcow2 -o =5",
    "a bad size": "convert disk.qed qcow2 --max-extra-space 5x",
    "a bad checksum": "convert disk.qed qcow2 --guest-checksum sha256:12",
    "a bad algorithm": "checksum disk.qed --checksum md5",
    "a target option where there is no target": "rollback disk.qed -o cluster_size=64k",
    "setmap without consent": "setmap disk.qed 0 0 64k",
    "setmap with a bad offset": "setmap disk.qed zero 0 64k --yes",
  };
  for (const [what, words] of Object.entries(wrong)) {
    test(what, async () => {
      const { exitCode, stdout, stderr, calls } = await run(words);
      expect({ exitCode, stdout, calls }).toEqual({ exitCode: 2, stdout: "", calls: [] });
      expect(stderr).not.toBe("");
      expect(stderr).not.toMatch(/\n {4}at /);
    });
  }

  test("as JSON where that was asked for", async () => {
    for (const words of ["info --output json", "info x --output=json --foo"]) {
      const { exitCode, stdout } = await run(words);
      expect(exitCode).toBe(2);
      expect(JSON.parse(stdout)).toMatchObject({ error: { kind: "usage", message: expect.any(String) } });
    }
  });
});

describe("the other commands", () => {
  test("resume and rollback print what became of the image", async () => {
    const resume = async () => ({
      image: "a",
      format: "qcow2",
      outcome: "resumed" as const,
      message: "a is qcow2 now",
      notes: ["nothing is known of the disk"],
    });
    expect(await run("resume a", { resume })).toMatchObject({
      exitCode: 0,
      stdout: "a is qcow2 now\n",
      stderr: "Note: nothing is known of the disk\n",
    });
    const { stdout } = await run("resume a --output json", { resume });
    expect(JSON.parse(stdout)).toEqual(await resume());
  });

  test("resume ends with what to do next, as convert does: the new name, or the way back that it kept", async () => {
    const resume = async () => ({
      image: "disk.qed",
      sourceFormat: "qed",
      format: "qcow2",
      outcome: "resumed" as const,
      message: "disk.qed is qcow2",
      notes: [],
    });
    const finished = await run("resume disk.qed", { resume, unfinished: async () => "none" as const });
    expect(finished.stdout).toBe("disk.qed is qcow2\n  to rename   mv -n disk.qed disk.qcow2\n");
    expect(finished.stderr).toBe("");
    const kept = await run("resume disk.qed", { resume, unfinished: async () => "undo" as const });
    expect(kept.stdout).toBe("disk.qed is qcow2\n");
    expect(kept.stderr).toContain("kept as disk.qed.inplace-undo");
    expect(kept.stderr).toContain("\nTo roll back:\n  inplace-convert rollback disk.qed\n");
    const quiet = await run("resume disk.qed -q", { resume, unfinished: async () => "undo" as const });
    expect([quiet.stdout, quiet.stderr]).toEqual(["", ""]);
  });

  test("nothing to resume exits 1, and the image is as it was", async () => {
    const resume = async () => {
      throw new ImageError("unsupported", "Nothing to resume: no conversion of a is open", { path: "a" });
    };
    const { exitCode, stdout, stderr } = await run("resume a --output json", { resume });
    expect(exitCode).toBe(1);
    expect(stderr).toBe("inplace-convert: Nothing to resume: no conversion of a is open\nThe image is as it was\n");
    expect(JSON.parse(stdout)).toMatchObject({ error: { kind: "unsupported", path: "a" } });
  });

  test("checksum prints DIGEST  NAME, on one line whatever the name", async () => {
    const answer = { image: "a\nb", algorithm: "sha256", covers: "guest", checksum: "00ff" } as const;
    const checksum = async () => answer;
    const { stdout, calls } = await run("checksum a --checksum sha256 -q", { checksum });
    expect(stdout).toBe("\\00ff  a\\nb\n");
    expect(calls[0]?.[2]).toMatchObject({ algorithm: "sha256" });
    expect(JSON.parse((await run("checksum a --output json", { checksum })).stdout)).toEqual(answer);
  });

  test("compare exits 0, 1, and 2 for an error", async () => {
    const answer = {
      identical: false,
      firstDifference: 512,
      sizes: [1024, 1024],
      message: "Content mismatch",
    } as const;
    const differ = await run("compare -f raw a -F qcow2 b", { compare: async () => answer });
    expect(differ).toMatchObject({ exitCode: 1, stdout: "Content mismatch\n" });
    expect(differ.calls[0]?.slice(0, 3)).toEqual(["compare", "a", "b"]);
    expect(differ.calls[0]?.[3]).toMatchObject({ formatA: "raw", formatB: "qcow2" });
    const same = { ...answer, identical: true, message: "Images are identical." };
    expect(await run("compare a b", { compare: async () => same })).toMatchObject({ exitCode: 0 });
    const compare = async () => {
      throw new ImageError("io", "Cannot open a");
    };
    expect(await run("compare a b", { compare })).toMatchObject({ exitCode: 2 });
  });

  test("info and map print qemu-img's JSON as it is", async () => {
    const { stdout } = await run("info a --output json", { info });
    expect(JSON.parse(stdout)).toEqual({
      "virtual-size": 512,
      filename: "a",
      format: "qcow2",
      "cluster-size": 65536,
      "format-specific": {
        type: "qcow2",
        data: { compat: "1.1", "compression-type": "zlib", "lazy-refcounts": true, "refcount-bits": 16 },
      },
      "dirty-flag": false,
      children: [],
    });
    expect((await run("info a", { info })).stdout).toContain("    lazy refcounts: true\n");
    const entry = { start: 0, length: 512, depth: 0, present: false, zero: true, data: false, compressed: false };
    const entries = [entry, { ...entry, start: 512 }];
    const map = async () => ({ image: "a", covers: "guest" as const, files: ["a"], entries });
    expect((await run("map a", { map })).stdout).toBe("Offset          Length          Mapped to       File\n");
    const lines = (await run("map a --output json", { map })).stdout;
    expect(lines.split("\n").length).toBe(3);
    expect(JSON.parse(lines)).toEqual([entry, { ...entry, start: 512 }]);
  });

  test("info --backing-chain tells of each image, in JSON as a list", async () => {
    const infoChain = async () => [await info(), { ...(await info()), filename: "b" }];
    const human = await run("info --backing-chain a", { infoChain });
    expect(human.stdout).toMatch(/^image: a\nfile format: qcow2\n[\s\S]*[^\n]\n\nimage: b\nfile format[\s\S]*[^\n]\n$/);
    expect(human.calls[0]?.slice(0, 2)).toEqual(["infoChain", "a"]);
    const json = JSON.parse((await run("info --backing-chain a --output json", { infoChain })).stdout);
    expect(json).toMatchObject([{ filename: "a", "virtual-size": 512 }, { filename: "b" }]);
  });

  test("-o help where no image is opened by it lists nothing", async () => {
    const [command, says] = ["rollback -o help", "rollback takes no -o options\n"];
    expect(await run(command)).toMatchObject({ exitCode: 0, stdout: says, calls: [] });
    expect((await run("compare a b -o size_from=chs")).exitCode).toBe(2);
  });

  test.each(["info", "map", "checksum", "check"])("%s takes -o of its source", async (command) => {
    const sourceOptions = () => [{ name: "size_from", kind: "choice", choices: ["a", "b"], help: "which" } as const];
    const help = await run(`${command} -o help`, { sourceOptions });
    expect(help.stdout).toBe(`Supported ${command} options:\n  size_from=<a|b>       - which\n`);
    expect(help.calls).toEqual([["sourceOptions"]]);
    const stop = async () => Promise.reject(new UsageError("stop"));
    const asked = (await run(`${command} a -o size_from=b`, { [command]: stop })).calls;
    expect(asked).toMatchObject([[command, "a", { options: { size_from: "b" } }]]);
    expect((await run(`${command} a`, { [command]: stop })).calls[0]?.[2]).not.toHaveProperty("options");
  });

  test("setmap reads sizes and addresses", async () => {
    const range = { guestOffset: 65536, hostOffset: 0x50000, length: 131072 };
    const setmap = async () => ({ image: "a", ...range, notes: ["nothing is known of the disk"] });
    const { exitCode, calls, stderr } = await run("setmap a 64k 0x50000 128k --yes", { setmap });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "Note: nothing is known of the disk\n" });
    expect(calls[0]?.slice(0, 5)).toEqual(["setmap", "a", 65536, 0x50000, 131072]);
  });

  test("raw is handed on as it was said, vhd as vpc", async () => {
    expect((await run("info a -f raw", { info })).calls[0]?.[2]).toMatchObject({ format: "raw" });
    expect((await run("info a -f vhd", { info })).calls[0]?.[2]).toMatchObject({ format: "vpc" });
  });
});

describe("help and version", () => {
  test("--version, everywhere", async () => {
    for (const words of ["--version", "-V", "convert --version", "check -V", "demo --version"]) {
      const { exitCode, stdout } = await run(words);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^inplace-convert \d+\.\d+\.\d+\n$/);
    }
  });

  test("-h of every command has an example", async () => {
    const { stdout } = await run("-h");
    const names = ["convert", "plan", "resume", "rollback", "checksum", "compare", "info", "map", "setmap", "demo"];
    for (const name of names) {
      expect(stdout).toContain(`\n  ${name} `);
      const help = await run(`${name} -h`);
      expect(help.exitCode).toBe(0);
      expect(help.stdout).toContain(`Example:\n  inplace-convert ${name}`);
    }
  });

  test("--help has that and the exit codes of the command, -h says so", async () => {
    for (const name of ["", ...commands.map((each) => each.name)]) {
      const [short, long] = [await run(`${name} -h`), await run(`${name} --help`)];
      expect([name, long.exitCode, long.stdout.includes("Example:\n  inplace-convert ")]).toEqual([name, 0, true]);
      expect(long.stdout).toMatch(/\nExit codes:\n {2}0 {3}\S/);
      expect(short.stdout).not.toContain("Exit codes");
      expect(short.stdout).toContain(" --help tells ");
    }
    expect((await run("help check")).stdout).toMatch(/\n {2}3 {3}leaks only\n[\s\S]*\n {2}63 {2}no check/);
    expect((await run("compare --help")).stdout).toContain("\n  1   they differ\n");
    expect((await run("convert --help")).stdout).toContain("\n  4   interrupted");
    expect((await run("info --help")).stdout).not.toContain("\n  4 ");
  });
});

describe("Ctrl-C", () => {
  for (const name of ["SIGINT", "SIGTERM"]) {
    test(`${name} aborts what the library does and gives the process its signals back`, async () => {
      const process = new EventEmitter();
      let wasAborted: boolean | undefined;
      const { exitCode, stderr } = await run(
        "convert a qcow2",
        {
          async convert(_path, _format, options) {
            wasAborted = options?.signal?.aborted;
            process.emit(name);
            expect(options?.signal?.aborted).toBe(true);
            // A second one must find the default again, which ends the process.
            expect(process.listenerCount("SIGINT") + process.listenerCount("SIGTERM")).toBe(0);
            throw new ImageError("interrupted", "Interrupted", { journal: "a.inplace-journal" });
          },
        },
        { signals: process },
      );
      expect(wasAborted).toBe(false);
      expect(exitCode).toBe(4);
      expect(stderr).toMatch(/^Stopping at the next safe point.*\n.*Interrupted\n$/);
    });
  }

  test("a run without one leaves no listener behind", async () => {
    const process = new EventEmitter();
    await run("convert a qcow2", { convert }, { signals: process });
    expect(process.eventNames()).toEqual([]);
  });
});
