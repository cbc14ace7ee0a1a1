import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiHealth, type ApiHealthOptions } from '../../../functions/agent/kubernetes/api-health.ts';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import type { Config } from '../../../functions/agent/kubernetes/config.ts';
import { patience, soon } from '../../patience.ts';
import { ApiServer } from '../kubernetes/api-server.ts';

let kubernetes: ApiServer;
let config: Config;
let reach: ApiHealth;
let said: (string | undefined)[];
let begin: (pace?: Partial<ApiHealthOptions>) => void;

const asked = () => kubernetes.requests.length;
const askedAgain = (times: number) => {
  const before = asked();
  return vi.waitFor(() => expect(asked()).toBeGreaterThanOrEqual(before + times), soon);
};
const says = (...words: (string | undefined)[]) => vi.waitFor(() => expect(said).toEqual(words), soon);

beforeEach(async () => {
  kubernetes = new ApiServer();
  config = await kubernetes.start();
  said = [];
  begin = (pace = {}) => {
    const usual = { every: 20, soon: 10, timeout: patience };
    reach = new ApiHealth({ client: new Client(config), onReach: (failure) => said.push(failure), ...usual, ...pace });
  };
});
afterEach(() => {
  reach?.stop();
  kubernetes.stop();
});

test('says nothing while the API server answers', async () => {
  begin();
  await askedAgain(5);
  expect([said, new Set(kubernetes.requests)]).toEqual([[], new Set(['/readyz'])]);
});

describe('says once that it does not, and once that it does again, when the API server', () => {
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
  ])('%s', async (_, go, comeBack, words) => {
    // Long enough for a busy machine: twice in a row it does not let the answer wait for so long.
    begin({ timeout: 1_000 });
    await askedAgain(2);
    go();
    await says(words);
    await askedAgain(2);
    comeBack();
    await says(words, undefined);
    await askedAgain(3);
    expect(said).toEqual([words, undefined]);
  });

  test('is gone', async () => {
    begin();
    await askedAgain(2);
    kubernetes.stop();
    await says(expect.stringMatching(/ECONNREFUSED|closed|ECONNRESET/));
  });
});

test('one failure is none yet', async () => {
  vi.spyOn(kubernetes.requests, 'push').mockImplementation((url) => {
    kubernetes.failures.clear();
    if (asked() % 2 === 0) kubernetes.failures.set('/readyz', { code: 500, message: 'shutting down' });
    return Array.prototype.push.call(kubernetes.requests, url);
  });
  begin();
  await askedAgain(10);
  expect(said).toEqual([]);
});

test('asks again soon after the first failure, and in its usual time after the next', async () => {
  kubernetes.failures.set('/readyz', { code: 500, message: 'shutting down' });
  begin({ every: 600_000, soon: 10 });
  await says('shutting down');
  expect(asked()).toBe(2);
});

test.each([403, 404, 429])('an API server that answers %d is there', async (code) => {
  kubernetes.failures.set('/readyz', { code, message: 'forbidden' });
  begin();
  await askedAgain(5);
  expect(said).toEqual([]);
});

test('takes its question back when it is stopped, and says nothing', async () => {
  kubernetes.freeze();
  begin();
  await vi.waitFor(() => expect(kubernetes.held).toBe(1), soon);
  reach.stop();
  await vi.waitFor(() => expect(kubernetes.held).toBe(0), soon);
  expect([said, asked()]).toEqual([[], 1]);
});

test('asks nothing any more once it is stopped', async () => {
  begin();
  await askedAgain(2);
  reach.stop();
  const elsewhere = new Client({ ...config, server: `${config.server}/other` });
  const other = new ApiHealth({ client: elsewhere, onReach: () => {}, every: 20 });
  const count = () => kubernetes.requests.filter((url) => url === '/readyz').length;
  await askedAgain(3);
  const before = count();
  await askedAgain(6);
  other.stop();
  expect(count()).toBe(before);
});

test('keeps no process alive', async () => {
  const file = (path: string) => JSON.stringify(join(import.meta.dirname, '../../../functions/agent', path));
  const script = `
    const { Client } = await import(${file('kubernetes/client.ts')});
    const { ApiHealth } = await import(${file('kubernetes/api-health.ts')});
    new ApiHealth({ client: new Client(${JSON.stringify(config)}), onReach: console.log });
  `;
  const options = { cwd: import.meta.dirname, timeout: patience };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options);
  expect([stdout, asked()]).toEqual(['', 1]);
});
