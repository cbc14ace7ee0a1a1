import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiHealth, type ApiHealthOptions } from '../../../functions/agent/kubernetes/api-health.ts';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import type { Config } from '../../../functions/agent/kubernetes/config.ts';
import { polling, waitTimeoutMs } from '../../timeouts.ts';
import { ApiServer } from './api-server.ts';

let kubernetes: ApiServer;
let config: Config;
let apiHealth: ApiHealth;
let failures: (string | undefined)[];
let begin: (pace?: Partial<ApiHealthOptions>) => void;

const requested = () => kubernetes.requests.length;
const requestedAgain = (times: number) => {
  const before = requested();
  return vi.waitFor(() => expect(requested()).toBeGreaterThanOrEqual(before + times), polling);
};
const reports = (...words: (string | undefined)[]) => vi.waitFor(() => expect(failures).toEqual(words), polling);

beforeEach(async () => {
  kubernetes = new ApiServer();
  config = await kubernetes.start();
  failures = [];
  begin = (pace = {}) => {
    const usual = { intervalMs: 20, retryMs: 10, timeoutMs: waitTimeoutMs };
    apiHealth = new ApiHealth({
      client: new Client(config),
      onChange: (failure) => failures.push(failure),
      ...usual,
      ...pace,
    });
  };
});
afterEach(() => {
  apiHealth?.stop();
  kubernetes.stop();
});

test('reports nothing while the API server is healthy', async () => {
  begin();
  await requestedAgain(5);
  expect([failures, new Set(kubernetes.requests)]).toEqual([[], new Set(['/readyz'])]);
});

describe('reports a failure once, and recovery once, when the API server', () => {
  test.each<[string, () => void, () => void, string]>([
    ['is frozen', () => kubernetes.freeze(), () => kubernetes.thaw(), 'Kubernetes does not answer'],
    [
      'has lost etcd',
      () => void kubernetes.failures.set('/readyz', { code: 500, message: 'etcd failed: reason withheld' }),
      () => kubernetes.failures.clear(),
      'etcd failed: reason withheld',
    ],
    [
      'does not know the agent',
      () => void kubernetes.failures.set('/readyz', { code: 401, message: 'Unauthorized' }),
      () => kubernetes.failures.clear(),
      'Unauthorized',
    ],
  ])('%s', async (_, fail, recover, words) => {
    // Long enough for a busy machine: twice in a row it does not let the answer wait for so long.
    begin({ timeoutMs: 1_000 });
    await requestedAgain(2);
    fail();
    await reports(words);
    await requestedAgain(2);
    recover();
    await reports(words, undefined);
    await requestedAgain(3);
    expect(failures).toEqual([words, undefined]);
  });

  test('is gone', async () => {
    begin();
    await requestedAgain(2);
    kubernetes.stop();
    await reports(expect.stringMatching(/ECONNREFUSED|closed|ECONNRESET/));
  });
});

test('does not report a single failure', async () => {
  vi.spyOn(kubernetes.requests, 'push').mockImplementation((url) => {
    kubernetes.failures.clear();
    if (requested() % 2 === 0) kubernetes.failures.set('/readyz', { code: 500, message: 'shutting down' });
    return Array.prototype.push.call(kubernetes.requests, url);
  });
  begin();
  await requestedAgain(10);
  expect(failures).toEqual([]);
});

test('retries soon after the first failure only', async () => {
  kubernetes.failures.set('/readyz', { code: 500, message: 'shutting down' });
  begin({ intervalMs: 600_000, retryMs: 10 });
  await reports('shutting down');
  expect(requested()).toBe(2);
});

test.each([403, 404, 429])('an API server that answers %d is healthy', async (code) => {
  kubernetes.failures.set('/readyz', { code, message: 'forbidden' });
  begin();
  await requestedAgain(5);
  expect(failures).toEqual([]);
});

test('aborts its request when stopped, and reports nothing', async () => {
  kubernetes.freeze();
  begin();
  await vi.waitFor(() => expect(kubernetes.held).toBe(1), polling);
  apiHealth.stop();
  await vi.waitFor(() => expect(kubernetes.held).toBe(0), polling);
  expect([failures, requested()]).toEqual([[], 1]);
});

test('sends no more requests once stopped', async () => {
  begin();
  await requestedAgain(2);
  apiHealth.stop();
  const elsewhere = new Client({ ...config, server: `${config.server}/other` });
  const other = new ApiHealth({ client: elsewhere, onChange: () => {}, intervalMs: 20 });
  const count = () => kubernetes.requests.filter((url) => url === '/readyz').length;
  await requestedAgain(3);
  const before = count();
  await requestedAgain(6);
  other.stop();
  expect(count()).toBe(before);
});

test('does not keep the process alive', async () => {
  const file = (path: string) => JSON.stringify(join(import.meta.dirname, '../../../functions/agent', path));
  const script = `
    const { Client } = await import(${file('kubernetes/client.ts')});
    const { ApiHealth } = await import(${file('kubernetes/api-health.ts')});
    new ApiHealth({ client: new Client(${JSON.stringify(config)}), onChange: console.log });
  `;
  const options = { cwd: import.meta.dirname, timeout: waitTimeoutMs };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options);
  expect([stdout, requested()]).toEqual(['', 1]);
});
