/** The state of names outside the zones, and the number of queries for it. */
import { expect, test } from 'vitest';
import { OutOfZoneResolver } from '../../../functions/agent/resolver/out-of-zone-resolver.ts';
import { startServer } from './dns-server.ts';

type Response = 'A' | 'AAAA' | 'NXDOMAIN' | 'NODATA' | 'SERVFAIL' | 'nothing';

/** A DNS server with a response for each name, and a resolver that queries it. */
async function startResolver(responses: Record<string, Response>, ttl = 60) {
  const { resolver, queries } = await startServer(({ name, type }) => {
    const response = responses[name] ?? 'A';
    if (response === 'nothing') return undefined;
    if (response === 'NXDOMAIN' || response === 'SERVFAIL') return { rcode: response };
    const data = type === 'A' ? '192.0.2.1' : '2001:db8::1';
    return { answers: response === type ? [{ type: type as 'A', name, ttl, data }] : [] };
  });
  const clock = { now: 1_000 };
  const names = new OutOfZoneResolver({ resolver, now: () => clock.now });
  return {
    responses,
    queries,
    clock,
    names,
    watch: (...hosts: string[]) => names.watch(new Set(hosts.map((name) => `${name}.`))),
    stateOf: (name: string) => names.stateOf(`${name}.`),
    /** Resolves the names that are due, every second. */
    async pass(seconds: number) {
      for (let i = 0; i < seconds; i++) {
        clock.now += 1_000;
        await names.resolveDue();
      }
    },
  };
}

test.each<[Response, string | undefined]>([
  ['A', 'Addresses'],
  ['AAAA', 'Addresses'],
  ['NXDOMAIN', 'Absent'],
  ['NODATA', 'NoAddress'],
  // Twice, and for this name only.
  ['SERVFAIL', 'Failed'],
  ['nothing', undefined],
])('%s means %s', async (response, state) => {
  const { watch, pass, stateOf } = await startResolver({ 'lb.example.com': response, '': 'NODATA', '.': 'NODATA' });
  watch('lb.example.com');
  await pass(40);
  expect(stateOf('lb.example.com')).toBe(state);
});

test('a resolver that answers SERVFAIL for every name leaves names unknown', async () => {
  const { watch, pass, stateOf } = await startResolver({
    'lb.example.com': 'SERVFAIL',
    '': 'SERVFAIL',
    '.': 'SERVFAIL',
  });
  watch('lb.example.com');
  await pass(40);
  expect(stateOf('lb.example.com')).toBeUndefined();
});

test('the last answer is kept while the resolver is unreachable, and a new one changes the version', async () => {
  const resolver = await startResolver({ 'lb.example.com': 'A' });
  resolver.watch('lb.example.com');
  await resolver.pass(1);
  const { version } = resolver.names;
  resolver.responses['lb.example.com'] = 'nothing';
  await resolver.pass(120);
  expect([resolver.stateOf('lb.example.com'), resolver.names.version]).toEqual(['Addresses', version]);
  resolver.responses['lb.example.com'] = 'NXDOMAIN';
  await resolver.pass(40);
  expect([resolver.stateOf('lb.example.com'), resolver.names.version]).toEqual(['Absent', version + 1]);
});

test.each([
  [0, 30],
  [60, 60],
  [86_400, 600],
])('an answer with a TTL of %s seconds is refreshed after %s seconds', async (ttl, seconds) => {
  const { watch, pass, queries } = await startResolver({}, ttl);
  watch('lb.example.com');
  await pass(1);
  await pass(seconds - 1);
  expect(queries).toHaveLength(1);
  await pass(2);
  expect(queries).toHaveLength(2);
});

test('any number of names takes at most ten queries a second, and none starves', async () => {
  const { watch, pass, queries, stateOf } = await startResolver({}, 86_400);
  const hosts = Array.from({ length: 5_000 }, (_, i) => `lb${i}.example.com`);
  watch(...hosts);
  await pass(10);
  expect(queries.length).toBeLessThanOrEqual(100);
  await pass(490);
  const known = hosts.filter((name) => stateOf(name) !== undefined);
  expect(queries.length).toBeLessThanOrEqual(10 * 500);
  // The limit on names.
  expect(known).toHaveLength(2_000);
});

test('names that are no longer watched are dropped', async () => {
  const { watch, pass, stateOf, queries } = await startResolver({});
  watch('a.example.com', 'b.example.com');
  await pass(1);
  watch('b.example.com');
  expect([stateOf('a.example.com'), stateOf('b.example.com')]).toEqual([undefined, 'Addresses']);
  await pass(200);
  expect(queries.filter((query) => query.startsWith('a.'))).toHaveLength(1);
});
