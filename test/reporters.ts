import type { Reporter } from 'vitest/node';
import { Summary } from './summary.ts';

/**
 * The reporters of a run: one of vitest's own, the summary as the last lines and, with RESULTS=FILE, a JSON file. REQUIRE_ALL=1
 * makes a skipped test a failure.
 */
export function reportersOf(
  own: 'default' | 'verbose',
  reasons: ReadonlyMap<string, string>,
  seed?: string,
  { RESULTS: outputFile, REQUIRE_ALL: requireAll } = process.env,
): ('default' | 'verbose' | ['json', { outputFile: string }] | Reporter)[] {
  const file: ['json', { outputFile: string }][] = outputFile ? [['json', { outputFile }]] : [];
  return [own, ...file, new Summary({ reasons, requireAll: Boolean(requireAll), ...(seed !== undefined && { seed }) })];
}
