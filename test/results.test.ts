import { expect, test } from 'vitest';
import { results } from './results.ts';

const report = (status: string, message: string, ...assertionResults: object[]) =>
  ({
    testResults: [{ name: 'test/zone.test.ts', status, message, startTime: 1000, endTime: 3500, assertionResults }],
  }) as never;
const passed = (fullName: string, duration: number) => ({ fullName, status: 'passed', duration });
const failed = { fullName: 'zones every type', status: 'failed', duration: 5, failureMessages: ['Error: no\n  at x'] };

test('the last line has the counts, and each failed test has its reason', () => {
  const skipped = { fullName: 'page a picture', status: 'skipped' };
  const [lines, isPassed] = results([
    report('failed', '', failed, skipped),
    report('passed', '', passed('a', 1), passed('b', 2)),
  ]);
  expect(lines.at(-1)).toBe('2 passed, 1 failed, 1 skipped');
  expect(lines).toContain('failed: zones every type: Error: no');
  expect(isPassed).toBe(false);
});

test('the slowest files and the ten slowest tests come first, in descending order', () => {
  const tests = Array.from({ length: 12 }, (_, index) => passed(`test ${index}`, index * 1000));
  const [lines, isPassed] = results([report('passed', '', ...tests)]);
  expect(lines.slice(0, 3)).toEqual(['slowest files:', '     2.5 s  zone.test.ts', 'slowest tests:']);
  expect(lines.slice(3, -1).map((line) => line.trim())).toEqual(
    [11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((seconds) => `${seconds}.0 s  test ${seconds}`),
  );
  expect(lines.at(-1)).toBe('12 passed, 0 failed, 0 skipped');
  expect(isPassed).toBe(true);
});

test('a file that cannot be loaded counts as a failed test', () => {
  const [lines, isPassed] = results([report('failed', 'SyntaxError: oh')]);
  expect(lines).toContain('failed: test/zone.test.ts: SyntaxError: oh');
  expect(lines.at(-1)).toBe('0 passed, 1 failed, 0 skipped');
  expect(isPassed).toBe(false);
});

test('a failed step counts as a failure unless a test failed', () => {
  const reports = [report('passed', '', passed('a', 1))];
  expect(results(reports, ['check'])).toEqual([
    expect.arrayContaining(['failed step: check', '1 passed, 1 failed, 0 skipped']),
    false,
  ]);
  expect(results([report('failed', '', failed)], ['test'])[0].at(-1)).toBe('0 passed, 1 failed, 0 skipped');
});
