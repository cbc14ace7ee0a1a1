import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import { Sources, type SourcesOptions } from '../../../functions/agent/sources/sources.ts';
import type { DeclaredDiscovery } from '../../../functions/contract/declaration.ts';
import { discoveryWith } from '../../contract/declared.ts';
import { polling } from '../../timeouts.ts';
import { ApiServer } from '../kubernetes/api-server.ts';

const [gatewayAPI, monitoringAPI] = ['/apis/gateway.networking.k8s.io/v1', '/apis/monitoring.coreos.com/v1'];
const [route, gateway] = ['httproutes', 'gateways'].map((plural) => `${plural}.v1.gateway.networking.k8s.io`) as [
  string,
  string,
];
const [monitor, rule] = ['servicemonitors', 'prometheusrules'].map(
  (plural) => `${plural}.v1.monitoring.coreos.com`,
) as [string, string];

let kubernetes: ApiServer;
let client: SourcesOptions['client'];
let sources: Sources;
let missing: Parameters<SourcesOptions['onMissing']>[0][];
let served: string[][];
let health: (string | undefined)[];
let logged: string[];

beforeEach(async () => {
  kubernetes = new ApiServer();
  client = new Client(await kubernetes.start());
  [missing, served, health, logged] = [[], [], [], []];
  sources = new Sources({
    client,
    failureLog: { record: (action, failure) => void logged.push(`${action}: ${failure ?? 'works'}`) },
    onMissing: (kinds) => missing.push(kinds),
    onServed: (names) => served.push(names),
    onHealth: (failure) => health.push(failure),
    pace: {
      discovery: { intervalMs: 20, retryMs: 20 },
      health: { intervalMs: 20, retryMs: 10, timeoutMs: 1_000 },
    },
  });
});
afterEach(() => {
  sources.stop();
  kubernetes.stop();
});

const discovery = (...sources: DeclaredDiscovery['sources']) => discoveryWith({ sources });
const routes = discovery({ kind: 'HTTPRoute', resources: [route, gateway] });
const answers = (path: string, times = 3) => {
  const count = () => kubernetes.requests.filter((url) => url === path).length;
  const before = count();
  return vi.waitFor(() => expect(count()).toBeGreaterThanOrEqual(before + times), polling);
};

test('optional resources are reported as served, and never as missing', async () => {
  kubernetes.resources.set(gatewayAPI, ['gateways']);
  kubernetes.resources.set(monitoringAPI, ['servicemonitors']);
  sources.setDiscovery(routes, [monitor, rule]);
  await vi.waitFor(
    () => expect([served, missing]).toEqual([[[monitor]], [[{ kind: 'HTTPRoute', resource: route }]]]),
    polling,
  );
  kubernetes.resources.set(monitoringAPI, ['servicemonitors', 'prometheusrules']);
  await vi.waitFor(() => expect(served).toEqual([[monitor], [monitor, rule]]), polling);
  expect(missing).toHaveLength(1);
});

test('optional resources are reported once when their definition is created, and once when it is deleted', async () => {
  sources.setDiscovery(undefined, [monitor]);
  await vi.waitFor(() => expect(served).toEqual([[]]), polling);
  kubernetes.resources.set(monitoringAPI, ['servicemonitors']);
  await vi.waitFor(() => expect(served).toEqual([[], [monitor]]), polling);
  await answers(monitoringAPI);
  kubernetes.resources.delete(monitoringAPI);
  await vi.waitFor(() => expect(served).toEqual([[], [monitor], []]), polling);
  expect(missing).toEqual([]);
});

test('optional resources are reported only after an answer for all of them', async () => {
  kubernetes.resources.set(monitoringAPI, ['servicemonitors']);
  kubernetes.resources.set(gatewayAPI, ['gateways']);
  kubernetes.failures.set(gatewayAPI, { code: 503, message: 'starting' });
  sources.setDiscovery(undefined, [monitor, gateway]);
  await answers(monitoringAPI);
  await answers(gatewayAPI);
  expect(served).toEqual([]);
  kubernetes.failures.clear();
  await vi.waitFor(() => expect(served).toEqual([[monitor, gateway]]), polling);
  kubernetes.failures.set('/apis', { code: 503, message: 'stopping' });
  await answers(gatewayAPI);
  expect(served).toHaveLength(1);
});

test('an empty list of optional resources is reported only after a longer one', async () => {
  kubernetes.resources.set(gatewayAPI, ['gateways', 'httproutes']);
  sources.setDiscovery(routes);
  await vi.waitFor(() => expect(sources.cache.hasSynced('httproute/shop/web')).toBe(true), polling);
  expect(served).toEqual([]);
  sources.setDiscovery(routes, [gateway]);
  expect(served).toEqual([[gateway]]);
  sources.setDiscovery(routes);
  expect(served).toEqual([[gateway], []]);
});

test('an answer for optional resources neither changes the version nor syncs the sources', async () => {
  kubernetes.resources.set(monitoringAPI, ['servicemonitors']);
  kubernetes.failures.set(gatewayAPI, { code: 503, message: 'starting' });
  sources.setDiscovery(routes, [monitor]);
  const { version } = sources.cache;
  await vi.waitFor(() => expect(served).toEqual([[monitor]]), polling);
  expect([sources.cache.unsynced(), sources.cache.version]).toEqual(['kinds that the cluster serves', version]);
});

test('a resource may be both optional and required', async () => {
  kubernetes.resources.set(gatewayAPI, ['httproutes']);
  sources.setDiscovery(routes, [gateway]);
  await vi.waitFor(
    () => expect([served, missing]).toEqual([[[]], [[{ kind: 'HTTPRoute', resource: gateway }]]]),
    polling,
  );
  sources.setDiscovery(undefined, [gateway, route]);
  await vi.waitFor(() => expect([served.at(-1), missing.at(-1)]).toEqual([[route], []]), polling);
});

test('the ranges of Services are read where the cluster tells them, and are never missing', async () => {
  const [own, group] = ['/apis/dns.internal/v1alpha1', '/apis/networking.k8s.io/v1'];
  const ranges = () => sources.cache.inventory?.serviceRanges;
  kubernetes.resources.set(own, ['nameclaims']);
  kubernetes.resources.set(group, ['ingresses']);
  sources.setDiscovery(discovery({ kind: 'NameClaim', resources: ['nameclaims.v1alpha1.dns.internal'] }));
  expect(ranges()).toBeUndefined();
  await vi.waitFor(() => expect(ranges()).toEqual([]), polling);
  // The cluster is upgraded.
  kubernetes.put(`${group}/servicecidrs`, { metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.96.0.0/16'] } });
  kubernetes.resources.set(group, ['ingresses', 'servicecidrs']);
  await vi.waitFor(() => expect(ranges()).toEqual(['10.96.0.0/16']), polling);
  expect(missing.flat()).toEqual([]);
  await vi.waitFor(() => expect(kubernetes.watches(`${group}/servicecidrs`)).toBe(1), polling);
  sources.setDiscovery(discovery({ kind: 'Ingress' }));
  await vi.waitFor(() => expect(kubernetes.watches(`${group}/servicecidrs`)).toBe(0), polling);
});

describe('after an object of a CRD is deleted', () => {
  const routesPath = `${gatewayAPI}/httproutes`;
  const object = (name: string) => ({ metadata: { name, namespace: 'shop' } });
  const started = async () => {
    // Without a refresh, API discovery would not ask again.
    sources.stop();
    const pace = { discovery: { intervalMs: 600_000, retryMs: 20 }, health: { intervalMs: 600_000 } };
    sources = new Sources({
      client,
      failureLog: { record: () => {} },
      onMissing: (kinds) => missing.push(kinds),
      pace,
    });
    kubernetes.resources.set(gatewayAPI, ['gateways', 'httproutes']);
    for (const name of ['a', 'b']) kubernetes.put(routesPath, { ...object(name), ...accepted });
    sources.setDiscovery(routes);
    await vi.waitFor(() => expect(sources.cache.hasSynced('httproute/shop/a')).toBe(true), polling);
    missing = [];
  };
  const accepted = {
    spec: { hostnames: ['a.corp.internal'] },
    status: {
      parents: [{ parentRef: { name: 'gw' }, controllerName: 'c', conditions: [{ type: 'Accepted', status: 'True' }] }],
    },
  };

  test('API discovery is refreshed at once', async () => {
    await started();
    const version = sources.cache.version;
    kubernetes.remove(routesPath, 'shop/a');
    await vi.waitFor(() => expect(sources.cache.version).toBeGreaterThan(version), polling);
    await vi.waitFor(() => expect(sources.cache.isUnsynced('httproute/shop/a')).toBe(false), polling);
    expect(kubernetes.requests.filter((url) => url === gatewayAPI)).toHaveLength(2);
    expect(missing).toEqual([]);
  });

  test('the object stays unsynced if the CRD is terminating', async () => {
    await started();
    kubernetes.isTerminating = true;
    let wasSeen = false;
    kubernetes.remove(routesPath, 'shop/a');
    await vi.waitFor(
      () => {
        wasSeen ||=
          !sources.cache.isUnsynced('httproute/shop/a') && !sources.cache.filteredOf('httproute/shop/a').length;
        expect(missing).toHaveLength(1);
      },
      { ...polling, interval: 1 },
    );
    expect([wasSeen, sources.cache.isUnsynced('httproute/shop/a')]).toEqual([false, true]);
  });
});

test('reports a frozen API server, and its recovery', async () => {
  kubernetes.freeze();
  await vi.waitFor(() => expect(health).toEqual(['Kubernetes does not answer']), polling);
  kubernetes.thaw();
  await vi.waitFor(() => expect(health).toEqual(['Kubernetes does not answer', undefined]), polling);
  expect(logged).toEqual(['reach Kubernetes: Kubernetes does not answer', 'reach Kubernetes: works']);
});

test('sends no more requests once stopped', async () => {
  kubernetes.resources.set(gatewayAPI, ['gateways', 'httproutes']);
  sources.setDiscovery(routes, [monitor]);
  await vi.waitFor(() => expect(kubernetes.watches()).toBe(2), polling);
  sources.stop();
  await vi.waitFor(() => expect(kubernetes.watches()).toBe(0), polling);
  // Earlier requests may still arrive.
  await vi.waitFor(async () => {
    const { length } = kubernetes.requests;
    await delay(200);
    expect(kubernetes.requests).toHaveLength(length);
  }, polling);
});
