/** The evidence of conversions, written by the action: that its digests are those of the files and the guests. */

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PREDICATE_TYPE } from "../../src/action/report/predicate.ts";
import { statementMistakes } from "../support/in-toto.ts";
import { leakOne } from "./broken-images.ts";
import { Runner } from "./runner.ts";

const QCOW2 = { "target-format": "qcow2", checksum: "sha256" } as const;

function predicateIn(runner: Runner, name: string) {
  return JSON.parse(readFileSync(runner.path(name), "utf8"));
}

/** As actions/attest reads a list of checksums. */
function subjectsIn(runner: Runner, name: string) {
  const lines = readFileSync(runner.path(name), "utf8").trimEnd().split("\n");
  return lines.map((line) => ({ name: line.slice(66), digest: { sha256: line.slice(0, 64) } }));
}

test("two images: what came, what is there, and that the guest is the same", async () => {
  const runner = new Runner();
  const guests = [runner.makeImage("build/a.qed", "qed", 7), runner.makeImage("build/b.qed", "qed", 9)];
  const came = ["a", "b"].map((name) => runner.sha256(`build/${name}.qed`));
  const { exitCode, outputs } = await runner.main({
    image: "build/*.qed",
    ...QCOW2,
    predicate: "build/predicate.json",
    sha256sums: "build/SHA256SUMS",
  });
  expect(exitCode).toBe(0);
  expect(outputs).toMatchObject({ predicate: "build/predicate.json", "predicate-type": PREDICATE_TYPE });
  const predicate = predicateIn(runner, "build/predicate.json");
  expect(predicate.images).toMatchObject(
    ["a", "b"].map((name, index) => ({
      source: { name: `${name}.qed`, digest: { sha256: came[index] }, format: "qed" },
      result: { name: `${name}.qcow2`, digest: { sha256: runner.sha256(`build/${name}.qcow2`) }, format: "qcow2" },
      guest: {
        size: 8 * 1024 * 1024,
        covers: "guest",
        digestBefore: { sha256: guests[index] },
        digestAfter: { sha256: guests[index] },
        changes: [],
      },
      checks: { before: { corruptions: 0, leaks: 0 }, after: { corruptions: 0, leaks: 0 } },
      changed: true,
    })),
  );
  const subject = subjectsIn(runner, "build/SHA256SUMS");
  expect(subject).toEqual(
    predicate.images.map(({ result: { name, digest } }: (typeof predicate.images)[0]) => ({ name, digest })),
  );
  const statement = { _type: "https://in-toto.io/Statement/v1", subject, predicateType: PREDICATE_TYPE, predicate };
  expect(statementMistakes(statement)).toEqual([]);
});

test("the source is the file as it came: before its repair, or as it stays", async () => {
  const runner = new Runner();
  runner.makeImage("leaky.qcow2", "qcow2");
  leakOne(runner.path("leaky.qcow2"));
  const [leaky] = [runner.sha256("leaky.qcow2")];
  const inputs = { ...QCOW2, "target-format": "qed", repair: "all", predicate: "p.json" } as const;
  expect(await runner.main({ ...inputs, image: "leaky.qcow2" })).toMatchObject({ exitCode: 0 });
  const [repaired] = predicateIn(runner, "p.json").images;
  expect(repaired).toMatchObject({ source: { digest: { sha256: leaky } }, repair: { leaksFixed: 1 }, changed: true });

  const now = runner.sha256("leaky.qed");
  expect(await runner.main({ ...inputs, image: "leaky.qed" })).toMatchObject({ exitCode: 0 });
  const [kept] = predicateIn(runner, "p.json").images;
  expect(kept).toMatchObject({
    source: { name: "leaky.qed", digest: { sha256: now } },
    result: { name: "leaky.qed", digest: { sha256: now } },
    changed: false,
  });
});

test("an image of several files has them all in it", async () => {
  const runner = new Runner();
  runner.makeImage("disk.raw", "raw");
  const raw = runner.sha256("disk.raw");
  const vmdk = { "target-format": "vmdk", options: "subformat=monolithicFlat" };
  const { exitCode } = await runner.main({ image: "disk.raw", "source-format": "raw", ...vmdk, predicate: "p.json" });
  expect(exitCode).toBe(0);
  expect(predicateIn(runner, "p.json").images).toMatchObject([
    {
      source: { name: "disk.raw", digest: { sha256: raw } },
      result: {
        name: "disk.vmdk",
        digest: { sha256: runner.sha256("disk.vmdk") },
        furtherFiles: [{ name: "disk.raw", digest: { sha256: runner.sha256("disk.raw") } }],
      },
    },
  ]);
});

test("a step that fails, and a dry run, write none", async () => {
  const runner = new Runner();
  runner.makeImage("a.qed", "qed");
  const dry = await runner.main({ image: "a.qed", ...QCOW2, predicate: "p.json", "dry-run": "true" });
  expect(dry.exitCode).toBe(0);
  writeFileSync(runner.path("b.qed"), "noise");
  const failed = await runner.main({ image: "*.qed", ...QCOW2, predicate: "p.json" });
  expect(failed.exitCode).toBe(1);
  for (const { outputs } of [dry, failed]) expect(outputs).not.toHaveProperty("predicate");
  expect(runner.names).toEqual(["a.qcow2", "b.qed"]);
});
