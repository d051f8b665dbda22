/** A guest's expected digest and the consent to give up leaks, end to end: real images, each mode that foretells. */

import { describe, expect, test } from "vitest";
import { leakOne } from "./broken-images.ts";
import { type Inputs, Runner } from "./runner.ts";

const FORETELLING: readonly Inputs[] = [{ mode: "plan" }, { "dry-run": "true" }];

describe("another guest than expected", () => {
  test.each([...FORETELLING, {}, { checksum: "none" }])("%o", async (inputs) => {
    const runner = new Runner();
    const guest = runner.makeImage("disk.qed", "qed");
    const before = runner.sha256("disk.qed");
    const wrong = guest.replaceAll(/./g, (digit) => (digit === "0" ? "1" : "0"));
    const given = { ...inputs, "target-format": "qcow2", summary: "always" };
    const { exitCode, annotations, summary, outputs } = await runner.main({
      ...given,
      image: `disk.qed guest-sha256:${wrong}`,
    });
    expect(exitCode).toBe(1);
    expect(annotations).toMatchObject([{ kind: "error", file: "disk.qed" }]);
    expect(annotations[0]?.message).toContain(`its guest's checksum is ${guest}, expected ${wrong}`);
    expect(summary).toContain(wrong);
    expect(outputs.changed).toBe("false");
    expect(outputs.matrix ?? '{"include":[]}').toBe('{"include":[]}');
    expect(runner.names).toEqual(["disk.qed"]);
    expect(runner.sha256("disk.qed")).toBe(before);

    const right = await runner.main({ ...given, image: `disk.qed guest-sha256:${guest}` });
    expect(right.exitCode).toBe(0);
    expect(right.annotations.filter(({ title }) => title !== "Images of this runner")).toEqual([]);
  });
});

describe("leaks where they count", () => {
  test.each([...FORETELLING, {}])("%o", async (inputs) => {
    const runner = new Runner();
    const guest = runner.makeImage("disk.qcow2", "qcow2");
    leakOne(runner.path("disk.qcow2"));
    const before = runner.sha256("disk.qcow2");
    const given = { ...inputs, image: "disk.qcow2", "target-format": "qed", "fail-on": "leak" };
    const refused = await runner.main(given);
    expect(refused.exitCode).toBe(1);
    expect(refused.annotations).toMatchObject([{ kind: "error", file: "disk.qcow2" }]);
    expect(refused.annotations[0]?.message).toMatch(/1 leaked cluster.*drop/);
    expect(refused.outputs).toMatchObject({ changed: "false", "bytes-written": "0", leaks: "1" });
    expect(runner.names).toEqual(["disk.qcow2"]);
    expect(runner.sha256("disk.qcow2")).toBe(before);

    const consented = await runner.main({ ...given, drop: "leaks" });
    expect(consented).toMatchObject({ exitCode: 0, outputs: { leaks: inputs.mode || inputs["dry-run"] ? "1" : "0" } });
    expect(consented.summary).toMatch(/1 (leaked )?cluster/);
    if (inputs.mode || inputs["dry-run"]) {
      expect(runner.sha256("disk.qcow2")).toBe(before);
      return;
    }
    expect(runner.cleanFormat("disk.qed")).toBe("qed");
    expect(runner.guestDigest("disk.qed")).toBe(guest);
  });
});
