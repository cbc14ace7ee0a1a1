import { expect, test } from 'vitest';
import { CurrentReach } from '../../../functions/agent/http/reach.ts';
import type { ZoneReport } from '../../../functions/contract/report.ts';
import { declarationWith } from '../../contract/declared.ts';

const ds = '12345 13 2 0123456789abcdef';
const signing = (mode: 'Signed' | 'Unsigning') => ({ mode, algorithm: 'ECDSA256' as const, nsec3: false, ds: [] });
const declaration = declarationWith({
  service: ['10.96.0.53'],
  zones: [
    { name: 'corp.internal', nameServers: [], dnssec: signing('Signed') },
    { name: 'old.internal', nameServers: [], dnssec: signing('Unsigning') },
    { name: 'lab.internal', nameServers: [] },
  ],
});
const reports: ZoneReport[] = [
  { name: 'corp.internal', state: 'Serving', dnssec: { ds: [ds], dnskey: [] } },
  { name: 'old.internal', state: 'Serving', dnssec: { ds: [ds], dnskey: [] } },
  { name: 'gone.internal', state: 'Retained' },
];
const ways = [{ service: 'lan', type: 'NodePort', servers: [{ address: '192.0.2.1', port: 30053 }] }];
const text = JSON.stringify({ ways, notes: ['no address'] });

test('has the declared zones, with the DS records of those that stay signed, and the ways in', () => {
  const reach = new CurrentReach();
  expect(reach.setWaysIn(text)).toBeUndefined();
  expect(reach.get(declaration, reports)).toEqual({
    zones: [
      { name: 'corp.internal', ds: [ds] },
      { name: 'old.internal', ds: [] },
      { name: 'lab.internal', ds: [] },
    ],
    clusterIPs: ['10.96.0.53'],
    ways,
    notes: ['no address'],
  });
});

test('is empty before the declaration, and without ways in of a function of an older version', () => {
  const reach = new CurrentReach();
  expect(reach.get(undefined, [])).toEqual({ zones: [], clusterIPs: [], ways: [], notes: [] });
  expect(reach.setWaysIn(undefined)).toBeUndefined();
  expect(reach.get(declaration, reports)).toMatchObject({ clusterIPs: ['10.96.0.53'], ways: [], notes: [] });
});

test('is the same object until something changes', () => {
  const reach = new CurrentReach();
  reach.setWaysIn(text);
  const first = reach.get(declaration, reports);
  reach.setWaysIn(text);
  expect(reach.get(declaration, reports)).toBe(first);
  reach.setWaysIn(JSON.stringify({ ways: [], notes: [] }));
  expect(reach.get(declaration, reports).ways).toEqual([]);
});

test('keeps the last ways in when there are invalid ones', () => {
  const reach = new CurrentReach();
  reach.setWaysIn(text);
  expect(reach.setWaysIn('{"ways":[{"service":1}],"notes":[]}')).toMatch(/^ways\.0\.service: /);
  expect(reach.setWaysIn('nonsense')).toMatch(/JSON/);
  expect(reach.get(declaration, reports).ways).toEqual(ways);
});
