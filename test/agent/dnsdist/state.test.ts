import { expect, test } from 'vitest';
import { podsIn } from '../../../functions/agent/dnsdist/pods.ts';
import { confirmed, type PodFindings, stateOf } from '../../../functions/agent/dnsdist/state.ts';
import type { DeclaredResolver } from '../../../functions/contract/declaration.ts';
import { bounds, report } from '../../../functions/contract/report.ts';

const declared: DeclaredResolver = {
  service: 'r',
  ports: { agents: 1, metrics: 2 },
  certificates: [{ field: 'doT', port: 3 }],
  upstreams: [
    { name: 'upstream-0', address: '192.0.2.1:53' },
    { name: 'upstream-1', address: '192.0.2.1:53' },
    { name: 'upstream-2', address: '192.0.2.2:53' },
  ],
};
const now = Date.UTC(2026, 10, 30);
const day = 86_400_000;

const pod = (changes: Partial<PodFindings> = {}): PodFindings => ({
  ip: '10.0.0.1',
  backends: new Map([
    ['upstream-0', true],
    ['upstream-1', true],
  ]),
  expiries: new Map([['doT', now + 30 * day]]),
  hostIPs: [],
  ...changes,
});
const down = new Map([['upstream-1', false]]);

test('an upstream is as the worst pod has it, over the worst of its protocols, and unknown if none has it', () => {
  expect(stateOf(declared, [pod()], [], now).upstreams).toEqual([{ address: '192.0.2.1:53', state: 'Up' }]);
  expect(stateOf(declared, [pod(), pod({ backends: down })], [], now).upstreams).toEqual([
    { address: '192.0.2.1:53', state: 'Down' },
  ]);
});

test('a certificate is the one that expires first, or none if one pod shows none', () => {
  const of = (...days: (number | undefined)[]) =>
    stateOf(
      declared,
      days.map((each) => pod({ expiries: new Map([['doT', each === undefined ? undefined : now + each * day]]) })),
      [],
      now,
    ).certificates;
  expect(of(30, 3)).toEqual([{ field: 'doT', state: 'Expiring', notAfter: '2026-12-03T00:00:00Z' }]);
  expect(of(30, undefined)).toEqual([{ field: 'doT', state: 'Missing' }]);
  expect(of()).toBeUndefined();
});

test('nodes are reported only where they are to be, each once', () => {
  const pods = [pod({ hostIPs: ['192.0.2.8', '2001:db8::8'] }), pod({ hostIPs: ['192.0.2.8'] })];
  expect(stateOf(declared, pods, [], now)).not.toHaveProperty('hostIPs');
  expect(stateOf({ ...declared, reportsNodes: true }, pods, [], now).hostIPs).toEqual(['192.0.2.8', '2001:db8::8']);
});

test('a failure counts when it is seen twice, and keeps its words until it is over', () => {
  const [first, second] = [pod({ unforwarded: 'SERVFAIL' }), pod({ unforwarded: 'no answer within 1500 ms' })];
  const once = confirmed(first, undefined, undefined);
  expect(once.unforwarded).toBeUndefined();
  const twice = confirmed(first, first, once);
  expect(twice.unforwarded).toBe('SERVFAIL');
  expect(confirmed(second, first, twice).unforwarded).toBe('SERVFAIL');
  expect(confirmed(pod(), second, twice).unforwarded).toBeUndefined();
});

test('a handshake that fails once does not take the certificate away', () => {
  const none = pod({ expiries: new Map([['doT', undefined]]) });
  expect(confirmed(none, pod(), undefined).expiries.get('doT')).toBe(now + 30 * day);
  expect(confirmed(none, none, undefined).expiries.get('doT')).toBeUndefined();
});

test('a report has room for everything', () => {
  const many: DeclaredResolver = {
    ...declared,
    reportsNodes: true,
    upstreams: Array.from({ length: 300 }, (_, index) => ({ name: `u${index}`, address: `192.0.2.1:${index + 1}` })),
  };
  const hostIPs = Array.from({ length: 99 }, (_, index) => `192.0.2.${index}`);
  const backends = new Map(many.upstreams.map(({ name }) => [name, true]));
  const state = stateOf(many, [pod({ hostIPs, backends, unforwarded: 'x'.repeat(9999) })], [], now);
  expect(report.shape.resolver.parse(state)).toEqual(state);
  expect(state.upstreams).toHaveLength(bounds.upstreams);
});

test('no more pods are asked than there can be, each once', () => {
  const address = (index: number) => ({ ip: `10.0.0.${index}`, targetRef: { name: `p${index}` } });
  const all = Array.from({ length: 20 }, (_, index) => address(index));
  const of = (subsets: object[]) => podsIn({ metadata: { name: 'r' }, subsets });
  expect(of([{ addresses: all }])).toHaveLength(8);
  expect(of([{ addresses: [address(1)] }, { addresses: [address(1)] }, { addresses: null }])).toEqual([
    { name: 'p1', ip: '10.0.0.1' },
  ]);
  expect(podsIn(undefined)).toEqual([]);
});
