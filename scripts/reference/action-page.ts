/** docs/reference/action.md: inputs and outputs, from action.yml. */

import { inputKinds } from "../input-kinds.ts";
import { type Declaration, declarations } from "../readme-tables.ts";
import { block, code, page, table } from "./markdown.ts";
import { outputKinds } from "./output-kinds.ts";

export function actionPage(actionYaml: string): string {
  const inputs = declarations(actionYaml, "inputs").map((each) => {
    const { type, example } = kindOf(inputKinds, each, "scripts/input-kinds.ts");
    const initial = each.isRequired ? "required" : each.default === undefined ? "" : code(each.default);
    return [code(each.name), type, initial, code(example), each.description];
  });
  const outputs = declarations(actionYaml, "outputs").map((each) => {
    const { type, example } = kindOf(outputKinds, each, "scripts/reference/output-kinds.ts");
    return [code(each.name), type, code(example), each.description];
  });
  return page(
    "The action",
    block("yaml", USE),
    "All inputs are text, as in every workflow. A size is bytes or ends in k, M, G or T; lines are written with `|` below each other. Every input is looked at before an image is, and all mistakes are told at once.",
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

function kindOf<K>(kinds: Readonly<Record<string, K>>, { name }: Declaration, file: string): K {
  const kind = kinds[name];
  if (kind === undefined) throw new Error(`Say in ${file} what kind of value ${name} is`);
  return kind;
}
