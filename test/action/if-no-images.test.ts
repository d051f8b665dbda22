/** Paths and globs that match nothing: a mistake, a warning or nothing, as the input says. */

import { expect, test } from "vitest";
import { Runner } from "./runner.ts";

const image = "disk.qed\ngone.qed\nnothing*.qed";

test("by default nothing is touched", async () => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const before = runner.sha256("disk.qed");
  const { exitCode, annotations } = await runner.main({ image, "target-format": "qcow2" });
  expect(exitCode).toBe(1);
  expect(annotations[0]?.message).toContain('input "image": Cannot find gone.qed: there is no such file');
  expect(annotations[0]?.message).toContain("nothing matches nothing*.qed");
  expect(runner.names).toEqual(["disk.qed"]);
  expect(runner.sha256("disk.qed")).toBe(before);
});

test.each(["warn", "ignore"] as const)("%s: the others are worked on", async (choice) => {
  const runner = new Runner();
  runner.makeImage("disk.qed", "qed");
  const { exitCode, annotations, log } = await runner.main({ image, "target-format": "qcow2", "if-no-images": choice });
  expect({ exitCode, names: runner.names }).toEqual({ exitCode: 0, names: ["disk.qcow2"] });
  for (const words of ["Cannot find gone.qed", "nothing matches nothing*.qed"]) expect(log).toContain(words);
  expect(annotations.map(({ kind, title }) => `${kind}: ${title}`)).toEqual(
    choice === "warn" ? ["warning: Images not found"] : [],
  );
});

test("a step without an image ends well where that is no mistake, in a plan with an empty matrix", async () => {
  const runner = new Runner();
  const inputs = { image: "*.qed", "target-format": "qcow2", "if-no-images": "ignore" } as const;
  const { exitCode, outputs } = await runner.main(inputs);
  expect({ exitCode, outputs }).toMatchObject({ exitCode: 0, outputs: { images: "[]", changed: "false" } });
  // What is signed has a subject: nobody is handed a list of none.
  const vouched = await runner.main({ ...inputs, sha256sums: "SHA256SUMS", predicate: "predicate.json" });
  expect({ exitCode: vouched.exitCode, names: runner.names }).toEqual({ exitCode: 0, names: [] });
  expect(Object.keys(vouched.outputs)).not.toContain("sha256sums");
  expect(Object.keys(vouched.outputs)).not.toContain("predicate");
  const planned = await runner.main({ ...inputs, mode: "plan" });
  expect(planned).toMatchObject({ exitCode: 0, outputs: { "matrix-empty": "true" } });
});

test("what can't be an image stays a mistake", async () => {
  const { exitCode, annotations } = await new Runner().main({
    image: ".",
    "target-format": "qcow2",
    "if-no-images": "ignore",
  });
  expect(exitCode).toBe(1);
  expect(annotations[0]?.message).toContain("it is a folder");
});
