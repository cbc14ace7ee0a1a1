import { describe, expect, test } from 'vitest';
import { apexOf, delegationOf, hostRRsets, nameServersOf } from '../../../functions/dns/zone/apex.ts';

const zone = (...nameServers: string[]) => ({ name: 'dev.corp.internal', nameServers });
const hosts = (...names: string[]) => names.flatMap((name) => hostRRsets(name, ['192.0.2.53', '2001:db8::53'], 60));

describe('the servers of a zone', () => {
  test.each<[string[], string[]]>([
    [[], ['ns1.dev.corp.internal.']],
    [['ns.example.com'], ['ns.example.com.']],
    [
      ['NS.Example.com', 'ns.example.com.', 'ns2.example.com'],
      ['ns.example.com.', 'ns2.example.com.'],
    ],
  ])('%j are %j', (nameServers, servers) => {
    expect(nameServersOf(zone(...nameServers))).toEqual(servers);
    expect(apexOf(zone(...nameServers))[1]).toEqual({
      name: 'dev.corp.internal.',
      type: 'NS',
      ttl: 3600,
      records: servers,
    });
  });

  test('the first of them is the primary, unless another is named', () => {
    const [byDefault] = apexOf(zone('b.example.com', 'a.example.com'));
    expect(byDefault).toMatchObject({
      type: 'SOA',
      records: [expect.stringMatching(/^b\.example\.com\. hostmaster\./)],
    });
    const [named] = apexOf({ ...zone(), soa: { mname: 'hidden.example.com', minimum: 5 } });
    expect(named?.records).toEqual(['hidden.example.com. hostmaster.dev.corp.internal. 0 3600 600 604800 5']);
  });
});

test('a host has an RRset for each of its address families', () => {
  expect(hostRRsets('a.', ['::1', '192.0.2.1', '192.0.2.2'], 5)).toEqual([
    { name: 'a.', type: 'A', ttl: 5, records: ['192.0.2.1', '192.0.2.2'] },
    { name: 'a.', type: 'AAAA', ttl: 5, records: ['::1'] },
  ]);
  expect(hostRRsets('a.', [], 5)).toEqual([]);
});

describe('the parent needs', () => {
  const short = (...of: Parameters<typeof delegationOf>) =>
    delegationOf(...of).map(({ name, type }) => `${name} ${type}`);
  const ns = 'dev.corp.internal. NS';

  test('NS, and the addresses of servers within the zone', () => {
    expect(delegationOf(zone(), [], hosts('ns1.dev.corp.internal.'))).toEqual([
      { name: 'dev.corp.internal.', type: 'NS', ttl: 3600, records: ['ns1.dev.corp.internal.'] },
      { name: 'ns1.dev.corp.internal.', type: 'A', ttl: 60, records: ['192.0.2.53'] },
      { name: 'ns1.dev.corp.internal.', type: 'AAAA', ttl: 60, records: ['2001:db8::53'] },
    ]);
  });

  test('no addresses of servers outside the zone, or of other hosts', () => {
    const present = hosts(
      'ns1.dev.corp.internal.',
      'ns.corp.internal.',
      'www.dev.corp.internal.',
      'dev.corp.internal.',
    );
    expect(short(zone('ns.corp.internal', 'ns.xdev.corp.internal'), [], present)).toEqual([ns]);
    expect(short(zone('dev.corp.internal'), [], present)).toEqual([
      ns,
      'dev.corp.internal. A',
      'dev.corp.internal. AAAA',
    ]);
  });

  test('addresses, whatever other records the server has', () => {
    const text = { name: 'ns1.dev.corp.internal.', type: 'TXT', ttl: 60, records: ['"x"'] };
    const mark = { account: 'internal-dns', content: 'ConfigMap a, key b' };
    const [a] = hosts('ns1.dev.corp.internal.');
    expect(delegationOf(zone(), [], [text, { ...a!, mark } as never])[1]).toEqual(a);
    expect(short(zone(), [], [text])).toEqual([ns]);
  });

  test('DS of a signed zone', () => {
    const ds = ['12345 13 2 ab', '12345 13 4 cd'];
    expect(delegationOf(zone('ns.example.com'), ds, [])).toEqual([
      { name: 'dev.corp.internal.', type: 'NS', ttl: 3600, records: ['ns.example.com.'] },
      { name: 'dev.corp.internal.', type: 'DS', ttl: 3600, records: ds },
    ]);
  });
});
