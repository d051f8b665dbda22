/** Trials of a script, one after the other: each told as it ends, and how many passed and failed in the last line. */

export class TrialCount {
  passed = 0;
  failed = 0;

  /** Whatever `act` throws fails it. What it answers is told behind its name. */
  async attempt(name: string, act: () => unknown): Promise<void> {
    try {
      const told = await act();
      this.passed++;
      console.log(`ok   ${name}${typeof told === "string" ? `: ${told}` : ""}`);
    } catch (error) {
      this.failed++;
      console.log(`FAIL ${name}: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** What kept all from being tried. */
  giveUp(error: unknown): void {
    this.failed++;
    console.error(error instanceof Error ? error.message : error);
  }

  end(): void {
    process.exitCode = this.failed === 0 ? 0 : 1;
    console.log(`\n${this.passed} passed, ${this.failed} failed`);
  }
}
