/** examples/raw-to-azure.yml with a server in place of Debian's, and an `az` that keeps what it is given. */

import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Runner, tool } from "../action/runner.ts";
import { readWorkflow } from "../support/workflow.ts";
import { serveImages } from "./image-server.ts";
import { runJob, World } from "./job-runner.ts";

const { publish } = readWorkflow("examples/raw-to-azure.yml").workflow.jobs;
const IMAGE = "debian-13-generic-amd64.raw";
const vars = { AZURE_CLIENT_ID: "client", AZURE_TENANT_ID: "tenant", AZURE_STORAGE_ACCOUNT: "account" };

test("a raw disk of any length becomes a page blob in whole MiB, with the same guest", async () => {
  const [world, server, maker] = [new World(), await serveImages(), new Runner()];
  world.instead.push(["https://cloud.debian.org/images/cloud/trixie/latest", server.url]);
  maker.makeImage(IMAGE, "raw", 7, String(8 * 1024 ** 2 - 1536));
  copyFileSync(maker.path(IMAGE), join(server.folder, IMAGE));
  server.list();
  world.variables.ACTIONS_ID_TOKEN_REQUEST_TOKEN = "request";
  world.variables.ACTIONS_ID_TOKEN_REQUEST_URL = "https://token.example/?a=b";
  world.program("curl", `echo '{"value": "federated"}'`);
  mkdirSync(join(world.folder, "images"));
  world.program(
    "az",
    `case "$*" in
       "login --service-principal --username client --tenant tenant --federated-token federated --output none") ;;
       "storage blob upload --auth-mode login --account-name account --container-name images --type page "*)
         while [ "$1" != --name ]; do shift; done; cp "$4" "$WORLD/images/$2" ;;
       *) echo "az $*"; exit 1 ;;
     esac`,
  );
  const { result, log } = await runJob(world, publish as NonNullable<typeof publish>, { vars });
  expect({ result, log }).toEqual({ result: "success", log: expect.any(String) });
  const blob = join(world.folder, "images/debian-13-generic-amd64.vhd");
  tool("qemu-img", "compare", "-f", "raw", "-F", "vpc", maker.path(IMAGE), blob);
  expect(readFileSync(blob).length).toBe(8 * 1024 ** 2 + 512);
});
