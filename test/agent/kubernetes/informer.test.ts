import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import { Informer } from '../../../functions/agent/kubernetes/informer.ts';
import { polling } from '../../timeouts.ts';
import { ApiServer, type StoredObject } from './api-server.ts';

const ingresses = '/apis/networking.k8s.io/v1/ingresses';

let apiServer: ApiServer;
let informer: Informer<string>;
let changed: string[];
let failures: (string | undefined)[];
let synced: boolean[];
let begin: (path?: string, labelSelector?: string, fieldSelector?: string) => void;

const object = (name: string, host = `${name}.corp.internal`, namespace = 'shop'): StoredObject => ({
  metadata: { namespace, name },
  spec: { host },
});
const put = (...of: Parameters<typeof object>) => apiServer.put(ingresses, object(...of));
const seen = () => Object.fromEntries(informer.store);
const lists = () => apiServer.requests.filter((url) => url.includes('limit='));
const watches = () => apiServer.requests.filter((url) => url.includes('watch=true'));
const isWatching = () =>
  vi.waitFor(() => expect([apiServer.watches(), informer.hasSynced]).toEqual([1, true]), polling);

beforeEach(async () => {
  apiServer = new ApiServer();
  const client = new Client(await apiServer.start());
  [changed, failures, synced] = [[], [], []];
  begin = (path = ingresses, labelSelector, fieldSelector) => {
    const selectors = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
    const options = { client, path, ...selectors, backoff: { leastMs: 20, mostMs: 20 } };
    informer = new Informer<string>({
      ...options,
      transform: ({ spec }: { spec: { host?: string } }) => spec.host,
      onChange: (key) => changed.push(key),
      onSynced: () => synced.push(informer.hasSynced),
      onFailure: (failure) => failures.push(failure),
    });
  };
});
afterEach(() => {
  informer.stop();
  apiServer.stop();
});

test('the store has what the transform returns of each object, as it is added, updated and deleted', async () => {
  put('a');
  begin();
  await isWatching();
  expect(seen()).toEqual({ 'shop/a': 'a.corp.internal' });
  put('b');
  put('a', 'other.corp.internal');
  await vi.waitFor(
    () => expect(seen()).toEqual({ 'shop/a': 'other.corp.internal', 'shop/b': 'b.corp.internal' }),
    polling,
  );
  apiServer.remove(ingresses, 'shop/a');
  await vi.waitFor(() => expect(seen()).toEqual({ 'shop/b': 'b.corp.internal' }), polling);
  expect(changed).toEqual(['shop/a', 'shop/b', 'shop/a', 'shop/a']);
  expect([failures, synced]).toEqual([[], [true]]);
});

test('an update that does not change the entry is not reported, and one that the transform leaves out is a deletion', async () => {
  put('a');
  begin();
  await isWatching();
  put('a');
  apiServer.put(ingresses, { metadata: { namespace: 'shop', name: 'a' }, spec: {} });
  await vi.waitFor(() => expect(seen()).toEqual({}), polling);
  expect(changed).toEqual(['shop/a', 'shop/a']);
});

test('a list is read in pages, and synced with the last one', async () => {
  for (let i = 0; i < 1201; i++) put(`i${i}`);
  begin();
  await isWatching();
  expect(informer.store.size).toBe(1201);
  expect(synced).toEqual([true]);
  expect(lists()).toEqual(['', '&continue=500', '&continue=1000'].map((more) => `${ingresses}?limit=500${more}`));
});

test('a list whose continue token has expired is read again from its first page', async () => {
  for (let i = 0; i < 501; i++) put(`i${i}`);
  vi.spyOn(apiServer.requests, 'push').mockImplementation((url) => {
    apiServer.failures.clear();
    if (lists().length === 1)
      apiServer.failures.set(ingresses, { code: 410, message: 'the continue parameter is too old' });
    return Array.prototype.push.call(apiServer.requests, url);
  });
  begin();
  await isWatching();
  expect(informer.store.size).toBe(501);
  expect([failures, lists().length]).toEqual([[], 4]);
});

test('list and watch are of one namespace and have the label selector', async () => {
  put('a');
  put('b', 'b.corp.internal', 'bank');
  begin('/apis/networking.k8s.io/v1/namespaces/bank/ingresses', 'team in (a,b),!private');
  await isWatching();
  put('c');
  put('d', 'd.corp.internal', 'bank');
  await vi.waitFor(() => expect(Object.keys(seen())).toEqual(['bank/b', 'bank/d']), polling);
  expect(apiServer.requests).toHaveLength(2);
  for (const url of apiServer.requests) {
    expect(new URL(url, 'http://any').searchParams.get('labelSelector')).toBe('team in (a,b),!private');
  }
});

test('a watch that the server ends is resumed from the last bookmark, without a new list', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    put('a');
    begin();
    await isWatching();
    apiServer.put('/api/v1/services', object('other'));
    apiServer.bookmark();
    apiServer.put(ingresses, object('b'));
    await vi.waitFor(() => expect(informer.store.size).toBe(2), polling);
    vi.advanceTimersByTime(400_000);
    apiServer.endWatches();
    await vi.waitFor(() => expect(watches()).toHaveLength(2), polling);
    expect(watches()[1]).toContain(`resourceVersion=${apiServer.version}`);
    put('c');
    await vi.waitFor(() => expect(informer.store.size).toBe(3), polling);
    expect([lists().length, failures, changed]).toEqual([1, [], ['shop/a', 'shop/b', 'shop/c']]);
  } finally {
    vi.useRealTimers();
  }
});

describe('lists again without reporting a failure when', () => {
  const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
  test.each<[string, () => void]>([
    ['the watch sends 410 Gone', () => apiServer.write(`${JSON.stringify({ type: 'ERROR', object: gone })}\n`)],
    [
      'the next watch would start from a version that is too old',
      () => {
        apiServer.forget();
        apiServer.endWatches();
      },
    ],
    [
      'the next watch is refused with 410 Gone',
      () => {
        vi.spyOn(apiServer.requests, 'push').mockImplementation((url) => {
          apiServer.failures.clear();
          if (url?.includes('watch=true') && lists().length === 1) apiServer.failures.set(ingresses, gone);
          return Array.prototype.push.call(apiServer.requests, url);
        });
        apiServer.endWatches();
      },
    ],
  ])('%s', async (_, becomeTooOld) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      put('a');
      put('b');
      begin();
      await isWatching();
      // A server ends a watch after some minutes.
      vi.advanceTimersByTime(400_000);
      apiServer.remove(ingresses, 'shop/a');
      becomeTooOld();
      await vi.waitFor(() => expect(lists()).toHaveLength(2), polling);
      await isWatching();
      expect([seen(), failures, synced]).toEqual([{ 'shop/b': 'b.corp.internal' }, [], [true]]);
    } finally {
      vi.useRealTimers();
    }
  });
});

test('what happened after the connection was cut in the middle of a line is not missed', async () => {
  put('a');
  put('b');
  begin();
  await isWatching();
  const half = JSON.stringify({ type: 'ADDED', object: object('half') });
  await apiServer.cutWatches(half.slice(0, -20));
  apiServer.remove(ingresses, 'shop/a');
  put('c');
  await vi.waitFor(() => expect(Object.keys(seen())).toEqual(['shop/b', 'shop/c']), polling);
  expect(synced).toEqual([true]);
});

test('entries stay while the API server is away, and the failure is reported once', async () => {
  put('a');
  begin();
  await isWatching();
  apiServer.failures.set(ingresses, { code: 503, message: 'the server is shutting down' });
  await apiServer.cutWatches();
  await vi.waitFor(() => expect(lists().length).toBeGreaterThan(3), polling);
  expect(failures.at(-1)).toBe('the server is shutting down');
  expect(failures.filter((failure) => failure === failures.at(-1))).toHaveLength(1);
  expect([seen(), informer.hasSynced]).toEqual([{ 'shop/a': 'a.corp.internal' }, true]);
  apiServer.failures.clear();
  await vi.waitFor(() => expect(failures.at(-1)).toBeUndefined(), polling);
  expect(changed).toEqual(['shop/a']);
});

test.each([403, 404])('after %d it is not synced until it may list again', async (code) => {
  put('a');
  begin();
  await isWatching();
  apiServer.failures.set(ingresses, { code, message: 'ingresses.networking.k8s.io is forbidden' });
  await apiServer.cutWatches();
  await vi.waitFor(() => expect(failures.at(-1)).toBe('ingresses.networking.k8s.io is forbidden'), polling);
  apiServer.failures.clear();
  await vi.waitFor(() => expect(synced).toEqual([true, false, true]), polling);
});

test('it is not synced while it may list but not watch', async () => {
  put('a');
  vi.spyOn(apiServer.requests, 'push').mockImplementation((url) => {
    apiServer.failures.clear();
    if (url?.includes('watch=true')) apiServer.failures.set(ingresses, { code: 403, message: 'cannot watch' });
    return Array.prototype.push.call(apiServer.requests, url);
  });
  begin();
  await vi.waitFor(() => expect(watches().length).toBeGreaterThan(2), polling);
  expect([failures, synced]).toEqual([['cannot watch'], []]);
});

test('nothing is reported after stop', async () => {
  put('a');
  begin();
  await isWatching();
  informer.stop();
  await vi.waitFor(() => expect(apiServer.watches()).toBe(0), polling);
  put('b');
  expect([changed, failures, apiServer.requests.length]).toEqual([['shop/a'], [], 2]);
});

test('a server that ends every watch at once is reported', async () => {
  begin();
  await isWatching();
  await vi.waitFor(() => {
    apiServer.endWatches();
    expect(failures).toContain('Kubernetes ended the watch at once');
  }, polling);
});

test('a field selector is in the list and in the watch', async () => {
  put('a');
  put('b');
  begin(ingresses, undefined, 'metadata.name=b');
  await isWatching();
  put('a', 'other.corp.internal');
  put('b', 'other.corp.internal');
  await vi.waitFor(() => expect(seen()).toEqual({ 'shop/b': 'other.corp.internal' }), polling);
  for (const url of apiServer.requests) {
    expect(new URL(url, 'http://any').searchParams.get('fieldSelector')).toBe('metadata.name=b');
  }
});

test('a server that goes silent is noticed, and the watch is resumed without a new list', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    put('a');
    begin();
    await vi.waitFor(() => expect([apiServer.watches(), informer.hasSynced]).toEqual([1, true]), polling);
    await vi.advanceTimersByTimeAsync(90_000);
    put('b');
    await vi.waitFor(() => expect(informer.store.size).toBe(2), polling);
    await vi.advanceTimersByTimeAsync(90_000);
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(watches()).toHaveLength(1);
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(10_000);
      expect(watches()).toHaveLength(2);
    }, polling);
    expect([lists().length, failures, synced]).toEqual([1, [], [true]]);
  } finally {
    vi.useRealTimers();
  }
});
