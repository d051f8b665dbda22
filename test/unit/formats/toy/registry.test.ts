/** The suites of registry and known marks once more, with the toy among the formats. */

import { vi } from "vitest";

vi.mock("../../../../src/formats/drivers.ts", async (original) =>
  (await import("../../../formats/toy/registered.ts")).withToyDriver(await original()),
);
vi.mock("../../../../src/formats/targets.ts", async (original) =>
  (await import("../../../formats/toy/registered.ts")).withToyTarget(await original()),
);
vi.mock("../../../formats/list.ts", async (original) =>
  (await import("../../../formats/toy/registered.ts")).withToyKit(await original()),
);

await import("../registry.test.ts");
await import("../known-marks.test.ts");
