import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import { SourceCache, type SourceCacheOptions } from '../../../functions/agent/sources/source-cache.ts';
import { type DiscoveryChanges, discoveryWith } from '../../contract/declared.ts';
import { polling } from '../../timeouts.ts';
import { ApiServer } from '../kubernetes/api-server.ts';

const ingresses = '/apis/networking.k8s.io/v1/ingresses';
const services = '/api/v1/services';
const namespaces = '/api/v1/namespaces';
const gatewayAPI = '/apis/gateway.networking.k8s.io/v1';
const [routes, gateways] = [`${gatewayAPI}/httproutes`, `${gatewayAPI}/gateways`];
const resourcesOf = (...plurals: string[]) => plurals.map((plural) => `${plural}.v1.gateway.networking.k8s.io`);
const routeResources = resourcesOf('httproutes', 'gateways');

let kubernetes: ApiServer;
let client: Client;
let cache: SourceCache;
let failures: string[];
/** Objects and their hosts; `all` without an object. */
let changes: string[];

beforeEach(async () => {
  kubernetes = new ApiServer();
  client = new Client(await kubernetes.start());
  failures = [];
  const onFailure = (action: string, failure?: string) => void failures.push(`${action}: ${failure ?? 'works'}`);
  changes = [];
  const onChange: SourceCacheOptions['onChange'] = (change) =>
    void changes.push(change ? [change.resource, ...change.hosts].join(' ') : 'all');
  cache = new SourceCache({ client, onFailure, onChange, backoff: { leastMs: 20, mostMs: 20 } });
});
afterEach(() => {
  cache.setDiscovery(undefined);
  kubernetes.stop();
});

const discovery = (more: DiscoveryChanges = {}) =>
  discoveryWith({ sources: [{ kind: 'Ingress' }, { kind: 'Service' }], ...more });

const metadata = (name: string, namespace = 'shop', more: object = {}) => ({
  metadata: { name, namespace, creationTimestamp: '2026-11-21T08:00:00Z', ...more },
});
const ingress = (name: string, host: string, namespace?: string, ip = '198.51.100.7') => ({
  ...metadata(name, namespace),
  spec: { rules: [{ host }] },
  status: { loadBalancer: { ingress: ip ? [{ ip }] : [] } },
});
const service = (name: string, hostname: string) => ({
  ...metadata(name, 'shop', { annotations: { 'external-dns.kubernetes.io/hostname': hostname } }),
  spec: { type: 'LoadBalancer' },
});
const accepted = [{ type: 'Accepted', status: 'True' }];
const route = (name: string, ...hostnames: string[]) => ({
  ...metadata(name),
  spec: { hostnames, parentRefs: [{ name: 'envoy' }] },
  status: { parents: [{ parentRef: { name: 'envoy' }, conditions: accepted }] },
});
const gateway = (value: string, hostname?: string, allowedRoutes = {}) => ({
  ...metadata('envoy'),
  spec: { listeners: [{ name: 'http', port: 80, protocol: 'HTTP', hostname, allowedRoutes }] },
  status: { addresses: [{ value }] },
});

const resourcesAt = (name: string) =>
  cache
    .byHost(name)
    .map(({ resource }) => resource)
    .sort();
const sees = (...resources: string[]) =>
  vi.waitFor(() => expect(resources.map((r) => cache.hasSynced(r))).not.toContain(false), polling);
const eventually = (name: string, ...resources: string[]) =>
  vi.waitFor(() => expect(resourcesAt(name)).toEqual(resources), polling);
const lists = (path: string) => kubernetes.requests.filter((url) => url.startsWith(`${path}?limit`)).length;

test('indexes source objects by object and by host', async () => {
  kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
  kubernetes.put(ingresses, ingress('rival', 'web.corp.internal', 'bank'));
  kubernetes.put(services, service('web', 'web.corp.internal,svc.corp.internal'));
  expect([cache.hasSynced('ingress/shop/web'), cache.byHost('web.corp.internal.')]).toEqual([false, []]);
  cache.setDiscovery(discovery());
  await sees('ingress/shop/web', 'service/shop/web');
  expect(resourcesAt('web.corp.internal.')).toEqual(['ingress/bank/rival', 'ingress/shop/web', 'service/shop/web']);
  expect(resourcesAt('svc.corp.internal.')).toEqual(['service/shop/web']);
  expect(resourcesAt('corp.internal.')).toEqual([]);
  expect(cache.get('ingress/bank/rival')).toMatchObject({ namespace: 'bank', targets: ['198.51.100.7'] });
});

test('a host is removed with its object, and when the object no longer names it', async () => {
  kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
  cache.setDiscovery(discovery());
  await eventually('web.corp.internal.', 'ingress/shop/web');
  kubernetes.put(ingresses, ingress('other', 'web.corp.internal'));
  await eventually('web.corp.internal.', 'ingress/shop/other', 'ingress/shop/web');
  kubernetes.put(ingresses, ingress('web', 'new.corp.internal'));
  await eventually('new.corp.internal.', 'ingress/shop/web');
  expect(resourcesAt('web.corp.internal.')).toEqual(['ingress/shop/other']);
  kubernetes.remove(ingresses, 'shop/web');
  await eventually('new.corp.internal.');
  expect(cache.get('ingress/shop/web')).toBeUndefined();
});

test('a headless Service owns the names of its Pods', async () => {
  const db = service('db', 'db.corp.internal');
  kubernetes.put(services, { ...db, spec: { type: 'ClusterIP', clusterIP: 'None' } });
  cache.setDiscovery(discovery({ sources: [{ kind: 'Service', serviceTypes: ['ClusterIP'] }] }));
  await eventually('db-0.db.corp.internal.', 'service/shop/db');
  expect(resourcesAt('db.corp.internal.')).toEqual(['service/shop/db']);
  expect(resourcesAt('a.db-0.db.corp.internal.')).toEqual([]);
});

describe('has synced', () => {
  test('a declared kind once all of its objects are listed', async () => {
    cache.setDiscovery(discovery({ sources: [{ kind: 'Ingress' }, { kind: 'Node' }] }));
    await sees('ingress/shop/web');
    expect(
      ['service/shop/web', 'node/a', 'httproute/shop/web', 'ingressroute/shop/web'].filter((r) => cache.hasSynced(r)),
    ).toEqual([]);
    cache.setDiscovery(undefined);
    expect(cache.hasSynced('ingress/shop/web')).toBe(false);
  });

  test('declared namespaces only', async () => {
    kubernetes.put(ingresses, ingress('web', 'web.corp.internal', 'shop'));
    kubernetes.put(ingresses, ingress('web', 'web.corp.internal', 'bank'));
    kubernetes.put(ingresses, ingress('web', 'web.corp.internal', 'secret'));
    cache.setDiscovery(discovery({ namespaces: ['shop', 'bank'], sources: [{ kind: 'Ingress' }] }));
    await sees('ingress/shop/web', 'ingress/bank/web');
    expect(cache.hasSynced('ingress/secret/web')).toBe(false);
    expect(resourcesAt('web.corp.internal.')).toEqual(['ingress/bank/web', 'ingress/shop/web']);
    expect(
      kubernetes.requests.every((url) =>
        /^\/apis\/networking.k8s.io\/v1\/namespaces\/(shop|bank)\/ingresses\?/.test(url),
      ),
    ).toBe(true);
  });

  test('no kind that is forbidden, which is logged', async () => {
    kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
    kubernetes.put(services, service('web', 'web.corp.internal'));
    kubernetes.failures.set(services, { code: 403, message: 'services is forbidden' });
    cache.setDiscovery(discovery());
    await sees('ingress/shop/web');
    await vi.waitFor(() => expect(failures).toEqual(['watch services: services is forbidden']), polling);
    expect([cache.hasSynced('service/shop/web'), resourcesAt('web.corp.internal.')]).toEqual([
      false,
      ['ingress/shop/web'],
    ]);
    kubernetes.failures.clear();
    await sees('service/shop/web');
    kubernetes.failures.set(services, { code: 403, message: 'services is forbidden' });
    kubernetes.cutWatches();
    await eventually('web.corp.internal.', 'ingress/shop/web');
    expect(cache.hasSynced('service/shop/web')).toBe(false);
  });

  test('what it has listed, while the API server is down', async () => {
    kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
    cache.setDiscovery(discovery({ sources: [{ kind: 'Ingress' }] }));
    await sees('ingress/shop/web');
    kubernetes.failures.set('/', { code: 500, message: 'etcd is away' });
    kubernetes.cutWatches();
    await vi.waitFor(() => expect(failures.at(-1)).toBe('watch ingresses: etcd is away'), polling);
    expect([cache.hasSynced('ingress/shop/web'), resourcesAt('web.corp.internal.')]).toEqual([
      true,
      ['ingress/shop/web'],
    ]);
    cache.setDiscovery(undefined);
    expect(failures.at(-1)).toBe('watch ingresses: works');
  });
});

describe('a new declaration', () => {
  test('keeps informers that it does not change', async () => {
    cache.setDiscovery(discovery({ sources: [{ kind: 'Ingress' }] }));
    await sees('ingress/shop/web');
    cache.setDiscovery(discovery({ policy: 'UpsertOnly', intervalSeconds: 5 }));
    await sees('ingress/shop/web', 'service/shop/web');
    cache.setDiscovery(discovery({ sources: [{ kind: 'Service' }] }));
    expect([cache.hasSynced('ingress/shop/web'), cache.hasSynced('service/shop/web')]).toEqual([false, true]);
    await vi.waitFor(() => expect(kubernetes.watches()).toBe(1), polling);
    expect([lists(ingresses), lists(services)]).toEqual([1, 1]);
  });

  test('keeps the source objects of a kind until its new informer has synced', async () => {
    kubernetes.put(ingresses, {
      ...ingress('web', 'web.corp.internal'),
      spec: { rules: [{ host: 'web.corp.internal' }], ingressClassName: 'nginx' },
    });
    kubernetes.put(ingresses, ingress('bare', 'bare.corp.internal'));
    cache.setDiscovery(discovery());
    await sees('ingress/shop/web');
    kubernetes.failures.set(ingresses, { code: 500, message: 'etcd is away' });
    const classes = (...names: string[]) =>
      cache.setDiscovery(discovery({ sources: [{ kind: 'Ingress', ingressClassNames: names }] }));
    classes('traefik');
    classes('nginx');
    await vi.waitFor(() => expect(failures).toContain('watch ingresses: etcd is away'), polling);
    expect([resourcesAt('bare.corp.internal.'), cache.hasSynced('ingress/shop/web')]).toEqual([
      ['ingress/shop/bare'],
      true,
    ]);
    kubernetes.failures.clear();
    await eventually('bare.corp.internal.');
    expect(resourcesAt('web.corp.internal.')).toEqual(['ingress/shop/web']);
    cache.setDiscovery(undefined);
    expect(resourcesAt('web.corp.internal.')).toEqual([]);
  });

  test('rereads the objects when annotations may no longer name hosts', async () => {
    kubernetes.put(services, service('web', 'web.corp.internal'));
    cache.setDiscovery(discovery());
    await eventually('web.corp.internal.', 'service/shop/web');
    cache.setDiscovery(discovery({ hostnames: 'Spec' }));
    await eventually('web.corp.internal.');
  });
});

describe('a filtered object', () => {
  const labelled = (name: string, team: string) => ({
    ...ingress(name, `${name}.corp.internal`),
    ...metadata(name, 'shop', { labels: { team } }),
  });
  const ofTeam = { matchLabels: { team: 'a' } };
  const selected = () => discovery({ selector: ofTeam, sources: [{ kind: 'Ingress' }] });
  const filtered = () => [...cache.listFiltered()].map(({ resource, filteredBy: why }) => `${resource}: ${why}`).sort();
  const why = 'discovery.selector (team=a) does not match: add matching labels, or change that field';

  test('is listed with the reason, and by no other method', async () => {
    kubernetes.put(ingresses, labelled('web', 'a'));
    kubernetes.put(ingresses, labelled('other', 'b'));
    kubernetes.put(ingresses, ingress('bare', 'bare.corp.internal', 'shop', ''));
    cache.setDiscovery(selected());
    await sees('ingress/shop/web');
    expect(filtered()).toEqual([`ingress/shop/bare: ${why}`, `ingress/shop/other: ${why}`]);
    expect([...cache.list()].map(({ resource }) => resource)).toEqual(['ingress/shop/web']);
    expect([cache.get('ingress/shop/other'), cache.byHost('other.corp.internal.')]).toEqual([undefined, []]);
    expect(kubernetes.requests.filter((url) => url.includes('labelSelector'))).toEqual([]);
    cache.setDiscovery(undefined);
    expect([filtered(), [...cache.list()]]).toEqual([[], []]);
  });

  test('changes only the revision, until it is no longer filtered', async () => {
    const seen = () => [cache.version, cache.revision];
    const become = async (name: string, team: string, lines: string[]) => {
      kubernetes.put(ingresses, labelled(name, team));
      await vi.waitFor(() => expect(filtered()).toEqual(lines), polling);
      return seen();
    };
    cache.setDiscovery(selected());
    await sees('ingress/shop/web');
    const [version = 0, revision = 0] = seen();
    expect(await become('web', 'b', [`ingress/shop/web: ${why}`])).toEqual([version, revision + 1]);
    // The same object again, and then another one.
    kubernetes.put(ingresses, labelled('web', 'b'));
    expect(await become('a', 'b', [`ingress/shop/a: ${why}`, `ingress/shop/web: ${why}`])).toEqual([
      version,
      revision + 2,
    ]);
    const [, taken = 0] = await become('web', 'a', [`ingress/shop/a: ${why}`]);
    expect([cache.version, taken > revision + 2]).toEqual([version + 1, true]);
    kubernetes.remove(ingresses, 'shop/a');
    await vi.waitFor(() => expect(filtered()).toEqual([]), polling);
    expect([cache.version, cache.revision]).toEqual([version + 1, taken + 1]);
  });

  test('may have some of the hosts of an unfiltered one', async () => {
    const both = ingress('web', 'web.corp.internal');
    const annotations = { 'external-dns.kubernetes.io/hostname': 'own.corp.internal' };
    cache.setDiscovery(discovery({ hostnames: 'Spec', sources: [{ kind: 'Ingress' }] }));
    kubernetes.put(ingresses, { ...both, ...metadata('web', 'shop', { annotations }) });
    await eventually('web.corp.internal.', 'ingress/shop/web');
    expect([...cache.listFiltered()].map(({ hosts }) => hosts)).toEqual([['own.corp.internal.']]);
    const { version, revision } = cache;
    kubernetes.put(ingresses, both);
    await vi.waitFor(() => expect(filtered()).toEqual([]), polling);
    expect([cache.version, cache.revision]).toEqual([version, revision + 1]);
  });

  test('is not requested if it is a Gateway', async () => {
    const sources = [{ kind: 'HTTPRoute', gatewayLabels: 'dns=yes' }];
    cache.setDiscovery(discovery({ selector: ofTeam, sources }));
    await sees('httproute/shop/web');
    const asked = kubernetes.requests.filter((url) => url.includes('limit='));
    expect(asked.sort()).toEqual([`${gateways}?limit=500&labelSelector=dns%3Dyes`, `${routes}?limit=500`]);
  });
});

test('changedAt is undefined until an object changes after the first list', async () => {
  cache.setDiscovery(undefined);
  let clock = 1000;
  cache = new SourceCache({ client, backoff: { leastMs: 20, mostMs: 20 }, now: () => clock });
  const web = (ip: string) => kubernetes.put(ingresses, ingress('web', 'web.corp.internal', 'shop', ip));
  const address = (ip: string) =>
    vi.waitFor(() => expect(cache.get('ingress/shop/web')?.targets).toEqual([ip]), polling);
  web('192.0.2.1');
  cache.setDiscovery(discovery({ sources: [{ kind: 'Ingress' }] }));
  await address('192.0.2.1');
  expect(cache.changedAt('ingress/shop/web')).toBeUndefined();
  web('192.0.2.2');
  await address('192.0.2.2');
  clock = 2000;
  kubernetes.put(ingresses, ingress('new', 'new.corp.internal'));
  await eventually('new.corp.internal.', 'ingress/shop/new');
  expect(['web', 'new'].map((name) => cache.changedAt(`ingress/shop/${name}`))).toEqual([1000, 2000]);
  kubernetes.remove(ingresses, 'shop/web');
  await eventually('web.corp.internal.');
  expect(cache.changedAt('ingress/shop/web')).toBeUndefined();
});

test('unsynced returns what is not listed yet', async () => {
  expect(cache.unsynced()).toBeUndefined();
  cache.setDiscovery(discovery({ sources: [{ kind: 'Ingress' }, { kind: 'HTTPRoute', resources: routeResources }] }));
  expect(cache.unsynced()).toBe('kinds that the cluster serves');
  await sees('ingress/shop/web');
  cache.setServedResources(routeResources);
  expect(cache.unsynced()).toBe('httproutes');
  await sees('httproute/shop/web');
  expect(cache.unsynced()).toBeUndefined();
  cache.setServedResources([]);
  expect(cache.unsynced()).toBeUndefined();
});

test('increments the version after each change, and only then', async () => {
  const put = (labels: Record<string, string>) => kubernetes.put(namespaces, { metadata: { name: 'shop', labels } });
  const labelled = (labels: object) => vi.waitFor(() => expect(cache.namespaceLabels('shop')).toEqual(labels), polling);
  const versions: number[] = [];
  put({});
  cache.setDiscovery(discovery({ sources: [{ kind: 'Ingress' }], tenants: [{ namespaceSelector: {}, names: [] }] }));
  await sees('ingress/shop/web');
  await labelled({});
  versions.push(cache.version);
  kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
  await eventually('web.corp.internal.', 'ingress/shop/web');
  versions.push(cache.version);
  put({ team: 'a' });
  await labelled({ team: 'a' });
  versions.push(cache.version);
  // The same object again, and then another one.
  kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
  kubernetes.put(ingresses, ingress('other', 'other.corp.internal'));
  await eventually('other.corp.internal.', 'ingress/shop/other');
  versions.push(cache.version);
  const [first = 0] = versions;
  expect(versions).toEqual([first, first + 1, first + 2, first + 3]);
});

describe('routes', () => {
  const http = (more: object = {}) =>
    discovery({ sources: [{ kind: 'HTTPRoute', resources: routeResources, ...more }] });

  test('are watched only while the cluster serves them', async () => {
    kubernetes.put(routes, route('web', 'web.corp.internal'));
    kubernetes.put(gateways, gateway('198.51.100.10'));
    cache.setDiscovery(http());
    cache.setServedResources(routeResources.slice(1));
    expect(cache.hasSynced('httproute/shop/web')).toBe(false);
    cache.setServedResources(routeResources);
    await eventually('web.corp.internal.', 'httproute/shop/web');
    expect(cache.get('httproute/shop/web')?.targets).toEqual(['198.51.100.10']);
    expect([cache.hasSynced('httproute/shop/web'), cache.hasSynced('grpcroute/shop/web')]).toEqual([true, false]);
    cache.setServedResources([]);
    expect([cache.hasSynced('httproute/shop/web'), resourcesAt('web.corp.internal.')]).toEqual([false, []]);
    await vi.waitFor(() => expect(kubernetes.watches()).toBe(0), polling);
    expect(failures).toEqual([]);
  });

  test('are updated with their Gateway', async () => {
    kubernetes.put(routes, route('web'));
    cache.setDiscovery(http());
    cache.setServedResources(routeResources);
    await sees('httproute/shop/web');
    expect(cache.get('httproute/shop/web')).toBeUndefined();
    kubernetes.put(gateways, gateway('198.51.100.10', 'a.corp.internal'));
    await eventually('a.corp.internal.', 'httproute/shop/web');
    kubernetes.put(gateways, gateway('198.51.100.11', 'b.corp.internal'));
    await eventually('b.corp.internal.', 'httproute/shop/web');
    expect(resourcesAt('a.corp.internal.')).toEqual([]);
    expect(cache.get('httproute/shop/web')?.targets).toEqual(['198.51.100.11']);
    kubernetes.remove(gateways, 'shop/envoy');
    await eventually('b.corp.internal.');
  });

  test('are updated with the labels of their namespace, if these are watched and a listener selects by them', async () => {
    const namespaceSelector = { matchLabels: { routes: 'yes' } };
    const tenants = [{ namespaceSelector: {}, names: [] }];
    const put = (routes: string) => kubernetes.put(namespaces, { metadata: { name: 'shop', labels: { routes } } });
    const sources = [{ kind: 'HTTPRoute', resources: routeResources }];
    const selected = { namespaces: { from: 'Selector', selector: namespaceSelector } };
    kubernetes.put(routes, route('web', 'web.corp.internal'));
    kubernetes.put(gateways, gateway('198.51.100.10', undefined, selected));
    put('no');
    cache.setDiscovery(http());
    cache.setServedResources(routeResources);
    await eventually('web.corp.internal.', 'httproute/shop/web');
    cache.setDiscovery(discovery({ sources, tenants }));
    await eventually('web.corp.internal.');
    put('yes');
    await eventually('web.corp.internal.', 'httproute/shop/web');
    put('no');
    await eventually('web.corp.internal.');
    cache.setDiscovery(http());
    await eventually('web.corp.internal.', 'httproute/shop/web');
  });

  test('have not synced before their Gateways', async () => {
    kubernetes.put(routes, route('web', 'web.corp.internal'));
    kubernetes.put(gateways, gateway('198.51.100.10'));
    kubernetes.failures.set(gateways, { code: 403, message: 'gateways is forbidden' });
    cache.setDiscovery(http());
    cache.setServedResources(routeResources);
    await vi.waitFor(
      () => expect([failures, kubernetes.watches(routes)]).toEqual([['watch gateways: gateways is forbidden'], 1]),
      polling,
    );
    expect(cache.hasSynced('httproute/shop/web')).toBe(false);
    kubernetes.failures.clear();
    await eventually('web.corp.internal.', 'httproute/shop/web');
    expect(cache.hasSynced('httproute/shop/web')).toBe(true);
  });

  test('are unsynced before the first list and once they are no longer served', async () => {
    const unsynced = () =>
      ['httproute/shop/web', 'ingress/shop/web', 'node/a', 'x.corp.internal.'].map((r) => cache.isUnsynced(r));
    cache.setDiscovery(http());
    expect(unsynced()).toEqual([true, false, false, false]);
    cache.setServedResources(routeResources);
    await sees('httproute/shop/web');
    expect(unsynced()).toEqual([false, false, false, false]);
    cache.setServedResources([]);
    expect(unsynced()).toEqual([true, false, false, false]);
    cache.setDiscovery({ ...http(), namespaces: ['bank'] });
    expect(unsynced()).toEqual([false, false, false, false]);
  });

  test('share an informer of Gateways if their filters are the same', async () => {
    const filters = { gatewayNamespace: 'infra', gatewayLabels: 'dns=yes' };
    const sources = [{ kind: 'HTTPRoute', ...filters }, { kind: 'GRPCRoute', ...filters }, { kind: 'TLSRoute' }];
    cache.setDiscovery(discovery({ sources }));
    await sees('httproute/a/b', 'grpcroute/a/b', 'tlsroute/a/b');
    const asked = kubernetes.requests.filter((url) => url.includes('gateways?limit'));
    expect(asked.sort()).toEqual([
      '/apis/gateway.networking.k8s.io/v1/gateways?limit=500',
      '/apis/gateway.networking.k8s.io/v1/namespaces/infra/gateways?limit=500&labelSelector=dns%3Dyes',
    ]);
  });
});

test('a kind that only ExternalDNS reads is unsynced while it is not served', () => {
  const resources = ['virtualservices.v1.networking.istio.io'];
  const unsynced = () => ['virtualservice/shop/a', 'ingress/shop/a'].map((resource) => cache.isUnsynced(resource));
  cache.setDiscovery(discovery({ sources: [{ kind: 'IstioVirtualService', resources }] }));
  expect(unsynced()).toEqual([true, false]);
  cache.setServedResources(resources);
  expect(unsynced()).toEqual([false, false]);
  cache.setServedResources([]);
  expect(unsynced()).toEqual([true, false]);
});

test('DNSEndpoints have the label of ExternalDNS', async () => {
  const endpoint = { dnsName: 'a.corp.internal', recordType: 'A', targets: ['192.0.2.1'] };
  kubernetes.put('/apis/externaldns.k8s.io/v1alpha1/dnsendpoints', {
    ...metadata('a'),
    spec: { endpoints: [endpoint] },
  });
  cache.setDiscovery(discovery({ sources: [{ kind: 'DNSEndpoint' }] }));
  await eventually('a.corp.internal.', 'crd/shop/a');
  expect(cache.hasSynced('crd/shop/a')).toBe(true);
});

test('watches Namespaces for tenants only', async () => {
  const put = (labels?: Record<string, string>) =>
    kubernetes.put(namespaces, { metadata: { name: 'shop', ...(labels && { labels }) } });
  put();
  cache.setDiscovery(discovery());
  await sees('ingress/shop/web');
  expect([cache.namespaceLabels('shop'), lists(namespaces)]).toEqual([undefined, 0]);
  cache.setDiscovery(discovery({ tenants: [{ namespaceSelector: {}, names: ['*.a.corp.internal'] }] }));
  await vi.waitFor(() => expect(cache.namespaceLabels('shop')).toEqual({}), polling);
  put({ team: 'a' });
  await vi.waitFor(() => expect(cache.namespaceLabels('shop')).toEqual({ team: 'a' }), polling);
  expect(cache.namespaceLabels('bank')).toBeUndefined();
  kubernetes.remove(namespaces, 'shop');
  await vi.waitFor(() => expect(cache.namespaceLabels('shop')).toBeUndefined(), polling);
  cache.setDiscovery(discovery());
  await vi.waitFor(() => expect(kubernetes.watches(namespaces)).toBe(0), polling);
});

test('after any sequence of changes it has what a new cache would list', async () => {
  cache.setDiscovery(discovery({ sources: [{ kind: 'Ingress' }] }));
  await sees('ingress/shop/web');
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  const current = new Map<string, string>();
  for (let step = 0; step < 400; step++) {
    const [name, host] = [`i${random(12)}`, `h${random(6)}.corp.internal`];
    if (random(3) === 0 && current.delete(name)) kubernetes.remove(ingresses, `shop/${name}`);
    else kubernetes.put(ingresses, ingress(name, current.set(name, host).get(name) ?? host));
    if (step % 100 === 50) kubernetes.cutWatches('{"type":"ADD');
    await new Promise(setImmediate);
  }
  const expected = (host: string) =>
    [...current]
      .filter(([, h]) => h === host)
      .map(([name]) => `ingress/shop/${name}`)
      .sort();
  const hosts = Array.from({ length: 6 }, (_, i) => `h${i}.corp.internal`);
  await vi.waitFor(() => expect(hosts.map((h) => resourcesAt(`${h}.`))).toEqual(hosts.map(expected)), polling);
  expect(current.size).toBeGreaterThan(3);
});

describe('a change', () => {
  const changed = (...expected: string[]) => vi.waitFor(() => expect(changes).toEqual(expected), polling);

  test('has the hosts before and after, from the first list on', async () => {
    kubernetes.put(ingresses, ingress('web', 'a.corp.internal'));
    cache.setDiscovery(discovery());
    await sees('ingress/shop/web', 'service/shop/web');
    expect(changes).toEqual([]);
    kubernetes.put(ingresses, ingress('web', 'b.corp.internal'));
    await changed('ingress/shop/web a.corp.internal. b.corp.internal.');
    kubernetes.put(ingresses, ingress('web', 'b.corp.internal', 'shop', '198.51.100.8'));
    kubernetes.remove(ingresses, 'shop/web');
    await changed(
      'ingress/shop/web a.corp.internal. b.corp.internal.',
      'ingress/shop/web b.corp.internal.',
      'ingress/shop/web b.corp.internal.',
    );
  });

  test('of a Gateway is one of its routes', async () => {
    kubernetes.put(gateways, gateway('198.51.100.7'));
    kubernetes.put(routes, route('web', 'a.corp.internal'));
    cache.setDiscovery(discovery({ sources: [{ kind: 'HTTPRoute', resources: routeResources }] }));
    cache.setServedResources(routeResources);
    await sees('httproute/shop/web');
    kubernetes.put(gateways, gateway('198.51.100.8'));
    await changed('httproute/shop/web a.corp.internal.');
  });

  test('is no loss of the right to read', async () => {
    kubernetes.put(ingresses, ingress('web', 'a.corp.internal'));
    cache.setDiscovery(discovery());
    await sees('ingress/shop/web', 'service/shop/web');
    kubernetes.failures.set(ingresses, { code: 403, message: 'forbidden' });
    kubernetes.endWatches();
    await vi.waitFor(() => expect(cache.hasSynced('ingress/shop/web')).toBe(false), polling);
    expect(changes).toEqual([]);
  });
});

describe('Machines and claims', () => {
  const group = '/apis/dns.internal/v1alpha1';
  const own = [
    { kind: 'Machine', resources: ['machines.v1alpha1.dns.internal'] },
    { kind: 'NameClaim', resources: ['nameclaims.v1alpha1.dns.internal'] },
  ];
  const served = own.flatMap(({ resources }) => resources);
  const machine = (name: string, address: string) => ({ ...metadata(name), spec: { addresses: [address] } });
  const inventory = () => ({
    machines: cache.inventory?.machines?.map(({ name }) => name),
    claims: cache.inventory?.claims.map(({ name }) => name),
  });
  const has = (expected: object) => vi.waitFor(() => expect(inventory()).toEqual(expected), polling);

  test('are listed as they are, the same until one changes, and are no source objects by themselves', async () => {
    kubernetes.put(`${group}/machines`, machine('nas', '192.0.2.7'));
    kubernetes.put(`${group}/nameclaims`, {
      ...metadata('vip'),
      spec: { name: 'vip.corp.internal', addresses: ['192.0.2.1'] },
    });
    cache.setDiscovery(discovery({ sources: own }));
    cache.setServedResources(served);
    await has({ machines: ['nas'], claims: ['vip'] });
    await sees('machine/shop/nas', 'nameclaim/shop/vip');
    const before = cache.inventory;
    const [woken, version] = [changes.length, cache.version];
    // What the agent itself writes changes nothing.
    kubernetes.put(`${group}/machines`, { ...machine('nas', '192.0.2.7'), status: { instances: [] } });
    kubernetes.put(`${group}/machines`, machine('printer', '192.0.2.8'));
    await has({ machines: ['nas', 'printer'], claims: ['vip'] });
    expect([before?.machines?.length, changes.length, cache.version]).toEqual([1, woken + 1, version]);
    expect([...cache.list()]).toEqual([]);
  });

  test('are left out unless the selector of the spec matches, and their statuses are not seen', async () => {
    const seen: string[] = [];
    const see = (resource: string) => void seen.push(resource);
    cache = new SourceCache({ client, seen: { see, forget: () => {} } });
    for (const [name, team] of [
      ['nas', 'web'],
      ['printer', 'db'],
    ] as const) {
      const { metadata: named, ...more } = machine(name, '192.0.2.7');
      kubernetes.put(`${group}/machines`, { ...more, metadata: { ...named, labels: { team } } });
    }
    cache.setDiscovery(discovery({ sources: own, selector: { matchLabels: { team: 'web' } } }));
    cache.setServedResources(served);
    await has({ machines: ['nas'], claims: [] });
    expect(seen).toEqual(['machine/shop/nas']);
  });

  test('without a definition are not there: claims are, and nobody waits', async () => {
    cache.setDiscovery(discovery({ sources: own }));
    cache.setServedResources(served.slice(1));
    await has({ machines: undefined, claims: [] });
    await vi.waitFor(() => expect(cache.unsynced()).toBeUndefined(), polling);
    expect([cache.isUnsynced('machine/shop/nas'), cache.isUnsynced('nameclaim/shop/vip')]).toEqual([true, false]);
  });

  test('are none if they are no source', async () => {
    cache.setDiscovery(discovery({ sources: own.slice(1) }));
    cache.setServedResources(served);
    await has({ machines: [], claims: [] });
    cache.setDiscovery(discovery());
    expect(cache.inventory).toBeUndefined();
  });

  test('are as before while it is unknown whether the definition of a deleted one still exists', async () => {
    cache.setDiscovery(undefined);
    const removals: (readonly string[])[] = [];
    cache = new SourceCache({
      client,
      onRemoval: (resources) => void removals.push(resources),
      backoff: { leastMs: 20, mostMs: 20 },
    });
    kubernetes.put(`${group}/machines`, machine('nas', '192.0.2.7'));
    cache.setDiscovery(discovery({ sources: own }));
    cache.setServedResources(served);
    await has({ machines: ['nas'], claims: [] });
    kubernetes.remove(`${group}/machines`, 'shop/nas');
    await vi.waitFor(() => expect(removals).toEqual([own[0]?.resources]), polling);
    expect(inventory()).toEqual({ machines: ['nas'], claims: [] });
    cache.confirm(served);
    expect(inventory()).toEqual({ machines: [], claims: [] });
  });

  test('tell Zones that cannot be read from those that are not served, and from none', async () => {
    const zones = () => {
      const found = cache.inventory?.zones;
      return typeof found === 'string' ? found : found?.map((each) => ('spec' in each ? each.spec.name : each.name));
    };
    const source = { kind: 'Zone', resources: ['zones.v1alpha1.dns.internal'] };
    kubernetes.put(`${group}/zones`, { ...metadata('shop'), spec: { name: 'shop.internal' } });
    cache.setDiscovery(discovery({ sources: own }));
    expect(zones()).toBe('Off');
    cache.setDiscovery(discovery({ sources: [...own, source] }));
    expect(zones()).toBe('Unknown');
    cache.setServedResources(served);
    expect(zones()).toBe('Unserved');
    cache.setServedResources([...served, ...source.resources]);
    await vi.waitFor(() => expect(zones()).toEqual(['shop.internal']), polling);
    kubernetes.put(`${group}/zones`, { ...metadata('shop'), spec: { name: 'Shop.internal' } });
    await vi.waitFor(
      () =>
        expect(cache.inventory?.zones).toEqual([
          expect.objectContaining({ fault: expect.stringMatching(/^spec.name: /) }),
        ]),
      polling,
    );
  });

  test('know the labels of their namespaces as soon as those are listed', async () => {
    kubernetes.put(namespaces, { metadata: { name: 'shop', labels: { team: 'web' } } });
    const tenants = [{ namespaceSelector: { matchLabels: { team: 'web' } }, names: [] }];
    cache.setDiscovery(discovery({ sources: own, tenants }));
    cache.setServedResources(served);
    cache.setServesRanges(false);
    expect(cache.inventory?.awaited).toBe('namespaces');
    await vi.waitFor(() => expect(cache.inventory?.awaited).toBeUndefined(), polling);
    expect(cache.inventory?.labelsOf('shop')).toEqual({ team: 'web' });
    const before = cache.inventory?.labelsOf;
    kubernetes.put(namespaces, { metadata: { name: 'shop', labels: { team: 'db' } } });
    await vi.waitFor(() => expect(cache.inventory?.labelsOf('shop')).toEqual({ team: 'db' }), polling);
    expect(cache.inventory?.labelsOf).not.toBe(before);
  });

  describe('may have ranges of Services, which', () => {
    const path = '/apis/networking.k8s.io/v1/servicecidrs';
    const ranges = (name: string, ...cidrs: string[]) => kubernetes.put(path, { metadata: { name }, spec: { cidrs } });
    const known = () => [cache.inventory?.serviceRanges, cache.inventory?.awaited];

    test('are listed and followed', async () => {
      ranges('kubernetes', '10.96.0.0/16', 'fd00:10:96::/112');
      cache.setDiscovery(discovery({ sources: own }));
      cache.setServesRanges(true);
      expect(known()).toEqual([undefined, 'ranges of Services']);
      await vi.waitFor(() => expect(known()).toEqual([['10.96.0.0/16', 'fd00:10:96::/112'], undefined]), polling);
      const before = cache.inventory;
      ranges('more', '10.97.0.0/16');
      await vi.waitFor(() => expect(known()[0]).toContain('10.97.0.0/16'), polling);
      expect(cache.inventory).not.toBe(before);
    });

    test('are those that pods know of where the cluster tells none, and nobody knows before it has answered', async () => {
      cache.setDiscovery(discovery({ sources: own }));
      expect(known()).toEqual([undefined, 'ranges of Services']);
      cache.setServesRanges(false);
      expect(known()).toEqual([[], undefined]);
      vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.96.0.1');
      cache = new SourceCache({ client });
      cache.setDiscovery(discovery({ sources: own }));
      cache.setServesRanges(false);
      expect(known()).toEqual([['10.96.0.1'], undefined]);
      vi.unstubAllEnvs();
    });

    test('are unknown while the agent may not read them', async () => {
      kubernetes.failures.set(path, { code: 403, message: 'no' });
      cache.setDiscovery(discovery({ sources: own }));
      cache.setServesRanges(true);
      await vi.waitFor(() => expect(failures.join()).toMatch(/watch servicecidrs: /), polling);
      expect(known()).toEqual([undefined, 'ranges of Services']);
      ranges('kubernetes', '10.96.0.0/16');
      kubernetes.failures.clear();
      await vi.waitFor(() => expect(known()).toEqual([['10.96.0.0/16'], undefined]), polling);
    });

    test('are read for claims and Zones only', async () => {
      cache.setServesRanges(true);
      cache.setDiscovery(discovery({ sources: own.slice(0, 1) }));
      expect(known()).toEqual([[], undefined]);
      expect(lists(path)).toBe(0);
    });
  });
});
