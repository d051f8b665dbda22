/** What the page on JSON declares and what commands print: a field that either lacks fails. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHECK, CONVERSION, type Field, type Fields, FORMAT_SPECIFIC } from "../../scripts/reference/json-fields.ts";
import { type Heading, printedFields } from "../../scripts/reference/json-page.ts";
import { writeReport } from "../../src/action/report/report-file.ts";
import type { StepResult } from "../../src/action/results/step-result.ts";
import type { Library } from "../../src/cli/library.ts";
import * as library from "../../src/index.ts";
import { buildQcow2Image, type Qcow2ImageDescription } from "../formats/qcow2/builder.ts";
import { gptDisk } from "../support/gpt-disk.ts";
import { checked, conversion, result, step } from "../support/step-results.ts";
import { report, run } from "./cli/world.ts";

const folder = mkdtempSync(join(tmpdir(), "inplace-convert-reference-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Each command's JSON, by the heading that tells of it. */
const printed = new Map<Heading | `info of ${string}`, unknown[]>();

/** `@` before a name stands for the folder. */
async function print(heading: Heading, words: string, answers: Partial<Library> = library): Promise<void> {
  const { stdout, stderr } = await run(
    `${words} --output json`.split(" ").map((word) => word.replace(/^@/, `${folder}/`)),
    answers,
  );
  expect(stdout, stderr).not.toBe("");
  const json: unknown = JSON.parse(stdout);
  const values = Array.isArray(json) ? json : [json];
  printed.set(heading, [...(printed.get(heading) ?? []), ...values]);
  const { format, "format-specific": specific } = values[0] as {
    format?: string;
    "format-specific"?: { data: unknown };
  };
  if (heading !== "info" || specific === undefined) return;
  const name = `info of ${format}` as const;
  printed.set(name, [...(printed.get(name) ?? []), specific.data]);
}

function raw(name: string): void {
  writeFileSync(join(folder, name), Buffer.alloc(1 << 20).fill("disk", 1024, 200_000));
}

interface Damage {
  readonly leaks?: boolean;
  readonly lostCount?: boolean;
  readonly strayEntry?: boolean;
  /** Guest data and the L1 table in one cluster, counted as two. */
  readonly isShared?: boolean;
  readonly isEncrypted?: boolean;
}

function qcow2(name: string, description: Damage & Qcow2ImageDescription): void {
  const { leaks, lostCount, strayEntry, isShared, isEncrypted, ...rest } = description;
  const { bytes, at } = buildQcow2Image(rest);
  const file = Buffer.concat([bytes, Buffer.alloc(leaks ? at.clusterSize : 0)]);
  const countOf = (place: number) => at.refcountBlock + (2 * place) / at.clusterSize;
  if (leaks) file.writeUInt16BE(1, countOf(at.end));
  if (lostCount) file.writeUInt16BE(0, countOf(at.data));
  if (strayEntry) file.writeBigUInt64BE(1n << 40n, at.l2 + 64);
  if (isShared) {
    file.writeUInt16BE(2, countOf(at.l1));
    file.writeBigUInt64BE(BigInt(at.l1), at.l2 + 64);
  }
  if (isEncrypted) file.writeUInt32BE(1, 32);
  writeFileSync(join(folder, name), file);
}

const SPLIT = `# Disk DescriptorFile
version=1
CID=12345678
parentCID=ffffffff
createType="twoGbMaxExtentFlat"

RW 128 FLAT "part-f001.vmdk" 0
RW 128 FLAT "part-f002.vmdk" 0
`;

beforeAll(async () => {
  for (const format of ["qcow2", "qed", "vmdk", "ova"]) {
    raw(`disk.${format}`);
    await print("convert, plan, compact", `convert @disk.${format} ${format} -f raw`);
    await print("info", `info @disk.${format}`);
  }
  raw("flat.raw");
  await print("convert, plan, compact", "convert @flat.raw vmdk -f raw -o subformat=monolithicFlat");
  await print("info", "info @flat.vmdk");
  await print("map", "map @flat.vmdk");
  await print("convert, plan, compact", "convert @flat.vmdk raw --keep-undo");
  await print("resume, rollback", "rollback @flat.vmdk");
  raw("stream.vmdk");
  await print("convert, plan, compact", "convert @stream.vmdk vmdk -f raw -o subformat=streamOptimized");
  await print("info", "info @stream.vmdk");
  writeFileSync(join(folder, "partitioned.raw"), gptDisk());
  await print("convert, plan, compact", "plan @partitioned.raw vpc -f raw -o subformat=fixed,gpt=relocate");
  for (const name of ["part-f001.vmdk", "part-f002.vmdk"]) writeFileSync(join(folder, name), Buffer.alloc(65_536, 1));
  writeFileSync(join(folder, "split.vmdk"), SPLIT);
  await print("map", "map @split.vmdk");

  qcow2("kept.qcow2", { snapshot: true, bitmap: true, compressed: deflateRawSync(Buffer.alloc(512, 7)) });
  await print("info", "info @kept.qcow2");
  await print("map", "map @kept.qcow2");
  qcow2("upper.qcow2", { backingName: "lower.raw", backingFormat: "raw" });
  await print("info", "info @upper.qcow2");
  qcow2("encrypted.qcow2", { isEncrypted: true });
  await print("info", "info @encrypted.qcow2");
  qcow2("outside.qcow2", { incompatible: 4n, extensions: [{ type: 0x44415441, data: Buffer.from("disk.data") }] });
  await print("info", "info @outside.qcow2");
  qcow2("leaky.qcow2", { clusterBits: 12, leaks: true });
  await print("check", "check @leaky.qcow2");
  await print("convert, plan, compact", "plan @leaky.qcow2 qed");
  await print("check", "check -r leaks @leaky.qcow2");
  await print("check", "check @kept.qcow2");
  qcow2("shared.qcow2", { isShared: true });
  await print("check", "check @shared.qcow2");
  await print("convert, plan, compact", "plan @shared.qcow2 qed");
  qcow2("broken.qcow2", { leaks: true, lostCount: true, strayEntry: true });
  await print("check", "check @broken.qcow2");
  await print("check", "check -r all @broken.qcow2");

  await print("checksum", "checksum @disk.qcow2");
  const missing = join(folder, "missing.qcow2");
  writeFileSync(
    join(folder, "list"),
    `${"0".repeat(64)}  ${join(folder, "disk.qcow2")}\n${"0".repeat(64)}  ${missing}\n`,
  );
  await print("checksum", "checksum -c @list");
  await print("compare", "compare @disk.qcow2 @disk.qed");
  await print("convert, plan, compact", "convert @disk.qcow2 qed --keep-undo");
  await print("resume, rollback", "rollback @disk.qcow2");
  await print("setmap", "setmap @disk.qed 64k 0x100000 64k --yes", {
    setmap: async () => ({ image: "", guestOffset: 0, hostOffset: 0, length: 0, notes: [] }),
  });
  await print("demo", "demo", {
    makeDemoImage: async () => ({ virtualSize: 0, dataBytes: 0, fileSize: 0 }),
    convert: async () => report,
    compare: async () => ({ identical: true, firstDifference: null, sizes: [0, 0], message: "" }),
  });
  await print("completion", "completion bash");
  for (const format of ["ova", "vpc", "qcow2"]) await print("-o help", `convert @disk.raw ${format} -o help`);

  const download = { url: "https://example.org/a", digest: "sha256:0", bytes: 1, fromCache: false, warnings: [] };
  const files = [{ path: "a", sha256: "0".repeat(64) }];
  const failure = { kind: "io", message: "Cannot", reasons: ["one", "two"], advice: "none", details: {} };
  const results = [
    result("a.raw", { path: "a.qcow2", report: conversion(), check: checked(), recovery: "Resumed", download, files }),
    result("b.qcow2", { check: checked() }),
    result("c.qcow2", { failure }),
  ];
  const written: Partial<StepResult>[] = [
    { matrix: { include: [{ images: "a", shard: 1 }] }, shard: { number: 3, total: 12 } },
    { mode: "collect", missingShards: [2] },
  ];
  for (const changes of written) {
    const json = join(folder, "report.json");
    await writeReport({ named: json, json, page: undefined }, step(results, changes));
    const told = JSON.parse(readFileSync(json, "utf8"));
    printed.set("The action, its report", [...(printed.get("The action, its report") ?? []), told]);
    printed.set("The action, each image", told.images);
  }

  await print("Failures", "info @missing.qcow2");
  await print("Failures", "convert @kept.qcow2 qed");
  await print("Failures", "map @disk.qcow2", {
    map: async () => {
      const place = { path: "a", structure: "L2 table 3", hostOffset: 1, guestOffset: 2, operation: "read" };
      throw new library.ImageError("corrupt", "Cannot read a", {
        ...place,
        format: "qed",
        journal: "j",
        rolledBack: true,
      });
    },
  });
});

/** `a`, `a.b`, `a[].c`: every field of what is printed, but for those whose names are values. */
function found(value: unknown, fields: Fields, before = ""): string[] {
  return Object.entries(value as object).flatMap(([name, each]) => {
    const path = `${before}${name}`;
    const field: Field | undefined = fields[name];
    const items: unknown[] = Array.isArray(each) ? each : [each];
    const objects = field?.hasAnyKeys ? [] : items.filter((item) => typeof item === "object" && item !== null);
    const below = `${path}${Array.isArray(each) ? "[]" : ""}.`;
    return [path, ...objects.flatMap((item) => found(item, field?.inside ?? {}, below))];
  });
}

function declared(fields: Fields, before = ""): string[] {
  return Object.entries(fields).flatMap(([name, { inside, isList }]) => {
    const path = `${before}${name}`;
    return [path, ...(inside === undefined ? [] : declared(inside, `${path}${isList ? "[]" : ""}.`))];
  });
}

/** Of what is declared in several places the first: the page tells it there alone. */
function declaredOnce(fields: Fields, told: Set<Fields>, before = ""): string[] {
  return Object.entries(fields).flatMap(([name, { inside, isList }]) => {
    const path = `${before}${name}`;
    if (inside === undefined || told.has(inside)) return [path];
    told.add(inside);
    return [path, ...declaredOnce(inside, told, `${path}${isList ? "[]" : ""}.`)];
  });
}

/** What no image here has; the compiler holds these to the library's types. */
const UNSEEN: Readonly<Record<string, readonly string[]>> = {
  "convert, plan, compact": ["check.before.findings[].guest-offset"],
  info: ["snapshots[].icount"],
  "info of qcow2": [
    ...[
      "detached-header",
      "cipher-alg",
      "cipher-mode",
      "ivgen-alg",
      "ivgen-hash-alg",
      "hash-alg",
      "uuid",
      "payload-offset",
    ],
    ...["master-key-iters", "slots", "slots[].active", "slots[].key-offset", "slots[].iters", "slots[].stripes"],
  ].map((name) => `encrypt.${name}`),
};

const tables = [
  ...Object.entries(printedFields),
  ...Object.entries(FORMAT_SPECIFIC).map(([format, fields]) => [`info of ${format}`, fields] as const),
];

describe.each(tables)("%s", (heading, fields) => {
  const seen = () => {
    const values = printed.get(heading as Heading) ?? [];
    return [...new Set(values.flatMap((value) => found(value, fields)))];
  };

  test("prints nothing that the page lacks", () => {
    const known = declared(fields);
    // Beside what only the action tells stands what the commands tell.
    const beside = heading === "The action, each image" ? [...declared(CONVERSION), ...declared(CHECK)] : [];
    expect(seen().filter((path) => ![...known, ...beside].includes(path))).toEqual([]);
  });

  test("prints all that the page has", () => {
    const paths = seen();
    const wanted = declaredOnce(fields, new Set([CONVERSION]));
    expect(wanted.filter((path) => !paths.includes(path)).sort()).toEqual([...(UNSEEN[heading] ?? [])].sort());
  });
});
