import { expect, test } from 'vitest';
import { missingGlue } from '../../../functions/dns/zone/glue.ts';

const zone = 'corp.internal.';
const ns = (...records: string[]) => ({ name: 'dev.corp.internal.', type: 'NS', records });
const a = (name: string) => ({ name, type: 'A', records: ['192.0.2.9'] });

test.each([
  ['its only server is below it and has no address', [ns('ns1.dev.corp.internal.')], ['ns1.dev.corp.internal']],
  ['its server has its name', [ns('dev.corp.internal.')], ['dev.corp.internal']],
  [
    'none of several has an address',
    [ns('a.dev.corp.internal.', 'b.dev.corp.internal.')],
    ['a.dev.corp.internal, b.dev.corp.internal'],
  ],
  ['its server has an address', [ns('ns1.dev.corp.internal.'), a('ns1.dev.corp.internal.')], []],
  ['one of several has an address', [ns('a.dev.corp.internal.', 'ns.example.com.')], []],
  ['its server is elsewhere', [ns('ns1.corp.internal.')], []],
  ['it is the zone itself', [{ ...ns('ns1.corp.internal.'), name: zone }], []],
])('a delegation of which %s', (_, rrsets, servers) => {
  expect(missingGlue(zone, rrsets)).toEqual(
    servers.map(
      (each) =>
        `dev.corp.internal is delegated to ${each}, which has no address here: it is unreachable without an A or AAAA record (glue)`,
    ),
  );
});
