import { describe, expect, test } from "vitest";
import type { CheckOptions, CheckReport, Finding } from "../../../src/index.ts";
import { run } from "./world.ts";

const clean: CheckReport = {
  image: "disk.qcow2",
  format: "qcow2",
  verdict: "clean",
  exitCode: 0,
  changed: false,
  corruptions: 0,
  leaks: 0,
  checkErrors: 0,
  warnings: 0,
  leaksFixed: 0,
  corruptionsFixed: 0,
  imageEndOffset: 262144,
  totalClusters: 16,
  allocatedClusters: 0,
  fragmentedClusters: 0,
  compressedClusters: 0,
  findings: [],
  losses: [],
  givenUp: [],
  json: { filename: "disk.qcow2", "check-errors": 0 },
  fixedText: "",
  text: "No errors were found on the image.\n",
  bytesWritten: 0,
  syncs: 0,
  milliseconds: {},
  notes: [],
};

const finding: Finding = {
  severity: "leak",
  kind: "leaked-cluster",
  structure: "cluster 5",
  message: "Cluster 5 has refcount 1, but 0 references",
  line: "Leaked cluster 5 refcount=1 reference=0",
};

const answering =
  (report: CheckReport, findings: readonly Finding[] = []) =>
  async (_path: string, options: CheckOptions = {}) => {
    for (const each of findings) options.onFinding?.(each);
    return report;
  };

describe("check", () => {
  test("prints qemu-img's text, the findings on stderr, and exits as qemu-img does", async () => {
    const check = answering({ ...clean, verdict: "leaks", exitCode: 3, text: "1 leaked\n" }, [
      finding,
      { ...finding, line: "" },
    ]);
    const { exitCode, stdout, stderr } = await run("check disk.qcow2", { check });
    expect([exitCode, stdout, stderr]).toEqual([3, "1 leaked\n", `${finding.line}\n\n`]);
  });

  test("a finding that qemu-img has no line for is told in ours", async () => {
    const { line: _, ...own } = finding;
    const { stderr } = await run("check disk.qcow2", { check: answering(clean, [own]) });
    expect(stderr).toBe(`${finding.message}\n`);
  });

  test("JSON is the report's", async () => {
    const { stdout } = await run("check --output=json disk.qcow2", { check: answering(clean) });
    expect(JSON.parse(stdout)).toEqual(clean.json);
  });

  test("-q leaves the exit code and what went wrong", async () => {
    const { stdout, stderr } = await run("check -q disk.qcow2", { check: answering(clean, [finding]) });
    expect([stdout, stderr]).toEqual(["", `${finding.line}\n`]);
  });

  test("a format without a check exits 63", async () => {
    const check = answering({ ...clean, verdict: "unsupported", exitCode: 63 });
    const { exitCode, stdout, stderr } = await run("check -f raw disk.raw", { check });
    expect([exitCode, stdout]).toEqual([63, ""]);
    expect(stderr).toContain("This image format does not support checks");
  });

  test("what a repair would lose is named with the option that allows it", async () => {
    const losses = ["L2 entry for guest offset 0x0 points outside the file"];
    const { stderr } = await run("check -r all disk.qcow2", { check: answering({ ...clean, losses }) });
    expect(stderr).toContain(`${losses[0]}; --allow-data-loss`);
    const forGood = await run("check -r all x", { check: answering({ ...clean, losses, beyondRepair: losses }) });
    expect(forGood.stderr).toContain(`Left alone: ${losses[0]}\n`);
  });

  test.each([
    ["-r leaks", { repair: "leaks" }],
    [
      "--repair=all --allow-data-loss --keep-undo --journal j",
      { repair: "all", allowDataLoss: true, keepUndo: true, journal: "j" },
    ],
    ["-U", { forceShare: true }],
    ["--force-share", { forceShare: true }],
    ["-T none --object secret,id=s,data=x -f qcow2", { format: "qcow2" }],
  ])("%s is handed on", async (words, expected) => {
    const { calls, exitCode } = await run(`check ${words} disk.qcow2`, { check: answering(clean) });
    expect(exitCode).toBe(0);
    const [[, path, given] = []] = calls;
    const { signal: _, onFinding: __, ...options } = given as Record<string, unknown>;
    expect([path, options]).toEqual(["disk.qcow2", expected]);
  });

  test.each([
    ["driver=qcow2,file.filename=a,,b.img", "a,b.img", "qcow2"],
    ["file.filename=disk,file.driver=file", "disk", undefined],
    ["driver=qcow2,filename=disk,encrypt.key-secret=s", "disk", "qcow2"],
  ])("--image-opts %s", async (words, path, format) => {
    const { calls } = await run(`check --image-opts ${words}`, { check: answering(clean) });
    const [[, given, options] = []] = calls;
    expect([given, (options as CheckOptions).format]).toEqual([path, format]);
  });

  test.each([
    "check",
    "check a b",
    "check -r some disk",
    "check -r disk",
    "check -U -r leaks disk",
    "check -T some disk",
    "check --image-opts driver=qcow2",
    "check --image-opts -f qcow2 file.filename=disk",
    "check --image-opts driver=qcow2,file.filename=disk,nonsense=1",
    "check --image-opts driver=qcow2,file.driver=nbd,file.filename=disk",
    "check --nonsense disk",
    "check --output=xml disk",
  ])("%s exits 1, since 2 says that an image is corrupt", async (words) => {
    const { exitCode, stderr, calls } = await run(words, { check: answering(clean) });
    expect([exitCode, calls.length]).toEqual([1, 0]);
    expect(stderr).toMatch(/^inplace-convert: /);
  });

  test("an image in the place of what -r is to do is told as such", async () => {
    const { stderr } = await run("check -r disk", { check: answering(clean) });
    expect(stderr).toContain("Unknown option value for -r (expecting 'leaks' or 'all'): disk");
  });
});
