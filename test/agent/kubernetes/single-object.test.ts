import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import type { Informer } from '../../../functions/agent/kubernetes/informer.ts';
import type { ConfigMap } from '../../../functions/agent/kubernetes/object.ts';
import { singleObjectInformer } from '../../../functions/agent/kubernetes/single-object.ts';
import { polling } from '../../timeouts.ts';
import { ApiServer } from './api-server.ts';

const configMaps = '/api/v1/configmaps';

let apiServer: ApiServer;
let informer: Informer<ConfigMap>;
let texts: (string | undefined)[];
let failures: (string | undefined)[];

const put = (text: string, name = 'declared') =>
  apiServer.put(configMaps, { metadata: { namespace: 'dns', name }, data: { text } });
const isWatching = () => vi.waitFor(() => expect(apiServer.watches()).toBe(1), polling);
const reads = (...expected: (string | undefined)[]) => vi.waitFor(() => expect(texts).toEqual(expected), polling);

beforeEach(async () => {
  apiServer = new ApiServer();
  [texts, failures] = [[], []];
  const client = new Client(await apiServer.start());
  const begin = () => {
    informer = singleObjectInformer<ConfigMap>({
      client,
      path: '/api/v1/namespaces/dns/configmaps',
      name: 'declared',
      onChange: (configMap) => texts.push(configMap && (configMap.data?.text ?? '')),
      onFailure: (failure) => failures.push(failure),
      backoff: { leastMs: 20, mostMs: 20 },
    });
  };
  start = begin;
});
let start: () => void;
afterEach(() => {
  informer.stop();
  apiServer.stop();
});

test('the object is reported as it is, then after each change of it, and no other one', async () => {
  put('one');
  put('other', 'other');
  start();
  await isWatching();
  put('another', 'other');
  put('two');
  await reads('one', 'two');
  for (const url of apiServer.requests) expect(url).toContain('fieldSelector=metadata.name%3Ddeclared');
  expect(failures).toEqual([]);
});

test('an object that does not exist is reported as undefined, also after it was deleted', async () => {
  start();
  await isWatching();
  expect(texts).toEqual([undefined]);
  put('one');
  await reads(undefined, 'one');
  apiServer.remove(configMaps, 'dns/declared');
  await reads(undefined, 'one', undefined);
});

test('what changed while the API server was away is reported when it is back', async () => {
  put('one');
  start();
  await isWatching();
  apiServer.failures.set('/api', { code: 503, message: 'the server is shutting down' });
  await apiServer.cutWatches();
  await vi.waitFor(() => expect(failures.at(-1)).toBe('the server is shutting down'), polling);
  put('two');
  expect(texts).toEqual(['one']);
  apiServer.failures.clear();
  await reads('one', 'two');
  await vi.waitFor(() => expect(failures.at(-1)).toBeUndefined(), polling);
});

test('a deletion while the API server was away is reported when it is back', async () => {
  put('one');
  start();
  await isWatching();
  apiServer.failures.set('/api', { code: 503, message: 'the server is shutting down' });
  await apiServer.cutWatches();
  apiServer.remove(configMaps, 'dns/declared');
  apiServer.failures.clear();
  await vi.waitFor(() => expect(texts.at(-1)).toBeUndefined(), polling);
});

test('a name cannot add to the field selector', async () => {
  singleObjectInformer({
    client: new Client(await new ApiServer().start()),
    path: '/a',
    name: 'a',
    onChange: () => {},
  }).stop();
  start();
  await isWatching();
  informer.stop();
  const list = vi.fn(async () => Promise.reject(new Error('later')));
  informer = singleObjectInformer({ client: { list, watch: list }, path: '/a', name: 'a,b=c\\', onChange: () => {} });
  const { query } = (list.mock.calls as unknown as [string, { query: object }][])[0]![1];
  expect(query).toMatchObject({ fieldSelector: 'metadata.name=a\\,b\\=c\\\\' });
});
