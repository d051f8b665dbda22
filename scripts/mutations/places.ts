/** Places that are values: where a commit lies, where a target wants its units, where a format's marks are. */

import type { Mutation } from "./mutation.ts";

const elsewhere = "test/crash/commit-elsewhere.test.ts";
const damage = "test/unit/journal/damage.test.ts";
const switchPlan = "test/unit/plan/switch-plan.test.ts";
const units = "test/unit/plan/place-units.test.ts";
const gathering = "test/unit/plan/gather-units.test.ts";
const proof = "test/unit/plan/proof.test.ts";
const toys = "test/unit/formats/toy/registry.test.ts";

export const placeMutations: readonly Mutation[] = [
  {
    name: "the commit is written to the first sector wherever it lies",
    file: "convert/switch/switch.ts",
    find: "await storage.write(plan.commit.hostOffset, plan.commit.sector);",
    replace: "await storage.write(0, plan.commit.sector);",
    tests: [elsewhere],
  },
  {
    name: "the target is verified under a commit in the first sector",
    file: "convert/undo/overlays.ts",
    find: "new OverlayStorage(storage, [{ hostOffset, bytes: sector }]",
    replace: "new OverlayStorage(storage, [{ hostOffset: 0, bytes: sector }]",
    tests: [elsewhere],
  },
  {
    name: "behind a commit elsewhere the source's first sector is shown",
    file: "convert/undo/overlays.ts",
    find: "overlaid.push({ hostOffset: commitHostOffset, bytes: oldSector });",
    replace: "overlaid.push({ hostOffset: 0, bytes: oldSector });",
    tests: [elsewhere],
  },
  {
    name: "where a commit stands is read off the first sector",
    file: "convert/undo/switch-undo.ts",
    find: "await readExactly(storage, commitHostOffset, SECTOR_SIZE,",
    replace: "await readExactly(storage, 0, SECTOR_SIZE,",
    tests: [elsewhere],
  },
  {
    name: "the source's sector is put back to the start of the file",
    file: "convert/undo/switch-undo.ts",
    find: "await storage.write(commitHostOffset, oldSector);",
    replace: "await storage.write(0, oldSector);",
    tests: [elsewhere],
  },
  {
    name: "the journal does not say where the commit lies",
    file: "convert/conversion/switch-step.ts",
    find: "    ...(commit.hostOffset > 0 && { commitHostOffset: commit.hostOffset }),\n",
    replace: "",
    tests: [elsewhere],
  },
  {
    name: "the old sector is taken from the start of the saved header",
    file: "journal/conversion-work.ts",
    find: "parts.savedHeader.subarray(commitHostOffset, commitHostOffset + SECTOR_SIZE)",
    replace: "parts.savedHeader.subarray(0, SECTOR_SIZE)",
    tests: [elsewhere],
  },
  {
    name: "the file's first block is mended wherever the commit lies",
    file: "convert/undo/commit-block.ts",
    find: "const start = alignDown(commitHostOffset, COMMIT_BLOCK);",
    replace: "const start = alignDown(commitHostOffset, COMMIT_BLOCK) * 0;",
    tests: [elsewhere],
  },
  {
    name: "a journal may say that the commit lies between two sectors",
    file: "journal/shape.ts",
    find: "    commitHostOffset % SECTOR_SIZE === 0 &&\n",
    replace: "",
    tests: [damage],
  },
  {
    name: "a header write may lie on a commit elsewhere",
    file: "plan/switch-plan.ts",
    find: "if (isOnCommit || end > source.header.length",
    replace: "if (end > source.header.length",
    tests: [switchPlan],
  },
  {
    name: "a commit may lie between two sectors",
    file: "plan/switch-plan.ts",
    find: " && isAligned(commit.hostOffset, SECTOR_SIZE);",
    replace: ";",
    tests: [switchPlan],
  },
  {
    name: "a commit may lie where no old bytes are saved",
    file: "plan/switch-plan.ts",
    find: "if (!isSector || (!isFooter && commit.hostOffset + SECTOR_SIZE > source.header.length)) {",
    replace: "if (!isSector) {",
    tests: [switchPlan],
  },
  {
    name: "a driver's mark behind the first block is not looked for",
    file: "formats/strangers.ts",
    find: "const NEAR_SIZE = headOf(",
    replace: "const NEAR_SIZE = 0 * headOf(",
    tests: [toys],
  },
  {
    name: "a unit stays wherever it lies, though its place is fixed",
    file: "plan/place-units.ts",
    find: "    if (isElsewhere) this.#refuseFixed(split, end);",
    replace: "    if (false) this.#refuseFixed(split, end);",
    tests: [units],
  },
  {
    name: "a unit stays though it has no room for its lead-in",
    file: "plan/place-units.ts",
    find: "isNobodys(base - leadIn, base) &&",
    replace: "true &&",
    tests: [units],
  },
  {
    name: "a copy leaves no room for its lead-in",
    file: "plan/place-units.ts",
    find: "      this.#copyEnd += leadIn;\n",
    replace: "",
    tests: [units],
  },
  {
    name: "what lies in a hole is written over",
    file: "plan/gather-units.ts",
    find: "if (stayCount !== taken.markedCount) {",
    replace: "if (false) {",
    tests: [gathering],
  },
  {
    name: "a hole is given to a unit, and not made zeros",
    file: "plan/gather-units.ts",
    find: "zeros.add(hostOffset, hostOffset + unitSize);",
    replace: "",
    tests: [gathering],
  },
  {
    name: "more units move than have to",
    file: "plan/gather-units.ts",
    find: "if (cost < best.cost) best",
    replace: "if (best.count === 0) best",
    tests: [gathering],
  },
  {
    name: "a copy into a hole is not looked for beneath",
    file: "plan/proof.ts",
    find: "if (isLive(hostOffset, hostOffset + length)) throw",
    replace: "if (false) throw",
    tests: [proof],
  },
  {
    name: "what shows zeros in a hole is believed",
    file: "plan/proof.ts",
    find: "return zeros.contains(hostOffset, hostOffset + end - at);",
    replace: "return true;",
    tests: [proof],
  },
  {
    name: "a fixed place is not proven",
    file: "plan/proof.ts",
    find: "isStored(extent.state) && extent.hostOffset !== linearBase + extent.guestOffset",
    replace: "false",
    tests: [proof],
  },
  {
    name: "a copy from a fixed place is not refused by the proof",
    file: "plan/proof.ts",
    find: "if (linearBase !== undefined) throw",
    replace: "if (false) throw",
    tests: [proof],
  },
  {
    name: "units lie one upon another's lead-in",
    file: "plan/proof.ts",
    find: "if (leadIn > 0 && length > unitSize) throw",
    replace: "if (false) throw",
    tests: [proof],
  },
  {
    name: "a hole is not seen by the proof",
    file: "plan/proof.ts",
    find: "if (dense !== undefined) proveDense(",
    replace: "if (false) proveDense(",
    tests: [proof],
  },
  {
    name: "half a footer of ours is taken for somebody's write",
    file: "convert/undo/switch-undo.ts",
    find: `if (intent.commitKind !== "length" || length <= 0 || length >= SECTOR_SIZE) return false;`,
    replace: "if (length !== 0) return false;",
    tests: ["test/crash/torn-footer.test.ts"],
  },
];
