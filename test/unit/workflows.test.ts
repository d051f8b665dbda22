/** What our workflows, examples and README's workflow promise: they parse, pin what they use, hold few permissions, name what exists. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { blocks } from "../support/readme.ts";
import {
  allWorkflows,
  expressions,
  isOurAction,
  type Job,
  neededJobs,
  OWN_ACTION,
  ourWorkflow,
  readWorkflow,
  type Step,
  type Workflow,
  type WorkflowFile,
} from "../support/workflow.ts";

const inReadme = blocks("yaml").map((text) => ({ path: "README.md", text, parsed: load(text) }));
const files: readonly WorkflowFile[] = [
  ...allWorkflows(),
  ...inReadme.flatMap(({ path, text, parsed }) =>
    Array.isArray(parsed) ? [] : { path, text, workflow: parsed as Workflow },
  ),
];
const action = load(readFileSync(new URL("../../action.yml", import.meta.url), "utf8")) as {
  readonly inputs: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly runs: { readonly using: string; readonly main: string; readonly post: string };
};

/** Every permission to write that any job holds, and nothing else. */
const writes: Readonly<Record<string, readonly string[]>> = {
  "codeql.yml analyze": ["security-events"],
  "release.yml release": ["attestations", "contents", "id-token"],
  "release.yml publish": ["id-token"],
  "release-migration.yml list": ["contents"],
  "release-migration.yml migrate": ["attestations", "contents", "id-token"],
  "release-migration.yml publish": ["contents"],
  "publish-compressed.yml publish": ["attestations", "contents", "id-token"],
  "attest-and-verify.yml convert": ["attestations", "id-token"],
  "raw-to-azure.yml publish": ["id-token"],
};

/** Every job that reaches a cache, and how; what others call has what they grant it. */
const caches: Readonly<Record<string, string | undefined>> = {
  "fleet.yml convert": undefined,
  "nightly-rebuild.yml rebuild": "write",
  "raw-to-azure.yml publish": "write",
  "fleet.yml fleet": "write",
};

describe.each(files)("$path", ({ path, text, workflow }) => {
  const jobs = Object.entries(workflow.jobs);
  const steps = jobs.flatMap(([, job]) => job.steps ?? []);

  test("has a name, triggers, jobs, and runs nobody's code with our secrets", () => {
    expect(workflow.name).toMatch(/^[a-z][a-z ]+$/);
    expect(Object.keys(workflow.on).length).toBeGreaterThan(0);
    expect(Object.keys(workflow.on)).not.toContain("pull_request_target");
    expect(Object.keys(workflow.on)).not.toContain("workflow_run");
    expect(jobs.length).toBeGreaterThan(0);
    if ("pull_request" in workflow.on) expect(text).not.toMatch(/secrets\.(?!GITHUB_TOKEN)/);
  });

  test("pins every action by its commit and names the version", () => {
    const lines = text.split("\n").filter((line) => /^\s*(?:- )?uses:/.test(line));
    const uses = [...steps, ...jobs.map(([, job]) => job)].filter((each) => each.uses !== undefined);
    expect(lines).toHaveLength(uses.length);
    const foreign = lines.filter((line) => {
      const name = line.trim().replace(/^(?:- )?uses: /, "");
      return !isOurAction(name) && ourWorkflow(name) === undefined;
    });
    for (const line of foreign) expect(line).toMatch(/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("starts from few permissions, and no job writes more than it must", () => {
    expect([{}, { contents: "read" }]).toContainEqual(workflow.permissions);
    for (const [name, { permissions = {} }] of jobs) {
      const held = Object.entries(permissions).filter(([, right]) => right !== "read" && right !== "none");
      for (const [, right] of held) expect(right).toBe("write");
      const key = `${path.slice(path.lastIndexOf("/") + 1)} ${name}`;
      expect(held.map(([what]) => what).sort(), key).toEqual(writes[key] ?? []);
    }
  });

  test("reads the repository only where it checks it out, or asks for what GitHub keeps of it", () => {
    for (const [name, { permissions = workflow.permissions, steps = [] }] of jobs) {
      if (permissions.contents !== "read") continue;
      const asks = steps.some((step) => step.uses?.startsWith("actions/checkout@") || step.run?.includes("gh "));
      expect(asks, name).toBe(true);
    }
  });

  test("reaches no cache that it does not say, and none in what releases", () => {
    if (path === "README.md") return;
    for (const [name, job] of jobs) {
      const key = `${path.slice(path.lastIndexOf("/") + 1)} ${name}`;
      const mode = job["cache-mode"] ?? workflow["cache-mode"];
      expect(mode, key).toBe(key in caches ? caches[key] : "none");
      if (mode !== "none") expect(writes[key] ?? []).not.toContain("contents");
    }
  });

  test("ends every job in time, tries every shard, keeps no token in a checkout", () => {
    for (const [name, job] of jobs) {
      if (ourWorkflow(job.uses) === undefined) expect(job["timeout-minutes"], name).toBeLessThanOrEqual(350);
      if (job.strategy !== undefined) expect(job.strategy["fail-fast"], name).toBe(false);
    }
    for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))) {
      expect(step.with?.["persist-credentials"]).toBe(false);
    }
  });

  test("its scripts hold no expression, and bash reads them", () => {
    const scripts = steps.flatMap(({ run }) => run ?? []);
    expect(scripts.filter((script) => script.includes("$" + "{{"))).toEqual([]);
    for (const script of scripts) {
      const { status, stderr } = spawnSync("bash", ["-n"], { input: script, encoding: "utf8" });
      expect(status, `${script}\n${stderr}`).toBe(0);
    }
  });

  test.each(jobs)("%s: gives our action only inputs that exist, and all that are required", (_, job) => {
    for (const step of (job.steps ?? []).filter(({ uses }) => isOurAction(uses))) {
      const given = Object.keys(step.with ?? {});
      expect(given.filter((input) => !(input in action.inputs))).toEqual([]);
      const required = Object.entries(action.inputs).flatMap(([name, { required }]) => (required ? name : []));
      if (step.with?.mode !== "collect") expect(given).toEqual(expect.arrayContaining(required));
    }
    const called = ourWorkflow(job.uses);
    if (called === undefined) return;
    const { inputs = {}, secrets = {} } = readWorkflow(called).workflow.on.workflow_call ?? {};
    const given = Object.keys(job.with ?? {});
    expect(given.filter((input) => !(input in inputs))).toEqual([]);
    expect(Object.keys(inputs).filter((name) => inputs[name]?.required && !given.includes(name))).toEqual([]);
    expect(secrets).toBeDefined();
  });

  test.each(jobs)("%s: reads only what exists by then", (name, job) => {
    expect(missingReferences(workflow, name, job)).toEqual([]);
  });
});

test("README shows a workflow, and steps that give our action only inputs that exist", () => {
  expect(files.filter(({ path }) => path === "README.md")).toHaveLength(1);
  const steps = inReadme.flatMap(({ parsed }) => (Array.isArray(parsed) ? (parsed as Step[]) : []));
  expect(steps.length).toBeGreaterThan(0);
  for (const step of steps) {
    expect(isOurAction(step.uses)).toBe(true);
    expect(Object.keys(step.with ?? {}).filter((input) => !(input in action.inputs))).toEqual([]);
  }
});

test("the action that our own workflows call by their commit is action.yml's, with fewer inputs", () => {
  const folder = new URL(`../../${OWN_ACTION.slice(2)}/`, import.meta.url);
  const own = load(readFileSync(new URL("action.yml", folder), "utf8")) as typeof action;
  const called = readWorkflow(".github/workflows/fleet.yml").workflow;
  const steps = Object.values(called.jobs).flatMap((job) => job.steps ?? []);
  const given = steps.flatMap((step) => (step.uses === OWN_ACTION ? Object.keys(step.with ?? {}) : []));
  expect([...new Set(given)].sort()).toEqual(Object.keys(own.inputs));
  expect(Object.keys(own.inputs).filter((name) => !(name in action.inputs))).toEqual([]);
  const { main, post, ...how } = own.runs;
  const whole = { ...how, main: new URL(main, folder).href, post: new URL(post, folder).href };
  const root = new URL("../../", import.meta.url);
  expect(whole).toEqual({ ...action.runs, main: `${root}${action.runs.main}`, post: `${root}${action.runs.post}` });
});

test("an action has one version everywhere", () => {
  const pins = files.flatMap(({ text }) => [...text.matchAll(/uses: ([\w-]+\/[\w-]+)[\w/-]*@([0-9a-f]{40}) # (.*)/g)]);
  const versions = new Map<string, Set<string>>();
  for (const [, name = "", commit, version] of pins) {
    versions.set(name, (versions.get(name) ?? new Set()).add(`${commit} ${version}`));
  }
  expect(versions.size).toBeGreaterThan(3);
  for (const [name, found] of versions) expect([name, ...found]).toHaveLength(2);
});

test("a reference to what is not there is found", () => {
  const job: Job = {
    needs: "first",
    "runs-on": "ubuntu-latest",
    strategy: { matrix: { os: ["a"] } },
    steps: [
      { run: "true", env: { A: reference("steps.later.outputs.image") } },
      { id: "later", uses: "./", with: { image: reference("matrix.ox") } },
      { if: "steps.later.outputs.imago != ''", run: "true" },
      { run: "true", env: { B: `${reference("needs.first.outputs.a")}${reference("needs.second.outputs.a")}` } },
      { run: "true", env: { C: `${reference("inputs.none")} ${reference("secrets.none")}` } },
      { run: "true", env: { D: reference("steps.later.outputs.image") } },
    ],
  };
  const workflow: Workflow = { name: "w", on: { push: null }, permissions: {}, jobs: { first: { outputs: {} }, job } };
  expect(missingReferences(workflow, "job", job)).toEqual([
    "steps.later.outputs.image",
    "matrix.ox",
    "steps.later.outputs.imago",
    "needs.first.outputs.a",
    "needs.second.outputs.a",
    "inputs.none",
    "secrets.none",
  ]);
});

function reference(name: string): string {
  return `\${{ ${name} }}`;
}

/** What a job's expressions name and nothing gives: outputs of earlier steps and needed jobs, inputs, the matrix. */
function missingReferences(workflow: Workflow, name: string, job: Job): string[] {
  const { steps = [], outputs, ...head } = job;
  const about = (each: unknown, earlier: readonly Step[]) =>
    expressions(each)
      .flatMap((expression) => expression.match(/\b(?:steps|needs|inputs|secrets|matrix)(?:\.[\w-]+)+/g) ?? [])
      .filter((path) => !exists(path, workflow, job, earlier));
  return [
    ...about(head, []),
    ...steps.flatMap((step, at) => about(step, steps.slice(0, at))),
    ...about(outputs, steps),
    ...Object.values(workflow.on.workflow_call?.outputs ?? {}).flatMap(({ value }) =>
      expressions(value).filter(
        (path) => path.startsWith(`jobs.${name}.`) && !((path.split(".")[3] ?? "") in (outputs ?? {})),
      ),
    ),
  ];
}

function exists(path: string, workflow: Workflow, job: Job, earlier: readonly Step[]): boolean {
  const [context, first = "", , output = ""] = path.split(".");
  switch (context) {
    case "steps": {
      const step = earlier.find(({ id }) => id === first);
      if (step === undefined) return false;
      return isOurAction(step.uses)
        ? output in action.outputs
        : step.run?.includes(`${output}=`) || step.run?.includes(`${output}<<`) || false;
    }
    case "needs":
      return neededJobs(job).includes(first) && output in (workflow.jobs[first]?.outputs ?? {});
    case "inputs":
      return Object.values(workflow.on).some((trigger) => first in (trigger?.inputs ?? {}));
    case "secrets":
      return Object.values(workflow.on).some((trigger) => first in (trigger?.secrets ?? {}));
    default: {
      const matrix = job.strategy?.matrix;
      // A matrix that an expression gives: the test of what runs looks at it.
      return typeof matrix === "string" || first in (matrix ?? {});
    }
  }
}
