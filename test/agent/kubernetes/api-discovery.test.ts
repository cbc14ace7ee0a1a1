import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiDiscovery, type Resources } from '../../../functions/agent/kubernetes/api-discovery.ts';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import { polling } from '../../timeouts.ts';
import { ApiServer } from './api-server.ts';

const [v1, v1alpha2] = ['/apis/gateway.networking.k8s.io/v1', '/apis/gateway.networking.k8s.io/v1alpha2'];
const [http, grpc, tcp] = [
  'httproutes.v1.gateway.networking.k8s.io',
  'grpcroutes.v1.gateway.networking.k8s.io',
  'tcproutes.v1alpha2.gateway.networking.k8s.io',
];

let kubernetes: ApiServer;
let apiDiscovery: ApiDiscovery;
let reported: Resources[];
let failures: (string | undefined)[];
let begin: (intervalMs: number, retryMs: number) => void;

beforeEach(async () => {
  kubernetes = new ApiServer();
  const client = new Client(await kubernetes.start());
  [reported, failures] = [[], []];
  begin = (intervalMs, retryMs) => {
    const onChange = (resources: Resources) => void reported.push(resources);
    apiDiscovery = new ApiDiscovery({ client, onChange, onFailure: (f) => failures.push(f), intervalMs, retryMs });
  };
});
afterEach(() => {
  apiDiscovery.setResources([]);
  kubernetes.stop();
});

test('a resource is missing when its version of the group is, or when that has no such resource', async () => {
  kubernetes.resources.set(v1, ['httproutes', 'gateways']);
  begin(60_000, 60_000);
  apiDiscovery.setResources([http, grpc, tcp]);
  await vi.waitFor(() => expect(reported.at(-1)).toEqual({ served: [http], missing: [grpc, tcp] }), polling);
  expect(failures).toEqual([]);
});

test('each version of a group is requested once, however many resources it has', async () => {
  kubernetes.resources.set(v1, ['httproutes', 'grpcroutes']);
  begin(60_000, 60_000);
  apiDiscovery.setResources([http, grpc, http]);
  await vi.waitFor(() => expect(reported.at(-1)).toEqual({ served: [http, grpc], missing: [] }), polling);
  apiDiscovery.setResources([grpc]);
  expect(reported.at(-1)).toEqual({ served: [grpc], missing: [] });
  expect(kubernetes.requests).toEqual([v1]);
});

test('tells when a definition is installed, and when one goes, once each', async () => {
  begin(20, 20);
  apiDiscovery.setResources([http]);
  await vi.waitFor(() => expect(kubernetes.requests.length).toBeGreaterThan(3), polling);
  kubernetes.resources.set(v1, ['httproutes']);
  await vi.waitFor(() => expect(reported.at(-1)).toEqual({ served: [http], missing: [] }), polling);
  const { length } = kubernetes.requests;
  await vi.waitFor(() => expect(kubernetes.requests.length).toBeGreaterThan(length + 3), polling);
  const before = kubernetes.requests.length;
  kubernetes.resources.delete(v1);
  await vi.waitFor(() => expect(reported.at(-1)).toEqual({ served: [], missing: [http] }), polling);
  // One answer may have been that of an API server that starts.
  expect(kubernetes.requests.length - before).toBeGreaterThanOrEqual(2);
  expect(reported.map(({ missing }) => missing.length)).toEqual([1, 0, 1]);
});

test('missing resources are polled more often', async () => {
  kubernetes.resources.set(v1, ['httproutes']);
  begin(60_000, 20);
  apiDiscovery.setResources([http, tcp]);
  const asked = (path: string) => kubernetes.requests.filter((url) => url === path).length;
  await vi.waitFor(() => expect(asked(v1alpha2)).toBeGreaterThan(3), polling);
  expect(asked(v1)).toBe(1);
});

test('the last answer holds while there is none, and no answer is not a missing one', async () => {
  kubernetes.resources.set(v1, ['httproutes']);
  begin(20, 20);
  apiDiscovery.setResources([http]);
  await vi.waitFor(() => expect(reported.at(-1)?.served).toEqual([http]), polling);
  kubernetes.failures.set('/apis', { code: 503, message: 'etcd is away' });
  await vi.waitFor(() => expect(failures).toEqual(['etcd is away']), polling);
  apiDiscovery.setResources([http, tcp]);
  const { length } = kubernetes.requests;
  await vi.waitFor(() => expect(kubernetes.requests.length).toBeGreaterThan(length + 4), polling);
  expect(reported.at(-1)).toEqual({ served: [http], missing: [] });
  expect(failures).toEqual(['etcd is away']);
  kubernetes.failures.clear();
  await vi.waitFor(() => expect(reported.at(-1)).toEqual({ served: [http], missing: [tcp] }), polling);
  await vi.waitFor(() => expect(failures).toEqual(['etcd is away', undefined]), polling);
});

test('sends no requests without resources', async () => {
  kubernetes.resources.set(v1, ['httproutes']);
  begin(10, 10);
  apiDiscovery.setResources([http]);
  await vi.waitFor(() => expect(reported.at(-1)?.served).toEqual([http]), polling);
  apiDiscovery.setResources([tcp]);
  await vi.waitFor(() => expect(reported.at(-1)?.missing).toEqual([tcp]), polling);
  const others = async () => {
    const { length } = kubernetes.requests;
    await vi.waitFor(() => expect(kubernetes.requests.length).toBeGreaterThan(length + 3), polling);
    return kubernetes.requests.slice(length);
  };
  // Earlier requests may still arrive.
  await others();
  expect(await others()).not.toContain(v1);
  apiDiscovery.setResources([]);
  expect(reported.at(-1)).toEqual({ served: [], missing: [] });
});
