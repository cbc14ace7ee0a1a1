import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeclaredSource } from '../../../functions/agent/declaration.ts';
import type { Claim } from '../../../functions/agent/discovery/claim.ts';
import type { Reading } from '../../../functions/agent/view/annotation.ts';
import { type GatewayObject, gatewayOf } from '../../../functions/agent/view/gateway.ts';
import { type RouteObject, routeOf } from '../../../functions/agent/view/route.ts';
import { routeClaims } from '../../../functions/agent/view/route-claim.ts';
import { annotated, both, lineOf, metadata } from './claims.ts';

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

const gateway = (name: string, more: Partial<GatewayObject> = {}): GatewayObject => ({
  metadata: { ...metadata(), namespace: 'infra', name },
  spec: { listeners: [{ name: 'http', port: 80 }] },
  status: { addresses: [{ value: '198.51.100.10' }] },
  ...more,
});
const listeners = (...hostnames: string[]) => ({
  spec: { listeners: hostnames.map((hostname, i) => ({ name: `l${i}`, port: 8000 + i, hostname })) },
});

function claims(
  object: RouteObject,
  gateways: GatewayObject[],
  reading: Reading = both,
  filters: Partial<DeclaredSource> = {},
) {
  const there = new Map<string, ReturnType<typeof gatewayOf>>(
    gateways.map((g) => [`${g.metadata.namespace}/${g.metadata.name}`, gatewayOf(g, reading)] as const),
  );
  const source = { kind: 'HTTPRoute', ...filters };
  const read = routeOf(object, reading, source);
  return Array.isArray(read) ? read : routeClaims(read, source, (key) => there.get(key));
}

const untaken = 'left out: no listener of Gateway infra/envoy takes this name';

test('a route claims its hosts with the addresses of its Gateway', () => {
  expect(claims(route(['Web.corp.internal']), [gateway('envoy')])).toEqual([
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
    const read = claims(route(hostnames, [envoy], annotations), [gateway('envoy', listeners(...at))]);
    const [claim] = read.filter(({ leftOut }) => leftOut === undefined);
    const sorted = (text: string) => text.split(' ').sort();
    expect(sorted(claim?.hosts.join(' ') ?? 'none')).toEqual(sorted(hosts));
  });

  test('the spec’s where annotations name none', () => {
    const read = (annotations: Record<string, string>) =>
      lineOf(claims(route(['a.corp.internal'], [envoy], annotations), [gateway('envoy')], { hostnames: 'Spec' }));
    const ignored = 'left out: discovery.hostnames is Spec, so that names in annotations do not count';
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
    expect(lineOf(claims(route(['a.corp.internal'], refs), gateways))).toBe(`a.corp.internal. > ${targets}`);
  });
});

const two = {
  spec: {
    listeners: [
      { name: 'http', port: 80 },
      { name: 'https', port: 443, hostname: 'tls.corp.internal' },
    ],
  },
};
const at = (more: Partial<Ref>) => route(['a.corp.internal', 'tls.corp.internal'], [{ ...envoy, ...more }]);
const statusOf = (parentRef: Ref, conditions = accepted) => ({ status: { parents: [{ parentRef, conditions }] } });
const bothNames = 'a.corp.internal. tls.corp.internal.';

describe('a route has a claim through', () => {
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
    expect(lineOf(claims(object, [gateway('envoy', two)]))).toBe(line);
  });
});

describe('a route is left out when', () => {
  const pending = [{ type: 'Accepted', status: 'False' }];
  const unaccepted = 'no Gateway that it names has accepted it (status.parents)';
  const there = [
    gateway('envoy', two),
    gateway('former'),
    gateway('foreign', { metadata: { ...annotated({ controller: 'x' }), namespace: 'infra', name: 'foreign' } }),
    gateway('bare', { spec: {} }),
  ];
  /** Whether what is left out of it waits for a controller: all of it, or nothing. */
  const waits = (read: Claim[]) => {
    const each = new Set(read.filter(({ leftOut }) => leftOut !== undefined).map(({ isUnready = false }) => isUnready));
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
    ['its Gateway would be one of its own namespace', at({ namespace: undefined }), 'there is no Gateway shop/envoy'],
    ['its Gateway has not accepted it', { ...at({}), ...statusOf(envoy, pending) }, unaccepted],
    [
      'it has left the Gateway that has accepted it',
      { ...at({}), ...statusOf({ ...envoy, name: 'former' }) },
      unaccepted,
    ],
    ['it has no status yet', { ...at({}), status: undefined }, unaccepted],
  ])('%s, and waits for its Gateway', (_, object, why) => {
    const read = claims(object, there);
    expect([lineOf(read), waits(read)]).toEqual([`${bothNames} left out: ${why}`, true]);
  });

  test.each<[string, RouteObject, string, Reading?]>([
    [
      'it is another controller’s, and accepted or not',
      { ...at({}), metadata: annotated({ controller: 'x' }), status: undefined },
      'the annotation external-dns.kubernetes.io/controller gives it to another controller',
    ],
    [
      'its Gateway is another controller’s',
      route(at({}).spec?.hostnames as string[], [{ ...envoy, name: 'foreign' }]),
      'the annotation external-dns.kubernetes.io/controller of Gateway infra/foreign gives it to another controller',
    ],
    [
      'the selector does not take it, accepted or not',
      { ...at({}), status: undefined },
      'discovery.selector (team=web) leaves it out',
      { ...both, selector: { matchLabels: { team: 'web' } } },
    ],
    ['it is that of a mesh', at({ group: '', kind: 'Service' }), unaccepted],
    ['it has ListenerSets, at which nobody looks', at({ kind: 'ListenerSet' }), unaccepted],
  ])('%s, and waits for nobody', (_, object, why, reading) => {
    const read = claims(object, there, reading);
    expect([lineOf(read), waits(read)]).toEqual([`${bothNames} left out: ${why}`, false]);
  });

  test.each<[string, Partial<DeclaredSource>, string]>([
    ['name', { gatewayName: 'nvoy' }, 'gatewayName takes only nvoy, and it is accepted by infra/envoy'],
    ['namespace', { gatewayNamespace: 'inf' }, 'gatewayNamespace takes only inf, and it is accepted by infra/envoy'],
    [
      'labels',
      { gatewayLabels: 'dns=yes' },
      'gatewayLabels takes only Gateways with dns=yes, and infra/envoy is not among them',
    ],
  ])('its Gateway has another %s', (_, filters, why) => {
    // Of Gateways with other labels none is seen.
    const seen = filters.gatewayLabels ? [] : [gateway('envoy')];
    const read = claims(at({}), seen, both, filters);
    expect([lineOf(read), waits(read)]).toEqual([`${bothNames} left out: discovery.sources[HTTPRoute].${why}`, false]);
    const same = { gatewayName: 'envoy', gatewayNamespace: 'infra', gatewayLabels: 'dns=yes' };
    expect(lineOf(claims(at({}), [gateway('envoy')], both, same))).toBe(`${bothNames} > 198.51.100.10`);
  });

  test('its hosts and the listeners’ have nothing in common, host by host', () => {
    const refs = [envoy, { ...envoy, name: 'nginx' }, { ...envoy, name: 'gone' }];
    const gateways = [gateway('envoy', listeners('*.a.internal')), gateway('nginx', listeners('*.b.internal'))];
    const hosts = ['web.a.internal', 'web.b.internal', 'web.c.internal', '*.d.internal'];
    const read = claims(route(hosts, refs), gateways);
    expect([lineOf(read), waits(read)]).toEqual([
      'web.a.internal. web.b.internal. > 198.51.100.10 | web.c.internal. *.d.internal. left out: no listener of Gateway infra/envoy, infra/nginx takes this name',
      true,
    ]);
  });

  test('and not when it has no host of its own', () => {
    expect(lineOf(claims({ ...route(undefined), status: undefined }, []))).toBe('no claim');
    expect(lineOf(claims(route(undefined), []))).toBe('no claim');
  });

  test('and not when ListenerSets that are not seen may have it', () => {
    const resources = ['listenersets.v1.gateway.networking.k8s.io'];
    const set = { ...envoy, kind: 'ListenerSet', name: 'own' };
    const named = ['a.corp.internal', 'b.example'];
    const read = (refs: Ref[]) =>
      lineOf(claims(route(named, refs), [gateway('envoy', listeners('*.corp.internal'))], both, { resources }));
    expect(read([set])).toBe('no claim');
    expect(read([set, envoy])).toBe('a.corp.internal. > 198.51.100.10');
    expect(read([envoy])).toBe(`a.corp.internal. > 198.51.100.10 | b.example. ${untaken}`);
  });
});

test('a route and a listener have in common what every name of both has, whichever is which', () => {
  const labels = fc.array(fc.constantFrom('*', 'a', 'b'), { minLength: 1, maxLength: 3 });
  const name = labels.map((list) =>
    [list[0], ...list.slice(1).map((l) => (l === '*' ? 'c' : l)), 'internal'].join('.'),
  );
  const covers = (wide: string, host: string) =>
    host === wide || (wide.startsWith('*.') && host.endsWith(wide.slice(1)));
  fc.assert(
    fc.property(name, name, (one, other) => {
      const line = (of: string, at: string) => lineOf(claims(route([of]), [gateway('envoy', listeners(at))]));
      const isShared = covers(one, other) || covers(other, one);
      const common = `${covers(one, other) ? other : one}. > 198.51.100.10`;
      expect(line(one, other)).toBe(isShared ? common : `${one}. ${untaken}`);
      expect(line(other, one)).toBe(isShared ? common : `${other}. ${untaken}`);
    }),
  );
});
