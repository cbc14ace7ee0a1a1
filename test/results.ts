/**
 * Summarizes vitest's JSON reports: the slowest files and tests, a line for each failed one, and the counts as the last line.
 *
 *     node test/results.ts FILE... [-- FAILED-STEP...]
 *
 * A step that failed without a failed test, such as a check, counts as a failure. Exits with 1 if anything failed.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

interface TestResult {
  fullName: string;
  status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo' | 'disabled';
  /** Milliseconds. */
  duration?: number;
  failureMessages?: string[];
}

interface Report {
  testResults: {
    name: string;
    status: string;
    message: string;
    /** Milliseconds since 1970. */
    startTime: number;
    endTime: number;
    assertionResults: TestResult[];
  }[];
}

/** The lines, and whether nothing failed. */
export function results(reports: readonly Report[], failedSteps: readonly string[] = []): [string[], boolean] {
  const files = reports.flatMap(({ testResults }) => testResults);
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const failed = tests.filter(({ status }) => status === 'failed');
  // An import or a hook that throws fails the file, but none of its tests.
  const broken = files.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const errors = [
    ...failed.map(
      ({ fullName, failureMessages: [message = ''] = [] }) => `failed: ${fullName}: ${firstLineOf(message)}`,
    ),
    ...broken.map(({ name, message }) => `failed: ${name}: ${firstLineOf(message)}`),
    ...failedSteps.map((step) => `failed step: ${step}`),
  ];
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const skipped = tests.length - passed - failed.length;
  const failures = failed.length + broken.length || failedSteps.length;
  return [
    [
      'slowest files:',
      ...slowest(files.map(({ name, startTime, endTime }) => [endTime - startTime, basename(name)])),
      'slowest tests:',
      ...slowest(tests.map(({ fullName, duration = 0 }) => [duration, fullName])),
      ...errors,
      `${passed} passed, ${failures} failed, ${skipped} skipped`,
    ],
    failures === 0,
  ];
}

const slowest = (all: [ms: number, name: string][]) =>
  all
    .sort(([a], [b]) => b - a)
    .slice(0, 10)
    .map(([ms, name]) => `${(ms / 1000).toFixed(1).padStart(8)} s  ${name}`);

const firstLineOf = (message: string) => (message.split('\n')[0] ?? '').slice(0, 300);

if (import.meta.main) {
  const args = process.argv.slice(2);
  const end = args.indexOf('--');
  const [files, steps] = end < 0 ? [args, []] : [args.slice(0, end), args.slice(end + 1)];
  const [lines, isPassed] = results(
    files.map((file) => JSON.parse(readFileSync(file, 'utf8'))),
    steps,
  );
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = isPassed ? 0 : 1;
}
