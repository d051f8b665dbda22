/** examples/release-migration.yml with a `gh` that knows one release: what is attested is what is uploaded. */

import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PREDICATE_TYPE } from "../../src/action/report/predicate.ts";
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
    `if [ "$*" = "api repos/org/images/commits/v1.0.0 --jq .sha" ]; then echo 0123abcd; exit; fi
     test "$1" = release && test "$GH_TOKEN $GH_REPO" = "token org/images"
     case "$2 $3" in
       "view v1.0.0") cat "$WORLD/assets.json" ;;
       "view v1.0.0-qcow2") if [ -f "$WORLD/published" ]; then echo false; else test -f "$WORLD/draft" && echo true; fi ;;
       "create v1.0.0-qcow2") test "$4 $5 $6" = "--draft --target 0123abcd" && touch "$WORLD/draft" ;;
       "upload v1.0.0-qcow2") test -f "$WORLD/draft" && test "$5" = --clobber && cp "$4" "$WORLD/uploaded/" ;;
       "edit v1.0.0-qcow2") test "$4" = --draft=false && mv "$WORLD/draft" "$WORLD/published" ;;
       *) exit 1 ;;
     esac`,
  );
  return { world, maker };
}

test("every image of the release gets a twin, attested before it is uploaded, published with the last", async () => {
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
    const attested = { name, digest: `sha256:${maker.sha256(name)}` };
    expect(world.attested.slice(2 * at, 2 * at + 2)).toEqual([
      attested,
      { ...attested, predicateType: PREDICATE_TYPE },
    ]);
  }
  expect(existsSync(join(world.folder, "published"))).toBe(false);
  const [publish] = await runNeeded(world, workflow, "publish", contexts, { migrate });
  expect({ result: publish?.result, isPublished: existsSync(join(world.folder, "published")) }).toEqual({
    result: "success",
    isPublished: true,
  });
  // What is published is not added to.
  const again = await runNeeded(world, workflow, "list", contexts, {});
  expect(again[0]).toMatchObject({ result: "failure", log: expect.stringContaining("is published already") });
});

test("a second run goes on with the draft of the first, and nothing is published where a job failed", async () => {
  const { world } = await releaseOf(["a.qed"]);
  writeFileSync(join(world.folder, "draft"), "");
  const list = await runNeeded(world, workflow, "list", contexts, {});
  expect(list[0]).toMatchObject({ result: "success" });
  world.program("stat", "echo 2147483648");
  const migrate = await runNeeded(world, workflow, "migrate", contexts, { list });
  expect(migrate[0]).toMatchObject({ result: "failure", log: expect.stringContaining("has 2147483648 bytes") });
  expect(readdirSync(join(world.folder, "uploaded"))).toEqual([]);
  expect(await runNeeded(world, workflow, "publish", contexts, { migrate })).toEqual([]);
});

test("a release without such images has nothing to do", async () => {
  const { world } = await releaseOf([]);
  const list = await runNeeded(world, workflow, "list", contexts, {});
  expect(list[0]).toMatchObject({ result: "success", outputs: { "matrix-empty": "true" } });
  expect(await runNeeded(world, workflow, "migrate", contexts, { list })).toEqual([]);
});
