import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { watchStarts } from '../../../functions/agent/powerdns/starts.ts';
import { polling } from '../../timeouts.ts';

function watched(keyFile: string) {
  const failures: (string | undefined)[] = [];
  let starts = 0;
  const onStart = () => {
    starts++;
  };
  watchStarts({ keyFile, onStart, failureLog: { record: (_, failure) => void failures.push(failure) } });
  return { failures, starts: () => starts };
}

test('every new key is a start, the first one, too', async () => {
  const keyFile = join(mkdtempSync(join(tmpdir(), 'starts-')), 'api.conf');
  const { starts, failures } = watched(keyFile);
  for (const key of ['first', 'second']) {
    const before = starts();
    writeFileSync(keyFile, `api-key=${key}`);
    await vi.waitFor(() => expect(starts()).toBeGreaterThan(before), polling);
  }
  expect(failures).toEqual([]);
});

test('a folder that cannot be watched is told, and nothing else fails', () => {
  expect(watched('/none/api.conf').failures).toEqual([expect.stringMatching(/ENOENT/)]);
});
