import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import { Sources, type SourcesOptions } from '../../../functions/agent/sources/sources.ts';
import type { DeclaredDiscovery } from '../../../functions/contract/declaration.ts';
import { discoveryWith } from '../../contract/declared.ts';
import { soon } from '../../patience.ts';
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
let view: Sources;
let missing: Parameters<SourcesOptions['onMissing']>[0][];
let served: string[][];
let reached: (string | undefined)[];
let noted: string[];

beforeEach(async () => {
  kubernetes = new ApiServer();
  client = new Client(await kubernetes.start());
  [missing, served, reached, noted] = [[], [], [], []];
  view = new Sources({
    client,
    failureLog: { record: (action, failure) => void noted.push(`${action}: ${failure ?? 'works'}`) },
    onMissing: (kinds) => missing.push(kinds),
    onServed: (names) => served.push(names),
    onReach: (failure) => reached.push(failure),
    pace: { served: { every: 20, soon: 20 }, reach: { every: 20, soon: 10, timeout: 1_000 } },
  });
});
afterEach(() => {
  view.stop();
  kubernetes.stop();
});

const discovery = (...sources: DeclaredDiscovery['sources']) => discoveryWith({ sources });
const routes = discovery({ kind: 'HTTPRoute', resources: [route, gateway] });
const answers = (path: string, times = 3) => {
  const count = () => kubernetes.requests.filter((url) => url === path).length;
  const before = count();
  return vi.waitFor(() => expect(count()).toBeGreaterThanOrEqual(before + times), soon);
};

test('what is optional is told of where it is served, and nobody misses it', async () => {
  kubernetes.resources.set(gatewayAPI, ['gateways']);
  kubernetes.resources.set(monitoringAPI, ['servicemonitors']);
  view.follow(routes, [monitor, rule]);
  await vi.waitFor(
    () => expect([served, missing]).toEqual([[[monitor]], [[{ kind: 'HTTPRoute', resource: route }]]]),
    soon,
  );
  kubernetes.resources.set(monitoringAPI, ['servicemonitors', 'prometheusrules']);
  await vi.waitFor(() => expect(served).toEqual([[monitor], [monitor, rule]]), soon);
  expect(missing).toHaveLength(1);
});

test('what is optional is told of when its definition comes, and when it goes, and once each', async () => {
  view.follow(undefined, [monitor]);
  await vi.waitFor(() => expect(served).toEqual([[]]), soon);
  kubernetes.resources.set(monitoringAPI, ['servicemonitors']);
  await vi.waitFor(() => expect(served).toEqual([[], [monitor]]), soon);
  await answers(monitoringAPI);
  kubernetes.resources.delete(monitoringAPI);
  await vi.waitFor(() => expect(served).toEqual([[], [monitor], []]), soon);
  expect(missing).toEqual([]);
});

test('nothing is said of it before all of it has an answer, and nothing new while there is none', async () => {
  kubernetes.resources.set(monitoringAPI, ['servicemonitors']);
  kubernetes.resources.set(gatewayAPI, ['gateways']);
  kubernetes.failures.set(gatewayAPI, { code: 503, message: 'starting' });
  view.follow(undefined, [monitor, gateway]);
  await answers(monitoringAPI);
  await answers(gatewayAPI);
  expect(served).toEqual([]);
  kubernetes.failures.clear();
  await vi.waitFor(() => expect(served).toEqual([[monitor, gateway]]), soon);
  kubernetes.failures.set('/apis', { code: 503, message: 'stopping' });
  await answers(gatewayAPI);
  expect(served).toHaveLength(1);
});

test('nothing is said of it where nothing is optional, but that it is no more', async () => {
  kubernetes.resources.set(gatewayAPI, ['gateways', 'httproutes']);
  view.follow(routes);
  await vi.waitFor(() => expect(view.cache.hasSynced('httproute/shop/web')).toBe(true), soon);
  expect(served).toEqual([]);
  view.follow(routes, [gateway]);
  expect(served).toEqual([[gateway]]);
  view.follow(routes);
  expect(served).toEqual([[gateway], []]);
});

test('an answer on what is optional judges no claim anew, and is none on the kinds that are looked at', async () => {
  kubernetes.resources.set(monitoringAPI, ['servicemonitors']);
  kubernetes.failures.set(gatewayAPI, { code: 503, message: 'starting' });
  view.follow(routes, [monitor]);
  const { version } = view.cache;
  await vi.waitFor(() => expect(served).toEqual([[monitor]]), soon);
  expect([view.cache.unsynced(), view.cache.version]).toEqual(['kinds that the cluster serves', version]);
});

test('a resource may be optional and looked at', async () => {
  kubernetes.resources.set(gatewayAPI, ['httproutes']);
  view.follow(routes, [gateway]);
  await vi.waitFor(() => expect([served, missing]).toEqual([[[]], [[{ kind: 'HTTPRoute', resource: gateway }]]]), soon);
  view.follow(undefined, [gateway, route]);
  await vi.waitFor(() => expect([served.at(-1), missing.at(-1)]).toEqual([[route], []]), soon);
});

describe('while an object of a kind that not every cluster serves goes', () => {
  const routesPath = `${gatewayAPI}/httproutes`;
  const object = (name: string) => ({ metadata: { name, namespace: 'shop' } });
  const started = async () => {
    // What is served is not asked for again by itself.
    view.stop();
    const pace = { served: { every: 600_000, soon: 20 }, reach: { every: 600_000 } };
    view = new Sources({ client, failureLog: { record: () => {} }, onMissing: (kinds) => missing.push(kinds), pace });
    kubernetes.resources.set(gatewayAPI, ['gateways', 'httproutes']);
    for (const name of ['a', 'b']) kubernetes.put(routesPath, { ...object(name), ...accepted });
    view.follow(routes);
    await vi.waitFor(() => expect(view.cache.hasSynced('httproute/shop/a')).toBe(true), soon);
    missing = [];
  };
  const accepted = {
    spec: { hostnames: ['a.corp.internal'] },
    status: {
      parents: [{ parentRef: { name: 'gw' }, controllerName: 'c', conditions: [{ type: 'Accepted', status: 'True' }] }],
    },
  };

  test('it is known at once whether its kind stays', async () => {
    await started();
    const version = view.cache.version;
    kubernetes.remove(routesPath, 'shop/a');
    await vi.waitFor(() => expect(view.cache.version).toBeGreaterThan(version), soon);
    await vi.waitFor(() => expect(view.cache.isUnsynced('httproute/shop/a')).toBe(false), soon);
    expect(kubernetes.requests.filter((url) => url === gatewayAPI)).toHaveLength(2);
    expect(missing).toEqual([]);
  });

  test('it is not seen to be gone when its kind is being removed', async () => {
    await started();
    kubernetes.isTerminating = true;
    let wasSeen = false;
    kubernetes.remove(routesPath, 'shop/a');
    await vi.waitFor(
      () => {
        wasSeen ||= !view.cache.isUnsynced('httproute/shop/a') && !view.cache.filteredOf('httproute/shop/a').length;
        expect(missing).toHaveLength(1);
      },
      { ...soon, interval: 1 },
    );
    expect([wasSeen, view.cache.isUnsynced('httproute/shop/a')]).toEqual([false, true]);
  });
});

test('says that the API server is frozen, and that it is back', async () => {
  kubernetes.freeze();
  await vi.waitFor(() => expect(reached).toEqual(['Kubernetes does not answer']), soon);
  kubernetes.thaw();
  await vi.waitFor(() => expect(reached).toEqual(['Kubernetes does not answer', undefined]), soon);
  expect(noted).toEqual(['reach Kubernetes: Kubernetes does not answer', 'reach Kubernetes: works']);
});

test('asks for nothing any more once it is stopped', async () => {
  kubernetes.resources.set(gatewayAPI, ['gateways', 'httproutes']);
  view.follow(routes, [monitor]);
  await vi.waitFor(() => expect(kubernetes.watches()).toBe(2), soon);
  view.stop();
  await vi.waitFor(() => expect(kubernetes.watches()).toBe(0), soon);
  // What it asked before may still be on its way.
  await vi.waitFor(async () => {
    const { length } = kubernetes.requests;
    await delay(200);
    expect(kubernetes.requests).toHaveLength(length);
  }, soon);
});
