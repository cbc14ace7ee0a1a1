import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseTeamZone, zoneSpec, zoneStatus } from '../../../functions/contract/kinds/zone.ts';
import { zone } from '../../../functions/internal-dns/zones/zone.ts';
import { goodZones } from './refusals.ts';

const anything = { allows: (_: string) => true, networks: '' };

function parsed(fields: object, { addresses = ['192.0.2.53'], rights = anything, others = [] as object[] } = {}) {
  const spec = zoneSpec.parse({ name: 'team.internal', ...fields });
  const zones = [spec, ...others.map((each) => zone.parse(each))];
  return parseTeamZone(spec, { composite: 'corp', addresses, zones, rights });
}

const issuesOf = (...given: Parameters<typeof parsed>) =>
  parsed(...given).issues.map(({ at, message }) => `${at}: ${message}`);

test('what a Zone accepts an InternalDNS does', () => {
  for (const spec of goodZones) expect(zone.parse(spec)).toEqual({ ...zoneSpec.parse(spec), recordsFrom: [] });
});

test('the example is a valid Zone', () => {
  const file = join(import.meta.dirname, '../../../examples/zones/zone.yaml');
  const objects = parseAllDocuments(readFileSync(file, 'utf8')).map((each) => each.toJS());
  const specs = objects.filter(({ kind }) => kind === 'Zone').map(({ spec }) => spec);
  expect(specs.map((spec) => issuesOf(spec))).toEqual([[]]);
});

describe('the records of a Zone', () => {
  const served = { name: 'dns', type: 'A', values: ['{{service.address}}'] };
  const www = { name: 'www', type: 'A', values: ['192.0.2.80'] };

  test('have their placeholders filled in', () => {
    const { records, issues } = parsed({ records: [served, { name: 'a', type: 'TXT', values: ['{{xr.name}}'] }] });
    expect(issues).toEqual([]);
    expect(records.map(({ values }) => values)).toEqual([['192.0.2.53'], ['corp']]);
  });

  test('leave out what waits for an address, and are checked all the same', () => {
    const waiting = { addresses: [] };
    expect(parsed({ records: [served, www] }, waiting)).toMatchObject({ records: [www], issues: [] });
    expect(issuesOf({ records: [{ ...served, name: 'a b' }] }, waiting)).toEqual([
      expect.stringMatching(/^records\[0\]\.name: /),
    ]);
  });

  test('have the issues that those of an InternalDNS have', () => {
    const records = [
      { ...www, values: ['192.0.2.256'] },
      { name: '@', type: 'CNAME', values: ['www'] },
      { ...www, name: 'db', check: { port: 5432, interval: '90ms' } },
      { ...www, name: 'own', values: ['127.0.0.1'], check: { port: 80 } },
      { ...www, name: 'x.sub' },
    ];
    expect(issuesOf({ records }, { others: [{ name: 'sub.team.internal' }] })).toEqual([
      'records[0].values[0]: not an IPv4 address: 192.0.2.256',
      'records[2].check.interval: not whole seconds from 1s to 10m: 90ms',
      'records[3].values[0]: 127.0.0.1 is a loopback address, which is never checked',
      expect.stringMatching(/^records\[1\]\.values\[0\]: a CNAME cannot be at the apex/),
      expect.stringMatching(
        /^records\[4\]\.values\[0\]: x\.sub\.team\.internal belongs to the zone sub\.team\.internal/,
      ),
    ]);
    const signed = {
      dnssec: { mode: 'Signed' },
      records: [{ name: '@', type: 'ALIAS', values: ['www.example.com.'] }],
    };
    expect(issuesOf(signed)).toEqual([expect.stringContaining('cannot be signed')]);
    expect(issuesOf({ soa: { rname: 'a b@team.internal' } })).toEqual([expect.stringMatching(/^soa\.rname: /)]);
  });

  test('check only addresses in the networks of the tenant', () => {
    const rights = { allows: (address: string) => address.startsWith('192.0.2.'), networks: '192.0.2.0/24' };
    const checked = { ...www, check: { port: 80 }, whenAllDown: 'Backup', backup: ['198.51.100.2'] };
    const records = [
      { ...checked, values: ['192.0.2.1', '{{service.address}}'] },
      { ...www, values: ['10.0.0.1'] },
    ];
    expect(issuesOf({ records: [records[0], { ...records[1], name: 'far' }] }, { rights })).toEqual([
      'records[0].check: 198.51.100.2 cannot be checked: it is outside 192.0.2.0/24 (discovery.tenants, networks)',
    ]);
  });
});

test('the status has what the parent of a signed zone needs', () => {
  const instance = {
    ...{ name: 'corp', state: 'Serving', delegation: ['team.internal. 3600 IN NS ns1.team.internal.'] },
    dnssec: { ds: ['12345 13 2 ab'], dnskey: ['257 3 13 ab=='] },
  };
  expect(zoneStatus.parse({ instances: [instance, { name: 'lab', state: 'Refused', message: 'not yours' }] })).toEqual({
    instances: [instance, { name: 'lab', state: 'Refused', message: 'not yours' }],
  });
});
