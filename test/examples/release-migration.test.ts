/** examples/release-migration.yml with a `gh` that knows one release: what is attested is what is uploaded. */

import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Runner } from "../action/runner.ts";
import { readWorkflow } from "../support/workflow.ts";
import { serveImages } from "./image-server.ts";
import { runNeeded, World } from "./job-runner.ts";

const { workflow } = readWorkflow("examples/release-migration.yml");
const contexts = {
  inputs: { tag: "v1.0.0", "source-extension": ".qed", "target-format": "qcow2" },
  github: { token: "token", repository: "org/images" },
};

async function releaseOf(names: readonly string[]) {
  const [world, server, maker] = [new World(), await serveImages(), new Runner()];
  const assets = names.map((name) => {
    maker.makeImage(name, "qed");
    copyFileSync(maker.path(name), join(server.folder, name));
    return { name, url: `${server.url}/${name}`, digest: `sha256:${server.digestOf(name)}` };
  });
  const notes = { name: "notes.txt", url: `${server.url}/notes.txt`, digest: null };
  writeFileSync(join(world.folder, "assets.json"), JSON.stringify({ assets: [...assets, notes] }));
  mkdirSync(join(world.folder, "uploaded"));
  world.program(
    "gh",
    `test "$1 $3" = "release v1.0.0" && test "$GH_TOKEN $GH_REPO" = "token org/images"
     case "$2" in
       view) cat "$WORLD/assets.json" ;;
       upload) cp "$4" "$WORLD/uploaded/" ;;
       *) exit 1 ;;
     esac`,
  );
  return { world, maker };
}

test("every image of the release gets a twin, attested before it is uploaded", async () => {
  const { world, maker } = await releaseOf(["a.qed", "b.qed"]);
  const guests = [maker.guestDigest("a.qed"), maker.guestDigest("b.qed")];
  const list = await runNeeded(world, workflow, "list", contexts, {});
  expect(list[0]).toMatchObject({ result: "success", outputs: { "matrix-empty": "false" } });
  const migrate = await runNeeded(world, workflow, "migrate", contexts, { list });
  expect(migrate.map(({ result, log }) => [result, log])).toEqual([
    ["success", expect.any(String)],
    ["success", expect.any(String)],
  ]);
  const uploaded = readdirSync(join(world.folder, "uploaded")).sort();
  expect(uploaded).toEqual(["a.qcow2", "b.qcow2"]);
  for (const [at, name] of uploaded.entries()) {
    copyFileSync(join(world.folder, "uploaded", name), maker.path(name));
    expect(maker.cleanFormat(name)).toBe("qcow2");
    expect(maker.guestDigest(name)).toBe(guests[at]);
    expect(world.attested[at]).toEqual({ name, digest: `sha256:${maker.sha256(name)}` });
  }
});

test("a release without such images has nothing to do", async () => {
  const { world } = await releaseOf([]);
  const list = await runNeeded(world, workflow, "list", contexts, {});
  expect(list[0]).toMatchObject({ result: "success", outputs: { "matrix-empty": "true" } });
  expect(await runNeeded(world, workflow, "migrate", contexts, { list })).toEqual([]);
});
