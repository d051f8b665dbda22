/** The properties of every format and of conversions between any two once more, with the toy among the formats. */

import { vi } from "vitest";

vi.mock("../../src/formats/drivers.ts", async (original) =>
  (await import("../formats/toy/registered.ts")).withToyDriver(await original()),
);
vi.mock("../../src/formats/targets.ts", async (original) =>
  (await import("../formats/toy/registered.ts")).withToyTarget(await original()),
);
vi.mock("../formats/list.ts", async (original) =>
  (await import("../formats/toy/registered.ts")).withToyAlone(await original()),
);

await import("./every-format.property.test.ts");
await import("./convert.property.test.ts");
