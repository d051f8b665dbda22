/** dist's declarations as whoever imports the library sees them: each type that a signature asks for or gives has a name outside. */

import { join } from "node:path";
import { expect, test } from "vitest";
// Another tool of ours brings one along that a program can ask.
import ts from "../../node_modules/@arethetypeswrong/core/node_modules/typescript/lib/typescript.js";
import { root } from "./spawn.ts";

test("every type that an export leads to is exported too, and nothing that our tests alone hand in is shown", () => {
  const index = join(root, "dist/types/index.d.ts");
  const program = ts.createProgram([index], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    noLib: true,
    types: [],
  });
  const checker = program.getTypeChecker();
  const itself = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const file = program.getSourceFile(index);
  const module = file && checker.getSymbolAtLocation(file);
  const exported = module === undefined ? [] : checker.getExportsOfModule(module).map(itself);
  expect(exported.length).toBeGreaterThan(100);

  const unnamed: string[] = [];
  const visit = (node: ts.Node, from: ts.Symbol): void => {
    const name = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node)
        ? node.expression
        : undefined;
    const found = name && checker.getSymbolAtLocation(name);
    const symbol = found && itself(found);
    const isOurs = symbol?.declarations?.some((each) => each.getSourceFile().fileName.includes("/dist/types/"));
    if (symbol && isOurs && !(symbol.flags & ts.SymbolFlags.TypeParameter) && !exported.includes(symbol)) {
      unnamed.push(`${symbol.name}, of ${from.name}`);
    }
    ts.forEachChild(node, (child) => visit(child, from));
  };
  for (const symbol of exported) for (const declaration of symbol.declarations ?? []) visit(declaration, symbol);
  expect(unnamed).toEqual([]);
});
