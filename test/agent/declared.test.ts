import { expect, test } from 'vitest';
import { declaredContent } from '../../functions/agent/declared.ts';
import { declare, zones } from './make.ts';

const mark = { account: 'internal-dns', content: '' };

test('a zone has SOA, NS and the addresses of its server', () => {
  const addresses = ['192.0.2.53', '2001:DB8::53', '2001:db8::53'];
  expect([...declaredContent(declare({ addresses }))].map(([zone, { rrsets }]) => [zone, rrsets])).toEqual([
    [
      'corp.internal.',
      [
        {
          name: 'corp.internal.',
          type: 'SOA',
          ttl: 3600,
          records: ['ns1.corp.internal. hostmaster.corp.internal. 0 3600 600 604800 30'],
          mark,
        },
        { name: 'corp.internal.', type: 'NS', ttl: 3600, records: ['ns1.corp.internal.'], mark },
        { name: 'ns1.corp.internal.', type: 'A', ttl: 60, records: ['192.0.2.53'], mark },
        { name: 'ns1.corp.internal.', type: 'AAAA', ttl: 60, records: ['2001:db8::53'], mark },
      ],
    ],
  ]);
});

const named = (declaration: Parameters<typeof declare>[0]) =>
  Object.fromEntries(
    [...declaredContent(declare(declaration))].map(([zone, { rrsets }]) => [
      zone,
      rrsets.filter((r) => r.type !== 'SOA').map((r) => `${r.name} ${r.type} ${r.records.join(' ')}`),
    ]),
  );

test('servers elsewhere need no address from us', () => {
  const nameServers = ['ns.example.com', 'NS.corp.internal.', 'ns.corp.internal'];
  expect(named({ zones: [{ name: 'corp.internal', nameServers }] })).toEqual({
    'corp.internal.': ['corp.internal. NS ns.example.com. ns.corp.internal.', 'ns.corp.internal. A 192.0.2.53'],
  });
});

test('a server’s address is in the zone that is asked for it', () => {
  const [child] = zones('dev.corp.internal');
  const parent = { name: 'corp.internal', nameServers: ['ns.dev.corp.internal'] };
  expect(named({ zones: [parent, child!] })).toEqual({
    'corp.internal.': [
      'corp.internal. NS ns.dev.corp.internal.',
      'dev.corp.internal. NS ns1.dev.corp.internal.',
      'ns1.dev.corp.internal. A 192.0.2.53',
    ],
    'dev.corp.internal.': [
      'dev.corp.internal. NS ns1.dev.corp.internal.',
      'ns.dev.corp.internal. A 192.0.2.53',
      'ns1.dev.corp.internal. A 192.0.2.53',
    ],
  });
});

test('without an address yet, a zone is there all the same', () => {
  expect(named({ addresses: [] })).toEqual({ 'corp.internal.': ['corp.internal. NS ns1.corp.internal.'] });
});
