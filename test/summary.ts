/** The last lines of `make test`: why tests were skipped, and how many passed, failed and were skipped. */
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

export interface SummaryOptions {
  /** The reason for which tests are skipped, by tag. */
  reasons: ReadonlyMap<string, string>;
  /** Whether a skipped test is a failure. */
  requireAll?: boolean;
  /** Reproduces the cases of property tests. */
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
    // Other reporters still print when the tests have ended.
    vitest.onClose(() => {
      for (const line of this.#lines) print(line);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap(testsOf);
    const [passed, skipped, failed] = [tests.filter(isPassed), tests.filter(isSkipped), tests.filter(isFailed)];
    // Files that cannot be loaded, hooks that fail after the tests, and unhandled errors.
    const broken = modules.filter((module) => !module.ok() && !testsOf(module).some(isFailed)).length + errors.length;

    // A test that needs two missing programs counts for each.
    const why = Map.groupBy(
      skipped.flatMap((test) => reasonsOf(test, this.#options.reasons)),
      (reason) => reason,
    );
    this.#lines = [...why].map(([reason, { length }]) => `${length} skipped: ${reason}`);
    if (this.#options.requireAll && skipped.length > 0) {
      this.#lines.push('REQUIRE_ALL is set: skipped tests are failures');
      process.exitCode = 1;
    }
    const { seed } = this.#options;
    if (seed !== undefined && failed.length + broken > 0) this.#lines.push(`FC_SEED=${seed} reproduces the same cases`);
    this.#lines.push(`${passed.length} passed, ${failed.length + broken} failed, ${skipped.length} skipped`);
  }
}

const testsOf = (module: TestModule) => [...module.children.allTests()];
const isPassed = (test: TestCase) => test.result().state === 'passed';

/** Whether the test skips itself, rather than being skipped because a hook failed. */
function isSkipped(test: TestCase): boolean {
  const result = test.result();
  return result.state === 'skipped' && (test.options.mode !== 'run' || result.note !== undefined);
}

/** Includes tests that never ran because a hook failed. */
const isFailed = (test: TestCase) => !isPassed(test) && !isSkipped(test);

function reasonsOf(test: TestCase, reasons: ReadonlyMap<string, string>): string[] {
  const missing = test.tags.flatMap((tag) => reasons.get(tag) ?? []);
  if (missing.length > 0) return missing;
  const result = test.result();
  return [(result.state === 'skipped' && result.note) || 'no reason given'];
}
