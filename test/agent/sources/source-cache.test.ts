import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import { SourceCache } from '../../../functions/agent/sources/source-cache.ts';
import { type DiscoveryChanges, discoveryWith } from '../../contract/declared.ts';
import { soon } from '../../patience.ts';
import { ApiServer } from '../kubernetes/api-server.ts';

const ingresses = '/apis/networking.k8s.io/v1/ingresses';
const services = '/api/v1/services';
const namespaces = '/api/v1/namespaces';
const gatewayAPI = '/apis/gateway.networking.k8s.io/v1';
const [routes, gateways] = [`${gatewayAPI}/httproutes`, `${gatewayAPI}/gateways`];
const needs = (...plurals: string[]) => plurals.map((plural) => `${plural}.v1.gateway.networking.k8s.io`);
const routeNeeds = needs('httproutes', 'gateways');

let kubernetes: ApiServer;
let client: Client;
let objects: SourceCache;
let said: string[];

beforeEach(async () => {
  kubernetes = new ApiServer();
  client = new Client(await kubernetes.start());
  said = [];
  const onFailure = (action: string, failure?: string) => void said.push(`${action}: ${failure ?? 'works'}`);
  objects = new SourceCache({ client, onFailure, backoff: { leastMs: 20, mostMs: 20 } });
});
afterEach(() => {
  objects.follow(undefined);
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

const claimants = (name: string) =>
  objects
    .byHost(name)
    .map(({ resource }) => resource)
    .sort();
const sees = (...resources: string[]) =>
  vi.waitFor(() => expect(resources.map((r) => objects.hasSynced(r))).not.toContain(false), soon);
const eventually = (name: string, ...resources: string[]) =>
  vi.waitFor(() => expect(claimants(name)).toEqual(resources), soon);
const lists = (path: string) => kubernetes.requests.filter((url) => url.startsWith(`${path}?limit`)).length;

test('knows every claim by its object and by its names', async () => {
  kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
  kubernetes.put(ingresses, ingress('rival', 'web.corp.internal', 'bank'));
  kubernetes.put(services, service('web', 'web.corp.internal,svc.corp.internal'));
  expect([objects.hasSynced('ingress/shop/web'), objects.byHost('web.corp.internal.')]).toEqual([false, []]);
  objects.follow(discovery());
  await sees('ingress/shop/web', 'service/shop/web');
  expect(claimants('web.corp.internal.')).toEqual(['ingress/bank/rival', 'ingress/shop/web', 'service/shop/web']);
  expect(claimants('svc.corp.internal.')).toEqual(['service/shop/web']);
  expect(claimants('corp.internal.')).toEqual([]);
  expect(objects.get('ingress/bank/rival')).toMatchObject({ namespace: 'bank', targets: ['198.51.100.7'] });
});

test('a name goes with its object, and with its place in the object', async () => {
  kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
  objects.follow(discovery());
  await eventually('web.corp.internal.', 'ingress/shop/web');
  kubernetes.put(ingresses, ingress('other', 'web.corp.internal'));
  await eventually('web.corp.internal.', 'ingress/shop/other', 'ingress/shop/web');
  kubernetes.put(ingresses, ingress('web', 'new.corp.internal'));
  await eventually('new.corp.internal.', 'ingress/shop/web');
  expect(claimants('web.corp.internal.')).toEqual(['ingress/shop/other']);
  kubernetes.remove(ingresses, 'shop/web');
  await eventually('new.corp.internal.');
  expect(objects.get('ingress/shop/web')).toBeUndefined();
});

test('the Pods of a headless Service have the names below its own', async () => {
  const db = service('db', 'db.corp.internal');
  kubernetes.put(services, { ...db, spec: { type: 'ClusterIP', clusterIP: 'None' } });
  objects.follow(discovery({ sources: [{ kind: 'Service', serviceTypes: ['ClusterIP'] }] }));
  await eventually('db-0.db.corp.internal.', 'service/shop/db');
  expect(claimants('db.corp.internal.')).toEqual(['service/shop/db']);
  expect(claimants('a.db-0.db.corp.internal.')).toEqual([]);
});

describe('sees', () => {
  test('kinds of its sources, none of them before it has all of their objects', async () => {
    objects.follow(discovery({ sources: [{ kind: 'Ingress' }, { kind: 'Node' }] }));
    await sees('ingress/shop/web');
    expect(
      ['service/shop/web', 'node/a', 'httproute/shop/web', 'ingressroute/shop/web'].filter((r) => objects.hasSynced(r)),
    ).toEqual([]);
    objects.follow(undefined);
    expect(objects.hasSynced('ingress/shop/web')).toBe(false);
  });

  test('the namespaces that it may', async () => {
    kubernetes.put(ingresses, ingress('web', 'web.corp.internal', 'shop'));
    kubernetes.put(ingresses, ingress('web', 'web.corp.internal', 'bank'));
    kubernetes.put(ingresses, ingress('web', 'web.corp.internal', 'secret'));
    objects.follow(discovery({ namespaces: ['shop', 'bank'], sources: [{ kind: 'Ingress' }] }));
    await sees('ingress/shop/web', 'ingress/bank/web');
    expect(objects.hasSynced('ingress/secret/web')).toBe(false);
    expect(claimants('web.corp.internal.')).toEqual(['ingress/bank/web', 'ingress/shop/web']);
    expect(
      kubernetes.requests.every((url) =>
        /^\/apis\/networking.k8s.io\/v1\/namespaces\/(shop|bank)\/ingresses\?/.test(url),
      ),
    ).toBe(true);
  });

  test('no kind that is forbidden, and says so', async () => {
    kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
    kubernetes.put(services, service('web', 'web.corp.internal'));
    kubernetes.failures.set(services, { code: 403, message: 'services is forbidden' });
    objects.follow(discovery());
    await sees('ingress/shop/web');
    await vi.waitFor(() => expect(said).toEqual(['watch services: services is forbidden']), soon);
    expect([objects.hasSynced('service/shop/web'), claimants('web.corp.internal.')]).toEqual([
      false,
      ['ingress/shop/web'],
    ]);
    kubernetes.failures.clear();
    await sees('service/shop/web');
    kubernetes.failures.set(services, { code: 403, message: 'services is forbidden' });
    kubernetes.cutWatches();
    await eventually('web.corp.internal.', 'ingress/shop/web');
    expect(objects.hasSynced('service/shop/web')).toBe(false);
  });

  test('what it saw, while Kubernetes is away', async () => {
    kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
    objects.follow(discovery({ sources: [{ kind: 'Ingress' }] }));
    await sees('ingress/shop/web');
    kubernetes.failures.set('/', { code: 500, message: 'etcd is away' });
    kubernetes.cutWatches();
    await vi.waitFor(() => expect(said.at(-1)).toBe('watch ingresses: etcd is away'), soon);
    expect([objects.hasSynced('ingress/shop/web'), claimants('web.corp.internal.')]).toEqual([
      true,
      ['ingress/shop/web'],
    ]);
    objects.follow(undefined);
    expect(said.at(-1)).toBe('watch ingresses: works');
  });
});

describe('another declaration', () => {
  test('leaves alone what stays', async () => {
    objects.follow(discovery({ sources: [{ kind: 'Ingress' }] }));
    await sees('ingress/shop/web');
    objects.follow(discovery({ policy: 'UpsertOnly', intervalSeconds: 5 }));
    await sees('ingress/shop/web', 'service/shop/web');
    objects.follow(discovery({ sources: [{ kind: 'Service' }] }));
    expect([objects.hasSynced('ingress/shop/web'), objects.hasSynced('service/shop/web')]).toEqual([false, true]);
    await vi.waitFor(() => expect(kubernetes.watches()).toBe(1), soon);
    expect([lists(ingresses), lists(services)]).toEqual([1, 1]);
  });

  test('keeps what was seen of a kind until it is seen in the new way', async () => {
    kubernetes.put(ingresses, {
      ...ingress('web', 'web.corp.internal'),
      spec: { rules: [{ host: 'web.corp.internal' }], ingressClassName: 'nginx' },
    });
    kubernetes.put(ingresses, ingress('bare', 'bare.corp.internal'));
    objects.follow(discovery());
    await sees('ingress/shop/web');
    kubernetes.failures.set(ingresses, { code: 500, message: 'etcd is away' });
    const classes = (...names: string[]) =>
      objects.follow(discovery({ sources: [{ kind: 'Ingress', ingressClassNames: names }] }));
    classes('traefik');
    classes('nginx');
    await vi.waitFor(() => expect(said).toContain('watch ingresses: etcd is away'), soon);
    expect([claimants('bare.corp.internal.'), objects.hasSynced('ingress/shop/web')]).toEqual([
      ['ingress/shop/bare'],
      true,
    ]);
    kubernetes.failures.clear();
    await eventually('bare.corp.internal.');
    expect(claimants('web.corp.internal.')).toEqual(['ingress/shop/web']);
    objects.follow(undefined);
    expect(claimants('web.corp.internal.')).toEqual([]);
  });

  test('reads the objects anew when annotations name no host any more', async () => {
    kubernetes.put(services, service('web', 'web.corp.internal'));
    objects.follow(discovery());
    await eventually('web.corp.internal.', 'service/shop/web');
    objects.follow(discovery({ hostnames: 'Spec' }));
    await eventually('web.corp.internal.');
  });
});

describe('what a filter leaves out', () => {
  const labelled = (name: string, team: string) => ({
    ...ingress(name, `${name}.corp.internal`),
    ...metadata(name, 'shop', { labels: { team } }),
  });
  const ofTeam = { matchLabels: { team: 'a' } };
  const selected = () => discovery({ selector: ofTeam, sources: [{ kind: 'Ingress' }] });
  const leftOut = () =>
    [...objects.listFiltered()].map(({ resource, filteredBy: why }) => `${resource}: ${why}`).sort();
  const why = 'discovery.selector (team=a) leaves it out: give it labels that match, or change that field';

  test('is told of, with the reason, and nowhere else', async () => {
    kubernetes.put(ingresses, labelled('web', 'a'));
    kubernetes.put(ingresses, labelled('other', 'b'));
    kubernetes.put(ingresses, ingress('bare', 'bare.corp.internal', 'shop', ''));
    objects.follow(selected());
    await sees('ingress/shop/web');
    expect(leftOut()).toEqual([`ingress/shop/bare: ${why}`, `ingress/shop/other: ${why}`]);
    expect([...objects.list()].map(({ resource }) => resource)).toEqual(['ingress/shop/web']);
    expect([objects.get('ingress/shop/other'), objects.byHost('other.corp.internal.')]).toEqual([undefined, []]);
    expect(kubernetes.requests.filter((url) => url.includes('labelSelector'))).toEqual([]);
    objects.follow(undefined);
    expect([leftOut(), [...objects.list()]]).toEqual([[], []]);
  });

  test('changes the revision alone, until it is left out no more', async () => {
    const seen = () => [objects.version, objects.revision];
    const become = async (name: string, team: string, lines: string[]) => {
      kubernetes.put(ingresses, labelled(name, team));
      await vi.waitFor(() => expect(leftOut()).toEqual(lines), soon);
      return seen();
    };
    objects.follow(selected());
    await sees('ingress/shop/web');
    const [version = 0, revision = 0] = seen();
    expect(await become('web', 'b', [`ingress/shop/web: ${why}`])).toEqual([version, revision + 1]);
    // The same again, and then something else: there is nothing between them.
    kubernetes.put(ingresses, labelled('web', 'b'));
    expect(await become('a', 'b', [`ingress/shop/a: ${why}`, `ingress/shop/web: ${why}`])).toEqual([
      version,
      revision + 2,
    ]);
    const [, taken = 0] = await become('web', 'a', [`ingress/shop/a: ${why}`]);
    expect([objects.version, taken > revision + 2]).toEqual([version + 1, true]);
    kubernetes.remove(ingresses, 'shop/a');
    await vi.waitFor(() => expect(leftOut()).toEqual([]), soon);
    expect([objects.version, objects.revision]).toEqual([version + 1, taken + 1]);
  });

  test('may be some hosts of an object, of which the others count', async () => {
    const both = ingress('web', 'web.corp.internal');
    const annotations = { 'external-dns.kubernetes.io/hostname': 'own.corp.internal' };
    objects.follow(discovery({ hostnames: 'Spec', sources: [{ kind: 'Ingress' }] }));
    kubernetes.put(ingresses, { ...both, ...metadata('web', 'shop', { annotations }) });
    await eventually('web.corp.internal.', 'ingress/shop/web');
    expect([...objects.listFiltered()].map(({ hosts }) => hosts)).toEqual([['own.corp.internal.']]);
    const { version, revision } = objects;
    kubernetes.put(ingresses, both);
    await vi.waitFor(() => expect(leftOut()).toEqual([]), soon);
    expect([objects.version, objects.revision]).toEqual([version, revision + 1]);
  });

  test('is still selected by the API server where it is a Gateway', async () => {
    const sources = [{ kind: 'HTTPRoute', gatewayLabels: 'dns=yes' }];
    objects.follow(discovery({ selector: ofTeam, sources }));
    await sees('httproute/shop/web');
    const asked = kubernetes.requests.filter((url) => url.includes('limit='));
    expect(asked.sort()).toEqual([`${gateways}?limit=500&labelSelector=dns%3Dyes`, `${routes}?limit=500`]);
  });
});

test('knows when an object was seen to change, and of none that it found there', async () => {
  objects.follow(undefined);
  let clock = 1000;
  objects = new SourceCache({ client, backoff: { leastMs: 20, mostMs: 20 }, now: () => clock });
  const web = (ip: string) => kubernetes.put(ingresses, ingress('web', 'web.corp.internal', 'shop', ip));
  const address = (ip: string) =>
    vi.waitFor(() => expect(objects.get('ingress/shop/web')?.targets).toEqual([ip]), soon);
  web('192.0.2.1');
  objects.follow(discovery({ sources: [{ kind: 'Ingress' }] }));
  await address('192.0.2.1');
  expect(objects.changedAt('ingress/shop/web')).toBeUndefined();
  web('192.0.2.2');
  await address('192.0.2.2');
  clock = 2000;
  kubernetes.put(ingresses, ingress('new', 'new.corp.internal'));
  await eventually('new.corp.internal.', 'ingress/shop/new');
  expect(['web', 'new'].map((name) => objects.changedAt(`ingress/shop/${name}`))).toEqual([1000, 2000]);
  kubernetes.remove(ingresses, 'shop/web');
  await eventually('web.corp.internal.');
  expect(objects.changedAt('ingress/shop/web')).toBeUndefined();
});

test('says what is not listed yet, and whether it knows what there is to list', async () => {
  expect(objects.unsynced()).toBeUndefined();
  objects.follow(discovery({ sources: [{ kind: 'Ingress' }, { kind: 'HTTPRoute', resources: routeNeeds }] }));
  expect(objects.unsynced()).toBe('kinds that the cluster serves');
  await sees('ingress/shop/web');
  objects.takeServed(routeNeeds);
  expect(objects.unsynced()).toBe('httproutes');
  await sees('httproute/shop/web');
  expect(objects.unsynced()).toBeUndefined();
  objects.takeServed([]);
  expect(objects.unsynced()).toBeUndefined();
});

test('has another version after each change of what it says, and no other without one', async () => {
  const put = (labels: Record<string, string>) => kubernetes.put(namespaces, { metadata: { name: 'shop', labels } });
  const labelled = (labels: object) => vi.waitFor(() => expect(objects.namespaceLabels('shop')).toEqual(labels), soon);
  const versions: number[] = [];
  put({});
  objects.follow(discovery({ sources: [{ kind: 'Ingress' }], tenants: [{ namespaceSelector: {}, names: [] }] }));
  await sees('ingress/shop/web');
  await labelled({});
  versions.push(objects.version);
  kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
  await eventually('web.corp.internal.', 'ingress/shop/web');
  versions.push(objects.version);
  put({ team: 'a' });
  await labelled({ team: 'a' });
  versions.push(objects.version);
  // The same again, and then something else: there is nothing between them.
  kubernetes.put(ingresses, ingress('web', 'web.corp.internal'));
  kubernetes.put(ingresses, ingress('other', 'other.corp.internal'));
  await eventually('other.corp.internal.', 'ingress/shop/other');
  versions.push(objects.version);
  const [first = 0] = versions;
  expect(versions).toEqual([first, first + 1, first + 2, first + 3]);
});

describe('routes', () => {
  const http = (more: object = {}) => discovery({ sources: [{ kind: 'HTTPRoute', resources: routeNeeds, ...more }] });

  test('are not asked for until the cluster serves them, and not after', async () => {
    kubernetes.put(routes, route('web', 'web.corp.internal'));
    kubernetes.put(gateways, gateway('198.51.100.10'));
    objects.follow(http());
    objects.takeServed(routeNeeds.slice(1));
    expect(objects.hasSynced('httproute/shop/web')).toBe(false);
    objects.takeServed(routeNeeds);
    await eventually('web.corp.internal.', 'httproute/shop/web');
    expect(objects.get('httproute/shop/web')?.targets).toEqual(['198.51.100.10']);
    expect([objects.hasSynced('httproute/shop/web'), objects.hasSynced('grpcroute/shop/web')]).toEqual([true, false]);
    objects.takeServed([]);
    expect([objects.hasSynced('httproute/shop/web'), claimants('web.corp.internal.')]).toEqual([false, []]);
    await vi.waitFor(() => expect(kubernetes.watches()).toBe(0), soon);
    expect(said).toEqual([]);
  });

  test('follow their Gateway', async () => {
    kubernetes.put(routes, route('web'));
    objects.follow(http());
    objects.takeServed(routeNeeds);
    await sees('httproute/shop/web');
    expect(objects.get('httproute/shop/web')).toBeUndefined();
    kubernetes.put(gateways, gateway('198.51.100.10', 'a.corp.internal'));
    await eventually('a.corp.internal.', 'httproute/shop/web');
    kubernetes.put(gateways, gateway('198.51.100.11', 'b.corp.internal'));
    await eventually('b.corp.internal.', 'httproute/shop/web');
    expect(claimants('a.corp.internal.')).toEqual([]);
    expect(objects.get('httproute/shop/web')?.targets).toEqual(['198.51.100.11']);
    kubernetes.remove(gateways, 'shop/envoy');
    await eventually('b.corp.internal.');
  });

  test('follow the labels of their namespace, where they are known and a listener asks for them', async () => {
    const namespaceSelector = { matchLabels: { routes: 'yes' } };
    const tenants = [{ namespaceSelector: {}, names: [] }];
    const put = (routes: string) => kubernetes.put(namespaces, { metadata: { name: 'shop', labels: { routes } } });
    const sources = [{ kind: 'HTTPRoute', resources: routeNeeds }];
    const selected = { namespaces: { from: 'Selector', selector: namespaceSelector } };
    kubernetes.put(routes, route('web', 'web.corp.internal'));
    kubernetes.put(gateways, gateway('198.51.100.10', undefined, selected));
    put('no');
    objects.follow(http());
    objects.takeServed(routeNeeds);
    await eventually('web.corp.internal.', 'httproute/shop/web');
    objects.follow(discovery({ sources, tenants }));
    await eventually('web.corp.internal.');
    put('yes');
    await eventually('web.corp.internal.', 'httproute/shop/web');
    put('no');
    await eventually('web.corp.internal.');
    objects.follow(http());
    await eventually('web.corp.internal.', 'httproute/shop/web');
  });

  test('are not seen without their Gateways', async () => {
    kubernetes.put(routes, route('web', 'web.corp.internal'));
    kubernetes.put(gateways, gateway('198.51.100.10'));
    kubernetes.failures.set(gateways, { code: 403, message: 'gateways is forbidden' });
    objects.follow(http());
    objects.takeServed(routeNeeds);
    await vi.waitFor(
      () => expect([said, kubernetes.watches(routes)]).toEqual([['watch gateways: gateways is forbidden'], 1]),
      soon,
    );
    expect(objects.hasSynced('httproute/shop/web')).toBe(false);
    kubernetes.failures.clear();
    await eventually('web.corp.internal.', 'httproute/shop/web');
    expect(objects.hasSynced('httproute/shop/web')).toBe(true);
  });

  test('are to be seen, and cannot be, before they are listed and once they are not served any more', async () => {
    const unsynced = () =>
      ['httproute/shop/web', 'ingress/shop/web', 'node/a', 'x.corp.internal.'].map((r) => objects.isUnsynced(r));
    objects.follow(http());
    expect(unsynced()).toEqual([true, false, false, false]);
    objects.takeServed(routeNeeds);
    await sees('httproute/shop/web');
    expect(unsynced()).toEqual([false, false, false, false]);
    objects.takeServed([]);
    expect(unsynced()).toEqual([true, false, false, false]);
    objects.follow({ ...http(), namespaces: ['bank'] });
    expect(unsynced()).toEqual([false, false, false, false]);
  });

  test('share the Gateways that have the same filters', async () => {
    const filters = { gatewayNamespace: 'infra', gatewayLabels: 'dns=yes' };
    const sources = [{ kind: 'HTTPRoute', ...filters }, { kind: 'GRPCRoute', ...filters }, { kind: 'TLSRoute' }];
    objects.follow(discovery({ sources }));
    await sees('httproute/a/b', 'grpcroute/a/b', 'tlsroute/a/b');
    const asked = kubernetes.requests.filter((url) => url.includes('gateways?limit'));
    expect(asked.sort()).toEqual([
      '/apis/gateway.networking.k8s.io/v1/gateways?limit=500',
      '/apis/gateway.networking.k8s.io/v1/namespaces/infra/gateways?limit=500&labelSelector=dns%3Dyes',
    ]);
  });
});

test('what only ExternalDNS sees cannot be seen while its kind is not served', () => {
  const resources = ['virtualservices.v1.networking.istio.io'];
  const unsynced = () => ['virtualservice/shop/a', 'ingress/shop/a'].map((resource) => objects.isUnsynced(resource));
  objects.follow(discovery({ sources: [{ kind: 'IstioVirtualService', resources }] }));
  expect(unsynced()).toEqual([true, false]);
  objects.takeServed(resources);
  expect(unsynced()).toEqual([false, false]);
  objects.takeServed([]);
  expect(unsynced()).toEqual([true, false]);
});

test('DNSEndpoints are called as ExternalDNS calls them', async () => {
  const endpoint = { dnsName: 'a.corp.internal', recordType: 'A', targets: ['192.0.2.1'] };
  kubernetes.put('/apis/externaldns.k8s.io/v1alpha1/dnsendpoints', {
    ...metadata('a'),
    spec: { endpoints: [endpoint] },
  });
  objects.follow(discovery({ sources: [{ kind: 'DNSEndpoint' }] }));
  await eventually('a.corp.internal.', 'crd/shop/a');
  expect(objects.hasSynced('crd/shop/a')).toBe(true);
});

test('knows the labels of namespaces, for tenants only', async () => {
  const put = (labels?: Record<string, string>) =>
    kubernetes.put(namespaces, { metadata: { name: 'shop', ...(labels && { labels }) } });
  put();
  objects.follow(discovery());
  await sees('ingress/shop/web');
  expect([objects.namespaceLabels('shop'), lists(namespaces)]).toEqual([undefined, 0]);
  objects.follow(discovery({ tenants: [{ namespaceSelector: {}, names: ['*.a.corp.internal'] }] }));
  await vi.waitFor(() => expect(objects.namespaceLabels('shop')).toEqual({}), soon);
  put({ team: 'a' });
  await vi.waitFor(() => expect(objects.namespaceLabels('shop')).toEqual({ team: 'a' }), soon);
  expect(objects.namespaceLabels('bank')).toBeUndefined();
  kubernetes.remove(namespaces, 'shop');
  await vi.waitFor(() => expect(objects.namespaceLabels('shop')).toBeUndefined(), soon);
  objects.follow(discovery());
  await vi.waitFor(() => expect(kubernetes.watches(namespaces)).toBe(0), soon);
});

test('after any history it knows what a fresh one knows', async () => {
  objects.follow(discovery({ sources: [{ kind: 'Ingress' }] }));
  await sees('ingress/shop/web');
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  const there = new Map<string, string>();
  for (let step = 0; step < 400; step++) {
    const [name, host] = [`i${random(12)}`, `h${random(6)}.corp.internal`];
    if (random(3) === 0 && there.delete(name)) kubernetes.remove(ingresses, `shop/${name}`);
    else kubernetes.put(ingresses, ingress(name, there.set(name, host).get(name) ?? host));
    if (step % 100 === 50) kubernetes.cutWatches('{"type":"ADD');
    await new Promise(setImmediate);
  }
  const wanted = (host: string) =>
    [...there]
      .filter(([, h]) => h === host)
      .map(([name]) => `ingress/shop/${name}`)
      .sort();
  const hosts = Array.from({ length: 6 }, (_, i) => `h${i}.corp.internal`);
  await vi.waitFor(() => expect(hosts.map((h) => claimants(`${h}.`))).toEqual(hosts.map(wanted)), soon);
  expect(there.size).toBeGreaterThan(3);
});
