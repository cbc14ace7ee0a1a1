import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reading } from '../../../functions/agent/view/annotation.ts';
import { type GatewayObject, gatewayOf } from '../../../functions/agent/view/gateway.ts';
import { type RouteObject, routeClaim, routeOf } from '../../../functions/agent/view/route.ts';
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

function claim(object: RouteObject, gateways: GatewayObject[], reading: Reading = both, gatewayName?: string) {
  const there = new Map<string, ReturnType<typeof gatewayOf>>(
    gateways.map((g) => [`${g.metadata.namespace}/${g.metadata.name}`, gatewayOf(g, reading)] as const),
  );
  const read = routeOf(object, reading, { gatewayName });
  return read && routeClaim('httproute', read, (key) => there.get(key));
}

test('a route claims its hosts with the addresses of its Gateway', () => {
  expect(claim(route(['Web.corp.internal']), [gateway('envoy')])).toEqual({
    resource: 'httproute/shop/web',
    namespace: 'shop',
    created: '2026-11-21T08:00:00Z',
    hosts: ['web.corp.internal.'],
    targets: ['198.51.100.10'],
  });
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
    const read = claim(route(hostnames, [envoy], annotations), [gateway('envoy', listeners(...at))]);
    const sorted = (text: string) => text.split(' ').sort();
    expect(sorted(read?.hosts.join(' ') ?? 'none')).toEqual(sorted(hosts));
  });

  test('the spec’s where annotations name none', () => {
    const read = (source?: string) =>
      lineOf(
        claim(route(['a.corp.internal'], [envoy], source ? only(source) : { hostname }), [gateway('envoy')], {
          hostnames: 'Spec',
        }),
      );
    expect([read(), read('annotation-only')]).toEqual(['a.corp.internal. > 198.51.100.10', 'no claim']);
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
    expect(lineOf(claim(route(['a.corp.internal'], refs), gateways))).toBe(`a.corp.internal. > ${targets}`);
  });
});

describe('a route has a claim through', () => {
  const two = {
    spec: {
      listeners: [
        { name: 'http', port: 80 },
        { name: 'https', port: 443, hostname: 'tls.corp.internal' },
      ],
    },
  };
  const at = (more: Partial<Ref>) => route(['a.corp.internal', 'tls.corp.internal'], [{ ...envoy, ...more }]);
  const pending = [{ type: 'Accepted', status: 'False' }];
  const statusOf = (parentRef: Ref, conditions = accepted) => ({ status: { parents: [{ parentRef, conditions }] } });
  test.each<[string, RouteObject, string]>([
    ['every listener', at({}), 'a.corp.internal. tls.corp.internal. > 198.51.100.10'],
    ['the listener that it names', at({ sectionName: 'https' }), 'tls.corp.internal. > 198.51.100.10'],
    ['the port that it names', at({ port: 443 }), 'tls.corp.internal. > 198.51.100.10'],
    ['no listener that is not there', at({ sectionName: 'h2' }), 'no claim'],
    [
      'a parent named in full',
      at({ group: 'gateway.networking.k8s.io', kind: 'Gateway' }),
      'a.corp.internal. tls.corp.internal. > 198.51.100.10',
    ],
    ['no Service of a mesh', at({ group: '', kind: 'Service' }), 'no claim'],
    ['no Gateway of its own namespace when none is named', at({ namespace: undefined }), 'no claim'],
    ['no Gateway that has not accepted it', { ...at({}), ...statusOf(envoy, pending) }, 'no claim'],
    ['no Gateway that it has left', { ...at({}), ...statusOf({ ...envoy, name: 'former' }) }, 'no claim'],
    ['none at all before there is a status', { ...at({}), status: undefined }, 'no claim'],
  ])('%s', (_, object, line) => {
    expect(lineOf(claim(object, [gateway('envoy', two), gateway('former')]))).toBe(line);
  });

  test('the Gateway of the declared name, whose controller is ExternalDNS', () => {
    const name = (gatewayName: string) =>
      lineOf(claim(route(['a.corp.internal']), [gateway('envoy')], both, gatewayName));
    expect([name('envoy'), name('nvoy')]).toEqual(['a.corp.internal. > 198.51.100.10', 'no claim']);
    const foreign = gateway('envoy', {
      metadata: { ...annotated({ controller: 'x' }), namespace: 'infra', name: 'envoy' },
    });
    expect(claim(route(['a.corp.internal']), [foreign])).toBeUndefined();
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
      const hosts = (of: string, at: string) => claim(route([of]), [gateway('envoy', listeners(at))])?.hosts;
      const common = hosts(one, other);
      expect(hosts(other, one)).toEqual(common);
      const isShared = covers(one, other) || covers(other, one);
      expect(common).toEqual(isShared ? [`${covers(one, other) ? other : one}.`] : undefined);
    }),
  );
});
