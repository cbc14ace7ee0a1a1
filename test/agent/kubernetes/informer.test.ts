import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Informer } from '../../../functions/agent/kubernetes/informer.ts';
import { soon } from '../../patience.ts';
import { Kubernetes, type KubernetesObject } from './api-server.ts';

const ingresses = '/apis/networking.k8s.io/v1/ingresses';

let kubernetes: Kubernetes;
let watch: Informer<string>;
let changed: string[];
let said: (string | undefined)[];
let completed: boolean[];
let begin: (path?: string, labelSelector?: string) => void;

const object = (name: string, host = `${name}.corp.internal`, namespace = 'shop'): KubernetesObject => ({
  metadata: { namespace, name },
  spec: { host },
});
const put = (...of: Parameters<typeof object>) => kubernetes.put(ingresses, object(...of));
const seen = () => Object.fromEntries(watch.entries);
const lists = () => kubernetes.requests.filter((url) => url.includes('limit='));
const watches = () => kubernetes.requests.filter((url) => url.includes('watch=true'));
const isWatching = () => vi.waitFor(() => expect([kubernetes.watches(), watch.isComplete]).toEqual([1, true]), soon);

beforeEach(async () => {
  kubernetes = new Kubernetes();
  const config = await kubernetes.start();
  [changed, said, completed] = [[], [], []];
  begin = (path = ingresses, labelSelector) => {
    const options = { config, path, pause: () => 20, ...(labelSelector !== undefined && { labelSelector }) };
    watch = new Informer<string>({
      ...options,
      project: ({ spec }: { spec: { host?: string } }) => spec.host,
      onChange: (key) => changed.push(key),
      onComplete: () => completed.push(watch.isComplete),
      onFailure: (failure) => said.push(failure),
    });
  };
});
afterEach(() => {
  watch.stop();
  kubernetes.stop();
});

test('keeps what it makes of each object, as it comes, changes and goes', async () => {
  put('a');
  begin();
  await isWatching();
  expect(seen()).toEqual({ 'shop/a': 'a.corp.internal' });
  put('b');
  put('a', 'other.corp.internal');
  await vi.waitFor(
    () => expect(seen()).toEqual({ 'shop/a': 'other.corp.internal', 'shop/b': 'b.corp.internal' }),
    soon,
  );
  kubernetes.remove(ingresses, 'shop/a');
  await vi.waitFor(() => expect(seen()).toEqual({ 'shop/b': 'b.corp.internal' }), soon);
  expect(changed).toEqual(['shop/a', 'shop/b', 'shop/a', 'shop/a']);
  expect([said, completed]).toEqual([[], [true]]);
});

test('tells of no change that makes no difference, and of an object that is of no interest any more', async () => {
  put('a');
  begin();
  await isWatching();
  put('a');
  kubernetes.put(ingresses, { metadata: { namespace: 'shop', name: 'a' }, spec: {} });
  await vi.waitFor(() => expect(seen()).toEqual({}), soon);
  expect(changed).toEqual(['shop/a', 'shop/a']);
});

test('lists in pages, and is complete with the last one', async () => {
  for (let i = 0; i < 1201; i++) put(`i${i}`);
  begin();
  await isWatching();
  expect(watch.entries.size).toBe(1201);
  expect(completed).toEqual([true]);
  expect(lists()).toEqual(['', '&continue=500', '&continue=1000'].map((more) => `${ingresses}?limit=500${more}`));
});

test('begins with a new list when the list that it reads is too old', async () => {
  for (let i = 0; i < 501; i++) put(`i${i}`);
  vi.spyOn(kubernetes.requests, 'push').mockImplementation((url) => {
    kubernetes.failures.clear();
    if (lists().length === 1)
      kubernetes.failures.set(ingresses, { code: 410, message: 'the continue parameter is too old' });
    return Array.prototype.push.call(kubernetes.requests, url);
  });
  begin();
  await isWatching();
  expect(watch.entries.size).toBe(501);
  expect([said, lists().length]).toEqual([[], 4]);
});

test('asks for one namespace and for the selected objects only, in the list and in the watch', async () => {
  put('a');
  put('b', 'b.corp.internal', 'bank');
  begin('/apis/networking.k8s.io/v1/namespaces/bank/ingresses', 'team in (a,b),!private');
  await isWatching();
  put('c');
  put('d', 'd.corp.internal', 'bank');
  await vi.waitFor(() => expect(Object.keys(seen())).toEqual(['bank/b', 'bank/d']), soon);
  expect(kubernetes.requests).toHaveLength(2);
  for (const url of kubernetes.requests) {
    expect(new URL(url, 'http://any').searchParams.get('labelSelector')).toBe('team in (a,b),!private');
  }
});

test('goes on where it was when the server ends the watch, from the last bookmark, without a new list', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    put('a');
    begin();
    await isWatching();
    kubernetes.put('/api/v1/services', object('other'));
    kubernetes.bookmark();
    kubernetes.put(ingresses, object('b'));
    await vi.waitFor(() => expect(watch.entries.size).toBe(2), soon);
    vi.advanceTimersByTime(400_000);
    kubernetes.endWatches();
    await vi.waitFor(() => expect(watches()).toHaveLength(2), soon);
    expect(watches()[1]).toContain(`resourceVersion=${kubernetes.version}`);
    put('c');
    await vi.waitFor(() => expect(watch.entries.size).toBe(3), soon);
    expect([lists().length, said, changed]).toEqual([1, [], ['shop/a', 'shop/b', 'shop/c']]);
  } finally {
    vi.useRealTimers();
  }
});

describe('lists again, which is no failure, when', () => {
  const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
  test.each<[string, () => void]>([
    ['the watch says that it is too old', () => kubernetes.say(`${JSON.stringify({ type: 'ERROR', object: gone })}\n`)],
    [
      'the next watch would be too old',
      () => {
        kubernetes.forget();
        kubernetes.endWatches();
      },
    ],
    [
      'the next watch is refused for that',
      () => {
        vi.spyOn(kubernetes.requests, 'push').mockImplementation((url) => {
          kubernetes.failures.clear();
          if (url?.includes('watch=true') && lists().length === 1) kubernetes.failures.set(ingresses, gone);
          return Array.prototype.push.call(kubernetes.requests, url);
        });
        kubernetes.endWatches();
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
      kubernetes.remove(ingresses, 'shop/a');
      becomeTooOld();
      await vi.waitFor(() => expect(lists()).toHaveLength(2), soon);
      await isWatching();
      expect([seen(), said, completed]).toEqual([{ 'shop/b': 'b.corp.internal' }, [], [true]]);
    } finally {
      vi.useRealTimers();
    }
  });
});

test('notices what happened while the connection was cut in the middle of a line', async () => {
  put('a');
  put('b');
  begin();
  await isWatching();
  const half = JSON.stringify({ type: 'ADDED', object: object('half') });
  kubernetes.cutWatches(half.slice(0, -20));
  await vi.waitFor(() => expect(kubernetes.watches()).toBe(0), soon);
  kubernetes.remove(ingresses, 'shop/a');
  put('c');
  await vi.waitFor(() => expect(Object.keys(seen())).toEqual(['shop/b', 'shop/c']), soon);
  expect(completed).toEqual([true]);
});

test('what was seen stays while Kubernetes is away, and why is said once', async () => {
  put('a');
  begin();
  await isWatching();
  kubernetes.failures.set(ingresses, { code: 503, message: 'the server is shutting down' });
  kubernetes.cutWatches();
  await vi.waitFor(() => expect(lists().length).toBeGreaterThan(3), soon);
  expect(said.at(-1)).toBe('the server is shutting down');
  expect(said.filter((failure) => failure === said.at(-1))).toHaveLength(1);
  expect([seen(), watch.isComplete]).toEqual([{ 'shop/a': 'a.corp.internal' }, true]);
  kubernetes.failures.clear();
  await vi.waitFor(() => expect(said.at(-1)).toBeUndefined(), soon);
  expect(changed).toEqual(['shop/a']);
});

test.each([403, 404])('after %d nothing is known until it may list again', async (code) => {
  put('a');
  begin();
  await isWatching();
  kubernetes.failures.set(ingresses, { code, message: 'ingresses.networking.k8s.io is forbidden' });
  kubernetes.cutWatches();
  await vi.waitFor(() => expect(said.at(-1)).toBe('ingresses.networking.k8s.io is forbidden'), soon);
  kubernetes.failures.clear();
  await vi.waitFor(() => expect(completed).toEqual([true, false, true]), soon);
});

test('is not complete as long as it may list but not watch', async () => {
  put('a');
  vi.spyOn(kubernetes.requests, 'push').mockImplementation((url) => {
    kubernetes.failures.clear();
    if (url?.includes('watch=true')) kubernetes.failures.set(ingresses, { code: 403, message: 'cannot watch' });
    return Array.prototype.push.call(kubernetes.requests, url);
  });
  begin();
  await vi.waitFor(() => expect(watches().length).toBeGreaterThan(2), soon);
  expect([said, completed]).toEqual([['cannot watch'], []]);
});

test('hears nothing any more once it is stopped', async () => {
  put('a');
  begin();
  await isWatching();
  watch.stop();
  await vi.waitFor(() => expect(kubernetes.watches()).toBe(0), soon);
  put('b');
  expect([changed, said, kubernetes.requests.length]).toEqual([['shop/a'], [], 2]);
});

test('says that a server that ends every watch at once does so', async () => {
  begin();
  await isWatching();
  await vi.waitFor(() => {
    kubernetes.endWatches();
    expect(said).toContain('Kubernetes ended the watch at once');
  }, soon);
});
