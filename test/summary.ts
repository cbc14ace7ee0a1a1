/** The last lines of `make test`: why tests were skipped, and how many passed, failed and were skipped. */
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

export interface SummaryOptions {
  /** By the tag of the tests that were skipped for it. */
  reasons: ReadonlyMap<string, string>;
  /** Whether a skipped test is a failure. */
  requireAll?: boolean;
  /** That draws the same cases of properties again. */
  seed?: string;
  print?: (line: string) => void;
}

export class Summary implements Reporter {
  readonly #options: SummaryOptions;
  #lines: string[] = [];

  constructor(options: SummaryOptions) {
    this.#options = options;
  }

  onInit(vitest: Vitest): void {
    const { print = console.log } = this.#options;
    // Other reporters still have something to say when the tests are over.
    vitest.onClose(() => {
      for (const line of this.#lines) print(line);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap(testsOf);
    const [passed, skipped, failed] = [tests.filter(isPassed), tests.filter(isSkipped), tests.filter(isFailed)];
    // Files that cannot be read, hooks that fail after the tests, and what is thrown beside them.
    const broken = modules.filter((module) => !module.ok() && !testsOf(module).some(isFailed)).length + errors.length;

    // A test that needs two things that are missing counts for each.
    const why = Map.groupBy(
      skipped.flatMap((test) => reasonsOf(test, this.#options.reasons)),
      (reason) => reason,
    );
    this.#lines = [...why].map(([reason, { length }]) => `${length} skipped: ${reason}`);
    if (this.#options.requireAll && skipped.length > 0) {
      this.#lines.push('REQUIRE_ALL demands that nothing is skipped');
      process.exitCode = 1;
    }
    const { seed } = this.#options;
    if (seed !== undefined && failed.length + broken > 0)
      this.#lines.push(`FC_SEED=${seed} draws the same cases again`);
    this.#lines.push(`${passed.length} passed, ${failed.length + broken} failed, ${skipped.length} skipped`);
  }
}

const testsOf = (module: TestModule) => [...module.children.allTests()];
const isPassed = (test: TestCase) => test.result().state === 'passed';

/** Because it says so itself, and not because something before it failed. */
function isSkipped(test: TestCase): boolean {
  const result = test.result();
  return result.state === 'skipped' && (test.options.mode !== 'run' || result.note !== undefined);
}

/** One whose hook failed never ran. */
const isFailed = (test: TestCase) => !isPassed(test) && !isSkipped(test);

function reasonsOf(test: TestCase, reasons: ReadonlyMap<string, string>): string[] {
  const missing = test.tags.flatMap((tag) => reasons.get(tag) ?? []);
  if (missing.length > 0) return missing;
  const result = test.result();
  return [(result.state === 'skipped' && result.note) || 'no reason is given'];
}
