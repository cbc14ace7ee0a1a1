/** What the answers of a real DNS server mean for the addresses of a name. */
import { Resolver } from 'node:dns/promises';
import type { Answer } from 'dns-packet';
import { expect, test } from 'vitest';
import { addressLookup } from '../../../functions/agent/resolver/address-lookup.ts';
import { freePort } from '../../powerdns/server.ts';
import { type Response, startServer } from './dns-server.ts';

const name = 'lb.example.com';
const a = (data: string, ttl = 60, at = name): Answer => ({ type: 'A', name: at, ttl, data });
const aaaa = (data: string, ttl = 60): Answer => ({ type: 'AAAA', name, ttl, data });

/** Looks a name up at a server with a response for each type. */
async function lookUp(responses: Record<'A' | 'AAAA', Response | 'nothing'>) {
  const { resolver, queries } = await startServer(({ type }) => {
    const response = responses[type as 'A' | 'AAAA'];
    return response === 'nothing' ? undefined : response;
  });
  return { answer: await addressLookup({ resolver, timeoutMs: 2_000 })(`${name}.`), queries: queries.sort() };
}

test('IPv4 and IPv6 are queried, by the absolute name alone', async () => {
  const { answer, queries } = await lookUp({
    A: { answers: [a('192.0.2.2', 30), a('10.0.0.1', 30)] },
    AAAA: { answers: [aaaa('2001:db8:0:0::1', 20)] },
  });
  expect(queries).toEqual(['lb.example.com A', 'lb.example.com AAAA']);
  expect(answer).toEqual({
    A: { addresses: ['192.0.2.2', '10.0.0.1'], ttl: 30 },
    AAAA: { addresses: ['2001:db8::1'], ttl: 20 },
  });
});

test('CNAMEs are followed, and the lowest TTL of the chain counts', async () => {
  const chain: Answer[] = [
    { type: 'CNAME', name, ttl: 7, data: 'a.example.org' },
    { type: 'CNAME', name: 'a.example.org', ttl: 600, data: 'b.example.org' },
  ];
  const { answer } = await lookUp({
    A: { answers: [...chain, a('192.0.2.1', 60, 'b.example.org')] },
    AAAA: { answers: chain },
  });
  expect(answer).toEqual({ A: { addresses: ['192.0.2.1'], ttl: 7 }, AAAA: { addresses: [], absence: 'NoAddress' } });
});

test.each<[string, Response | 'nothing', object]>([
  ['NXDOMAIN', { rcode: 'NXDOMAIN' }, { addresses: [], absence: 'Absent' }],
  ['NODATA', {}, { addresses: [], absence: 'NoAddress' }],
  ['SERVFAIL', { rcode: 'SERVFAIL' }, { failure: 'SERVFAIL' }],
  ['REFUSED', { rcode: 'REFUSED' }, { failure: 'REFUSED' }],
  ['no answer', 'nothing', { failure: 'no answer' }],
])('%s for one type says nothing of the other', async (_, response, expected) => {
  const { answer } = await lookUp({ A: { answers: [a('192.0.2.1')] }, AAAA: response });
  expect(answer).toEqual({ A: { addresses: ['192.0.2.1'], ttl: 60 }, AAAA: expected });
});

test.each([
  ['0.0.0.0', '127.0.0.1', '127.255.0.1', '169.254.169.254', '224.0.0.1', '255.255.255.255'],
  ['::', '::1', '::ffff:127.0.0.1', '::ffff:192.0.2.1', 'fe80::1', 'ff02::1'],
])('addresses such as %s are not published', async (...addresses) => {
  const answers = addresses.map((each) => (each.includes(':') ? aaaa(each) : a(each)));
  const { answer } = await lookUp({ A: { answers }, AAAA: { answers } });
  const family = addresses[0]?.includes(':') ? 'AAAA' : 'A';
  expect(answer[family]).toEqual({ addresses: [], absence: 'Unusable' });
});

test('a server that cannot be reached is a failure', async () => {
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([`127.0.0.1:${await freePort()}`]);
  const { A } = await addressLookup({ resolver })(`${name}.`);
  expect(A).toHaveProperty('failure');
});

test('a lookup that never ends is given up', async () => {
  const never = () => new Promise<never>(() => {});
  const { A, AAAA } = await addressLookup({ resolver: { resolve4: never, resolve6: never } as never, timeoutMs: 20 })(
    'x.',
  );
  expect([A, AAAA]).toEqual([{ failure: 'no answer' }, { failure: 'no answer' }]);
});
