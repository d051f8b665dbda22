/** The tests that mutations name, by what they look at; a name with a part of a test's name runs only those. */

const unit = (path: string) => `test/unit/${path}.test.ts`;

export const verification = unit("convert/verification-fails");
export const recoveryVerification = unit("convert/verification-fails-in-recovery");
export const others = unit("convert/others-at-work");
export const foreignWrites = unit("convert/foreign-writes");
export const guestWrites = unit("convert/guest-writes");
export const lostLockInRecovery = unit("convert/lost-lock-in-recovery");
export const refusals = unit("convert/refused-before");
export const recovery = unit("convert/recovery");
export const repair = unit("convert/repair");
export const repairMayNot = unit("convert/repair-may-not");
export const journal = unit("journal/journal");
export const record = unit("journal/record");
export const lock = unit("journal/lock");
export const repairJournal = unit("journal/repair-journal");
export const proof = unit("plan/proof");
export const sharedPlaces = unit("plan/shared-places");
export const units = unit("plan/place-units");
export const verify = unit("convert/verify");
export const repairPlace = unit("check/repair-place");
export const repairPlan = unit("check/repair-plan");
export const verdict = unit("check/verdict");
export const overlay = unit("storage/overlay");
export const file = unit("storage/file");
export const fileStorage = unit("storage/file-storage");
export const inUse = unit("storage/in-use");
export const openFiles = unit("storage/open-files");
export const processes = unit("storage/process-table");
export const cuts = "test/crash/each-cut-once.test.ts > each cut and outcome once";
export const tinyFaults = "test/crash/faults.test.ts > recovery works…qed to qcow2, tiny";
export const lostHeader = "test/crash/faults.test.ts > can't be read after the cut…qcow2 to qed";
