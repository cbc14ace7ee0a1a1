import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SourceFilters } from '../../../../functions/agent/sources/kinds/annotation.ts';
import { fromRoute } from '../../../../functions/agent/sources/kinds/attached-route.ts';
import { type GatewayObject, gatewayOf } from '../../../../functions/agent/sources/kinds/gateway.ts';
import { type RouteObject, routeOf } from '../../../../functions/agent/sources/kinds/route.ts';
import type { SourceObject } from '../../../../functions/agent/sources/source-object.ts';
import type { DeclaredSource } from '../../../../functions/contract/declaration.ts';
import { annotated, both, lineOf, metadata } from './object.ts';

const accepted = [
  { type: 'ResolvedRefs', status: 'False' },
  { type: 'Accepted', status: 'True' },
];
type Ref = NonNullable<NonNullable<NonNullable<RouteObject['spec']>['parentRefs']>[number]>;
const envoy: Ref = { name: 'envoy', namespace: 'infra' };

/** A route that its parents have accepted. */
const route = (
  hostnames: string[] | undefined,
  refs: Ref[] = [envoy],
  annotations: Record<string, string> = {},
): RouteObject => ({
  metadata: annotated(annotations),
  spec: { ...(hostnames && { hostnames }), parentRefs: refs },
  status: { parents: refs.map((parentRef) => ({ parentRef, conditions: accepted })) },
});

type ListenerObject = NonNullable<NonNullable<NonNullable<GatewayObject['spec']>['listeners']>[number]>;
/** A listener that accepts routes of any namespace. */
const shared = (name: string, more: Partial<ListenerObject> = {}): ListenerObject => ({
  name,
  port: 80,
  protocol: 'HTTP',
  allowedRoutes: { namespaces: { from: 'All' } },
  ...more,
});
const gateway = (name: string, more: Partial<GatewayObject> = {}): GatewayObject => ({
  metadata: { ...metadata(), namespace: 'infra', name },
  spec: { listeners: [shared('http')] },
  status: { addresses: [{ value: '198.51.100.10' }] },
  ...more,
});
const listeners = (...hostnames: string[]) => ({
  spec: { listeners: hostnames.map((hostname, i) => shared(`l${i}`, { port: 8000 + i, hostname })) },
});

function sourceObjects(
  object: RouteObject,
  gateways: GatewayObject[],
  filters: SourceFilters = both,
  more: Partial<DeclaredSource> = {},
  labels?: Record<string, string>,
) {
  const byKey = new Map<string, ReturnType<typeof gatewayOf>>(
    gateways.map((g) => [`${g.metadata.namespace}/${g.metadata.name}`, gatewayOf(g, filters)] as const),
  );
  const source = { kind: 'HTTPRoute', ...more };
  const read = routeOf(object, filters, source);
  return Array.isArray(read) ? read : fromRoute(read, source, (key) => byKey.get(key), labels);
}

const untaken = 'left out: no listener of Gateway infra/envoy matches this name';

test('a route has its hosts with the addresses of its Gateway', () => {
  expect(sourceObjects(route(['Web.corp.internal']), [gateway('envoy')])).toEqual([
    {
      resource: 'httproute/shop/web',
      namespace: 'shop',
      uid: metadata().uid,
      created: '2026-11-21T08:00:00Z',
      hosts: ['web.corp.internal.'],
      targets: ['198.51.100.10'],
    },
  ]);
});

describe('the hosts are', () => {
  const hostname = 'own.corp.internal';
  const only = (source: string) => ({ hostname, 'gateway-hostname-source': source });
  test.each<[string, string[] | undefined, string[], Record<string, string>, string]>([
    [
      'the listeners’ when it has none',
      undefined,
      ['a.corp.internal', '*.b.corp.internal'],
      {},
      'a.corp.internal. *.b.corp.internal.',
    ],
    ['none when no listener has one either', undefined, [''], {}, 'none'],
    [
      'its own below a wildcard, at any depth',
      ['a.corp.internal', 'a.b.corp.internal', 'corp.internal'],
      ['*.corp.internal'],
      {},
      'a.corp.internal. a.b.corp.internal.',
    ],
    [
      'a listener’s below its own wildcard',
      ['*.corp.internal'],
      ['a.corp.internal', 'a.example'],
      {},
      'a.corp.internal.',
    ],
    ['the narrower of two wildcards', ['*.a.corp.internal'], ['*.corp.internal'], {}, '*.a.corp.internal.'],
    ['its own where they meet', ['a.corp.internal', 'b.corp.internal'], ['A.corp.internal'], {}, 'a.corp.internal.'],
    ['its own and the annotation’s', ['a.corp.internal'], [''], { hostname }, 'a.corp.internal. own.corp.internal.'],
    [
      'the annotation’s and the listeners’',
      undefined,
      ['a.corp.internal', '*.corp.internal'],
      { hostname },
      'own.corp.internal. a.corp.internal. *.corp.internal.',
    ],
    ['the annotation’s only', ['a.corp.internal'], [''], only('annotation-only'), 'own.corp.internal.'],
    ['its own only', ['a.corp.internal'], [''], only('Defined-Hosts-Only'), 'a.corp.internal.'],
    ['its own only, and not a listener’s', undefined, ['a.corp.internal'], only('defined-hosts-only'), 'none'],
    [
      'as usual when the source is an unknown word',
      ['a.corp.internal'],
      [''],
      only('both'),
      'a.corp.internal. own.corp.internal.',
    ],
    [
      'a listener’s for an empty annotation that is the only source',
      ['b.corp.internal'],
      ['a.corp.internal'],
      { hostname: '', 'gateway-hostname-source': 'annotation-only' },
      'a.corp.internal.',
    ],
  ])('%s', (_, hostnames, at, annotations, hosts) => {
    const read = sourceObjects(route(hostnames, [envoy], annotations), [gateway('envoy', listeners(...at))]);
    const [sourceObject] = read.filter(({ filteredBy }) => filteredBy === undefined);
    const sorted = (text: string) => text.split(' ').sort();
    expect(sorted(sourceObject?.hosts.join(' ') ?? 'none')).toEqual(sorted(hosts));
  });

  test('those of the spec if annotations are ignored', () => {
    const read = (annotations: Record<string, string>) =>
      lineOf(
        sourceObjects(route(['a.corp.internal'], [envoy], annotations), [gateway('envoy')], { hostnames: 'Spec' }),
      );
    const ignored =
      'left out: discovery.hostnames is Spec, so names in annotations are ignored: write the host into the spec, or change that field';
    expect([read({ hostname }), read(only('annotation-only')), read(only('defined-hosts-only'))]).toEqual([
      `a.corp.internal. > 198.51.100.10 | own.corp.internal. ${ignored}`,
      `own.corp.internal. ${ignored}`,
      'a.corp.internal. > 198.51.100.10',
    ]);
  });
});

describe('the targets are', () => {
  const twice: Ref[] = [envoy, { name: 'local' }];
  const local = gateway('local', {
    metadata: metadata(),
    status: { addresses: [{ value: '2001:DB8::1' }, { value: 'LB.example' }] },
  });
  Object.assign(local.metadata, { name: 'local' });
  test.each<[string, Ref[], GatewayObject[], string]>([
    ['those of every Gateway', twice, [gateway('envoy'), local], '198.51.100.10 2001:db8::1 lb.example.'],
    ['those of a Gateway that is there', twice, [local], '2001:db8::1 lb.example.'],
    [
      'those of its annotation',
      [envoy],
      [gateway('envoy', { metadata: { ...annotated({ target: '192.0.2.1' }), namespace: 'infra', name: 'envoy' } })],
      '192.0.2.1',
    ],
    ['none while it has no address', [envoy], [gateway('envoy', { status: {} })], 'none'],
  ])('%s', (_, refs, gateways, targets) => {
    expect(lineOf(sourceObjects(route(['a.corp.internal'], refs), gateways))).toBe(`a.corp.internal. > ${targets}`);
  });
});

describe('if hosts of a route attach to different Gateways', () => {
  const nginx: Ref = { name: 'nginx', namespace: 'infra' };
  const refs = [envoy, nginx];
  const hosts = ['web.a.internal', 'web.b.internal', 'own.internal'];
  const ab = (value: string): GatewayObject[] => [
    gateway('envoy', listeners('*.a.internal', 'own.internal')),
    gateway('nginx', { ...listeners('*.b.internal', 'own.internal'), status: { addresses: value ? [{ value }] : [] } }),
  ];
  const partsOf = (gateways: GatewayObject[], annotations: Record<string, string> = {}) =>
    sourceObjects(route(hosts, refs, annotations), gateways)[0]?.parts;

  test.each<[string, string, string[], string[]]>([
    ['they have their addresses', '192.0.2.2', ['192.0.2.2'], ['198.51.100.10', '192.0.2.2']],
    ['they have none while their Gateway has none', '', [], ['198.51.100.10']],
  ])('%s', (_, value, atB, everywhere) => {
    const parts = partsOf(ab(value), { ttl: '60' });
    for (const type of ['A', 'AAAA', 'CNAME']) {
      const at = (name: string) => parts?.get(`${name} ${type}`);
      expect(at('web.a.internal.')).toEqual({ targets: ['198.51.100.10'], ttl: 60 });
      expect(at('web.b.internal.')).toEqual({ targets: atB, ttl: 60 });
      expect(at('own.internal.')).toEqual({ targets: everywhere, ttl: 60 });
    }
    expect(parts?.size).toBe(9);
  });

  test('there are no parts while their targets are the same', () => {
    expect(lineOf(sourceObjects(route(hosts, refs), ab('198.51.100.10')))).toMatch(/ > 198\.51\.100\.10$/);
    expect(partsOf(ab('198.51.100.10'))).toBeUndefined();
  });
});

const two = {
  spec: {
    listeners: [shared('http'), shared('https', { port: 443, protocol: 'HTTPS', hostname: 'tls.corp.internal' })],
  },
};
const at = (more: Partial<Ref>) => route(['a.corp.internal', 'tls.corp.internal'], [{ ...envoy, ...more }]);
const statusOf = (parentRef: Ref, conditions = accepted) => ({ status: { parents: [{ parentRef, conditions }] } });
const bothNames = 'a.corp.internal. tls.corp.internal.';

describe('a route attaches to', () => {
  test.each<[string, RouteObject, string]>([
    ['every listener', at({}), `${bothNames} > 198.51.100.10`],
    [
      'the listener that it names',
      at({ sectionName: 'https' }),
      `tls.corp.internal. > 198.51.100.10 | a.corp.internal. ${untaken}`,
    ],
    ['the port that it names', at({ port: 443 }), `tls.corp.internal. > 198.51.100.10 | a.corp.internal. ${untaken}`],
    [
      'a parent named in full',
      at({ group: 'gateway.networking.k8s.io', kind: 'Gateway' }),
      `${bothNames} > 198.51.100.10`,
    ],
  ])('%s', (_, object, line) => {
    expect(lineOf(sourceObjects(object, [gateway('envoy', two)]))).toBe(line);
  });
});

describe('a route is filtered when', () => {
  const pending = [{ type: 'Accepted', status: 'False' }];
  const unaccepted =
    'no Gateway in its parentRefs has accepted it (status.parents): see the log of the controller of that Gateway';
  const gateways = [
    gateway('envoy', two),
    gateway('former'),
    gateway('foreign', { metadata: { ...annotated({ controller: 'x' }), namespace: 'infra', name: 'foreign' } }),
    gateway('bare', { spec: {} }),
  ];
  /** Whether its filtered hosts wait for a controller: all or none. */
  const waits = (read: SourceObject[]) => {
    const each = new Set(
      read.filter(({ filteredBy }) => filteredBy !== undefined).map(({ isUnready = false }) => isUnready),
    );
    expect(each.size).toBe(1);
    return [...each][0];
  };

  test.each<[string, RouteObject, string]>([
    ['a Gateway has no listener of that name', at({ sectionName: 'h2' }), 'Gateway infra/envoy has no listener h2'],
    [
      'a Gateway has no listener of that name and port',
      at({ sectionName: 'http', port: 8080 }),
      'Gateway infra/envoy has no listener http on port 8080',
    ],
    [
      'a Gateway has no listener at all',
      route(at({}).spec?.hostnames as string[], [{ ...envoy, name: 'bare' }]),
      'Gateway infra/bare has no listener',
    ],
    [
      'its Gateway would be one of its own namespace',
      at({ namespace: undefined }),
      'Gateway shop/envoy does not exist',
    ],
    ['its Gateway has not accepted it', { ...at({}), ...statusOf(envoy, pending) }, unaccepted],
    [
      'it has left the Gateway that has accepted it',
      { ...at({}), ...statusOf({ ...envoy, name: 'former' }) },
      unaccepted,
    ],
    ['it has no status yet', { ...at({}), status: undefined }, unaccepted],
  ])('%s, and waits for its Gateway', (_, object, why) => {
    const read = sourceObjects(object, gateways);
    expect([lineOf(read), waits(read)]).toEqual([`${bothNames} left out: ${why}`, true]);
  });

  test.each<[string, RouteObject, string, SourceFilters?]>([
    [
      'it is another controller’s, and accepted or not',
      { ...at({}), metadata: annotated({ controller: 'x' }), status: undefined },
      'the annotation external-dns.kubernetes.io/controller assigns it to another controller: remove it, or set it to dns-controller',
    ],
    [
      'its Gateway is another controller’s',
      route(at({}).spec?.hostnames as string[], [{ ...envoy, name: 'foreign' }]),
      'the annotation external-dns.kubernetes.io/controller of Gateway infra/foreign assigns it to another controller: remove it, or set it to dns-controller',
    ],
    [
      'the selector does not take it, accepted or not',
      { ...at({}), status: undefined },
      'discovery.selector (team=web) does not match: add matching labels, or change that field',
      { ...both, selector: { matchLabels: { team: 'web' } } },
    ],
    ['it is that of a mesh', at({ group: '', kind: 'Service' }), unaccepted],
    ['it has ListenerSets, at which nobody looks', at({ kind: 'ListenerSet' }), unaccepted],
  ])('%s, and waits for nobody', (_, object, why, filters) => {
    const read = sourceObjects(object, gateways, filters);
    expect([lineOf(read), waits(read)]).toEqual([`${bothNames} left out: ${why}`, false]);
  });

  test.each<[string, Partial<DeclaredSource>, string]>([
    [
      'name',
      { gatewayName: 'nvoy' },
      'gatewayName selects only nvoy, and it is accepted by infra/envoy: change its parentRefs, or that field',
    ],
    [
      'namespace',
      { gatewayNamespace: 'inf' },
      'gatewayNamespace selects only inf, and it is accepted by infra/envoy: change its parentRefs, or that field',
    ],
    [
      'labels',
      { gatewayLabels: 'dns=yes' },
      'gatewayLabels selects only Gateways with dns=yes, and infra/envoy is not among them: label that Gateway, or change that field',
    ],
  ])('its Gateway has another %s', (_, filters, why) => {
    // Gateways with other labels are not listed.
    const seen = filters.gatewayLabels ? [] : [gateway('envoy')];
    const read = sourceObjects(at({}), seen, both, filters);
    expect([lineOf(read), waits(read)]).toEqual([`${bothNames} left out: discovery.sources[HTTPRoute].${why}`, false]);
    const same = { gatewayName: 'envoy', gatewayNamespace: 'infra', gatewayLabels: 'dns=yes' };
    expect(lineOf(sourceObjects(at({}), [gateway('envoy')], both, same))).toBe(`${bothNames} > 198.51.100.10`);
  });

  test('its hosts match no listener, host by host', () => {
    const refs = [envoy, { ...envoy, name: 'nginx' }, { ...envoy, name: 'gone' }];
    const gateways = [gateway('envoy', listeners('*.a.internal')), gateway('nginx', listeners('*.b.internal'))];
    const hosts = ['web.a.internal', 'web.b.internal', 'web.c.internal', '*.d.internal'];
    const read = sourceObjects(route(hosts, refs), gateways);
    expect([lineOf(read), waits(read)]).toEqual([
      'web.a.internal. web.b.internal. > 198.51.100.10 | web.c.internal. *.d.internal. left out: no listener of Gateway infra/envoy, infra/nginx matches this name',
      true,
    ]);
  });

  test('but not when it has no host of its own', () => {
    expect(lineOf(sourceObjects({ ...route(undefined), status: undefined }, []))).toBe('no claim');
    expect(lineOf(sourceObjects(route(undefined), []))).toBe('no claim');
  });

  test('but not when ListenerSets may have its hosts', () => {
    const resources = ['listenersets.v1.gateway.networking.k8s.io'];
    const set = { ...envoy, kind: 'ListenerSet', name: 'own' };
    const named = ['a.corp.internal', 'b.example'];
    const read = (refs: Ref[]) =>
      lineOf(sourceObjects(route(named, refs), [gateway('envoy', listeners('*.corp.internal'))], both, { resources }));
    expect(read([set])).toBe('no claim');
    expect(read([set, envoy])).toBe('a.corp.internal. > unknown');
    expect(read([envoy])).toBe(`a.corp.internal. > 198.51.100.10 | b.example. ${untaken}`);
  });

  test('but not at some of its Gateways if it also attaches to ListenerSets', () => {
    const resources = ['listenersets.v1.gateway.networking.k8s.io'];
    const refs = [envoy, { ...envoy, name: 'nginx' }, { ...envoy, kind: 'ListenerSet', name: 'own' }];
    const at = (address: string, host: string) => ({ ...listeners(host), status: { addresses: [{ value: address }] } });
    const gateways = [gateway('envoy', at('192.0.2.1', 'a.internal')), gateway('nginx', at('192.0.2.2', 'b.internal'))];
    const [sourceObject] = sourceObjects(route(['a.internal', 'b.internal'], refs), gateways, both, { resources });
    expect(sourceObject?.hosts).toEqual(['a.internal.', 'b.internal.']);
    expect(sourceObject).not.toHaveProperty('targets');
    expect(sourceObject).not.toHaveProperty('parts');
  });
});

test('the overlap of two hosts has exactly the names of both, in either order', () => {
  const labels = fc.array(fc.constantFrom('*', 'a', 'b'), { minLength: 1, maxLength: 3 });
  const name = labels.map((list) =>
    [list[0], ...list.slice(1).map((l) => (l === '*' ? 'c' : l)), 'internal'].join('.'),
  );
  const covers = (wide: string, host: string) =>
    host === wide || (wide.startsWith('*.') && host.endsWith(wide.slice(1)));
  fc.assert(
    fc.property(name, name, (one, other) => {
      const line = (of: string, at: string) => lineOf(sourceObjects(route([of]), [gateway('envoy', listeners(at))]));
      const isShared = covers(one, other) || covers(other, one);
      const common = `${covers(one, other) ? other : one}. > 198.51.100.10`;
      expect(line(one, other)).toBe(isShared ? common : `${one}. ${untaken}`);
      expect(line(other, one)).toBe(isShared ? common : `${other}. ${untaken}`);
    }),
  );
});

describe('a listener accepts', () => {
  const named = route(['a.corp.internal']);
  const line = (listener: Partial<ListenerObject>, kind = 'HTTPRoute', labels?: Record<string, string>) =>
    lineOf(
      sourceObjects(
        named,
        [gateway('envoy', { spec: { listeners: [shared('l', listener)] } })],
        both,
        { kind },
        labels,
      ),
    );
  const taken = 'a.corp.internal. > 198.51.100.10';
  const closed = (why: string) => `a.corp.internal. left out: listener l of Gateway infra/envoy accepts no ${why}`;
  const otherKind = (kind: string) => closed(`${kind}: see its protocol and allowedRoutes.kinds`);

  test.each([
    ['HTTP', 'HTTPRoute', 'GRPCRoute'],
    ['HTTPS', 'HTTPRoute', 'GRPCRoute'],
    ['TLS', 'TLSRoute', 'TCPRoute'],
    ['TCP', 'TCPRoute'],
    ['UDP', 'UDPRoute'],
    ['example.com/own'],
    ['constructor'],
  ])('of protocol %s the routes that go with it', (protocol, ...kinds) => {
    for (const kind of ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'])
      expect(line({ protocol }, kind)).toBe(kinds.includes(kind) ? taken : otherKind(kind));
  });

  const group = 'gateway.networking.k8s.io';
  const from = { namespaces: { from: 'All' } };
  test.each<[string, ListenerObject['allowedRoutes'], boolean]>([
    ['every kind of its protocol where it names none', { ...from, kinds: [] }, true],
    ['the kinds that it names', { ...from, kinds: [{ kind: 'GRPCRoute' }, { group, kind: 'HTTPRoute' }] }, true],
    ['kinds of the usual group where it names none', { ...from, kinds: [{ group: '', kind: 'HTTPRoute' }] }, true],
    ['no kinds of the same name in another group', { ...from, kinds: [{ group: 'x.io', kind: 'HTTPRoute' }] }, false],
    ['no other kinds', { ...from, kinds: [{ kind: 'GRPCRoute' }] }, false],
  ])('%s', (_, allowedRoutes, isTaken) => {
    expect(line({ allowedRoutes })).toBe(isTaken ? taken : otherKind('HTTPRoute'));
  });

  const selector = { matchLabels: { routes: 'yes' } };
  const [yes, no] = [{ routes: 'yes' }, { routes: 'no' }];
  test.each<[string, ListenerObject['allowedRoutes'], Record<string, string> | undefined, boolean]>([
    ['routes of any namespace', from, undefined, true],
    ['no routes of other namespaces unless it says so', {}, undefined, false],
    ['no routes of other namespaces by its word', { namespaces: { from: 'Same' } }, undefined, false],
    ['no routes at all', { namespaces: { from: 'None' } }, undefined, false],
    ['routes of namespaces with a label', { namespaces: { from: 'Selector', selector } }, yes, true],
    ['no routes of namespaces without it', { namespaces: { from: 'Selector', selector } }, no, false],
    ['routes of namespaces of unknown labels', { namespaces: { from: 'Selector', selector } }, undefined, true],
    ['routes of all namespaces by an empty selector', { namespaces: { from: 'Selector', selector: {} } }, no, true],
    ['no routes by a selector that is not there', { namespaces: { from: 'Selector' } }, undefined, false],
  ])('%s', (_, allowedRoutes, labels, isTaken) => {
    const why = closed('routes of namespace shop: see its allowedRoutes.namespaces');
    expect(line({ allowedRoutes }, 'HTTPRoute', labels)).toBe(isTaken ? taken : why);
  });

  test('routes of its own namespace, not of one whose name has the same prefix', () => {
    const at = (namespace: string) => {
      const own = { ...gateway('envoy', { spec: { listeners: [shared('l', { allowedRoutes: {} })] } }) };
      own.metadata = { ...own.metadata, namespace };
      return lineOf(sourceObjects(route(['a.corp.internal'], [{ ...envoy, namespace }]), [own]));
    };
    expect(at('shop')).toBe(taken);
    expect(at('shop-b')).toMatch(/ left out: listener l of Gateway shop-b\/envoy accepts no routes of namespace shop:/);
  });

  test('only the hosts of routes that it accepts; the others have the reason', () => {
    const front = gateway('envoy', {
      spec: {
        listeners: [
          shared('apps', { hostname: '*.apps.corp.internal' }),
          shared('infra', { hostname: 'console.corp.internal', allowedRoutes: {} }),
          shared('tls', { hostname: 'tls.corp.internal', protocol: 'TLS' }),
        ],
      },
    });
    expect(lineOf(sourceObjects(route(undefined), [front]))).toBe('*.apps.corp.internal. > 198.51.100.10');
    const hosts = ['a.apps.corp.internal', 'console.corp.internal', 'tls.corp.internal', 'b.corp.internal'];
    const listener = (section: string) => `left out: listener ${section} of Gateway infra/envoy accepts no`;
    expect(lineOf(sourceObjects(route(hosts), [front])).split(' | ')).toEqual([
      'a.apps.corp.internal. > 198.51.100.10',
      `console.corp.internal. ${listener('infra')} routes of namespace shop: see its allowedRoutes.namespaces`,
      `tls.corp.internal. ${listener('tls')} HTTPRoute: see its protocol and allowedRoutes.kinds`,
      `b.corp.internal. ${untaken}`,
    ]);
  });
});
