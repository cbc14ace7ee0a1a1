import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { ReportWriter } from '../../../functions/agent/kubernetes/report-writer.ts';
import { monotonicNow, timeOf } from '../../../functions/agent/lib/clock.ts';
import type { Report } from '../../../functions/contract/report.ts';

test('the monotonic clock does not go back with the wall clock, and converts to its time', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const before = monotonicNow();
    expect(Math.abs(before - Date.now())).toBeLessThan(24 * 3600 * 1000);
    vi.setSystemTime(Date.now() - 3600 * 1000);
    expect(monotonicNow()).toBeGreaterThanOrEqual(before);
    expect(Math.abs(timeOf(monotonicNow()) - Date.now())).toBeLessThan(60_000);
  } finally {
    vi.useRealTimers();
  }
});

test('a report is written although the wall clock goes back', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const written: string[] = [];
    const box = new ReportWriter({ write: async (text) => void written.push(text), intervalMs: 0 });
    const report = (total: number): Report => ({
      declaration: 'a',
      zones: [],
      discovery: { state: 'Synced' },
      names: { total, resolved: total, problems: [] },
    });
    await box.update(report(1));
    vi.setSystemTime(Date.now() - 3600 * 1000);
    await box.update(report(2));
    expect(written).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});

test('only what others compare with their clocks uses the wall clock', () => {
  const root = join(import.meta.dirname, '../../../functions/agent');
  const files = globSync('**/*.ts', { cwd: root }).filter((file) =>
    readFileSync(join(root, file), 'utf8').includes('Date.now'),
  );
  // The canaries of other replicas, and times that people read or write.
  expect(files.sort()).toEqual(['lib/clock.ts', 'self-test/canary.ts']);
});
