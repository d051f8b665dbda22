/** Workflows as GitHub reads them: the parsed YAML of .github/workflows and examples, with the names they use. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";

export interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly "runs-on"?: string;
  readonly "timeout-minutes"?: number;
  readonly "cache-mode"?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
  readonly strategy?: {
    readonly matrix?: string | Readonly<Record<string, readonly unknown[]>>;
    readonly "fail-fast"?: boolean;
  };
}

export interface Workflow {
  readonly name: string;
  readonly on: Readonly<Record<string, WorkflowTrigger | null>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly "cache-mode"?: string;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface WorkflowTrigger {
  readonly inputs?: Readonly<Record<string, { readonly required?: boolean; readonly default?: unknown }>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, { readonly value: string }>>;
}

export interface WorkflowFile {
  /** Below the project's folder. */
  readonly path: string;
  readonly text: string;
  readonly workflow: Workflow;
}

const root = new URL("../../", import.meta.url);

export function readWorkflow(path: string): WorkflowFile {
  const text = readFileSync(new URL(path, root), "utf8");
  return { path, text, workflow: load(text) as Workflow };
}

/** All of .github/workflows and examples. */
export function allWorkflows(): WorkflowFile[] {
  return [".github/workflows", "examples"].flatMap((folder) =>
    readdirSync(fileURLToPath(new URL(`${folder}/`, root)))
      .filter((name) => name.endsWith(".yml"))
      .sort()
      .map((name) => readWorkflow(`${folder}/${name}`)),
  );
}

/** The action of this project, as this repository or another one names it, or a workflow of it that others call. */
export function isOurAction(uses = ""): boolean {
  return ["./", "org/inplace-convert@v1", OWN_ACTION].includes(uses);
}

/** What lies beside a workflow, at its commit. */
export const OWN_ACTION = "$/.github/actions/inplace-convert";

/** This project's reusable workflow's path, where `uses` names one. */
export function ourWorkflow(uses = ""): string | undefined {
  return /^org\/inplace-convert\/(\.github\/workflows\/[\w-]+\.yml)@v1$/.exec(uses)?.[1];
}

export function neededJobs({ needs = [] }: Job): readonly string[] {
  return typeof needs === "string" ? [needs] : needs;
}

/** The insides of every expression in any string of `value`; an `if` is one without its braces. */
export function expressions(value: unknown, key = ""): string[] {
  if (typeof value === "string") {
    const found = [...value.matchAll(/\$\{\{([\s\S]*?)\}\}/g)].map(([, inner = ""]) => inner.trim());
    return key === "if" && found.length === 0 ? [value] : found;
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => expressions(each, name));
}
