/** docs/reference/action.md: inputs and outputs, from action.yml. */

import { type Declaration, declarations } from "../readme-tables.ts";
import { inputFacts, outputFacts } from "./action-facts.ts";
import { block, code, page, table } from "./markdown.ts";

export function actionPage(actionYaml: string): string {
  const inputs = declarations(actionYaml, "inputs").map((each) => {
    const { type, example } = factOf(inputFacts, "input", each);
    const initial = each.isRequired ? "required" : each.default === undefined ? "" : code(each.default);
    return [code(each.name), type, initial, code(example), each.description];
  });
  const outputs = declarations(actionYaml, "outputs").map((each) => {
    const { type, example } = factOf(outputFacts, "output", each);
    return [code(each.name), type, code(example), each.description];
  });
  return page(
    "The action",
    block("yaml", USE),
    "All inputs are text, as in every workflow. A boolean is `true` or `false`; a size is bytes or ends in k, M, G or T; lines are written with `|` below each other. Every input is looked at before an image is, and all mistakes are told at once.",
    "## Inputs",
    table(["input", "type", "default", "example", "meaning"], inputs),
    "## Outputs",
    "Outputs are text too: what is JSON goes through `fromJSON`. Put one into `env:` of a step rather than into its script.",
    table(["output", "type", "example", "meaning"], outputs),
    "What `images` and the report hold of each image is the JSON of the command line, see [json.md](json.md).",
  );
}

const USE = `- uses: org/inplace-convert@v1
  id: convert
  with:
    image: build/*.raw
    source-format: raw
    target-format: qcow2
- run: ls -l "$IMAGE"
  env:
    IMAGE: \${{ steps.convert.outputs.image }}`;

function factOf<F>(facts: Readonly<Record<string, F>>, kind: string, { name }: Declaration): F {
  const fact = facts[name];
  if (fact === undefined)
    throw new Error(`Say in scripts/reference/action-facts.ts of what type the ${kind} ${name} is`);
  return fact;
}
